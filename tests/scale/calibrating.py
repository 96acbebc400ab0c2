"""What the engine's work costs on this machine: a short run of the real one on PostgreSQL, counted.

The simulated CRM runs in a process of its own; what is counted here is ours, and the database server's.
"""

from __future__ import annotations

import os
import platform
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import psycopg
from sqlalchemy import Engine, event
from sqlalchemy.engine import make_url

from icp_sync.journal import Journal
from icp_sync.ports import Stream
from icp_sync.quota import InJournal, Quota, Rate
from icp_sync.wiring import Wired, wire
from tests.postgres import Server
from tests.scale.costs import Costs, OfCrm, Work
from tests.scale.ground import Served, configured, opened, ran

ACCOUNTS = {"hubspot": 3_000, "salesforce": 10_500}
"""Enough for several pages; of an org, enough for bulk queries."""
CYCLES, SLOTS, CONNECTIONS = 20, 300, 20


@dataclass(slots=True)
class Meter:
    """Counts what is done between two looks. server: the PostgreSQL server."""

    server: Server
    transactions: int = 0
    commits: int = 0
    statements: int = 0
    _ticks: float = field(default_factory=lambda: float(os.sysconf("SC_CLK_TCK")))

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Every transaction and statement of this process."""
        listened: list[tuple[str, Callable[..., None]]] = [
            ("commit", self._kept),
            ("rollback", self._left),
            ("before_cursor_execute", self._asked),
        ]
        for name, heard in listened:
            event.listen(Engine, name, heard)
        try:
            yield
        finally:
            for name, heard in listened:
                event.remove(Engine, name, heard)

    def _kept(self, conn: object) -> None:
        self.transactions += 1
        self.commits += 1

    def _left(self, conn: object) -> None:
        self.transactions += 1

    def _asked(self, *_: object) -> None:
        self.statements += 1

    def took(self, act: Callable[[], object]) -> Work:
        before = self._now()
        act()
        after = self._now()
        return after.less(before)

    def _now(self) -> Work:
        return Work(
            cpu=time.process_time(),
            database=self._server_seconds(),
            transactions=self.transactions,
            commits=self.commits,
            statements=self.statements,
            wal=float(self.ask("SELECT pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')")),
        )

    def size(self, url: str) -> int:
        return int(self.ask(f"SELECT pg_database_size('{make_url(url).database}')"))

    def ask(self, statement: str) -> str:
        with psycopg.connect(self.server._conninfo("postgres"), autocommit=True) as conn:
            row = conn.execute(statement.encode()).fetchone()
        return str(row[0]) if row else "0"

    def _server_seconds(self) -> float:
        """Processor seconds of the server and all it has started, those that ended among them."""
        process = self.server._process
        assert process is not None
        total = 0.0
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                stat = (entry / "stat").read_text().rsplit(")", 1)[1].split()
            except OSError:
                continue  # it has ended meanwhile
            if process.pid in (int(entry.name), int(stat[1])):
                own = int(stat[11]) + int(stat[12])
                ended = int(stat[13]) + int(stat[14]) if int(entry.name) == process.pid else 0
                total += (own + ended) / self._ticks
        return total


def calibrated(say: Callable[[str], None] = lambda _: None) -> Costs:
    """Costs as they are on this machine now; takes two minutes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        server = Server()
        stack.callback(server.close)
        meter = Meter(server)
        stack.enter_context(meter.counting())
        say("asking for slots")
        slot = _slot(meter, server)
        say("a portal of HubSpot")
        hubspot = _crm(meter, folder, "hubspot", slot, bulk=False)
        say("an org of Salesforce, then by bulk jobs")
        org = _crm(meter, folder, "salesforce", slot, bulk=False).of
        in_bulk = _crm(meter, folder, "salesforce", slot, bulk=True, writes_only=True).of
        say("memory of connections")
        process, connection = _memory(folder, server)
        version = meter.ask("SHOW server_version").split()[0]
    return Costs(
        hubspot=hubspot.of,
        salesforce=OfCrm(cycle=org.cycle, written=org.written, again=org.again, bulk=in_bulk.written),
        slot=slot,
        due=hubspot.due,
        kept=hubspot.kept,
        process=process,
        connection=connection,
        filling=hubspot.filling,
        measured=f"{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}, "
        f"PostgreSQL {version}",
    )


