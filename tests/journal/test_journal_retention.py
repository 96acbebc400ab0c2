"""What is pruned, and what is never pruned."""

from __future__ import annotations

from collections.abc import Callable
from math import inf

import pytest
from journal_builders import NOW, Worker, employees, human, settled
from sqlalchemy import insert, select, text

from icp_sync.domain.plan import Change
from icp_sync.journal import Journal, Keep, Settled, schema
from icp_sync.journal.turns import Turn

DAY = 86_400.0
KEEP = Keep(history=400 * DAY, runs=400 * DAY, gone=30 * DAY)


def evaluated(account_id: str, tier: str, **more: object) -> Settled:
    changes = (Change(account_id=account_id, field="tier", live="", desired=tier),)
    return settled(
        account_id, tier=tier, evaluation={"tier": tier}, log_evaluation=True, changes=changes, **more
    )


@pytest.fixture
def aged(worker: Worker) -> Journal:
    """One account whose tier moved 500, 450 and 10 days ago, one that was settled once, 500 days ago."""
    for days, tier in ((500, "A"), (450, "B"), (10, "C")):
        worker.commit(evaluated("1", tier), now=NOW - days * DAY)
    worker.commit(
        evaluated("2", "D", confirmed={"lane": human("x", NOW - 500 * DAY)}, left_alone={"lane": ("x", "y")}),
        now=NOW - 500 * DAY,
    )
    return worker.journal


def test_of_each_account_the_evaluation_in_force_where_the_kept_time_begins_stays(aged: Journal) -> None:
    pruned = aged.prune(KEEP, now=NOW)
    assert pruned.evaluations == 1
    assert [e.tier for e in aged.evaluations("1")] == ["B", "C"]
    assert [e.tier for e in aged.evaluations("2")] == ["D"]


def test_from_when_on_evaluations_are_whole_is_remembered_when_more_is_kept_later(aged: Journal) -> None:
    assert aged.history_since() is None
    aged.prune(KEEP, now=NOW)
    assert aged.history_since() == NOW - 400 * DAY
    aged.prune(Keep(history=900 * DAY), now=NOW + DAY)
    aged.prune(Keep(history=inf), now=NOW + DAY)
    assert aged.history_since() == NOW - 400 * DAY
    assert aged.for_connection("other").history_since() is None


def test_writes_older_than_is_kept_go(aged: Journal) -> None:
    assert aged.prune(KEEP, now=NOW).writes == 3
    assert [c.after for c in aged.history("1")] == ["C"]
    assert aged.history("2") == []


def test_pruning_again_finds_nothing(aged: Journal) -> None:
    aged.prune(KEEP, now=NOW)
    assert not any(aged.prune(KEEP, now=NOW).to_json().values())


def test_kept_for_ever_nothing_goes(aged: Journal) -> None:
    assert not any(aged.prune(Keep(history=inf, runs=inf, gone=inf), now=NOW).to_json().values())
    assert len(aged.evaluations("1")) == 3


def test_what_people_hold_and_whose_values_are_whose_is_never_too_old(aged: Journal) -> None:
    aged.prune(Keep(history=DAY, runs=DAY, gone=DAY), now=NOW + 9_999 * DAY)
    stored = aged.account("2")
    assert stored is not None
    assert stored.confirmed["lane"].value == "x"
    assert dict(stored.left_alone) == {"lane": ("x", "y")}


def test_the_audit_is_never_pruned(aged: Journal) -> None:
    aged.audit("mode", who="ada", now=1.0)
    aged.prune(Keep(history=DAY, runs=DAY, gone=DAY), now=NOW + 9_999 * DAY)
    assert [e.what for e in aged.audited()] == ["mode"]


def times(most: int) -> Callable[[], bool]:
    """True so many times."""
    left = iter(range(most))
    return lambda: next(left, None) is not None


def test_a_thousand_rows_are_taken_page_by_page_until_told_to_stop(journal: Journal, worker: Worker) -> None:
    worker.commit(*(evaluated(str(n), "A") for n in range(1_200)), now=NOW - 500 * DAY)
    worker.commit(*(evaluated(str(n), "B") for n in range(1_200)), now=NOW - 450 * DAY)
    assert journal.prune(KEEP, now=NOW, going=times(2)).evaluations == 800
    assert journal.prune(KEEP, now=NOW).evaluations == 400
    assert [e.tier for e in journal.evaluations("7")] == ["B"]


def test_passes_cut_short_come_to_their_end_however_many_evaluations_stay(
    journal: Journal, worker: Worker
) -> None:
    worker.commit(*(evaluated(str(n), "A") for n in range(2_100)), now=NOW - 500 * DAY)
    passes = [journal.prune(KEEP, now=NOW, going=times(2)) for _ in range(6)]
    assert sum(one.writes for one in passes) == 2_100
    assert sum(one.evaluations for one in passes) == 0
    worker.commit(*(evaluated(str(n), "B") for n in range(50)), now=NOW - 450 * DAY)
    assert journal.prune(KEEP, now=NOW, going=times(2)).evaluations == 50


def test_rows_far_between_those_of_others_are_found(journal: Journal, worker: Worker) -> None:
    for tier in ("A", "B", "C"):
        worker.commit(evaluated("1", tier), now=NOW - 500 * DAY)
        for log in (schema.evaluation_log, schema.change_log):
            with journal.writing("state") as conn:
                row = conn.execute(select(log).order_by(log.c.seq.desc()).limit(1)).mappings().one()
                conn.execute(insert(log).values({**row, "connection": "other", "seq": row["seq"] + 120_000}))
                if journal.engine.dialect.name == "postgresql":
                    conn.execute(text(f"SELECT setval('{log.name}_seq_seq', {row['seq'] + 120_000})"))
    pruned = journal.prune(KEEP, now=NOW)
    assert (pruned.evaluations, pruned.writes) == (2, 3)
    assert [e.tier for e in journal.evaluations("1")] == ["C"]


