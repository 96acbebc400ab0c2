"""intend and commit: who wins, what is recorded, and that a page lands whole or not at all."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest
from journal_builders import NOW, Worker, human, ids, ours, settled, values, write

from icp_sync.domain.plan import Change, Result
from icp_sync.journal import Journal
from icp_sync.journal.commit import OVERTAKEN
from icp_sync.observe import FAULT_POINTS, arm_faults
from icp_sync.ports import Position


def test_an_intent_is_on_record_before_anything_is_sent_and_until_a_read_resolves_it(worker: Worker) -> None:
    kept, lost = worker.intend(write("1", tier="A", fit_score="81"))
    assert (ids(kept), lost) == (["1"], {})
    remembered = worker.recall("1").of("1")
    assert remembered.intents == {"tier": ("A",), "fit_score": ("81",)}
    assert remembered.version == 1

    worker.commit(settled("1", version=1, confirmed={"tier": ours("A")}, resolved={"tier": ("A",)}))
    assert worker.recall("1").of("1").intents == {"fit_score": ("81",)}


def test_intents_of_crashed_cycles_add_up_without_repeating(worker: Worker) -> None:
    for tier in ("A", "B", "A"):
        worker.intend(write("1", tier=tier))
    assert worker.recall("1").of("1").intents == {"tier": ("A", "B")}


def test_a_rival_that_recalled_earlier_loses_and_leaves_no_trace(journal: Journal) -> None:
    slow, fast = Worker(journal, "slow", "backfill"), Worker(journal, "fast", "poll")
    memory = slow.recall("1", "2")
    fast.intend(write("1", tier="A"))
    kept, lost = slow.intend(write("1", tier="C"), write("2", tier="C"), memory=memory)
    assert ids(kept) == ["2"]
    assert "another worker" in lost["1"]
    assert slow.recall("1").of("1").intents == {"tier": ("A",)}
    assert journal.live_ids_page("", 10) == ("1", "2")


def test_a_loser_that_was_never_met_stays_unmet(worker: Worker, journal: Journal) -> None:
    kept, lost = worker.intend(write("1"), versions={"1": 7})
    assert (kept, list(lost)) == ((), ["1"])
    assert journal.account("1") is None


def test_of_threads_with_the_same_memory_exactly_one_wins_each_account(url: str, journal: Journal) -> None:
    workers = [Worker(Journal.open(url, "main"), str(n), f"stream-{n}") for n in range(4)]
    wanted = [write(str(n)) for n in range(12)]
    memory = workers[0].recall(*(one.account_id for one in wanted))

    def race(one: Worker) -> list[str]:
        return ids(one.intend(*wanted, memory=memory)[0])

    with ThreadPoolExecutor(4) as pool:
        won = [account_id for mine in pool.map(race, workers) for account_id in mine]
    assert sorted(won) == sorted(one.account_id for one in wanted)
    for one in workers:
        one.journal.close()


def test_a_commit_overtaken_by_another_keeps_its_evidence_and_not_its_state(journal: Journal) -> None:
    slow, fast = Worker(journal, "slow", "backfill"), Worker(journal, "fast", "poll")
    slow.intend(write("1", tier="C"))
    fast.commit(settled("1", tier="A", version=1, confirmed={"tier": ours("A"), "owner": human("x@y")}))
    sent = Change(account_id="1", field="tier", live="", desired="C", reason="new")
    slow.commit(
        settled(
            "1", tier="C", version=1, confirmed={"tier": ours("C"), "lane": ours("sales")}, changes=(sent,)
        ),
        settled("2", tier="D"),
        position=Position(last_id="2"),
    )
    stored = journal.account("1")
    assert stored is not None
    assert (stored.tier, stored.version) == ("A", 2)
    assert values(slow.recall("1"), "1") == {"tier": "A", "owner": "x@y"}
    assert stored.intents == {"tier": ("C",), "lane": ("sales",)}
    assert journal.events() == {OVERTAKEN: 1}
    assert [entry.after for entry in journal.history("1")] == ["C"]
    assert journal.tiers() == {"A": 1, "D": 1}
    assert journal.position("backfill") == Position(last_id="2")


def test_a_page_lands_whole_or_not_at_all(worker: Worker, journal: Journal) -> None:
    page = (settled("1"), settled("2"))
    with pytest.raises(TypeError):
        worker.commit(*page, settled("3", evidence={"not": object()}), position=Position(done_to=5))

    def fail(name: str) -> None:
        if name == "journal.commit.before":
            raise OSError("the disk went away")

    arm_faults(fail)
    try:
        with pytest.raises(OSError):
            worker.commit(*page, gone={"9": "1"}, position=Position(done_to=5))
    finally:
        arm_faults(None)
    assert journal.counts() == {}
    assert journal.position("poll") == Position()
    worker.commit(*page, position=Position(done_to=5))
    assert journal.position("poll") == Position(done_to=5)


def test_every_transaction_has_a_fault_point_on_both_sides_of_its_commit() -> None:
    ours_only = {name for name in FAULT_POINTS if name.startswith("journal.")}
    for what in ("intend", "commit", "reserve", "record"):
        assert {f"journal.{what}.before", f"journal.{what}.after"} <= ours_only


def test_positions_move_only_with_a_commit_and_can_be_reset(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), position=None)
    assert journal.position("poll") == Position()
    there = Position(done_to=5, upper=9, last_id="77", finished=True)
    worker.commit(position=there)
    assert journal.position("poll") == there
    assert journal.positions() == {("poll", ""): (there, NOW)}
    assert journal.position("poll", "other") == Position()
    journal.reset_position("poll")
    assert journal.position("poll") == Position()


def test_an_id_is_seen_only_at_exactly_the_stamp_it_was_settled_at(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", stamp=100, seen=True), settled("2", stamp=100, seen=False))
    assert journal.seen({"1": 100, "2": 100, "3": 100}) == {"1"}
    assert journal.seen({"1": 101}) == set()
    assert journal.stamps(["1", "2", "3"]) == {"1": 100}
    worker.commit(settled("1", stamp=100, seen=False))
    assert journal.seen({"1": 100}) == set()


def test_confirmed_values_not_mentioned_stay_as_they_were(worker: Worker) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A"), "lane": human("sales")}))
    worker.commit(settled("1", confirmed={"tier": ours("B", NOW + 1)}))
    assert worker.recall("1").of("1").confirmed == {"tier": ours("B", NOW + 1), "lane": human("sales")}


def test_what_people_hold_is_replaced_with_each_settlement_and_keeps_its_date(
    worker: Worker, journal: Journal
) -> None:
    worker.commit(settled("1", left_alone={"tier": ("D", "A"), "lane": ("sales", "research")}))
    worker.commit(settled("2", left_alone={"tier": ("", "B")}))
    worker.commit(settled("1", left_alone={"tier": ("D", "B"), "flags": ("x", "")}), now=NOW + 5)
    found = [
        (held.account_id, held.field, held.live, held.desired, held.since) for held in journal.left_alone()
    ]
    assert found == [
        ("1", "flags", "x", "", NOW + 5),
        ("1", "tier", "D", "B", NOW),
        ("2", "tier", "", "B", NOW),
    ]


def test_history_tells_each_field_in_the_order_it_was_sent(worker: Worker, journal: Journal) -> None:
    first = Change(account_id="1", field="tier", live="", desired="A", reason="new")
    second = Change(account_id="1", field="tier", live="A", desired="B\ud800\x00", reason="DATA: employees")
    worker.commit(settled("1", changes=(first, replace(first, field="lane", desired="sales"))))
    worker.commit(settled("1", changes=(second,), result=Result.REFUSED))
    told = [(e.field, e.before, e.after, e.reason, e.result, e.run) for e in journal.history("1")]
    assert told == [
        ("tier", "", "A", "new", "written", "run-1"),
        ("lane", "", "sales", "new", "written", "run-1"),
        ("tier", "A", "B\ud800\x00", "DATA: employees", "refused", "run-1"),
    ]
    assert journal.history("2") == []


def test_only_material_evaluations_are_logged(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", tier="A", score=81, evaluation={"n": 1}, log_evaluation=True))
    worker.commit(settled("1", tier="A", score=82, evaluation={"n": 2}))
    worker.commit(settled("1", tier="B", score=70, evaluation={"n": 3}, log_evaluation=True))
    assert [(e.tier, e.score, e.evaluation) for e in journal.evaluations("1")] == [
        ("A", 81, {"n": 1}),
        ("B", 70, {"n": 3}),
    ]
    stored = journal.account("1")
    assert stored is not None
    assert stored.evaluation == {"n": 3}


def test_text_no_database_stores_does_not_stop_a_page(worker: Worker, journal: Journal) -> None:
    ugly = "Aç\x00me \ud800 \u202eمرحبا 🦄" + "x" * 70_000
    worker.commit(
        settled(
            "1",
            name=ugly,
            domain="\ud800.example",
            problem=ugly,
            owner="a\x00@x",
            confirmed={"tier": human(ugly)},
            left_alone={"tier": (ugly, "B")},
        ),
        settled("2"),
    )
    assert journal.counts() == {"settled": 2}
    assert worker.recall("1").of("1").confirmed["tier"].value == ugly
    assert journal.left_alone()[0].live == ugly
