"""What was known of accounts when something was decided."""

from __future__ import annotations

from journal_builders import NOW, Worker, settled

from icp_sync.domain.facts import number, value_to_json
from icp_sync.journal import Journal


def logged(worker: Worker, at: float, **employees: object) -> None:
    """An evaluation of each account goes into the history; `employees` as JSON says it."""
    worker.commit(
        *(
            settled(
                id.strip("a"),
                log_evaluation=True,
                evaluation={"evidence": {"facts": {"employees": [said, "crm:size"]}}},
            )
            for id, said in employees.items()
        ),
        now=at,
    )


def test_the_last_evaluation_at_or_before_an_instant_counts_for_each_account(
    worker: Worker, journal: Journal
) -> None:
    for at, n in ((NOW, 10), (NOW + 10, 20), (NOW + 20, 30)):
        logged(worker, at, a1=value_to_json(number(n)), a2=value_to_json(number(n + 1)))
    known = journal.facts_before({"1": NOW + 10, "2": NOW + 99, "3": NOW})
    assert known == {"1": {"employees": number(20)}, "2": {"employees": number(31)}}
    assert journal.facts_before({"1": NOW - 1}) == {}
    assert journal.for_connection("another").facts_before({"1": NOW + 99}) == {}


def test_an_evaluation_whose_facts_cannot_be_read_tells_nothing(worker: Worker, journal: Journal) -> None:
    logged(worker, NOW, a1=["what"], a2=None)
    worker.commit(settled("3", log_evaluation=True, evaluation={"tier": "B"}))
    assert journal.facts_before({"1": NOW, "2": NOW, "3": NOW}) == {}