def test_runs_and_finished_requests_go_and_waiting_ones_stay(journal: Journal) -> None:
    for days in (500, 10):
        journal.end_run(journal.start_run("poll", now=NOW - days * DAY), {}, now=NOW - days * DAY)
    done = journal.ask("undo", {}, by="ada", now=NOW - 500 * DAY)
    journal.end_request(done, state="done", result={}, now=NOW - 500 * DAY)
    waiting = journal.ask("undo", {}, by="ada", now=NOW - 500 * DAY)
    pruned = journal.prune(KEEP, now=NOW)
    assert (pruned.runs, pruned.requests) == (1, 1)
    assert len(journal.runs()) == 1
    assert [r.id for r in journal.requests()] == [waiting]


def test_a_run_stays_while_what_it_wrote_is_kept(journal: Journal, worker: Worker) -> None:
    wrote, idle = (journal.start_run("backfill", now=NOW - 40 * DAY) for _ in range(2))
    change = Change(account_id="1", field="tier", live="", desired="A")
    worker.commit(settled("1", changes=(change,)), now=NOW - 40 * DAY, run=wrote)
    keep = Keep(history=60 * DAY, runs=30 * DAY)
    assert journal.prune(keep, now=NOW).runs == 1
    assert [run.id for run in journal.runs()] == [wrote] != [idle]
    assert journal.prune(keep, now=NOW + 30 * DAY).runs == 1


def test_answers_go_when_they_expire_and_what_they_cost_stays(journal: Journal) -> None:
    for key, days in (("a.example", 1), ("b.example", 2)):
        journal.reserve("vendor", {key: 2.0}, now=NOW, run="r")
        journal.record("vendor", key, "hit", [employees(5)], 2.0, now=NOW, expires_at=NOW + days * DAY)
    assert journal.prune(KEEP, now=NOW + DAY - 1).answers == 0
    assert journal.prune(KEEP, now=NOW + DAY).answers == 1
    assert journal.spent("vendor", NOW - 1) == 4.0
    assert journal.reserve("vendor", {"a.example": 2.0}, now=NOW + DAY, run="r").free == ("a.example",)


def test_costs_are_kept_for_budgets_however_short_runs_are_kept(journal: Journal) -> None:
    journal.record("vendor", "a.example", "hit", [employees(5)], 2.0, now=NOW, expires_at=NOW)
    journal.prune(Keep(runs=DAY), now=NOW + 100 * DAY)
    assert journal.spent("vendor", 0.0) == 2.0
    assert journal.vendor_report(now=NOW)["vendor"].spent == 2.0
    journal.prune(Keep(runs=DAY), now=NOW + 401 * DAY)
    assert journal.spent("vendor", 0.0) == 0.0
    assert journal.vendor_report(now=NOW) == {}


def test_other_connections_keep_theirs(aged: Journal) -> None:
    other = aged.for_connection("other")
    Worker(other).commit(evaluated("1", "A"), now=NOW - 500 * DAY)
    aged.prune(KEEP, now=NOW)
    assert len(other.history("1")) == 1


def test_cycles_that_wrote_and_bought_nothing_are_kept_a_month(journal: Journal, worker: Worker) -> None:
    kinds = {
        kind: journal.start_run(kind, now=NOW - 40 * DAY) for kind in ("poll", "due", "trailing", "sweep")
    }
    change = Change(account_id="1", field="tier", live="", desired="A")
    worker.commit(settled("1", changes=(change,)), now=NOW - 40 * DAY, run=kinds["poll"])
    journal.reserve("vendor", {"a.example": 2.0}, now=NOW - 40 * DAY, run=kinds["due"])
    assert journal.prune(KEEP, now=NOW).runs == 1
    assert {run.kind for run in journal.runs()} == {"poll", "due", "sweep"}
    assert journal.prune(Keep(runs=inf), now=NOW + 9_999 * DAY).runs == 0


def test_of_an_account_long_gone_nothing_is_left_once_all_that_named_it_went(
    journal: Journal, worker: Worker
) -> None:
    worker.commit(settled("1"), settled("2"), now=NOW)
    worker.commit(gone={"1": "2"}, now=NOW)
    journal.prune(KEEP, now=NOW + 100 * DAY)
    tomb = journal.account("1")
    assert tomb is not None
    assert tomb.survivor == "2"
    assert journal.prune(KEEP, now=NOW + 500 * DAY).forgotten == 1
    assert journal.account("1") is None
    assert journal.account("2") is not None


def test_turns_of_connections_that_are_no_more_go_whichever_connection_prunes(journal: Journal) -> None:
    journal.for_connection("left").keep_turn(Turn(stream="poll", due_at=NOW - 40 * DAY))
    journal.for_connection("here").keep_turn(Turn(stream="poll", due_at=NOW - DAY))
    assert journal.prune(KEEP, now=NOW).turns == 1
    assert set(journal.all_turns()) == {("here", "poll", "")}


def test_what_was_reserved_and_never_settled_goes_with_the_costs_of_its_day(journal: Journal) -> None:
    journal.reserve("vendor", {"a.example": 2.0}, now=NOW, run="r")
    assert journal.prune(KEEP, now=NOW + 300 * DAY).counts == 0
    assert journal.prune(KEEP, now=NOW + 402 * DAY).counts == 1
    assert journal.spent("vendor", 0.0) == 0.0
