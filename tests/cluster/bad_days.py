"""A cluster on bad days: its workers killed, paused beyond their lease, cut off from the database, which is
restarted as well, while a backfill runs and people work. Then everything comes to rest, and is judged by
the CRM's own log, by the oracle, and by what the journal believes of people.
"""

from __future__ import annotations

import os
import random
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.engine import make_url

from icp_sync.simulator.hubspot.portal import APP_ID
from tests import postgres
from tests.cluster.cable import Cable
from tests.cluster.fleet import AT_ONCE, PATIENCE, Fleet, fleet, until
from tests.cluster.portals import COUNTRIES, SIZES, Portal, Wanted
from tests.soak.checker import COLUMNS, Table, check
from tests.soak.claims import claims_of
from tests.soak.ledger import Ledger

LEASE = 2.0
SCHEDULE = 'poll = "0.5s"\ntrailing = "1s"\ndue = "0.5s"\nsweep = "24h"\nlag = "1s"'
BEYOND = 1.25 * LEASE
HURRY = 0.05
"""Seconds a reply takes: most of a worker's life is between two steps."""
TYPED = {"lane": ("success",), "profile": ("by hand", "somebody else's"), "fit_score": ("7", "13", "77")}
"""What people type over our values: nothing that we could have written there."""
INPUTS = {"name": "name", "domain": "domain", "country": "country", "employees": "numberofemployees"}
QUIET = 1.0
"""Seconds without a write by anybody after which nothing is going on any more."""

Told = Callable[[str], object]


@dataclass(slots=True)
class Town:
    """One portal, the people in it, and the log of who wrote what."""

    portal: Portal
    ledger: Ledger
    companies: list[str]
    properties: dict[str, str]
    typing: bool
    """Whether people type over values of ours here; elsewhere they only change what we read."""
    edits: int = 0

    def busy(self, dice: random.Random) -> None:
        """Some companies change; now and then somebody types over a value of ours."""
        for id in dice.sample(self.companies, 3):
            values = {"numberofemployees": dice.choice(SIZES[1:])}
            if dice.random() < 0.3:
                values["country"] = dice.choice(COUNTRIES)
            self._edit(id, values)
        if self.typing and dice.random() < 0.5:
            name, values_of = dice.choice(sorted(TYPED.items()))
            self.ledger.take()
            if self.ledger.written:
                id = dice.choice(list(self.ledger.written))
                self._edit(id, {self.properties[name]: dice.choice(values_of)})

    def _edit(self, id: str, values: dict[str, str]) -> None:
        self.portal.admin("POST edit", id=id, properties=values, source="person")
        self.edits += 1

    def now(self) -> int:
        return round(float(self.portal.admin("GET clock")["epoch"]) * 1000)


@dataclass(slots=True)
class Wrong:
    """Counts that are to be 0, beside those of the checker's table."""

    table: Table = field(default_factory=Table)
    said: list[str] = field(default_factory=list)

    def right(self) -> bool:
        return not self.said and self.table.clean()


