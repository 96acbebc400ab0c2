"""A journal of an earlier version goes on as it was: what was bought before is known, and counted, after."""

from __future__ import annotations

from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from journal_builders import NOW, employees
from sqlalchemy import create_engine, text

import icp_sync.journal
from icp_sync.journal import Journal
from icp_sync.journal.encoding import signals_to_text
from tests import postgres

DAY = 86_400.0
MIGRATIONS = Path(icp_sync.journal.__file__).parent / "migrations"


@pytest.fixture(params=["sqlite", "postgresql"])
def bare_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without any table."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/journal.db"
    return postgres.server().database(empty=True)


def at_revision(url: str, revision: str, *statements: str, **values: object) -> None:
    """Make a journal as an earlier version had it, with these rows."""
    engine = create_engine(url)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, revision)
        for statement in statements:
            conn.execute(text(statement), values)
    engine.dispose()


def test_answers_bought_before_budgets_were_are_recalled_and_counted(bare_url: str) -> None:
    answer = "INSERT INTO answer (connection, enricher, key, state, at, expires_at, signals, unread) VALUES "
    purchase = "INSERT INTO purchase (connection, enricher, key, run, at, amount, open) VALUES "
    at_revision(
        bare_url,
        "0004",
        answer + "('main', 'vendor', 'hit', 'hit', :now, :now + 100, :signals, '')",
        answer + "('main', 'vendor', 'miss', 'miss', :now, :now + 100, '', '')",
        answer + "('main', 'vendor', 'asked', 'asked', :now, :now + 100, '', '')",
        purchase + "('main', 'vendor', 'hit', 'r', :now, 2.0, :no)",
        purchase + "('main', 'vendor', 'asked', 'r', :now, 1.0, :yes)",
        now=NOW,
        signals=signals_to_text((employees(70),)),
        no=False,
        yes=True,
    )
    journal = Journal.open(bare_url, "main")
    memory = journal.recall({key: key for key in ("hit", "miss", "asked")}, now=NOW)
    assert {key: memory.of(key).asked for key in memory.accounts} == dict.fromkeys(
        ("hit", "miss", "asked"), frozenset({"vendor"})
    )
    assert memory.of("hit").signals == (employees(70),)
    assert memory.of("hit").answers_until == NOW + 100
    assert journal.recall({"hit": "hit"}, now=NOW + 100).of("hit").signals == ()
    assert journal.spent("vendor", 0) == 3.0
    journal.record("vendor", "asked", "miss", charge=0.5, now=NOW, expires_at=NOW + DAY)
    assert journal.spent("vendor", 0) == 2.5
    assert journal.verify(now=NOW) == []
    journal.close()


@pytest.mark.parametrize("revision", ["0001", "0002", "0003", "0004", "0005"])
def test_a_journal_of_any_earlier_version_opens(tmp_path: Path, revision: str) -> None:
    url = f"sqlite:///{tmp_path}/journal.db"
    at_revision(url, revision)
    journal = Journal.open(url, "main")
    assert journal.verify(now=NOW) == []
    journal.close()
