"""Runs, writes, held changes, values people hold and the audit, page by page, for people who look.

Every query walks an index and stops soon, however long the history is; pages go on after a key. Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from math import inf
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.sql.base import ReadOnlyColumnCollection

from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import day_of
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import changes_from_text, loads
from icp_sync.journal.guarding import COLUMNS as HOLD_COLUMNS
from icp_sync.journal.guarding import hold_of_row
from icp_sync.journal.records import Audited, LeftAlone, RunRecord

_ACCOUNT = schema.account
_AUDIT = schema.audit
_EVALUATED = schema.evaluation_log
_HELD = schema.left_alone
_HOLD = schema.hold
_LOG = schema.change_log
_RUN = schema.run
_SPENDING = schema.spending

LOOKED = 5_000
"""Runs that one page looks at; where all of them did nothing, it says where to go on."""
UNDO = "undo"
_RUN_COLUMNS = (_RUN.c.id, _RUN.c.kind, _RUN.c.started_at, _RUN.c.ended_at, _RUN.c.detail, _RUN.c.report)


@dataclass(frozen=True, slots=True, kw_only=True)
class RunsPage:
    """runs: newest first. after: where the next page begins, "" on the last one."""

    runs: tuple[RunRecord, ...]
    after: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """One write to one account. why: what its evaluation said had changed, "" where nothing had."""

    seq: int
    account_id: str
    name: str
    at: float
    result: str
    changes: tuple[Change, ...]
    why: str


class Paging(Bound):
    def runs_page(self, *, kind: str = "", dull: bool = False, after: str = "", limit: int = 30) -> RunsPage:
        """Runs begun before the one named, of one kind or of all. dull: those too that read and wrote
        nothing. A page of few may have a next one: only so many are looked at for it."""
        c = _RUN.c
        mine = [c.connection == self.connection, *([c.kind == kind] if kind else [])]
        mine += [c.id < after] if after else []
        looked = select(*_RUN_COLUMNS).where(*mine).order_by(c.id.desc())
        with self.reading() as conn:
            if dull:
                rows = conn.execute(looked.limit(limit + 1)).all()
                last = ""
            else:
                seen = looked.limit(LOOKED).subquery()
                lively = select(seen).where(_lively(seen.c)).order_by(seen.c.id.desc()).limit(limit + 1)
                rows = conn.execute(lively).all()
                ids = select(c.id).where(*mine).order_by(c.id.desc()).offset(LOOKED - 1).limit(1)
                last = "" if len(rows) > limit else str(conn.execute(ids).scalar() or "")
        more = len(rows) > limit
        found = tuple(_run(row) for row in rows[:limit])
        return RunsPage(runs=found, after=found[-1].id if more else last)

    def run_kinds(self) -> tuple[str, ...]:
        """The kinds there are runs of."""
        found: list[str] = []
        next_one = select(_RUN.c.kind).where(_RUN.c.connection == self.connection)
        with self.reading() as conn:
            while True:  # from one kind to the next by the index, not past every run
                later = [_RUN.c.kind > found[-1]] if found else []
                kind = conn.execute(next_one.where(*later).order_by(_RUN.c.kind).limit(1)).scalar()
                if kind is None:
                    return tuple(found)
                found.append(str(kind))

    def undoes_of(self, run_id: str, limit: int = 20) -> tuple[RunRecord, ...]:
        """The undoes of a run, of parts of it too, newest first."""
        c = _RUN.c
        mine = (c.connection == self.connection, c.kind == UNDO, c.id > run_id)
        those = c.detail.contains(f'"undoes":"{run_id}"', autoescape=True)
        with self.reading() as conn:
            rows = conn.execute(select(*_RUN_COLUMNS).where(*mine, those).order_by(c.id.desc()).limit(limit))
            return tuple(_run(row) for row in rows)

    def sent_in(self, run_id: str, *, after: int = 0, limit: int = 50) -> tuple[Sent, ...]:
        """What a run sent, in that order, after an entry of the log."""
        c = _LOG.c
        mine = (c.connection == self.connection, c.run == run_id, c.seq > after)
        with self.reading() as conn:
            rows = conn.execute(
                select(c.seq, c.account, c.at, c.result, c.changes).where(*mine).order_by(c.seq).limit(limit)
            ).all()
            ids = list(dict.fromkeys(row.account for row in rows))
            names: dict[str, str] = {}
            why: dict[str, str] = {}
            for some in chunks(ids):
                named = select(_ACCOUNT.c.id, _ACCOUNT.c.name).where(
                    _ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(some)
                )
                names |= dict(conn.execute(named).all())
                thought = select(_EVALUATED.c.account, _EVALUATED.c.why).where(
                    _EVALUATED.c.connection == self.connection,
                    _EVALUATED.c.account.in_(some),
                    _EVALUATED.c.run == run_id,
                )
                why |= dict(conn.execute(thought).all())
        return tuple(
            Sent(
                seq=row.seq,
                account_id=row.account,
                name=names.get(row.account, ""),
                at=row.at,
                result=row.result,
                changes=changes_from_text(row.account, row.changes),
                why=why.get(row.account, ""),
            )
            for row in rows
        )

    def names_of(self, ids: Collection[str]) -> dict[str, str]:
        """Id → name of the accounts that are known."""
        found: dict[str, str] = {}
        with self.reading() as conn:
            for some in chunks(list(ids)):
                mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(some))
                found |= dict(conn.execute(select(_ACCOUNT.c.id, _ACCOUNT.c.name).where(*mine)).all())
        return found

    def holds_page(
        self, rule: str, *, after: tuple[float, str] = (-inf, ""), limit: int = 20
    ) -> tuple[Hold, ...]:
        """What a rule keeps from landing, oldest first; after: since when, and which account."""
        since, account = after
        c = _HOLD.c
        later = [c.since >= since, or_(c.since > since, c.account > account)] if since > -inf else []
        mine = (c.connection == self.connection, c.rule == rule, c.released_by == "")
        with self.reading() as conn:
            rows = conn.execute(
                select(*HOLD_COLUMNS).where(*mine, *later).order_by(c.since, c.account).limit(limit)
            )
            return tuple(hold_of_row(*row) for row in rows)

    def left_alone_page(self, after: tuple[str, str] = ("", ""), limit: int = 50) -> tuple[LeftAlone, ...]:
        """Values people hold, by account and field, after one of them."""
        account, field = after
        c = _HELD.c
        later: ColumnElement[bool] = and_(
            c.account >= account, or_(c.account > account, c.field > field)
        )  # the first part walks the index
        with self.reading() as conn:
            rows = conn.execute(
                select(c.account, c.field, c.held, c.since)
                .where(c.connection == self.connection, later)
                .order_by(c.account, c.field)
                .limit(limit)
            ).all()
        names = self.names_of({row.account for row in rows})
        found = []
        for row in rows:
            live, desired = loads(row.held)
            found.append(
                LeftAlone(
                    account_id=row.account,
                    name=names.get(row.account, ""),
                    field=row.field,
                    live=live,
                    desired=desired,
                    since=row.since,
                )
            )
        return tuple(found)

    def audit_page(self, *, before: int | None = None, limit: int = 50) -> tuple[Audited, ...]:
        """The audit, newest first, before an entry."""
        c = _AUDIT.c
        mine = [c.connection == self.connection, *([c.seq < before] if before is not None else [])]
        with self.reading() as conn:
            rows = conn.execute(select(*c).where(*mine).order_by(c.seq.desc()).limit(limit)).all()
        return tuple(
            Audited(
                seq=row.seq,
                at=row.at,
                who=row.who,
                what=row.what,
                detail=loads(row.detail),
                digest=row.digest,
            )
            for row in rows
        )

    def spent_by_day(self, since: float) -> dict[str, dict[int, float]]:
        """Enricher → UTC day (since 1970-01-01) → credits, from the day of that instant on."""
        c = _SPENDING.c
        mine = (c.connection == self.connection, c.day >= day_of(since))
        found: dict[str, dict[int, float]] = {}
        with self.reading() as conn:
            for enricher, day, amount in conn.execute(select(c.enricher, c.day, c.amount).where(*mine)):
                found.setdefault(str(enricher), {})[int(day)] = float(amount)
        return found


def _lively(columns: ReadOnlyColumnCollection[str, Any]) -> ColumnElement[bool]:
    """Whether a run did anything, failed, or goes on. Counts stand in its report as plain JSON numbers; in a
    text of it their quotes would be escaped."""
    report: ColumnElement[str] = columns["report"]
    return or_(
        columns["ended_at"].is_(None),
        ~_none(report, "read"),
        ~_none(report, "written"),
        report.contains('"outcome":"failed"'),
    )


def _none(report: ColumnElement[str], name: str) -> ColumnElement[bool]:
    return or_(report.contains(f'"{name}":0,'), report.contains(f'"{name}":0}}'))


def _run(row: Sequence[object]) -> RunRecord:
    run_id, kind, started_at, ended_at, detail, report = row
    return RunRecord(
        id=str(run_id),
        kind=str(kind),
        started_at=float(str(started_at)),
        ended_at=None if ended_at is None else float(str(ended_at)),
        detail=loads(str(detail)),
        report=loads(str(report)),
    )
