"""Two versions of the program side by side on one PostgreSQL journal, as while machines are upgraded in turn.

The next version is this one with a migration more; its processes are real ones, started from a copy of the
package.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import icp_sync
from icp_sync.journal.schema import REVISIONS
from tests import postgres
from tests.faults.dying import DIED
from tests.sync.processes import Ended, Nursery
from tests.sync.station import Station

OURS, NEXT = REVISIONS[-1], f"{int(REVISIONS[-1]) + 1:04}"
MIGRATION = f"""
import sqlalchemy as sa
from alembic import op

revision = "{NEXT}"
down_revision = "{OURS}"
beside = "{{beside}}"


def upgrade() -> None:
    op.add_column("account", sa.Column("novelty", sa.Text(), nullable=False, server_default=""))
    op.add_column("run", sa.Column("novelty", sa.Double(), nullable=True))
    op.create_table("novelty", sa.Column("id", sa.String(), primary_key=True), sa.Column("n", sa.Integer()))
    op.create_index("novelty_n", "novelty", ["n"])
"""
WAVES = 'canary = 10\nwave = 20\nwatch = "0s"\npause = "0s"\n'
_ACCOUNT, _RUN = (f'    "{name}",\n    metadata,\n' for name in ("account", "run"))
REPLACED = {
    f'"{OURS}")\n': f'"{OURS}", "{NEXT}")\n',
    _ACCOUNT: f'{_ACCOUNT}    Column("novelty", Text, nullable=False, default="", server_default=""),\n',
    _RUN: f'{_RUN}    Column("novelty", Double, default=2.5),\n',
}
"""What the next version's tables differ by; it fills the new column of `run` itself."""

Make = Callable[[str], Nursery]


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Make]:
    """Processes of this version, "", or of the next one, by what its migration says as `beside`."""
    made: dict[str, Nursery] = {}

    def nursery(beside: str) -> Nursery:
        if beside not in made:
            folder = tmp_path_factory.mktemp("version")
            with pytest.MonkeyPatch.context() as environment:
                if beside:
                    environment.setenv("PYTHONPATH", str(next_version(folder, beside)))
                    environment.setenv("PYTHONSAFEPATH", "1")  # not the package of the folder we stand in
                made[beside] = Nursery(folder)
        return made[beside]

    yield nursery
    for one in made.values():
        one.close()


def next_version(folder: Path, beside: str) -> Path:
    package = folder / "next" / "icp_sync"
    shutil.copytree(Path(icp_sync.__file__).parent, package)
    schema = package / "journal" / "schema.py"
    text = schema.read_text()
    for old, new in REPLACED.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    schema.write_text(text)
    (package / "journal/migrations/versions" / f"{NEXT}_next.py").write_text(MIGRATION.format(beside=beside))
    return package.parent


class Place(Station):
    """A portal whose journal stands on PostgreSQL, and commands of both versions on it."""

    def __init__(self, folder: Path, url: str, old: Nursery, new: Nursery, accounts: int = 40) -> None:
        super().__init__(folder, old, accounts=accounts, journal=url)
        self.new = new
        text = self.config.read_text()
        self.config.write_text(f"{text}\n[connections.main.backfill]\n{WAVES}")

    def run_new(self, *args: str, fault: str = "") -> Ended:
        return self.new.run(*self.args(*args), env={"ICP_SYNC_FAULT": fault})

    def fine(self, *args: str, new: bool) -> Ended:
        ended = (self.run_new if new else self.run)(*args)
        assert ended.code == 0, ended.err
        assert "rror" not in ended.err
        return ended


@pytest.fixture
def open_place(tmp_path: Path, make: Make) -> Iterator[Callable[..., Place]]:
    opened: list[tuple[Place, str]] = []

    def opening(beside: str, **more: int) -> Place:
        url = postgres.server().database()
        opened.append((Place(tmp_path, url, make(""), make(beside), **more), url))
        return opened[-1][0]

    yield opening
    for place, url in opened:
        place.close()
        postgres.server().drop(url)


def test_old_and_new_work_in_turn_and_neither_minds(open_place: Callable[..., Place]) -> None:
    place = open_place(OURS)
    place.fine("run", "--backfill", new=False)
    place.people_work(1)
    place.fine("run", "--once", new=True)
    place.people_work(2)
    said = place.fine("run", "--once", new=False)
    assert said.err.count("may go on beside it") == 1
    assert json.loads(place.fine("status", "--json", new=False).out)["newer_schema"] == NEXT
    place.assert_converged()
    assert place.wired.journal.schema_state() == (NEXT, OURS), "this process began before it was migrated"
    assert place.wired.journal.verify(now=time.time()) == []


def test_a_backfill_is_taken_over_from_one_version_by_the_other_and_back(
    open_place: Callable[..., Place],
) -> None:
    place = open_place(OURS)
    died = place.run("run", "--backfill", fault="hubspot.written")
    assert died.code == DIED, died.err
    died = place.run_new("run", "--backfill", fault="hubspot.written")
    assert died.code == DIED, died.err
    assert place.wired.journal.schema_state().revision == NEXT
    place.fine("run", "--backfill", new=False)
    place.assert_converged()
    assert place.written() <= 60, "no more than a page was written twice by each that died"


def test_a_version_that_lets_none_go_on_beside_it_waits_until_all_have_stopped(
    open_place: Callable[..., Place],
) -> None:
    place = open_place(NEXT)
    working = place.nursery.start(*place.args("run"))
    deadline = time.monotonic() + 60
    while not place.wired.journal.runs(1):
        assert time.monotonic() < deadline, place.nursery.said_so_far(working)
        time.sleep(0.05)
    refused = place.run_new("run", "--once")
    assert refused.code == 1, refused.err
    assert f"programs before {NEXT} could not go on, and 1 of them work on it" in refused.err
    assert "stop them all" in refused.err
    os.kill(working, signal.SIGTERM)
    assert place.nursery.wait(working).code == 0
    place.fine("run", "--once", new=True)
    too_old = place.run("run", "--once")
    assert too_old.code == 2
    assert f"its schema {NEXT} is newer than this version's {OURS}" in too_old.err


def test_workers_of_both_versions_share_a_backfill_while_they_are_replaced(
    open_place: Callable[..., Place],
) -> None:
    place = open_place(OURS, accounts=60)
    journal = place.wired.journal
    no_port = {"ICP_SYNC_HEALTH__PORT": "0"}

    def until(holds: Callable[[], object], what: str) -> None:
        deadline = time.monotonic() + 60
        while not holds():
            assert time.monotonic() < deadline, f"never: {what}"
            time.sleep(0.05)

    def versions() -> list[str]:
        return sorted(worker.schema for worker in journal.workers())

    old = place.nursery.start(*place.args("worker"), env=no_port)
    until(lambda: place.written() > 10, "the old one has begun the backfill")
    new = place.new.start(*place.args("worker"), env=no_port)
    until(lambda: versions() == [OURS, NEXT], "both work")
    os.kill(old, signal.SIGTERM)
    assert place.nursery.wait(old).code == 0
    again = place.nursery.start(*place.args("worker"), env=no_port)
    until(lambda: versions() == [OURS, NEXT], "the old one was started again")
    until(
        lambda: journal.counts().get("settled", 0) >= 60 and not journal.backfill_request(), "all is settled"
    )
    for nursery, worker in ((place.nursery, again), (place.new, new)):
        os.kill(worker, signal.SIGTERM)
        ended = nursery.wait(worker)
        assert ended.code == 0, ended.err
        assert "should not have happened" not in ended.err, ended.err
    place.assert_converged()
    assert journal.verify(now=time.time()) == []