def _slot(meter: Meter, server: Server) -> Work:
    """One call's slot, of limits as full as a busy portal's."""
    journal = Journal.open(server.database(), "slots")
    rates = {"burst": Rate(100_000, 10.0)}
    quota = Quota(rates, kept=InJournal(journal, rates))

    def ask() -> None:
        for _ in range(SLOTS):
            quota.acquire("burst")

    ask()
    took = meter.took(ask) * (1 / SLOTS)
    journal.close()
    return replace(took, commits=1.0)  # each changes the row, whether the database is told to commit or does


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """due: a due cycle. kept: bytes the database grew by, an account. filling: MB at a backfill's peak."""

    of: OfCrm
    due: Work = field(default_factory=Work)
    kept: float
    filling: float


def _crm(
    meter: Meter, folder: Path, crm: str, slot: Work, *, bulk: bool, writes_only: bool = False
) -> _Found:
    """Costs of one CRM, of a first backfill, its echo, and cycles that find nothing."""
    accounts, url = ACCOUNTS[crm], meter.server.database()
    served = Served(crm, accounts)
    try:
        (own := folder / f"{crm}-{bulk}").mkdir()
        wired = opened(configured(own, url, {"main": served}, bulk=bulk), "main")
        try:
            before, resident = meter.size(url), _rss()
            written = _each(meter, served, wired, Stream.BACKFILL, slot)
            kept = (meter.size(url) - before) / accounts
            filling = max(0.0, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000 - resident)
            if writes_only:
                of = OfCrm(cycle=Work(), written=written, again=Work(), bulk=Work())
                return _Found(of=of, kept=kept, filling=filling)
            served.admin("POST clock", advance=30)
            again = _each(meter, served, wired, Stream.POLL, slot)
            served.admin("POST clock", advance=3_600)
            ran(wired, Stream.POLL, Stream.TRAILING)
            meter.server.execute("VACUUM ANALYZE", str(make_url(url).database))  # as it does by itself
            cycle = _repeated(meter, served, wired, Stream.POLL, slot)
            due = _repeated(meter, served, wired, Stream.DUE, slot)
        finally:
            wired.journal.close()
    finally:
        served.close()
    of = OfCrm(cycle=cycle, written=written, again=again, bulk=Work())
    return _Found(of=of, due=due, kept=kept, filling=filling)


def _each(meter: Meter, served: Served, wired: Wired, stream: Stream, slot: Work) -> Work:
    """What a cycle takes for each account it reads, slots left out."""
    read: list[int] = []
    served.forget()
    took = meter.took(lambda: read.extend(report.read for report in ran(wired, stream)))
    return took.less(slot * sum(served.calls().values())) * (1 / max(1, sum(read)))


def _repeated(meter: Meter, served: Served, wired: Wired, stream: Stream, slot: Work) -> Work:
    """What a cycle takes that finds nothing, slots left out."""
    served.forget()
    took = meter.took(lambda: ran(wired, *(stream for _ in range(CYCLES))))
    return took.less(slot * sum(served.calls().values())) * (1 / CYCLES)


def _memory(folder: Path, server: Server) -> tuple[float, float]:
    """MB of a process that knows no connection, and more for each; of a process that has just begun."""
    import multiprocessing

    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_resident, (str(folder), server.database()))


def _resident(folder: str, url: str) -> tuple[float, float]:
    (own := Path(folder) / "memory").mkdir()
    served = Served("hubspot", 0)
    try:
        settings = configured(own, url, {f"portal{n}": served for n in range(CONNECTIONS + 1)})
        first = wire(settings, "portal0", create_seal=True)
        first.parts.crm.identity()
        before = _rss()
        more = [wire(settings, f"portal{n}", within=first.journal) for n in range(1, CONNECTIONS + 1)]
        for one in more:
            one.parts.crm.identity()
        after = _rss()
        first.journal.close()
    finally:
        served.close()
    each = max(0.0, after - before) / CONNECTIONS
    return before - each, each


def _rss() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 1e6
