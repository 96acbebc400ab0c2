"""A run taken back: what is still ours goes back, what people hold stays, and it stays undone."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

import pytest

from icp_sync import observe
from icp_sync.domain.account import Origin
from icp_sync.domain.plan import Outcome, Result
from icp_sync.domain.profile import DAY
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.ports import Page, Stream
from icp_sync.quota import Priority
from icp_sync.sync import undo as undoing
from icp_sync.sync.cycle import Scope
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from icp_sync.sync.undone import Undone
from tests.sync.world import ANNA, GOOD, POOR, World, facts


class Crash(BaseException):
    """The process is gone."""


def run_of(world: World, kind: str = "backfill") -> str:
    return next(
        run.id for run in world.journal.runs(100) if run.kind == kind and run.detail.get("apply", True)
    )


def back(world: World, run: str = "", *, apply: bool = True, **wanted: tuple[str, ...]) -> Undone:
    world.clock.step(60)
    chosen = Wanted(run=run or run_of(world), **wanted)  # type: ignore[arg-type]
    return undo(chosen, world.parts(holder="undo"), Scope(apply=apply))


def standing(world: World, account_id: str) -> dict[str, str]:
    return {n: v for n, v in world.live(account_id).items() if v and n != "seal"}


def settled(world: World, n: int = 2) -> list[str]:
    ids = [world.company(f"C{k}", domain=f"c{k}.com", **(GOOD if k % 2 else POOR)) for k in range(n)]
    world.backfill()
    world.clock.step(600)
    world.quiesce()
    return ids


def test_an_undo_goes_before_a_backfill_and_behind_the_changes_of_the_minute(world: World) -> None:
    settled(world)
    with world.priorities() as seen:
        assert back(world).restored == 2
    assert seen == {Priority.SWEEP}


def test_a_dry_run_says_what_would_go_back_and_leaves_everything(world: World) -> None:
    ids = settled(world)
    writes, runs = len(world.crm.writes), len(world.journal.runs(100))
    report = back(world, apply=False)
    assert (report.restored, report.people, report.done) == (2, 0, True)
    assert report.by_field["tier"] == 2
    assert {(c.account_id, c.desired) for c in report.changes if c.field == "tier"} == {
        (id, "") for id in ids
    }
    assert (len(world.crm.writes), len(world.journal.runs(100))) == (writes, runs)
    assert world.journal.position(undoing.UNDO, run_of(world)).finished is False


def test_what_a_run_wrote_goes_back_and_stays_back(world: World) -> None:
    ids = settled(world)
    report = back(world)
    assert (report.restored, report.refused, report.failed) == (2, 0, 0)
    assert [standing(world, id) for id in ids] == [{}, {}]
    writes = len(world.crm.writes)
    for stream in (Stream.POLL, Stream.DUE, Stream.SWEEP, Stream.BACKFILL):
        world.cycle(stream)
    world.clock.step(10 * DAY)
    world.quiesce()
    assert [standing(world, id) for id in ids] == [{}, {}]
    assert world.crm.writes[writes:] == []


def test_it_is_written_again_once_the_inputs_change(world: World) -> None:
    first, second = settled(world)
    back(world)
    world.crm.edit(first, signals=facts(employees=10, lifecycle=""))
    world.clock.step(600)
    world.quiesce()
    assert world.live(first)["tier"]
    assert world.live(second)["tier"] == ""


def test_it_is_written_again_once_the_profile_changes(world: World) -> None:
    first, _ = settled(world)
    back(world)
    world.version = 2
    world.backfill(Scope(restart=True))
    assert world.live(first)["tier"] == "B"


def test_what_another_stream_sees_while_the_undo_has_read_already_is_not_touched(world: World) -> None:
    first, _ = settled(world)
    fetch = world.crm.fetch

    def fetched(ids: Sequence[str]) -> Page:
        page = fetch(ids)
        if world.live(first)["lane"] != "research":
            world.clock.step(5)
            world.crm.edit(first, live={"lane": "research"})
            world.clock.step(5)
            world.poll()
        return page

    world.crm.fetch = fetched  # type: ignore[method-assign]
    run = run_of(world)
    writes = len(world.crm.writes)
    back(world, run)
    assert world.live(first)["lane"] == "research"
    assert not any(value == "" for _, id, name, value in world.writes(first)[writes:] if name == "lane")


def test_what_a_person_changed_since_is_not_touched(world: World) -> None:
    first, second = settled(world)
    world.crm.edit(first, live={"tier": "D"})
    world.crm.edit(second, owner=ANNA if world.account(second).owner != ANNA else "ben@example.com")
    taken = world.account(second).owner
    report = back(world)
    assert world.live(first)["tier"] == "D"
    assert world.account(second).owner == taken
    assert {(row[0], row[2], row[3]) for row in report.edited} == {
        (first, "tier", "D"),
        (second, "owner", taken),
    }
    assert world.live(first)["fit_score"] == ""
    world.quiesce()
    assert world.live(first)["tier"] == "D"


def test_what_a_later_run_of_ours_wrote_goes_back_to_before_the_run(world: World) -> None:
    account = world.company("C", domain="c.com", **GOOD)
    world.backfill()
    first = run_of(world)
    world.clock.step(600)
    world.crm.edit(account, signals=facts(employees=100, industry="RETAIL", lifecycle=""))
    world.quiesce()
    assert world.live(account)["tier"] == "B"
    report = back(world, first)
    assert standing(world, account) == {"previous_tier": "A"}  # that run never wrote this field
    assert (account, "tier", "B", "") in {(r[0], r[2], r[3], r[4]) for r in report.rewritten}
    assert report.again > 0
    world.quiesce()
    assert standing(world, account) == {"previous_tier": "A"}


def test_an_undo_is_undone_like_any_run_and_what_it_withdrew_may_be_written(world: World) -> None:
    ids = settled(world)
    before = [standing(world, id) for id in ids]
    back(world)
    again = back(world, run_of(world, "undo"))
    assert again.restored == 2
    assert [standing(world, id) for id in ids] == before
    memory = world.journal.recall(dict.fromkeys(ids, ""), now=world.clock())
    assert [memory.of(id).withdrawn for id in ids] == [None, None]
    writes = len(world.crm.writes)
    world.quiesce()
    assert {field for _, _, field, _ in world.crm.writes[writes:]} <= {"seal"}  # an owner seen is sealed
    back(world, run_of(world, "undo"))
    assert [standing(world, id) for id in ids] == [{}, {}]
    world.quiesce()
    assert [standing(world, id) for id in ids] == [{}, {}]


def test_a_value_of_peoples_goes_back_as_theirs(world: World) -> None:
    account = world.company("C", domain="c.com", **GOOD)
    world.backfill()
    world.crm.edit(account, live={"lane": "success"})
    world.quiesce()
    assert world.live(account)["lane"] == "success"
    world.clock.step(91 * DAY)  # nobody's value is held for ever
    world.quiesce()
    assert world.live(account)["lane"] == "sales"
    over = next(c.run for c in world.journal.history(account) if (c.field, c.before) == ("lane", "success"))
    back(world, over)
    held = world.journal.account(account)
    assert held is not None
    assert held.confirmed["lane"].origin is Origin.HUMAN
    world.crm.edit(account, signals=facts(employees=300, lifecycle=""))
    world.quiesce()
    assert world.live(account)["lane"] == "success"


def test_one_field_or_one_account_alone_can_be_undone(world: World) -> None:
    first, second = settled(world)
    report = back(world, fields=("lane",))
    assert (report.restored, dict(report.by_field)) == (2, {"lane": 2})
    assert (world.live(first)["lane"], world.live(first)["tier"]) == ("", "B")
    back(world, ids=(second,))
    assert standing(world, second) == {}
    assert world.live(first)["tier"] == "B"
    world.quiesce()
    assert (world.live(first)["lane"], world.live(first)["tier"], standing(world, second)) == ("", "B", {})


def test_loads_follow_an_owner_who_goes_back(world: World) -> None:
    settled(world, 4)
    assert sum(loads(world).values()) == 4
    report = back(world)
    assert report.assigned.total() == 4
    assert loads(world) == {}
    world.quiesce()
    assert loads(world) == {}


def loads(world: World) -> dict[str, int]:
    return {who: n for who, n in world.journal.recall({}, now=world.clock()).roster.loads.items() if n}


def test_what_cannot_be_taken_back_is_counted(world: World) -> None:
    first, second, third = settled(world, 3)
    world.crm.delete(first)
    world.crm.merge(second, third)
    told = back(world).to_json()
    lasting = told["irreversible"]
    assert isinstance(lasting, dict)
    assert (lasting["deleted"], lasting["merged"], lasting["owners_notified"]) == (1, 1, 3)
    assert (lasting["seen_by_others"], lasting["timestamps"]) == (3, 1)


def test_an_owner_who_has_left_gets_nothing_back(world: World) -> None:
    account = world.company("C", domain="c.com", owner="gone@example.com", **GOOD)
    world.backfill()
    world.journal.release(account, None, now=world.clock())
    run = run_of(world)
    rewrite_owner(world, account)
    world.crm.edit(account, owner=ANNA)
    report = back(world, run)
    assert dict(report.nobody) == {"gone@example.com": 1}
    assert world.account(account).owner == ANNA


def rewrite_owner(world: World, account: str) -> None:
    """The history and the evidence of a run that took the account from somebody who has left since."""
    with world.journal.engine.begin() as conn:
        [(seq, text)] = conn.exec_driver_sql("SELECT seq, changes FROM change_log").all()
        changes = [*json.loads(text), ["owner", "gone@example.com", ANNA, "", "ours"]]
        conn.exec_driver_sql("UPDATE change_log SET changes = ? WHERE seq = ?", (json.dumps(changes), seq))
        text = conn.exec_driver_sql("SELECT confirmed FROM account").scalar_one()
        confirmed = {**json.loads(text), "owner": [ANNA, "ours", 0.0]}
        conn.exec_driver_sql("UPDATE account SET confirmed = ?", (json.dumps(confirmed),))


def test_a_refused_account_is_told_and_the_same_undo_restores_it_later(world: World) -> None:
    ids = settled(world)
    world.crm.refuse = lambda w: (
        Outcome(account_id=w.account_id, result=Result.REFUSED, code="NO", message="a rule says no")
        if w.account_id == ids[0]
        else None
    )
    report = back(world)
    assert (report.restored, report.refused, report.left) == (1, 1, 1)
    assert report.problems == [(ids[0], "NO: a rule says no")]
    world.quiesce()
    assert world.live(ids[0])["tier"] == "B"
    world.crm.refuse = lambda _: None
    assert back(world).restored == 1
    world.quiesce()
    assert standing(world, ids[0]) == {}


def test_a_reply_that_was_lost_is_found_out_by_the_same_undo(world: World) -> None:
    ids = settled(world)
    world.crm.lose_reply = lambda _: True
    assert back(world).failed == 2
    world.crm.lose_reply = lambda _: False
    world.quiesce()
    report = back(world)
    assert (report.restored, report.failed) == (0, 0)
    assert [standing(world, id) for id in ids] == [{}, {}]


def test_only_one_undo_is_at_work_at_a_time(world: World) -> None:
    settled(world)
    lease = world.journal.lease("undo", holder="other", now=world.clock(), ttl=600)
    assert lease is not None
    with pytest.raises(UnavailableError, match="another undo"):
        back(world)


def test_a_page_after_which_it_shall_stop_is_the_last_and_the_same_undo_goes_on(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(undoing, "AT_ONCE", 1)
    ids = settled(world, 3)
    stopped = undo(Wanted(run=run_of(world)), world.parts(), Scope(going=lambda: False))
    assert (stopped.accounts, stopped.done) == (1, False)
    report = back(world)
    assert (report.done, report.continued, report.undo) == (True, True, stopped.undo)
    assert (report.accounts, report.restored) == (3, 3), "what both did"
    assert [entry.what for entry in world.journal.audited()] == ["undo"]
    assert [standing(world, id) for id in ids] == [{}, {}, {}]
    assert back(world, report.undo).restored == 3


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (lambda w: "20200101-000000-abcd", "knows no such run.*runs are kept since"),
        (lambda w: "nonsense", "looks like"),
        (lambda w: dry(w), "was a dry run"),
        (lambda w: idle(w), "wrote nothing"),
        (lambda w: pruned(w), "no longer kept"),
    ],
)
def test_a_run_that_cannot_be_undone_says_why(world: World, run: Callable[[World], str], said: str) -> None:
    settled(world)
    with pytest.raises(ConfigError, match=said) as caught:
        back(world, run(world))
    assert caught.value.next_step == "icp-sync history"


def dry(world: World) -> str:
    world.cycle(Stream.BACKFILL, Scope(apply=False))
    return world.journal.runs(1)[0].id


def idle(world: World) -> str:
    world.cycle(Stream.POLL)
    return world.journal.runs(1)[0].id


def pruned(world: World) -> str:
    with world.journal.engine.begin() as conn:
        conn.exec_driver_sql("DELETE FROM change_log")
    return run_of(world)


def test_a_run_still_going_is_left_to_end_and_a_killed_one_can_be_undone(world: World) -> None:
    world.company("C", domain="c.com", **GOOD)

    def die(name: str) -> None:
        if name == "journal.run.before" and world.crm.writes:
            raise Crash

    observe.arm_faults(die)
    with pytest.raises(Crash):
        world.backfill()
    observe.arm_faults(None)
    lease = world.journal.lease("backfill", holder="one", now=world.clock() + 500, ttl=600)
    assert lease is not None
    with pytest.raises(ConfigError, match="still going on"):
        back(world)
    world.reopen()
    assert back(world).restored == 1


def test_in_mode_observe_a_run_can_still_be_undone(world: World) -> None:
    ids = settled(world)
    world.mode = Mode.OBSERVE
    assert back(world).restored == 2
    world.mode = Mode.ROUTE
    world.backfill(Scope(restart=True))
    world.quiesce()
    assert [standing(world, id) for id in ids] == [{}, {}]
