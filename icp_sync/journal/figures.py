"""What is counted of a connection for charts, metrics and alerts: cheap at a million accounts. Reads only.

Whatever looks at accounts looks at an index alone; what runs did is added up from their reports.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from math import inf
from pathlib import Path

from sqlalchemy import func, or_, select, text

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import day_of
from icp_sync.journal.encoding import loads
from icp_sync.journal.migrating import SchemaState, schema_state

_RUN = schema.run
_ACCOUNT = schema.account
_HOLD = schema.hold
_SPENDING = schema.spending
_MET = ("", "gone")
_MEASURED = ("fresh", "fresh_bought")
MONTH = 31 * 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Done:
    """What the runs begun in a span of time did. written, refused: accounts. fresh, fresh_bought: how long
    changes waited, see `domain.freshness`; the second of those whose facts had to be bought."""

    read: int = 0
    written: int = 0
    refused: int = 0
    fresh: Mapping[str, int] = field(default_factory=dict)
    fresh_bought: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stood:
    """tiers: tier or state → in-scope accounts. on_active: of those, evaluated by the active profile version.
    statuses: what became of the last settlement → accounts, in scope or not, those that are gone included."""

    tiers: Mapping[str, int]
    statuses: Mapping[str, int]
    in_scope: int
    out_of_scope: int
    on_active: int


class Figures(Bound):
    def done(self, since: float, until: float = inf, *, kinds: tuple[str, ...] = ()) -> Done:
        """What the runs did that began in [since, until), all kinds of them unless some are named."""
        mine = [_RUN.c.connection == self.connection, _RUN.c.started_at >= since, _RUN.c.report != ""]
        mine += [_RUN.c.started_at < until] if until < inf else []
        mine += [_RUN.c.kind.in_(kinds)] if kinds else []
        with self.reading() as conn:
            return _added_up(conn.execute(select(_RUN.c.report).where(*mine)).scalars())

    def done_across(self, at: float) -> dict[str, tuple[float, Done]]:
        """Runs begun before an instant, at most a month, that had not ended then: when, and what they did in
        all so far."""
        columns = (_RUN.c.id, _RUN.c.started_at, _RUN.c.report)
        mine = (_RUN.c.connection == self.connection, _RUN.c.started_at < at, _RUN.c.started_at > at - MONTH)
        unended = or_(_RUN.c.ended_at.is_(None), _RUN.c.ended_at >= at)
        with self.reading() as conn:
            rows = conn.execute(select(*columns).where(*mine, unended, _RUN.c.report != "")).all()
        return {run: (float(began), _added_up([report])) for run, began, report in rows}

    def tried_in_vain(self, attempts: int) -> int:
        """Accounts deferred so many times in a row or more."""
        mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.status == "deferred")
        with self.reading() as conn:
            asked = select(func.count()).where(*mine, _ACCOUNT.c.attempts >= attempts)
            return int(conn.execute(asked).scalar_one())

    def freshness(self, since: float, until: float = inf) -> Done:
        """The same of the streams that follow changes, and only of the runs that measured any; what could
        not be written at once is measured by the stream that tries it again."""
        mine = [
            _RUN.c.connection == self.connection,
            _RUN.c.started_at >= since,
            _RUN.c.kind.in_(("poll", "trailing", "due")),
            or_(*(_RUN.c.report.contains(f'"{name}":{{"', autoescape=True) for name in _MEASURED)),
        ]
        mine += [_RUN.c.started_at < until] if until < inf else []
        fresh, bought = Counter[str](), Counter[str]()
        with self.reading() as conn:
            for report_text in conn.execute(select(_RUN.c.report).where(*mine)).scalars():
                report = loads(report_text)
                if report.get("apply") is True:
                    fresh.update(_counts(report.get("fresh")))
                    bought.update(_counts(report.get("fresh_bought")))
        return Done(fresh=fresh, fresh_bought=bought)

    def read_since(self, kind: str, since: float) -> int:
        """Accounts the runs of a kind begun since then have looked at, the one under way included."""
        mine = (_RUN.c.connection == self.connection, _RUN.c.started_at >= since, _RUN.c.kind == kind)
        with self.reading() as conn:
            reports = [loads(said) for said in conn.execute(select(_RUN.c.report).where(*mine)).scalars()]
        return sum(_count(r.get("read")) + _count(r.get("spared")) for r in reports if r.get("apply", True))

    def stood(self) -> Stood:
        """How the accounts stand: one walk through one index."""
        c, state = _ACCOUNT.c, schema.connection_state
        grouped = (
            select(c.status, c.in_scope, c.tier, c.profile_version, func.count())
            .where(c.connection == self.connection)
            .group_by(c.status, c.in_scope, c.tier, c.profile_version)
        )
        with self.reading() as conn:
            version = conn.execute(
                select(state.c.active_version).where(state.c.connection == self.connection)
            ).scalar()
            rows = conn.execute(grouped).all()
        tiers, statuses, sums = Counter[str](), Counter[str](), Counter[str]()
        for status, in_scope, tier, made_by, n in rows:
            statuses[status or "met"] += n
            if in_scope and status != "gone":
                tiers[tier] += n
                sums["in"] += n
                sums["on"] += n if made_by == version else 0
            elif status not in _MET:
                sums["out"] += n
        return Stood(
            tiers=tiers,
            statuses=statuses,
            in_scope=sums["in"],
            out_of_scope=sums["out"],
            on_active=sums["on"],
        )

    def oldest_hold(self) -> float | None:
        """Since when the change waits that has waited longest for a person, None where nothing does."""
        mine = (_HOLD.c.connection == self.connection, _HOLD.c.released_by == "")
        with self.reading() as conn:
            oldest = conn.execute(select(func.min(_HOLD.c.since)).where(*mine)).scalar()
        return None if oldest is None else float(oldest)

    def spending(self, since: float, until: float = inf) -> dict[str, float]:
        """Enricher → credits spent or reserved on the UTC days from that of `since` to before `until`'s."""
        mine = [_SPENDING.c.connection == self.connection, _SPENDING.c.day >= day_of(since)]
        mine += [_SPENDING.c.day < day_of(until)] if until < inf else []
        total = select(_SPENDING.c.enricher, func.sum(_SPENDING.c.amount)).where(*mine)
        with self.reading() as conn:
            return {name: float(n) for name, n in conn.execute(total.group_by(_SPENDING.c.enricher))}

    def schema_state(self) -> SchemaState:
        """Which revision the database is at, and who may work with it: a newer version may have migrated it
        since it was opened."""
        with self.reading() as conn:
            return schema_state(conn)

    def size(self) -> int:
        """Bytes the whole database takes, that of all connections in it."""
        if self.engine.dialect.name == "postgresql":
            with self.reading() as conn:
                return int(conn.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
        file = Path(str(self.engine.url.database))
        return sum(
            part.stat().st_size for part in (file, file.with_name(f"{file.name}-wal")) if part.exists()
        )


def _added_up(reports: Iterable[str]) -> Done:
    """What reports say, but for those of dry runs and of runs that settle nothing."""
    did, fresh, bought = Counter[str](), Counter[str](), Counter[str]()
    for text_ in reports:
        report = loads(text_)
        if report.get("apply") is not True:
            continue
        for name in ("read", "written", "refused"):
            did[name] += _count(report.get(name))
        fresh.update(_counts(report.get("fresh")))
        bought.update(_counts(report.get("fresh_bought")))
    return Done(
        read=did["read"],
        written=did["written"],
        refused=did["refused"],
        fresh=fresh,
        fresh_bought=bought,
    )


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _counts(value: object) -> dict[str, int]:
    return {str(name): _count(n) for name, n in value.items()} if isinstance(value, dict) else {}
