"""What became of accounts after they were given to somebody, as the journal counts it."""

from __future__ import annotations

from dataclasses import replace

from journal_builders import NOW, Worker

from icp_sync.domain.assignment import Action, Assignment, How
from icp_sync.domain.profile import DAY
from icp_sync.journal import Journal, Settled
from icp_sync.observe import registry

ANN, BEN = "ann@example.com", "ben@example.com"
GIVEN = Assignment(owner=ANN, routed_at=NOW - 3 * DAY, rule=2, due=NOW - DAY, known=NOW - 90 * DAY)
TOUCHED = replace(GIVEN, touched_at=NOW - 2 * DAY, ended_at=NOW - 2 * DAY, how=How.ACTIVITY.value)
PASSED = replace(
    GIVEN, breached_at=NOW - DAY, ended_at=NOW - DAY, how=How.REROUTED.value, action=Action.REROUTE.value
)
NEXT = Assignment(owner=BEN, routed_at=NOW - DAY, rule=2, due=NOW + DAY, rerouted=1, let_lie={ANN: NOW - DAY})
LATE = replace(TOUCHED, touched_at=NOW - 0.5 * DAY, breached_at=NOW - DAY)


def keep(worker: Worker, account_id: str, *given: Assignment, breach: str = "") -> None:
    worker.commit(Settled(account_id=account_id, assignments=given, breach=breach))


def sample(name: str, **labels: str) -> float:
    return registry.get_sample_value(name, {"connection": "main", **labels}) or 0.0


def test_the_one_that_has_not_ended_is_recalled_as_it_was_kept(worker: Worker, journal: Journal) -> None:
    keep(worker, "1", PASSED, NEXT)
    keep(worker, "2", TOUCHED)
    memory = worker.recall("1", "2", "3")
    assert [memory.of(i).assignment for i in ("1", "2", "3")] == [NEXT, None, None]
    assert journal.assignments("1") == [NEXT, PASSED]


def test_the_same_one_told_again_is_the_same_row(worker: Worker, journal: Journal) -> None:
    keep(worker, "1", GIVEN)
    keep(worker, "1", TOUCHED)
    assert journal.assignments("1") == [TOUCHED]


def test_what_people_were_given_is_counted_by_owner(worker: Worker, journal: Journal) -> None:
    for number, given in enumerate((TOUCHED, LATE, PASSED, GIVEN)):
        keep(worker, str(number), given)
    keep(worker, "2", NEXT)
    keep(worker, "old", replace(TOUCHED, owner=BEN, routed_at=NOW - 90 * DAY))
    ann, ben = journal.touches(NOW - 30 * DAY)
    assert (ann.owner, ann.assigned, ann.touched, ann.watched, ann.ended, ann.breached) == (
        ANN,
        4,
        2,
        1,
        1,
        2,
    )
    assert ann.median == 1.75 * DAY
    assert (ben.owner, ben.assigned, ben.watched, ben.median) == (BEN, 1, 1, None)
    counts = journal.touch_counts(NOW - 30 * DAY)
    assert (counts.watched, counts.overdue, counts.touched_in_time, counts.breached) == (2, 0, 1, 2)
    assert counts.actions == {"late": 1, "re-routed": 1}


def test_metrics_count_a_first_touch_and_a_decided_breach_once(worker: Worker) -> None:
    touched = sample("icp_sync_first_touch_seconds_count")
    passed = sample("icp_sync_breaches_total", action="re-routed")
    keep(worker, "1", TOUCHED)
    keep(worker, "2", PASSED, NEXT, breach=Action.REROUTE.value)
    assert sample("icp_sync_first_touch_seconds_count") == touched + 1
    assert sample("icp_sync_breaches_total", action="re-routed") == passed + 1


def test_another_connection_sees_none_of_it(worker: Worker, journal: Journal) -> None:
    keep(worker, "1", GIVEN)
    other = journal.for_connection("other")
    assert (other.assignments("1"), other.touches(0.0), other.touch_counts(0.0).watched) == ([], [], 0)
