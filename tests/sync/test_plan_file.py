"""A plan is a file that is applied exactly as it stands, where it was made for, or not at all."""

from __future__ import annotations

import json
import tracemalloc
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync import observe
from icp_sync.domain.guard import Limits
from icp_sync.domain.plan import Outcome, Result
from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.errors import ConfigError, IcpSyncError, UnavailableError, UnsafePlanError
from icp_sync.journal import Asked
from icp_sync.ports import Stream
from icp_sync.quota import Priority
from icp_sync.sync.cycle import LEASE_SECONDS, Parts, Scope, cycle
from icp_sync.sync.plan_file import Drawn, PlanFile, apply, perform, read_plan
from icp_sync.sync.plan_file.applied import Applied
from icp_sync.sync.plan_file.binding import header
from icp_sync.sync.plan_file.deciding import FACTS_MOVED
from icp_sync.sync.plan_file.document import Header, Planned, PlanWriter, Row
from icp_sync.sync.plan_file.making import Guarded
from icp_sync.sync.report import Report
from tests.sync.world import ANNA, BEN, GOOD, POOR, World, facts

DOCUMENTS = (("profile.yaml", "profile: mid-market"),)
ADA, BOB = "ada@desk", "bob@desk"


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A connection in mode route with an active profile."""
    made = World(tmp_path)
    made.journal.activate(DOCUMENTS, now=made.clock())
    made.journal.set_mode(Mode.ROUTE, now=made.clock())
    return made


def drawn(world: World, path: Path | None = None, **bound: Any) -> PlanFile:
    """A plan of everything, as `plan --out` makes it."""
    path = path or world.folder / "plan.json"
    parts = world.parts()
    made = replace(header(parts, DOCUMENTS, 1, world.mode, author=ADA), **bound)
    with path.open("w", encoding="ascii") as stream:
        writer = PlanWriter(stream, made)
        report = Drawn(writer.row)
        assert cycle(Stream.BACKFILL, parts, Scope(apply=False, restart=True, report=report)) is report
        writer.end({"guard": report.guarded.to_json()})
    return read_plan(path)


def applied(world: World, plan: PlanFile, *, scope: Scope | None = None, **more: Any) -> Applied:
    return apply(plan, world.parts(), scope or Scope(), by=BOB, **more)


def values(plan: PlanFile) -> dict[tuple[str, str], str]:
    return {(row.id, c.field): c.desired for row in plan.rows() for c in row.changes}


def sent(world: World, since: int = 0) -> dict[tuple[str, str], str]:
    return {(i, name): value for _, i, name, value in world.crm.writes[since:] if name != "seal"}


# The document

lines = st.text(max_size=20)
changes = st.builds(
    Planned,
    field=st.sampled_from([name for name, known in FIELDS.items() if not known.hidden]),
    live=lines,
    desired=lines,
    ours=st.none() | lines,
    reason=lines,
)
rows = st.lists(
    st.builds(
        Row,
        id=lines,
        name=lines,
        stamp=st.integers(0, 2**53),
        facts=lines,
        open_deal=st.booleans(),
        changes=st.lists(changes, max_size=3).map(tuple),
    ),
    max_size=5,
)
HEADER = Header(
    connection="main",
    crm="hubspot",
    identity="1",
    mode="route",
    profile="f00",
    profile_version=3,
    profile_names=("p.yaml",),
    engine=1,
    outputs={"tier": "icp_tier"},
    author=ADA,
    made_at=1_795_000_000.5,
)


def written(path: Path, rows: list[Row]) -> str:
    with path.open("w", encoding="ascii") as stream:
        writer = PlanWriter(stream, HEADER)
        for row in rows:
            writer.row(row)
        return writer.end({"accounts": len(rows)})


@given(rows)
def test_a_plan_reads_back_as_it_was_written_and_is_one_json_document(
    tmp_path_factory: pytest.TempPathFactory, rows: list[Row]
) -> None:
    path = tmp_path_factory.getbasetemp() / "same.json"
    digest = written(path, rows)
    plan = read_plan(path)
    assert (plan.header, plan.accounts, plan.digest) == (HEADER, len(rows), digest)
    assert list(plan.rows()) == rows
    assert list(plan.rows(skip=2)) == rows[2:]
    assert len(json.loads(path.read_text())["accounts"]) == len(rows)


ROW = Row(
    id="1",
    name="Acme",
    stamp=5,
    facts="f00",
    open_deal=False,
    changes=(Planned(field="tier", live="A", desired="B", ours="A", reason="why"),),
)


@given(st.data())
def test_a_plan_somebody_edited_is_no_plan_any_more(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = tmp_path_factory.getbasetemp() / "edited.json"
    written(path, [ROW, replace(ROW, id="2")])
    whole = path.read_bytes()
    at = data.draw(st.integers(0, len(whole) - 2))
    byte = data.draw(st.integers(0, 255).filter(lambda b: b != whole[at]))
    path.write_bytes(whole[:at] + bytes([byte]) + whole[at + 1 :])
    with pytest.raises(ConfigError) as refused:
        read_plan(path)
    assert str(path) in str(refused.value)


@given(st.binary(max_size=300) | st.integers(2, 400))
def test_whatever_is_no_plan_is_refused_by_name(
    tmp_path_factory: pytest.TempPathFactory, other: bytes | int
) -> None:
    path = tmp_path_factory.getbasetemp() / "other.json"
    written(path, [ROW])
    cut = path.read_bytes()[:-other] if isinstance(other, int) else other
    path.write_bytes(cut)
    with pytest.raises(ConfigError) as refused:
        read_plan(path)
    assert str(path) in str(refused.value)


def test_a_file_that_is_not_there_is_said_to_be_missing(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        read_plan(tmp_path / "none.json")


def test_a_long_plan_is_read_without_being_held(tmp_path: Path) -> None:
    path = tmp_path / "long.json"
    written(path, [replace(ROW, id=str(n)) for n in range(8_000)])
    assert path.stat().st_size > 1_200_000
    tracemalloc.start()
    try:
        plan = read_plan(path)
        assert sum(1 for _ in plan.rows()) == 8_000
        assert tracemalloc.get_traced_memory()[1] < 400_000
    finally:
        tracemalloc.stop()


# Applying


def test_exactly_what_was_planned_is_written_and_nothing_is_left_to_do(world: World) -> None:
    ids = [world.company(f"C{n}", **(GOOD if n % 2 else POOR)) for n in range(5)]
    plan = drawn(world)
    assert world.crm.writes == []
    done = applied(world, plan)
    assert sent(world) == values(plan)
    assert (done.written, done.fields, done.moved, done.done) == (5, len(values(plan)), 0, True)
    assert drawn(world, world.folder / "again.json").accounts == 0
    before = len(world.crm.writes)
    world.quiesce()
    assert sent(world, before) == {}
    assert {world.journal.account(i).tier for i in ids if world.journal.account(i)} == {"A", "B"}


def test_a_plan_is_applied_before_a_backfill_and_behind_the_changes_of_the_minute(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    with world.priorities() as seen:
        assert applied(world, plan).done
    assert seen == {Priority.SWEEP}


def test_a_plan_names_what_is_live_what_was_ours_and_what_is_to_be(world: World) -> None:
    account_id = world.company(**GOOD)
    world.backfill()
    world.crm.edit(account_id, signals=facts(**POOR))
    (row,) = drawn(world).rows()
    tier = next(c for c in row.changes if c.field == "tier")
    assert (row.id, tier.live, tier.ours, tier.desired) == (account_id, "A", "A", "B")
    assert "DATA industry" in tier.reason
    assert "seal" not in {c.field for c in row.changes}


def test_what_moved_since_is_reported_and_the_rest_lands(world: World) -> None:
    held, free = world.company("Held", **GOOD), world.company("Free", **GOOD)
    plan = drawn(world)
    world.crm.edit(held, live={"lane": "nurture"})
    done = applied(world, plan)
    (move,) = done.moves
    assert (move.id, move.field, move.planned, move.live) == (held, "lane", "", "nurture")
    assert (done.moved, done.written, done.partly, done.other) == (1, 2, 1, 0)
    assert world.journal.audited()[-1].detail["partly"] == 1
    assert world.live(held)["lane"] == "nurture"
    assert world.live(held)["tier"] == world.live(free)["tier"] == "A"
    assert set(sent(world)) == set(values(plan)) - {(held, "lane")}


def test_the_seal_is_made_of_what_landed(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    world.crm.edit(account_id, live={"lane": "nurture"})
    applied(world, plan)
    world.lose_journal()
    world.crm.edit(account_id, signals=facts(**POOR))
    world.backfill()
    assert world.live(account_id)["tier"] == "B"
    assert world.live(account_id)["lane"] == "nurture"


def test_a_value_that_people_hold_is_not_overwritten_even_where_it_is_what_was_planned_from(
    world: World,
) -> None:
    account_id = world.company(**GOOD)
    world.backfill()
    world.crm.edit(account_id, signals=facts(**POOR))
    plan = drawn(world)
    world.crm.edit(account_id, live={"tier": "D"})
    world.clock.step(5)
    world.poll()  # the journal learns whose it is
    done = applied(world, plan)
    assert ("tier", "D") in {(m.field, m.live) for m in done.moves}
    assert world.live(account_id)["tier"] == "D"


def test_an_account_whose_facts_moved_since_is_listed_and_left_whole(world: World) -> None:
    moves, stays = world.company("Moves", **GOOD), world.company("Stays", **GOOD)
    plan = drawn(world)
    world.crm.edit(moves, signals=facts(**POOR))
    done = applied(world, plan)
    assert (done.written, done.other, done.partly) == (1, 1, 0)
    assert {m.id for m in done.moves} == {moves}
    assert {m.field for m in done.moves} == {name for i, name in values(plan) if i == moves}
    assert {m.why for m in done.moves} == {FACTS_MOVED}
    assert (world.live(moves)["tier"], world.live(stays)["tier"]) == ("", "A")


def test_an_override_typed_since_is_news_as_facts_are(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    world.crm.edit(account_id, live={"tier_override": "C"})
    assert applied(world, plan).other == 1
    assert world.live(account_id)["tier"] == ""


def test_a_record_that_was_touched_and_says_the_same_is_written(world: World) -> None:
    account_id = world.company(**GOOD)
    (row,) = drawn(world).rows()
    plan = drawn(world)
    world.clock.step(60)
    world.crm.edit(account_id, signals=facts(**GOOD))
    assert world.crm.fetch([account_id]).accounts[0].stamp > row.stamp
    assert applied(world, plan).written == 1


def test_accounts_that_are_gone_are_reported(world: World) -> None:
    stays, goes = world.company(**GOOD), world.company("Goes", **GOOD)
    plan = drawn(world)
    world.crm.delete(goes)
    done = applied(world, plan)
    assert (done.missing, done.written, done.gone, done.accounts) == ([goes], 1, 1, 2)
    assert world.live(stays)["tier"] == "A"


def test_a_refusal_is_reported_and_tried_again_later(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.REFUSED, code="NO")
    done = applied(world, plan)
    assert (done.written, done.refused, done.problems) == (0, 1, [(account_id, "NO")])
    world.crm.refuse = lambda _: None
    world.due()
    assert world.live(account_id)["tier"] == "A"


def test_a_write_whose_reply_was_lost_is_found_by_the_next_read(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    world.crm.lose_reply = lambda _: True
    assert applied(world, plan).deferred == 1
    world.crm.lose_reply = lambda _: False
    before = len(world.crm.writes)
    world.quiesce()
    assert sent(world, before) == {}
    assert world.live(account_id)["tier"] == "A"


def test_owners_are_given_and_counted(world: World) -> None:
    for n in range(4):
        world.company(f"C{n}", **GOOD)
    plan = drawn(world)
    applied(world, plan)
    owners = {i: v for (i, name), v in sent(world).items() if name == "owner"}
    assert sorted(owners.values()) == [ANNA, ANNA, BEN, BEN]
    world.due()
    assert world.journal.recall({}, now=world.clock()).roster.loads == {ANNA: 2, BEN: 2}


def test_a_plan_applied_is_a_run_with_a_history(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    done = applied(world, plan, note="looks right")
    run = world.journal.run(done.run)
    assert run is not None
    assert (run.kind, run.detail["plan"], run.detail["by"]) == ("apply", plan.digest, BOB)
    (history,) = world.journal.changed_in(done.run).values()
    assert {c.field for c in history} == {c.field for r in plan.rows() for c in r.changes} | {"seal"}
    assert {c.account_id for c in history} == {account_id}
    said = world.journal.audited()
    assert [(a.what, a.who) for a in said] == [("apply", BOB), ("applied", BOB)]
    assert (said[0].detail["plan"], said[0].detail["note"]) == (plan.digest, "looks right")
    assert said[1].detail["written"] == 1


def test_a_plan_applied_twice_says_so_and_writes_nothing(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    first = applied(world, plan)
    before = len(world.crm.writes)
    second = applied(world, plan)
    assert (second.again, second.run, len(world.crm.writes)) == (True, first.run, before)


def test_an_empty_plan_is_applied_at_once(world: World) -> None:
    plan = drawn(world)
    assert (plan.accounts, applied(world, plan).done, applied(world, plan).again) == (0, True, True)


POINTS = (
    "journal.intend.before",
    "journal.intend.after",
    "settle.write.before",
    "settle.write.after",
    "journal.amend.before",
    "journal.amend.after",
    "journal.run.before",
    "journal.audit.after",
)


@pytest.mark.parametrize("point", POINTS)
@pytest.mark.parametrize("nth", [1, 3])
def test_killed_anywhere_and_run_again_it_ends_as_if_nothing_had_happened(
    world: World, monkeypatch: pytest.MonkeyPatch, point: str, nth: int
) -> None:
    monkeypatch.setattr("icp_sync.sync.plan_file.applying.AT_ONCE", 2)
    for n in range(5):
        world.company(f"C{n}", **GOOD)
    plan = drawn(world)
    left = [nth]

    def die(reached: str) -> None:
        left[0] -= reached == point
        if reached == point and left[0] == 0:
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        applied(world, plan)
    except KeyboardInterrupt:
        pass
    finally:
        observe.arm_faults(None)
    world.reopen()
    done = applied(world, plan)
    assert sent(world) == values(plan)
    assert len(world.crm.writes) == len({(i, name) for _, i, name, _ in world.crm.writes})  # nothing twice
    told = {
        (i, c.field)
        for i, several in world.journal.changed_in(done.run).items()
        for c in several
        if c.field != "seal"
    }
    assert told == set(values(plan))  # all of it can be undone
    before = len(world.crm.writes)
    world.due()
    world.poll()
    assert sent(world, before) == {}


@pytest.mark.parametrize("point", ["journal.audit.before", "journal.audit.after"])
def test_killed_before_it_could_say_that_it_was_done_it_is_closed_by_the_same_command(
    world: World, point: str
) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    left = [2]  # "apply" is the first entry of the audit, "applied" the second

    def die(reached: str) -> None:
        left[0] -= reached == point
        if left[0] == 0:
            raise KeyboardInterrupt

    observe.arm_faults(die)
    try:
        with pytest.raises(KeyboardInterrupt):
            applied(world, plan)
    finally:
        observe.arm_faults(None)
    world.reopen()
    world.clock.step(LEASE_SECONDS + 1)
    again = applied(world, plan)
    assert (again.again, applied(world, plan).again) == (True, True)
    run = world.journal.run(again.run)
    assert run is not None
    assert run.ended_at is not None
    told = {name: run.report[name] for name in ("outcome", "written", "fields")}
    assert told == {"outcome": "done", "written": 1, "fields": len(values(plan))}
    assert [a.what for a in world.journal.audited()] == ["apply", "applied"]


def test_told_to_stop_it_ends_after_a_page_and_goes_on_from_there(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.sync.plan_file.applying.AT_ONCE", 2)
    for n in range(5):
        world.company(f"C{n}", **GOOD)
    plan = drawn(world)
    seen: list[int] = []

    def ticked(report: Report) -> None:
        seen.append(report.read)

    first = applied(world, plan, scope=Scope(going=lambda: False, ticked=ticked))
    assert (first.done, first.written, seen) == (False, 2, [2])
    second = applied(world, plan)
    assert (second.run, second.skipped, second.written, second.done) == (first.run, 2, 3, True)


def test_another_worker_in_between_is_waited_out(world: World) -> None:
    account_id = world.company(**GOOD)
    plan = drawn(world)
    once = [True]

    def settled_elsewhere(call: str) -> None:
        if call == "owners" and once:
            return
        if call == "fetch" and once:
            once.clear()
            other = world.open()
            world.crm.before = lambda _: None
            assert cycle(Stream.BACKFILL, world.parts(other, "two"))
            other.close()

    world.crm.before = settled_elsewhere
    done = applied(world, plan)
    assert (done.accounts, done.already, done.deferred) == (1, 1, 0)
    assert world.live(account_id)["tier"] == "A"


def test_two_plans_are_not_applied_at_once(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    assert world.journal.lease("apply", holder="two", now=world.clock(), ttl=60.0)
    with pytest.raises(UnavailableError, match="another plan"):
        applied(world, plan)


# Where it fits


@pytest.mark.parametrize(
    ("bound", "says"),
    [
        ({"connection": "other"}, "made for the connection other"),
        ({"crm": "salesforce"}, "(salesforce)"),
        ({"identity": "4711"}, "made for the portal 4711"),
        ({"profile": "f00"}, "not what is active now"),
        ({"engine": 0}, "made by engine 0"),
        ({"mode": "write"}, "as for mode write"),
        ({"outputs": {"tier": "elsewhere"}}, "outputs were mapped otherwise then: tier"),
    ],
)
def test_a_plan_made_for_something_else_is_refused_before_anything(
    world: World, bound: dict[str, Any], says: str
) -> None:
    world.company(**GOOD)
    plan = drawn(world, **bound)
    with pytest.raises(ConfigError) as refused:
        applied(world, plan)
    assert says in str(refused.value)
    assert refused.value.next_step
    assert (world.crm.writes, world.journal.audited()) == ([], [])


@pytest.mark.parametrize(
    ("mode", "step"),
    [("write", "icp-sync mode write"), ("route", "icp-sync plan --mode write --out plan.json")],
)
def test_in_mode_observe_the_next_command_is_the_next_step_up(world: World, mode: str, step: str) -> None:
    plan = drawn(world, mode=mode)
    world.journal.set_mode(Mode.OBSERVE, now=world.clock())
    with pytest.raises(ConfigError) as refused:
        applied(world, plan)
    assert refused.value.next_step.startswith(step)


# The guard and approvals


def downgraded(world: World, accounts: int) -> PlanFile:
    ids = [world.company(f"C{n}", **GOOD) for n in range(accounts)]
    world.backfill()
    for account_id in ids:
        world.crm.edit(account_id, signals=facts(**POOR))
    return drawn(world)


def test_an_exclusion_is_no_downgrade_as_well_and_the_share_is_named() -> None:
    found = Guarded(in_scope=585, downgrades=36, exclusions=5, excluded_down=5)
    assert found.beyond(Limits(), 585, {}) == [
        "31 downgrades, and 29 land in a day (5% of 585 accounts)",
        "5 accounts with an open deal would become Not ICP, and each waits for a person",
    ]
    (alone,) = found.beyond(Limits(exclusions=False), 585, {})
    assert alone.startswith("36 downgrades")
    assert Guarded.from_json(found.to_json()) == found


def test_a_plan_beyond_the_guard_s_limits_wants_a_person_s_word(world: World) -> None:
    plan = downgraded(world, 21)
    before = len(world.crm.writes)
    with pytest.raises(UnsafePlanError, match="21 downgrades, and 20 land in a day") as refused:
        applied(world, plan)
    assert "--force" in refused.value.next_step
    assert len(world.crm.writes) == before
    assert applied(world, plan, force=True).written == 21
    assert world.journal.audited()[0].detail["force"] is True


def test_what_a_person_planned_and_applied_counts_for_no_limit(world: World) -> None:
    assert applied(world, downgraded(world, 20)).written == 20
    moved = world.journal.guarded([], [], population=20, now=world.clock()).moved
    assert not moved.get("downgrades")


def needing(world: World) -> Parts:
    return replace(world.parts(), needs_approval=True)


def test_where_approval_is_asked_for_somebody_else_must_give_it(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    with pytest.raises(UnsafePlanError, match="nobody has approved") as refused:
        apply(plan, needing(world), by=BOB)
    assert f"icp-sync approve {plan.path}" in refused.value.next_step
    world.journal.audit("approve", who=ADA, now=world.clock(), plan=plan.digest)
    with pytest.raises(UnsafePlanError, match="only its author"):
        apply(plan, needing(world), by=BOB)
    world.journal.audit("approve", who=BOB, now=world.clock(), plan="sha256:other")
    with pytest.raises(UnsafePlanError, match="only its author"):
        apply(plan, needing(world), by=BOB)
    assert world.crm.writes == []
    world.journal.audit("approve", who=BOB, now=world.clock(), plan=plan.digest)
    assert apply(plan, needing(world), by=ADA).written == 1


# Handed over


def asked(world: World, plan: PlanFile, **args: object) -> Asked:
    request = world.journal.ask(
        "apply",
        {"path": str(plan.path), "digest": plan.digest, "note": "n", "force": False, **args},
        by=BOB,
        now=world.clock(),
    )
    found = world.journal.request(request)
    assert found is not None
    return found


def test_a_plan_handed_over_is_applied_in_the_name_of_who_asked(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    done = perform(asked(world, plan), world.parts(), Scope())
    assert (done["written"], done["done"], json.loads(json.dumps(done))) == (1, True, done)
    assert {a.who for a in world.journal.audited()} == {BOB}


def test_a_file_that_became_another_one_meanwhile_is_not_applied(world: World) -> None:
    world.company(**GOOD)
    plan = drawn(world)
    request = asked(world, plan)
    world.company("Another", **GOOD)
    drawn(world)
    with pytest.raises(IcpSyncError, match="another plan"):
        perform(request, world.parts(), Scope())
    assert world.crm.writes == []
