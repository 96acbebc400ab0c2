"""A slice of the show: a backfill with people at work, taken back beside the daemon."""

from __future__ import annotations

from tests.soak import show

COMPANIES, EDITS = 300, 20


def test_an_undo_beside_the_daemon_restores_what_is_ours_and_stays_undone() -> None:
    told: list[str] = []
    figures = show.run(accounts=COMPANIES, edits=EDITS, told=told.append)
    wrong = (
        "lost",
        "doubled",
        "overwritten",
        "unrestored",
        "stale",
        "looped",
        "not restored",
        "written again",
    )
    assert {name: figures[name] for name in wrong} == dict.fromkeys(wrong, 0), told
    assert figures["restored accounts"] == COMPANIES
    assert figures["human edits"] == EDITS
    assert figures["fields people keep"] == EDITS