class Days:
    """at: the fleet; far: its workers that have a cable of their own, by process id."""

    def __init__(self, at: Fleet, server: postgres.Server, *, workers: int, seed: int) -> None:
        self.at, self.server, self.dice = at, server, random.Random(seed)
        self.kills: list[int] = []
        self.patience = PATIENCE
        self.happened: dict[str, int] = {}
        self.cables: dict[int, Cable] = {}
        self.towns = [
            Town(
                portal,
                Ledger(portal, at.properties | INPUTS, ("INTEGRATION", APP_ID)),
                sorted(portal.records()),
                at.properties,
                typing=n == 0,
            )
            for n, portal in enumerate(at.portals.values())
        ]
        for _ in range(workers):
            self.hire()

    def hire(self) -> int:
        cable = Cable(self.at.url)
        (pid,) = self.at.start(ICP_SYNC_JOURNAL=cable.url)
        self.cables[pid] = cable
        until(lambda: "working" in self.at.nursery.said_so_far(pid), "the worker begins")
        return pid

    # What goes wrong

    def killed(self) -> None:
        """And another one is begun in its place."""
        pid = self.dice.choice(self.at.workers)
        self.at.kill(pid)
        self.cables.pop(pid).close()
        self.hire()

    def paused(self) -> None:
        pid = self.dice.choice(self.at.workers)
        os.kill(pid, signal.SIGSTOP)
        self.passes(BEYOND)
        os.kill(pid, signal.SIGCONT)

    def cut_off(self) -> None:
        """One worker, for longer than its lease."""
        cable = self.cables[self.dice.choice(self.at.workers)]
        cable.cut()
        self.passes(BEYOND)
        cable.mend()

    def sessions_ended(self) -> None:
        """Everybody's, a few times."""
        database = make_url(self.at.url).database
        for _ in range(3):
            self.server.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                f"WHERE datname = '{database}' AND pid <> pg_backend_pid()"
            )
            self.passes(0.3)

    def restarted(self) -> None:
        self.server.restart()

    def goes_wrong(self, what: str) -> None:
        before = [town.now() for town in self.towns]
        getattr(self, what)()
        self.kills += [*before, *(town.now() for town in self.towns)]
        self.happened[what] = self.happened.get(what, 0) + 1

    def passes(self, seconds: float) -> None:
        """Time, in which people work."""
        ends = time.monotonic() + seconds
        while True:
            self.dice.choice(self.towns).busy(self.dice)
            if time.monotonic() > ends:
                return
            time.sleep(0.1)

    # How it ends

    def rest(self) -> None:
        """Until every backfill is made, nothing is due and nobody has written for a while."""
        for town in self.towns:
            town.portal.admin("POST settings", latency=0)
        until(self.at.all_backfilled, "every backfill comes to its end", patience=self.patience)
        until(self._settled, "every company is settled", patience=self.patience)

    def _settled(self) -> bool:
        """Every stream has begun and ended a cycle since the last write."""
        seen = [len(self._entries(town)) for town in self.towns]
        began = time.time()
        until(lambda: self._all_ran_since(began), "every stream runs again", patience=self.patience)
        time.sleep(QUIET)
        return seen == [len(self._entries(town)) for town in self.towns]

    def _entries(self, town: Town) -> Sequence[object]:
        town.ledger.take()
        return town.ledger.entries

    def _all_ran_since(self, at: float) -> bool:
        turns = self.at.root.all_turns()
        return all(
            (turn := turns.get((name, stream, ""))) is not None
            and (turn.began_at or 0) > at
            and not turn.failures
            and turn.ended_at is not None
            for name in self.at.portals
            for stream in ("poll", "trailing", "due")
        )

    def judged(self) -> Wrong:
        """After all workers have ended."""
        wrong = Wrong()
        for (name, wired), town in zip(self.at.wired.items(), self.towns, strict=True):
            evidence = town.ledger.evidence(town.companies, kills=sorted(self.kills))
            wrong.table.add(check(evidence))
            typed = {
                (id, one)
                for id in town.companies
                for one in claims_of([e for e in evidence.entries if e.id == id]).held
            }
            believed = {(one.account_id, one.field) for one in wired.journal.left_alone()}
            wrong.said += [f"{name}: {one} is taken for a person's" for one in sorted(believed - typed)]
            wrong.said += [f"{name}: {one} is not known as a person's" for one in sorted(typed - believed)]
            wrong.said += [f"{name}: {hold.account_id} is held" for hold in wired.journal.holds()]
            tasks = wired.journal.tasks()
            if tasks and (tasks.counts["stalled"] or tasks.counts["failed"]):
                wrong.said.append(f"{name}: tasks {dict(tasks.counts)} {tasks.dead}")
        wrong.said += [f"lease {one} is still held" for one in self._held()]
        return wrong

    def _held(self) -> list[str]:
        """Of streams. The one for pruning is kept until it is time to prune again, and who watches belongs to
        no connection."""
        asked = text(
            "SELECT connection, stream, partition, holder FROM lease"
            " WHERE holder <> '' AND stream <> 'pruning' AND connection <> '' AND until > :at"
        )
        with self.at.root.engine.connect() as conn:
            return [str(tuple(row)) for row in conn.execute(asked, {"at": time.time()})]

    def close(self) -> None:
        for cable in self.cables.values():
            cable.close()


@contextmanager
def days(
    portals: int, accounts: int, workers: int, *, apart: bool = False, seed: int = 1, latency: float = HURRY
) -> Iterator[Days]:
    """A cluster of its own, on a server of its own, that is just beginning its backfills."""
    server = postgres.Server()
    wanted = [Wanted(accounts=accounts, seed=n + 1, made=True, latency=latency) for n in range(portals)]
    try:
        with fleet(
            wanted,
            apart=apart,
            url=server.database(),
            cluster=f'lease = "{LEASE}s"\npartitions = 3',
            schedule=SCHEDULE,
            backfill=AT_ONCE,
        ) as at:
            made = Days(at, server, workers=workers, seed=seed)
            try:
                yield made
            finally:
                made.close()
    finally:
        server.close()


def held(figures: Mapping[str, object]) -> bool:
    """Whether everything that is to be 0 is."""
    return not any(figures[name] for name in (*COLUMNS, "broken"))


ILLS = ("killed", "paused", "cut_off", "sessions_ended", "restarted")


def run(
    portals: int,
    accounts: int,
    workers: int,
    *,
    rounds: int = 3,
    apart: bool = False,
    seed: int = 1,
    told: Told = lambda _: None,
) -> dict[str, object]:
    """Each ill so many times, the first while the backfills run."""
    began = time.monotonic()
    with days(portals, accounts, workers, apart=apart, seed=seed) as at:
        if apart:  # at full size: after many failures a stream waits for minutes
            at.patience *= 3
        for _ in range(rounds):
            for what in at.dice.sample(ILLS, len(ILLS)):
                at.passes(0.5)
                at.goes_wrong(what)
                told(f"{time.monotonic() - began:.0f} s: {what}")
        at.rest()
        told(f"{time.monotonic() - began:.0f} s: at rest")
        at.at.stop()
        wrong = at.judged()
        for one in (*wrong.said[:20], wrong.table.said()):
            told(one)
        figures: dict[str, object] = {"accounts": portals * accounts, **at.happened}
        return {**figures, **wrong.table.figures(), "broken": len(wrong.said)}
