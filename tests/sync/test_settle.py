"""The story on one account or a few: what is written, what is left alone, what is put off."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from icp_sync.domain.account import Origin
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.facts import merge
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.profile import DAY
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Scope
from tests.sync.world import ANNA, BEN, GOOD, KEY, OUR_VALUES, POOR, World, facts


def test_a_company_that_fits_gets_its_whole_standing_and_an_owner(world: World) -> None:
    acme = world.company(**GOOD)
    report = world.backfill()
    live = world.live(acme)
    assert live["tier"] == live["model_tier"] == "A"
    assert (live["fit_score"], live["fit_low"], live["fit_high"], live["certainty"]) == (
        "100",
        "100",
        "100",
        "firm",
    )
    assert live["owner"] == live["routed_owner"] != ""
    assert live["lane"] == "sales"
    assert live["seal"].startswith("icp1;0123456789ab;")
    assert (report.read, report.written, report.tiers["A"]) == (1, 1, 1)


def test_the_second_pass_writes_nothing_and_reads_it_all(world: World) -> None:
    for n in range(25):
        world.company(f"Company {n}", employees=20 * n, industry="SOFTWARE" if n % 2 else "")
    world.backfill()
    world.clock.step(60)
    again = world.backfill()
    assert (again.read, again.written, again.unchanged) == (25, 0, 25)


def test_in_mode_observe_nothing_is_written_and_everything_is_known(world: World) -> None:
    world.mode = Mode.OBSERVE
    acme = world.company(**GOOD)
    report = world.backfill()
    assert world.writes() == []
    assert (report.tiers["A"], report.waiting) == (1, 1)
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.tier == "A"


def test_in_mode_write_the_standing_is_written_and_nobody_is_routed(world: World) -> None:
    world.mode = Mode.WRITE
    acme = world.company(**GOOD)
    world.backfill()
    live = world.live(acme)
    assert (live["tier"], live["owner"], live["routed_owner"], live["routed_at"]) == ("A", "", "", "")
    world.mode = Mode.ROUTE
    world.clock.step(60)
    world.backfill()
    live = world.live(acme)
    assert live["owner"] == live["routed_owner"] != ""


def test_a_dry_run_writes_nothing_remembers_nothing_and_says_what_it_would_do(world: World) -> None:
    acme = world.company(**GOOD)
    report = world.backfill(Scope(apply=False))
    assert world.writes() == []
    assert world.journal.account(acme) is None
    assert (report.written, report.by_field["tier"]) == (1, 1)


def test_a_rep_s_own_tier_is_left_alone_and_reported_until_it_is_released(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier": "A"})
    world.clock.step(60)
    report = world.poll()
    assert world.live(acme)["tier"] == "A"
    assert [(id, field, live, ours) for id, _, field, live, ours in report.left_alone] == [
        (acme, "tier", "A", "B")
    ]
    [held] = world.journal.left_alone()
    assert (held.account_id, held.field, held.live, held.desired) == (acme, "tier", "A", "B")

    world.crm.edit(acme, signals=facts(employees=1000, lifecycle=""))
    world.clock.step(60)
    world.poll()
    assert (world.live(acme)["tier"], world.live(acme)["model_tier"]) == ("A", "D")

    assert world.journal.release(acme, None, now=world.clock()) == ["tier"]
    world.due()
    assert world.live(acme)["tier"] == "D"
    assert world.journal.left_alone() == []
    world.quiesce()
    assert world.live(acme)["tier"] == "D"


def test_a_field_somebody_blanked_stays_blank(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, live={"lane": ""})
    world.quiesce()
    assert world.live(acme)["lane"] == ""
    assert [h.field for h in world.journal.left_alone()] == ["lane"]


def test_somebody_who_takes_back_their_edit_gives_the_field_back(world: World) -> None:
    acme = world.company(**POOR)
    world.backfill()
    world.crm.edit(acme, live={"tier": "A"})
    world.clock.step(60)
    world.poll()
    world.crm.edit(acme, live={"tier": "B"})
    world.clock.step(60)
    world.poll()
    assert world.journal.left_alone() == []


def test_a_value_written_before_we_came_belongs_to_people(world: World) -> None:
    acme = world.crm.create(name="Acme", signals=facts(**GOOD), live={"tier": "C"})  # type: ignore[arg-type]
    world.backfill()
    assert world.live(acme)["tier"] == "C"
    assert world.live(acme)["model_tier"] == "A"
    assert [h.field for h in world.journal.left_alone()] == ["tier"]


def test_a_refused_account_never_blocks_the_others_and_is_tried_again_ever_more_rarely(
    world: World,
) -> None:
    bad = world.company("Bad", **GOOD)
    good = world.company("Good", **GOOD)

    def refuse(write: Write) -> Outcome | None:
        if write.account_id != bad:
            return None
        return Outcome(account_id=bad, result=Result.REFUSED, code="INVALID", message="no such option")

    world.crm.refuse = refuse
    report = world.backfill()
    assert (report.written, report.refused) == (1, 1)
    assert world.live(good)["tier"] == "A"
    [listed] = world.journal.refused()
    assert (listed.account_id, listed.problem, listed.attempts) == (bad, "INVALID: no such option", 1)

    waits = []
    for _ in range(4):
        wake = world.journal.refused()[0].wake_at
        assert wake is not None
        waits.append(wake - world.clock())
        world.clock.now = wake - 1
        assert world.due().read == 0
        world.clock.now = wake
        assert world.due().refused == 1
    assert waits == sorted(waits)
    assert waits[0] < waits[-1]

    world.crm.refuse = lambda _: None
    world.clock.step(7 * 3600)
    world.due()
    assert world.live(bad)["tier"] == "A"
    assert world.journal.refused() == []
    assert world.journal.account(bad).attempts == 0  # type: ignore[union-attr]


def test_what_is_refused_again_and_again_is_given_up_until_it_changes(world: World) -> None:
    acme = world.company(**GOOD)
    tries: list[str] = []

    def refuse(write: Write) -> Outcome:
        tries.append(write.account_id)
        return Outcome(account_id=write.account_id, result=Result.REFUSED, message="a rule forbids it")

    world.crm.refuse = refuse
    world.backfill()
    while (stored := world.journal.account(acme)) and stored.wake_at is not None:
        assert 0 < stored.wake_at - world.clock() <= 6 * 3600
        world.clock.now = stored.wake_at
        world.due()
    assert stored is not None
    assert (stored.status, stored.attempts, stored.problem, len(tries)) == ("dead", 8, "a rule forbids it", 8)
    world.backfill()  # met again as it was: not sent again, and not forgotten
    stored = world.journal.account(acme)
    assert stored is not None
    assert (stored.status, stored.problem, len(tries)) == ("dead", "a rule forbids it", 8)
    world.crm.refuse = lambda _: None
    world.crm.edit(acme, signals=facts(**{**GOOD, "employees": 321}))
    world.backfill()
    assert world.live(acme)["tier"] == "A"


def test_a_write_whose_reply_was_lost_is_resolved_by_the_next_read(world: World) -> None:
    acme = world.company(**GOOD)
    world.crm.lose_reply = lambda _: True
    report = world.backfill()
    assert (report.written, report.deferred) == (0, 1)
    assert world.live(acme)["tier"] == "A"
    world.crm.lose_reply = lambda _: False
    writes = len(world.writes())
    world.clock.step(3600)
    world.due()
    stored = world.journal.account(acme)
    assert stored is not None
    assert (stored.status, stored.intents, world.journal.left_alone()) == ("settled", {}, [])
    assert stored.confirmed["tier"].origin is Origin.OURS
    assert [w for w in world.writes()[writes:] if w[2] == "tier"] == []


def test_a_write_that_never_arrived_is_sent_again(world: World) -> None:
    acme = world.company(**GOOD)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.UNCERTAIN)
    world.backfill()
    assert world.live(acme)["tier"] == ""
    world.crm.refuse = lambda _: None
    world.clock.step(3600)
    world.due()
    assert world.live(acme)["tier"] == "A"
    world.quiesce()
    assert world.journal.left_alone() == []


def test_an_intent_that_came_to_nothing_is_no_evidence_for_ever(world: World) -> None:
    """A person who later types the value we once failed to write has written it themselves."""
    acme = world.company(**GOOD)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.UNCERTAIN)
    world.backfill()
    world.crm.refuse = lambda _: None
    world.crm.edit(acme, signals=facts(lifecycle="customer"))
    world.quiesce()
    world.crm.edit(acme, live={"tier": "A"})
    world.quiesce()
    assert world.live(acme)["tier"] == "A"


def test_a_small_move_across_a_boundary_waits_and_the_due_stream_makes_it(world: World) -> None:
    acme = world.company(employees=663, industry="SOFTWARE")  # 40 and 60 less what 163 above 500 cost
    world.backfill()
    assert (world.live(acme)["tier"], world.live(acme)["fit_score"]) == ("B", "61")
    world.crm.edit(acme, signals=facts(employees=672))
    world.clock.step(60)
    world.poll()
    assert (world.live(acme)["tier"], world.live(acme)["fit_score"]) == ("B", "59")
    stored = world.journal.account(acme)
    assert stored is not None
    assert stored.previous is not None
    assert stored.previous.pending_tier == "C"
    assert stored.wake_at is not None
    world.clock.now = stored.wake_at - 10
    assert world.due().read == 0
    world.clock.step(11)
    world.due()
    assert world.live(acme)["tier"] == "C"
    assert world.live(acme)["previous_tier"] == "B"


def test_timing_decays_by_the_due_stream_and_not_by_rewriting_every_day(world: World) -> None:
    acme = world.company(**GOOD, funded=world.clock() - DAY)
    world.backfill()
    assert (world.live(acme)["timing"], world.live(acme)["priority"]) == ("100", "A1")
    seen = ["100"]
    while (stored := world.journal.account(acme)) and stored.wake_at is not None:
        world.clock.now = stored.wake_at - 1
        assert world.due().read == 0
        world.clock.step(1)
        world.due()
        seen.append(world.live(acme)["timing"])
    assert [t for t, before in zip(seen, ["", *seen], strict=False) if t != before] == [
        *("100", "90", "80", "70", "60", "50", "40", "30", "0")
    ]
    assert len([w for w in world.writes(acme) if w[2] == "timing"]) == 9


def test_owners_are_given_evenly_and_only_where_there_is_none(world: World) -> None:
    taken = world.company("Taken", owner=BEN, **GOOD)
    others = [world.company(f"Free {n}", **GOOD) for n in range(20)]
    world.backfill()
    assert world.live(taken)["owner"] == BEN
    given = [world.live(id)["owner"] for id in others]
    assert set(given) == {ANNA, BEN}
    loads = {ANNA: given.count(ANNA), BEN: given.count(BEN) + 1}
    assert abs(loads[ANNA] - loads[BEN]) <= 3  # the pool's imbalance of 2, and the last one given
    assert _loads(world) == loads


def _loads(world: World) -> dict[str, int]:
    return {owner: n for owner, n in world.journal.recall({}, now=world.clock()).roster.loads.items() if n}


def test_an_owner_somebody_cleared_stays_cleared_for_thirty_days(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    assert world.live(acme)["owner"]
    world.clock.step(40 * DAY)  # long after we gave it, so that only the clearing counts
    world.crm.edit(acme, owner="")
    world.quiesce()
    assert world.live(acme)["owner"] == ""
    world.clock.step(28 * DAY)
    world.cycle(Stream.SWEEP)
    assert world.live(acme)["owner"] == ""
    world.clock.step(3 * DAY)
    world.cycle(Stream.SWEEP)
    assert world.live(acme)["owner"] != ""


def test_a_person_s_own_assignment_once_cleared_stays_cleared_too(world: World) -> None:
    acme = world.company(owner=BEN, **GOOD)
    world.backfill()
    world.crm.edit(acme, owner="")
    world.quiesce()
    assert world.live(acme)["owner"] == ""
    assert [(held.field, held.live) for held in world.journal.left_alone()] == [("owner", "")]


def test_an_account_that_leaves_the_scope_is_blanked_once_and_keeps_its_owner(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    owner = world.live(acme)["owner"]
    world.crm.edit(acme, signals=facts(lifecycle="customer"))
    world.clock.step(60)
    world.poll()
    live = world.live(acme)
    assert {name: live[name] for name in OUR_VALUES if live[name]} == {}
    assert live["owner"] == owner
    writes = len(world.writes())
    world.quiesce()
    assert len(world.writes()) == writes
    world.crm.edit(acme, signals=facts(lifecycle="prospect"))
    world.quiesce()
    assert world.live(acme)["tier"] == "A"
    assert world.journal.left_alone() == []


def test_an_account_sealed_by_another_installation_is_held_and_the_rest_goes_on(world: World) -> None:
    other = SealKey(installation="ffffffffffff", key=b"x" * 32)
    theirs = world.crm.create(
        signals=facts(**GOOD),  # type: ignore[arg-type]
        live={"tier": "C", "seal": other.seal("1001", {"tier": "C"})},
    )
    ours = world.company(**GOOD)
    report = world.backfill()
    assert (world.live(theirs)["tier"], world.live(ours)["tier"]) == ("C", "A")
    assert (report.held, report.written) == (1, 1)
    stored = world.journal.account(theirs)
    assert stored is not None
    assert stored.status == "held"
    assert "ffffffffffff" in stored.problem


def test_a_page_mostly_sealed_by_another_installation_stops_everything(world: World) -> None:
    other = SealKey(installation="ffffffffffff", key=b"x" * 32)
    for n in range(3):
        world.crm.create(
            id=str(2001 + n),
            signals=facts(**GOOD),  # type: ignore[arg-type]
            live={"seal": other.seal(str(2001 + n), {"tier": "C"})},
        )
    with pytest.raises(ConfigError, match="another installation") as stopped:
        world.backfill()
    assert "take-over" in stopped.value.next_step
    assert world.writes() == []


def test_a_lost_journal_knows_our_values_by_their_seal(world: World) -> None:
    world.company("Steady", **GOOD)
    moves = world.company("Moves", **GOOD)
    people = world.company("People's", **GOOD)
    world.backfill()
    world.crm.edit(people, live={"tier": "D"})
    world.quiesce()
    writes = len(world.writes())
    world.lose_journal()
    report = world.backfill()
    assert (len(world.writes()), report.written) == (writes, 0)
    assert [(h.account_id, h.field) for h in world.journal.left_alone()] == [(people, "tier")]
    world.crm.edit(moves, signals=facts(employees=5000))
    world.clock.step(60)
    world.poll()
    assert (world.live(moves)["tier"], world.live(people)["tier"]) == ("C", "D")


def test_without_journal_and_seal_key_every_value_counts_as_people_s(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.lose_journal()
    world.key = replace(KEY, installation="aaaaaaaaaaaa", predecessors=frozenset({KEY.installation}))
    world.crm.edit(acme, signals=facts(employees=5000))
    world.backfill()
    assert world.live(acme)["tier"] == "A"
    assert "tier" in {h.field for h in world.journal.left_alone()}


def test_wording_alone_causes_no_write_but_rides_with_a_change(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    before = len(world.writes())
    world.crm.edit(acme, signals=facts(funded=world.clock() - 400 * DAY))  # told, and too old to matter
    world.clock.step(60)
    world.poll()
    assert len(world.writes()) == before
    world.crm.edit(acme, signals=facts(employees=5000))
    world.clock.step(60)
    world.poll()
    assert {"tier", "missing_facts"} <= {w[2] for w in world.writes()[before:]}


def test_a_sweep_refreshes_wording_within_its_budget(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("icp_sync.sync.cycle.SWEEP_COSMETICS", 3)
    world.crm._page_size = 2
    ids = [world.company(f"C{n}", **GOOD) for n in range(8)]
    world.backfill()
    for id in ids:
        world.crm.edit(id, signals=facts(funded=world.clock() - 400 * DAY))
    world.clock.step(60)
    world.poll()
    before = len(world.writes())
    world.cycle(Stream.SWEEP)
    assert len({w[1] for w in world.writes()[before:]}) == 3
    world.cycle(Stream.SWEEP)
    world.cycle(Stream.SWEEP)
    assert len({w[1] for w in world.writes()[before:]}) == 8


def test_an_edit_between_our_read_and_our_write_is_seen_on_the_echo_read(world: World) -> None:
    acme = world.company(**GOOD)
    world.backfill()
    world.crm.edit(acme, signals=facts(employees=5000))
    world.clock.step(60)

    def somebody_is_quicker(call: str) -> None:
        if call == "write":
            world.crm.before = lambda _: None
            world.crm.edit(acme, live={"profile": "mine"})

    world.crm.before = somebody_is_quicker
    world.poll()
    world.quiesce()
    assert world.live(acme)["tier"] == "C"
    assert world.live(acme)["profile"] == "mine"


def test_what_the_crm_says_of_a_deleted_account_ends_it_and_its_load(world: World) -> None:
    acme = world.company(**GOOD)
    other = world.company("Other", **GOOD)
    world.backfill()
    world.crm.delete(acme)
    world.clock.step(60)
    world.journal.wake_all(world.clock())
    report = world.due()
    assert report.gone == 1
    stored = world.journal.account(acme)
    assert stored is not None
    assert (stored.status, stored.survivor) == ("gone", "")
    assert _loads(world) == {world.live(other)["owner"]: 1}


def test_an_account_deleted_between_read_and_write_is_gone(world: World) -> None:
    acme = world.company(**GOOD)
    other = world.company("Other", **GOOD)

    def deleted(call: str) -> None:
        if call == "write":
            world.crm.before = lambda _: None
            world.crm.delete(acme)

    world.crm.before = deleted
    report = world.backfill()
    assert (report.gone, report.written) == (1, 1)
    assert world.live(other)["tier"] == "A"
    world.quiesce()
    assert _loads(world) == {world.live(other)["owner"]: 1}


def test_an_account_the_write_calls_gone_but_a_read_finds_is_tried_again(world: World) -> None:
    acme = world.company(**GOOD)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.GONE)
    world.backfill()
    world.crm.refuse = lambda _: None
    world.quiesce()
    assert world.live(acme)["tier"] == "A"


@pytest.mark.parametrize("takes_over_values", [False, True])
def test_the_survivor_of_a_merge_holds_nothing_that_reads_as_a_person_s_edit(
    world: World, takes_over_values: bool
) -> None:
    loser = world.company("Loser", **POOR)
    survivor = world.company("Survivor", **GOOD)
    world.backfill()
    held = dict(world.live(loser))
    world.clock.step(60)
    world.crm.merge(loser, survivor)
    if takes_over_values:
        world.crm.edit(survivor, live={n: v for n, v in held.items() if n != "owner"})
    world.quiesce()
    assert world.journal.left_alone() == []
    assert world.live(survivor)["tier"] == "A"
    stored = world.journal.account(loser)
    assert stored is not None
    assert (stored.status, stored.survivor) == ("gone", survivor)
    assert sum(_loads(world).values()) == 1


@pytest.mark.parametrize("takes_over_values", [False, True])
def test_a_survivor_we_never_met_inherits_too(world: World, takes_over_values: bool) -> None:
    first, second = world.company("First", **POOR), world.company("Second", **GOOD)
    world.backfill()
    values = {n: v for n, v in world.live(second).items() if n != "owner" and takes_over_values}
    world.clock.step(60)
    third = world.crm.create(id="9001", signals=facts(employees=5000, industry="SOFTWARE"), live=values)
    world.crm.merge(first, third)
    world.crm.merge(second, third)
    world.journal.wake_all(world.clock())
    world.due()
    world.quiesce()
    assert [held for held in world.journal.left_alone() if held.field != "owner"] == []
    assert world.live(third)["tier"] == "C"
    assert world.live(third)["model_tier"] == "C"


def test_survivor_and_merged_on_one_page_are_told_apart_at_once(world: World) -> None:
    loser, survivor = world.company("Loser", **POOR), world.company("Survivor", **GOOD)
    world.backfill()
    held = {n: v for n, v in world.live(loser).items() if n != "owner"}
    world.crm.merge(loser, survivor)
    world.crm.edit(survivor, live=held)
    world.clock.step(60)
    world.journal.wake_all(world.clock())
    world.due()
    assert world.journal.left_alone() == []
    assert world.live(survivor)["tier"] == "A"


def test_a_route_that_was_refused_is_not_remembered_as_made(world: World) -> None:
    acme = world.company(**GOOD)
    world.crm.refuse = lambda w: Outcome(account_id=w.account_id, result=Result.REFUSED)
    world.backfill()
    world.crm.refuse = lambda _: None
    world.crm.edit(acme, owner=BEN)
    world.quiesce()
    live = world.live(acme)
    assert (live["tier"], live["owner"], live["routed_owner"], live["routed_at"]) == ("A", BEN, "", "")


def test_an_unreachable_crm_leaves_the_position_where_it_was(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(5)]
    world.crm._page_size = 2
    pages = iter(["page", "page", "page"])

    def down(call: str) -> None:
        if call == "page":
            next(pages)
            if call == "page" and len(world.writes()) and world.live(ids[2])["tier"]:
                raise UnavailableError("down")

    world.crm.before = down
    with pytest.raises(UnavailableError):
        world.backfill()
    assert world.journal.position("backfill").last_id == ids[3]
    world.crm.before = lambda _: None
    report = world.backfill()
    assert (report.read, report.written) == (1, 1)


def test_what_is_written_is_what_the_evaluation_says(world: World, tmp_path: Path) -> None:
    ids = [
        world.company(f"C{n}", employees=(n * 40, n * 60 + 1), industry="SOFTWARE" if n % 3 else "")
        for n in range(30)
    ]
    world.quiesce()
    for id in ids:
        known = merge(world.account(id).signals)
        stored = world.journal.account(id)
        assert stored is not None
        expected = evaluate(world.policy().compiled, known.facts, stored.previous, world.clock(), version=1)
        assert world.live(id)["tier"] == expected.tier
        assert world.live(id)["fit_score"] == str(expected.score)
