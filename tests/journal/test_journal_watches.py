"""What the watch on drift keeps is read back as it was, on either database, and goes with an account."""

from __future__ import annotations

from journal_builders import NOW, Worker, settled

from icp_sync.journal import Journal, Watched

FOUND = {
    "version": 3,
    "findings": [
        {"name": "churn/x\x00\ud800", "accounts": ["7", "8"], "behind": 2, "figures": {"rate": 0.5}}
    ],
}


def test_what_was_kept_is_read_back_and_the_last_counts(journal: Journal) -> None:
    assert journal.watched() is None
    journal.keep_watch(Watched(at=NOW))
    assert journal.watched() == Watched(at=NOW)
    kept = Watched(at=NOW + 1, version=3, baseline_at=NOW, baseline={"n": 5, "facts": {}}, findings=FOUND)
    journal.keep_watch(kept)
    assert journal.watched() == kept
    assert journal.for_connection("other").watched() is None


def test_a_forgotten_account_is_named_no_more(journal: Journal, worker: Worker) -> None:
    worker.commit(settled("7"), settled("8"))
    journal.keep_watch(Watched(at=NOW, findings=FOUND))
    journal.forget("7", now=NOW)
    kept = journal.watched()
    assert kept is not None
    assert kept.findings["findings"][0]["accounts"] == ["8"]


def test_it_travels_with_an_export(journal: Journal) -> None:
    journal.keep_watch(Watched(at=NOW, version=3, findings=FOUND))
    lines = list(journal.export(now=NOW))
    other = journal.for_connection("other")
    other.take_in(lines)
    assert other.watched() == journal.watched()
