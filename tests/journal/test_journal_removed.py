"""Fields taken out of the CRM are forgotten by the journal, and nothing else is."""

from __future__ import annotations

from journal_builders import Worker, human, ours, settled

from icp_sync.journal import Journal


def test_what_stood_in_removed_fields_is_forgotten_and_the_rest_stays(
    journal: Journal, worker: Worker
) -> None:
    worker.commit(
        settled("1", confirmed={"tier": ours("A"), "lane": human("none")}),
        settled("2", confirmed={"tier": ours("B")}),
        settled("3", confirmed={"fit_score": ours("70")}),
        settled("4"),
    )
    assert journal.forget_fields(["tier", "lane", "shoe_size"]) == 2
    memory = worker.recall("1", "2", "3", "4")
    known = {id: dict(memory.of(id).confirmed) for id in "1234"}
    assert known == {"1": {}, "2": {}, "3": {"fit_score": ours("70")}, "4": {}}
    assert journal.forget_fields(["tier", "lane"]) == 0


def test_values_people_held_in_them_are_no_longer_listed(journal: Journal, worker: Worker) -> None:
    held = {"tier": ("A", "B"), "lane": ("none", "sales")}
    worker.commit(settled("1", left_alone=held, confirmed={"tier": human("A"), "lane": human("none")}))
    journal.forget_fields(["tier"])
    assert [one.field for one in journal.left_alone()] == ["lane"]


def test_another_connection_of_the_same_journal_keeps_what_it_knows(journal: Journal, worker: Worker) -> None:
    other = journal.for_connection("other")
    theirs = Worker(other)
    theirs.commit(settled("1", confirmed={"tier": ours("A")}))
    worker.commit(settled("1", confirmed={"tier": ours("A")}))
    assert journal.forget_fields(["tier"]) == 1
    assert theirs.recall("1").of("1").confirmed == {"tier": ours("A")}


def test_more_accounts_than_a_statement_takes_are_all_forgotten(journal: Journal, worker: Worker) -> None:
    worker.commit(*(settled(str(n), confirmed={"tier": ours("A")}) for n in range(1_000)))
    assert journal.forget_fields(["tier"]) == 1_000


def test_forgetting_nothing_is_nothing(journal: Journal, worker: Worker) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}))
    assert journal.forget_fields([]) == 0
