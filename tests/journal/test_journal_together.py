"""Several things that a person does to the journal at once: they stand as a whole or not at all."""

from __future__ import annotations

import threading

import pytest
from journal_builders import NOW

from icp_sync.errors import ConfigError
from icp_sync.journal import Journal


def test_all_of_it_stands_or_nothing(journal: Journal) -> None:
    with pytest.raises(ConfigError), journal.together("audit"):  # noqa: PT012  what it did before is the point
        journal.ask("backfill", {}, by="ada", now=NOW)
        journal.request_backfill("why", NOW)
        journal.audit("run --backfill", who="ada", now=NOW)
        assert len(journal.requests("waiting")) == len(journal.audited()) == 1, "seen within"
        raise ConfigError("no")
    assert (journal.requests(), journal.backfill_request(), journal.audited()) == ([], None, [])
    with journal.together("audit"):
        request = journal.ask("backfill", {}, by="ada", now=NOW)
        journal.audit("run --backfill", who="ada", now=NOW, request=request)
    assert [one.id for one in journal.requests()] == [request]
    assert [one.detail["request"] for one in journal.audited()] == [request]
    assert journal.audit_broken() is None


def test_what_was_looked_at_stays_true_until_it_ends(journal: Journal) -> None:
    begin = threading.Barrier(5)

    def once() -> None:
        begin.wait(30)
        with journal.together("audit"):
            if not journal.requests("waiting"):
                journal.ask("backfill", {}, by="ada", now=NOW)

    threads = [threading.Thread(target=once) for _ in range(5)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert len(journal.requests()) == 1


def test_other_threads_and_other_connections_do_not_see_it_before_it_stands(journal: Journal) -> None:
    seen: list[int] = []
    with journal.together("audit"):
        journal.ask("backfill", {}, by="ada", now=NOW)
        other = threading.Thread(target=lambda: seen.append(len(journal.requests())))
        other.start()
        other.join()
        assert journal.for_connection("other").requests() == []
    assert seen == [0]
