"""Simulated portals on one journal, and any number of real `icp-sync worker` processes on them, or one
`icp-sync run`."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from tempfile import mkdtemp
from typing import Any, TypeVar

from sqlalchemy import func, select

from icp_sync.domain.standing import Mode
from icp_sync.journal import Journal, schema
from icp_sync.settings import load
from icp_sync.wiring import Wired, parse_profiles, wire
from tests import postgres
from tests.cluster.portals import Apart, Here, Portal, Records, Wanted
from tests.sync.processes import Nursery

PROFILE = Path(__file__).with_name("profile.yaml")
PATIENCE = 110.0
"""Seconds after which something that was to happen never will; a failure, not a measure."""
AT_ONCE = 'canary = 0\nwave = 0\nwatch = "0"\npause = "0"'
EAGER = 'poll = "1s"\ntrailing = "5s"\ndue = "2s"\nsweep = "24h"'
STILL = 'poll = "1h"\ntrailing = "1h"\ndue = "1s"\nsweep = "24h"'
IMPORTS = (
    "import icp_sync.cluster, icp_sync.cli.worker, icp_sync.daemon.inbound, sqlalchemy.dialects.postgresql"
)

Found = TypeVar("Found")


def until(holds: Callable[[], Found], what: str, patience: float = PATIENCE) -> Found:
    deadline = time.monotonic() + patience
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.05)
    return found


@cache
def nursery() -> Nursery:
    """One for all fleets of this process: it takes seconds until it has imported everything."""
    folder = Path(mkdtemp(prefix="icp-sync-nursery-"))
    made, mine = Nursery(folder, IMPORTS), os.getpid()

    def close() -> None:
        if os.getpid() == mine:
            made.close()
            shutil.rmtree(folder, ignore_errors=True)

    atexit.register(close)
    return made


class Fleet:
    """portals: by name. url: of the journal's database. said: settings of every connection, as TOML."""

    def __init__(
        self,
        folder: Path,
        portals: Sequence[Portal],
        *,
        url: str = "",
        cluster: str = 'lease = "5s"',
        connection: str = "",
        quota: str = "",
        backfill: str = AT_ONCE,
        schedule: str = EAGER,
    ) -> None:
        self.folder = folder
        self._drops = not url
        self.url = url or postgres.server().database()
        self.portals = {f"portal{n}": one for n, one in enumerate(portals)}
        self.nursery = nursery()
        self.config = folder / "icp-sync.toml"
        said = [
            f'journal = "{self.url}"\nseal_file = "{folder}/seal.key"\n'
            f"[health]\nport = 0\n[cluster]\n{cluster}\n"
        ]
        for name, one in self.portals.items():
            said.append(
                f'[connections.{name}]\nbase_url = "{one.url}"\ntoken = "{one.token}"\n'
                f'profiles = ["{PROFILE}"]\n{connection}\n[connections.{name}.outputs]\nowner = true\n'
                f"[connections.{name}.quota]\n{quota}\n"
                f"[connections.{name}.schedule]\n{schedule}\n[connections.{name}.backfill]\n{backfill}\n"
                f'changed = "100%"\n[connections.{name}.guard]\ndowngrades = "100%"\nfloor = 1000000\n'
                f"writes_an_hour = 1000\nowner_moves = 1000000\n"
            )
        self.config.write_text("".join(said))
        self.settings = load(self.config, {})
        self.wired: dict[str, Wired] = {}
        self.workers: list[int] = []
        self._prepare()

    def _prepare(self) -> None:
        """Provision every portal, activate the profile, and let it write."""
        within: Journal | None = None
        for name in self.portals:
            wired = wire(self.settings, name, create_seal=True, within=within)
            within = within or wired.journal
            documents = ((PROFILE.name, PROFILE.read_text()),)
            profiles = parse_profiles(documents, wired.types)
            wired.crm.provision(wired.blueprint(profiles), apply=True)
            wired.journal.activate(documents, now=time.time())
            wired.journal.set_mode(Mode.ROUTE, now=time.time())
            self.wired[name] = wired
        self.root = next(iter(self.wired.values())).journal
        self.properties = dict(next(iter(self.wired.values())).settings.field_properties)

    # Processes

    def start(self, count: int = 1, *, command: str = "worker", **env: str) -> list[int]:
        begun = [
            self.nursery.start(command, "--config", str(self.config), env={"ICP_SYNC_FAULT": "", **env})
            for _ in range(count)
        ]
        self.workers += begun
        return begun

    def kill(self, pid: int) -> None:
        """At once, without a word."""
        os.kill(pid, signal.SIGKILL)
        self.nursery.wait(pid)
        self.workers.remove(pid)

    def stop(self) -> list[str]:
        """All that live, gently; each must end well. What each of them said."""
        said = []
        for pid in self.workers:
            os.kill(pid, signal.SIGCONT)
            os.kill(pid, signal.SIGTERM)
        while self.workers:
            ended = self.nursery.wait(self.workers.pop())
            said.append(ended.err)
            assert ended.code == 0, ended.err[-3000:]
        return said

    # What became of it

    def backfilled(self, name: str) -> bool:
        journal = self.wired[name].journal
        return journal.position("backfill").finished and journal.backfill_request() is None

    def all_backfilled(self) -> bool:
        return all(self.backfilled(name) for name in self.portals)

    def deferred(self) -> int:
        """Companies that are to be settled again: two workers counted on the same owner's load."""
        table = schema.account
        with self.root.engine.connect() as conn:
            found = select(func.count()).where(table.c.status == "deferred")
            return int(conn.execute(found).scalar_one())

    def standing(self, name: str) -> Records:
        """Company → field of ours → what stands on it."""
        return {
            id: {field: values.get(prop) or "" for field, prop in self.properties.items()}
            for id, values in self.portals[name].records().items()
        }

    def worked(self) -> Counter[str]:
        """Worker (host and process) → accounts it has settled."""
        done: Counter[str] = Counter()
        for wired in self.wired.values():
            for run in wired.journal.runs(100_000):
                worker = str(run.detail.get("worker", "")).rpartition(":")[0]
                done[worker] += int(run.report.get("read", 0))
        return +done

    def close(self) -> None:
        while self.workers:
            os.kill(self.workers[-1], signal.SIGKILL)
            self.nursery.wait(self.workers.pop())
        for wired in self.wired.values():
            wired.crm.close()  # type: ignore[attr-defined]
        self.root.close()
        for one in self.portals.values():
            one.close()
        if self._drops:
            postgres.server().drop(self.url)


@contextmanager
def fleet(wanted: Sequence[Wanted], *, apart: bool = False, **said: Any) -> Iterator[Fleet]:
    """apart: whether each portal has a process of its own. Further arguments are `Fleet`'s."""
    folder = Path(mkdtemp(prefix="icp-sync-fleet-"))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        if said.get("url") == "sqlite":
            said["url"] = f"sqlite:///{folder}/journal.sqlite"
        made = Fleet(folder, [(Apart if apart else Here)(one) for one in wanted], **said)
        stack.callback(made.close)
        yield made
