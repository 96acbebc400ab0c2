"""What commands do to the journal, one transaction each: with a fault on either side of the commit, the
database is as before, or as after; nothing in between, and the command can be given again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from shutil import copy, rmtree
from tempfile import mkdtemp

from sqlalchemy import select

from icp_sync.domain.plan import Change, Hold
from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal, Notice, Settled, Watched, schema
from icp_sync.journal.turns import Turn
from icp_sync.journal.workers import WorkerRow
from tests import postgres
from tests.faults import dying
from tests.sync.world import empty_journal

NOW = 1_800_000_000.0
VOLATILE = {"seq", "id", "run"}
"""Columns of chance and of counting."""
OF_ITS_OWN_TIME = {"at"}
"""Of `quota` alone: by the database's clock."""


def _prepared(journal: Journal) -> None:
    """An account with a value that a person holds, and a change that the guard holds."""
    change = Change(account_id="1", field="tier", live="A", desired="B")
    hold = Hold(
        account_id="1", rule="downgrades", key="A → B", changes=(change,), reason="too many", since=NOW
    )
    lease = journal.lease("poll", holder="x", now=NOW)
    assert lease is not None
    one = Settled(account_id="1", in_scope=True, left_alone={"lane": ("sales", "nurture")}, holds=(hold,))
    journal.commit([one], gone={}, position=None, stream="poll", lease=lease, run="run", now=NOW)
    journal.release_lease(lease)


ACTS: Mapping[str, Callable[[Journal], object]] = {
    "profile": lambda j: j.activate([("a.yaml", "profile: a")], now=NOW),
    "release": lambda j: j.release("1", None, now=NOW),
    "event": lambda j: j.count_event("seen"),
    "job": lambda j: j.begin_job("750", ["1"], now=NOW),
    "hold": lambda j: j.release_holds(by="ada", now=NOW),
    "alert": lambda j: j.raise_alert("robots", "two write here", now=NOW),
    "notice": lambda j: j.listening({"rep": 60.0}).note(
        Notice(audience="rep", kind="tier", subject="1"), now=NOW
    ),
    "request": lambda j: j.ask("undo", {"run": "r"}, by="ada", now=NOW),
    "audit": lambda j: j.audit("mode", who="ada", now=NOW, to="write"),
    "quota": lambda j: j.change_quota(lambda text, *_: (f"{text}.", None)),
    "watch": lambda j: j.keep_watch(
        Watched(at=NOW, version=1, baseline_at=NOW, baseline={"accounts": 1}, findings={})
    ),
    "day": lambda j: j.keep_day({"tiers": {"A": 1}}, now=NOW),
    "view": lambda j: j.keep_view("tier_a", "11", "ICP: Tier A", now=NOW),
    "state": lambda j: j.set_mode(Mode.WRITE, now=NOW),
    "turn": lambda j: j.keep_turn(Turn(stream="poll", due_at=NOW)),
    "worker": lambda j: j.worker_seen(
        WorkerRow(id="vm:1", version="1", schema="0008", started_at=NOW, seen_at=NOW, jobs=1)
    ),
}
"""The kind of transaction, as its fault points are named → a command that has one."""


def digest(journal: Journal) -> dict[str, list[tuple[object, ...]]]:
    """Everything that stands in the journal."""
    found = {}
    with journal.reading() as conn:
        for name, table in schema.metadata.tables.items():
            leave = VOLATILE | (OF_ITS_OWN_TIME if name == "quota" else set())
            columns = [c for c in table.c if c.name not in leave]
            rows = [tuple(row) for row in conn.execute(select(*columns))]
            if name == "quota":  # a row without a text says as much as none
                rows = [row for row in rows if all(row)]
            found[name] = sorted(rows, key=repr)
    return found


@contextmanager
def opened(database: str) -> Iterator[Journal]:
    folder = Path(mkdtemp(prefix="icp-sync-acts-"))
    if database == "sqlite":
        copy(empty_journal(), folder / "j.db")
        journal = Journal.open(f"sqlite:///{folder}/j.db", "main")
    else:
        journal = Journal.open(postgres.server().scratch(), "main")
    try:
        _prepared(journal)
        yield journal
    finally:
        journal.close()
        rmtree(folder, ignore_errors=True)


def tried(kind: str, database: str, side: str, way: str) -> None:
    """One act with a fault on this side of its commit ("before", "after"), in this way ("raises", "dies")."""
    point, act = f"journal.{kind}.{side}", ACTS[kind]
    with opened(database) as journal:
        before = digest(journal)
        if way == "raises":
            assert dying.raises(point, 1, lambda: act(journal)), f"{point} was not passed"
        else:
            journal.close()
            died, _ = dying.dies(point, 1, lambda: act(journal), lambda: None)
            assert died, f"{point} was not passed"
        found = digest(journal)
        assert (found == before) == (side == "before"), f"{point}: half of it stands"
        act(journal)
        assert digest(journal) != before
        if side == "after":
            with opened(database) as calm:
                act(calm)
                assert found == digest(calm), f"{point}: not as without a fault"
