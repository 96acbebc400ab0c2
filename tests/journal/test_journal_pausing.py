"""Who paused a connection, and that somebody let it go on: kept, and told for all connections at once."""

from __future__ import annotations

from icp_sync.journal import NO_WISH, Journal, Pause


def test_a_pause_stays_as_it_was_first_said_until_it_is_lifted(journal: Journal) -> None:
    assert journal.connection_paused() is None
    assert journal.pause_connection(by="ada", why="a migration", now=60.0)
    assert not journal.pause_connection(by="bob", why="another", now=120.0)
    paused = journal.connection_paused()
    assert paused == Pause(by="ada", at=60.0, why="a migration")
    assert str(paused) == "by ada at 1970-01-01 00:01 UTC: a migration"
    assert journal.resume_connection(by="bob", now=180.0)
    assert journal.connection_paused() is None
    assert not journal.resume_connection(by="bob", now=180.0), "nobody had paused it"


def test_every_resume_can_be_told_from_the_one_before_also_within_a_second(journal: Journal) -> None:
    seen = [journal.wishes().get("main", NO_WISH).resumed]
    for _ in range(3):
        journal.resume_connection(by="ada", now=60.0)
        seen.append(journal.wishes()["main"].resumed)
    journal.pause_connection(by="ada", now=60.0)
    assert journal.wishes()["main"].resumed == seen[-1], "a pause is no resume"
    assert len(set(seen)) == 4


def test_wishes_are_of_every_connection_about_which_anything_was_said(journal: Journal) -> None:
    other = journal.for_connection("other")
    journal.for_connection("quiet").set_owners([], now=1.0)
    other.pause_connection(by="ada \x00", why="x" * 9_999, now=1.0)
    journal.resume_connection(by="ada", now=1.0)
    found = journal.wishes()
    assert set(found) == {"main", "other"}
    assert found["main"].paused is None
    said = found["other"].paused
    assert said is not None
    assert (said.by, len(said.why)) == ("ada ", 500)
    assert found == other.wishes()
