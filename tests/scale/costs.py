"""What the engine's work costs: figures, where they come from, and how they are kept. Measures nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What something takes of us. cpu, database: processor seconds of a worker, and of the database's server.

    transactions, statements: of the journal. commits: of the transactions, those that change something. wal:
    bytes the database writes ahead.
    """

    cpu: float = 0.0
    database: float = 0.0
    transactions: float = 0.0
    commits: float = 0.0
    statements: float = 0.0
    wal: float = 0.0

    def __add__(self, other: Work) -> Work:
        return Work(**{f.name: getattr(self, f.name) + getattr(other, f.name) for f in fields(self)})

    def __mul__(self, times: float) -> Work:
        return Work(**{f.name: getattr(self, f.name) * times for f in fields(self)})

    def less(self, other: Work) -> Work:
        """What is left of it, never below nothing: both were measured."""
        return Work(
            **{f.name: max(0.0, getattr(self, f.name) - getattr(other, f.name)) for f in fields(self)}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCrm:
    """Of one CRM's accounts: read, decided, written and remembered; and read again with nothing to write.

    cycle: one that finds nothing. bulk: an account of a backfill that is written by bulk jobs.
    """

    cycle: Work
    written: Work
    again: Work
    bulk: Work


@dataclass(frozen=True, slots=True, kw_only=True)
class Costs:
    """slot: asking for a slot of a limit, once a call. due: a cycle that asks nobody.

    kept: bytes the database is larger for an account. process, connection, filling: MB a worker takes by
    itself, for each connection it knows, and for each backfill it is at.
    """

    hubspot: OfCrm
    salesforce: OfCrm
    slot: Work
    due: Work
    kept: float
    process: float
    connection: float
    filling: float
    measured: str = ""

    def of(self, crm: str) -> OfCrm:
        return self.salesforce if crm == "salesforce" else self.hubspot

    def save(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Costs:
        """What `save` kept. Raises ValueError for anything else."""
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
            for name in ("hubspot", "salesforce"):
                found[name] = OfCrm(**{what: Work(**work) for what, work in found[name].items()})
            for name in ("slot", "due"):
                found[name] = Work(**found[name])
            return cls(**found)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"{path} holds no costs: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Assumed:
    """What cannot be measured here. Seconds, unless said otherwise.

    latency: a call to a CRM. update: more for each record of a Salesforce update, whose triggers run. rows: a
    second, of a bulk job. opening: a bulk query, until its first rows, a million of them. hang: until a call
    to a portal that hangs is given up. trip: between worker and database, a statement. flush: until a commit
    is on disk. cores: the database's. lag: until HubSpot's search shows a change.
    """

    latency: float = 0.25
    update: float = 0.005
    rows: float = 1_000.0
    opening: float = 60.0
    hang: float = 60.0
    trip: float = 0.0005
    flush: float = 0.002
    cores: int = 4
    lag: float = 5.0


def told(costs: Costs, assumed: Assumed) -> list[str]:
    """The figures, a line each, as they stand in the table's foot."""
    lines = [f"measured: {costs.measured}"]
    for crm in ("hubspot", "salesforce"):
        of = costs.of(crm)
        kinds: Mapping[str, Work] = {"written": of.written, "read again": of.again, "empty cycle": of.cycle}
        if crm == "salesforce":
            kinds = {**kinds, "written in bulk": of.bulk}
        lines += [f"{crm}, {what}: {_said(work)}" for what, work in kinds.items()]
    lines += [f"a slot of a limit: {_said(costs.slot)}", f"a cycle of the due stream: {_said(costs.due)}"]
    lines += [
        f"journal: {costs.kept / 1000:.1f} KB an account; memory: {costs.process:.0f} MB a worker, "
        f"{costs.connection:.1f} MB a connection, {costs.filling:.0f} MB a backfill"
    ]
    lines += [
        f"assumed: a call {assumed.latency * 1000:.0f} ms, and {assumed.update * 1000:.0f} ms a record of a "
        f"Salesforce update; a bulk job {assumed.rows:,.0f} rows/s; database {assumed.cores} cores, "
        f"{assumed.trip * 1000:.1f} ms a statement away, a commit {assumed.flush * 1000:.0f} ms"
    ]
    return lines


def _said(work: Work) -> str:
    changing = f"{work.commits:.3g} of them change something"
    return (
        f"{work.cpu * 1000:.2f} ms of a worker, {work.database * 1000:.2f} ms of the database, "
        f"{work.transactions:.3g} transactions ({changing}), {work.statements:.3g} statements, "
        f"{work.wal / 1000:.1f} KB of log"
    )
