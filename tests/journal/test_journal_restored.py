"""A journal that other means brought back, on both databases: told from an older one, and made quiet."""

from __future__ import annotations

from journal_builders import NOW
from sqlalchemy import text

from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal
from icp_sync.journal.copying import alone, names, quieted
from icp_sync.journal.database import behind
from icp_sync.journal.schema import REVISIONS, VERSION_TABLE


def test_whether_opening_would_migrate_is_told_without_migrating(url: str) -> None:
    assert behind(url) == "", "there is none"
    journal = Journal.open(url, "main")
    assert behind(url) == ""
    with journal.engine.begin() as conn:
        conn.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '{REVISIONS[-2]}'"))
    assert [behind(url), behind(url)] == [REVISIONS[-2]] * 2
    journal.close()


def test_every_connection_is_made_quiet_and_only_by_who_is_alone(url: str) -> None:
    journal = Journal.open(url, "main")
    for name, portal in (("main", "42"), ("us", "43")):
        at = journal.for_connection(name)
        at.bind(portal, crm="hubspot", now=NOW)
        at.set_mode(Mode.WRITE, now=NOW)
        at.ask("backfill", {}, by="ada", now=NOW)
    assert names(journal) == ["main", "us"]
    with journal.hold("journal restored"):
        assert alone(journal)
        if journal.engine.dialect.name == "postgresql":
            other = Journal.open(url, "main")
            with other.hold("run"):
                assert not alone(journal)
            other.close()
        for name in names(journal):
            assert quieted(journal.for_connection(name), now=NOW) == ("write", 1, 0)
    assert journal.for_connection("us").mode() is Mode.OBSERVE
    journal.close()
