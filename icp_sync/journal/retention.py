"""How long what is only history is kept. Nothing that decides what may be written is ever too old.

Never pruned: whose values are whose, people's held values, profile versions, the audit, and of each account
the evaluation in force at the beginning of what is kept. What bounds each table is in `deploy/README.md`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from math import isfinite
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, exists, func, or_, select, true, tuple_, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import day_of
from icp_sync.journal.commit import move
from icp_sync.journal.forgetting import erase
from icp_sync.journal.positions import PRUNED, Positions
from icp_sync.ports import Position

_ACCOUNT = schema.account
DAY = 86_400.0
PAGE = 1_000
"""Rows of a log that are looked at, and may go, in one transaction."""
_STRETCH = 50_000
"""Numbers of a log that are looked through at once for the rows of one connection."""
ERASED = "erased"
"""The `problem` of a tombstone of whose account nothing is known any more."""
_TOMBS = 200
_BLANK = (
    "name", "name_key", "domain", "owner", "previous", "confirmed", "intents", "evidence", "parent",
    "group_key", "unechoed", "withdrawn", "fingerprint", "tier", "former",
)  # fmt: skip
_BOUGHT = 400 * DAY
"""What was spent is kept at least so long: budgets are counted from it."""
_WAITED = 30 * DAY
"""A job that nobody has looked for in so long is given up."""
_IDLE = 31 * DAY
"""Cycles that wrote and bought nothing are kept at most so long: most of them there are."""
_OFTEN = ("poll", "trailing", "due")
_UNATTENDED = 30 * DAY
"""A stream that was due for so long is nobody's any more; of one that is, the next cycle says so again."""
_MOVED = 2 * DAY
"""What the guard counts in a sliding day is kept at least so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Keep:
    """Seconds for which things are kept, infinity for ever.

    history: evaluations and writes, account by account; what is older can neither be explained nor undone.
    runs: runs, requests, costs; a run stays as long as its writes do, or nobody could undo it. gone: what is
    known of an account or a deal that was deleted or merged away.
    """

    history: float = 400 * DAY
    runs: float = 400 * DAY
    gone: float = 30 * DAY


USUALLY = Keep()


@dataclass(slots=True, kw_only=True)
class Pruned:
    """How many rows went, of how many gone accounts everything, and how many are known no more at all."""

    evaluations: int = 0
    writes: int = 0
    runs: int = 0
    requests: int = 0
    answers: int = 0
    counts: int = 0
    deals: int = 0
    assignments: int = 0
    notices: int = 0
    erased: int = 0
    forgotten: int = 0
    turns: int = 0

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class Retention(Bound):
    def prune(self, keep: Keep, *, now: float, going: Callable[[], bool] = lambda: True) -> Pruned:
        """Remove what is older than is kept, in short transactions; stops between two of them when told to.

        Repeating it is harmless, and a crash in between loses nothing that was to be kept.
        """
        done = Pruned()
        sent, moved = schema.change_log, schema.movement
        self._begin_history(now - keep.history)
        done.evaluations = self._prune_evaluations(now - keep.history, now, going)
        done.writes = self._prune_log(sent, now - keep.history, going)
        done.counts = self._prune_log(moved, now - max(keep.runs, _MOVED), going)
        done.counts += self._prune_purchases(now - max(keep.runs, _BOUGHT), going)
        done.runs = self._prune_runs(keep, now, going)
        request, notice, deal, given = schema.request, schema.notice, schema.deal, schema.assignment
        finished = request.c.state.in_(("done", "failed", "cancelled"))
        done.requests = self._remove(request, going, request.c.id < _named(now - keep.runs), finished)
        done.answers = self._prune_answers(now, going)
        done.deals = self._remove(deal, going, deal.c.gone_at < now - keep.gone)
        done.notices = self._prune_log(notice, now - keep.runs, going, notice.c.due.is_(None))
        done.assignments = self._remove(given, going, given.c.ended_at < now - keep.history)
        done.erased = self._erase_gone(now - keep.gone, now, going)
        done.forgotten = self._forget_tombs(now - max(keep.history, keep.runs) - keep.gone, going)
        done.turns = self._prune_turns(now - _UNATTENDED)
        return done

    def history_since(self) -> float | None:
        """From when on the evaluations are whole, as far as pruning goes; None while nothing was pruned."""
        with self.reading() as conn:
            row = self.state(conn)
        return None if row is None or row.history_since is None else float(str(row.history_since))

    def _begin_history(self, before: float) -> None:
        """Note, before they go, that evaluations from before an instant do: keeping more of them later brings
        none back."""
        if before <= 0:
            return
        with self.writing("state") as conn:
            row = self.state(conn)
            known = float(str(row.history_since or 0.0)) if row is not None else 0.0
            if before > known:
                self.set_state(conn, history_since=before)

    def _prune_evaluations(self, before: float, now: float, going: Callable[[], bool]) -> int:
        """Evaluations in whose place another of the same account was already at an instant.

        The last one before it stays, of every account. So that these are not looked at day after day, where
        this came to is kept as a position: only what has grown old since then can take an older one's place.
        """
        log, removed = schema.evaluation_log, 0
        mine = log.c.connection == self.connection
        last = int(Positions(self.engine, self.connection).position(*PRUNED).last_id or 0)
        for page in self._aged(log, before, going, log.c.account, last=last):
            last, accounts = page[-1].seq, {row.account for row in page}
            with self.writing("state") as conn:
                these = delete(log).where(mine, log.c.account.in_(accounts), _superseded(log, last, before))
                removed += conn.execute(these).rowcount
                move(conn, self.connection, *PRUNED, Position(last_id=str(last)), now)
        return removed

    def _prune_log(
        self, table: Any, before: float, going: Callable[[], bool], *only: ColumnElement[bool]
    ) -> int:
        """Rows of a numbered log from before an instant."""
        removed, goes = 0, and_(true(), *only).label("goes")
        for page in self._aged(table, before, going, goes):
            if those := [row.seq for row in page if row.goes]:
                with self.writing("state") as conn:
                    removed += conn.execute(delete(table).where(table.c.seq.in_(those), *only)).rowcount
        return removed

    def _aged(
        self, table: Any, before: float, going: Callable[[], bool], *also: ColumnElement[Any], last: int = 0
    ) -> Iterator[list[Row[Any]]]:
        """Pages of rows (seq, at and what else is asked for) of a log: behind a number, before an instant.

        Numbers rise with time: it is read only so far. It is read by them, and stretch by stretch: an index
        by connection would have every page sorted anew, and the rows of a small portal are far between.
        """
        seq, mine = table.c.seq, table.c.connection == self.connection
        asked = select(seq, table.c.at, *also).order_by(seq).limit(PAGE)
        with self.reading() as conn:  # + 0: by the index of the connection, not along the whole table
            ends = conn.execute(select(func.min(seq + 0), func.max(seq + 0)).where(mine, seq > last)).one()
        last, end = (ends[0] - 1, ends[1]) if ends[0] is not None else (0, 0)
        while before > 0 and last < end and going():
            stretch = (seq > last, seq <= last + _STRETCH, table.c.connection + "" == self.connection)
            with self.reading() as conn:
                rows = conn.execute(asked.where(*stretch)).all()
            if aged := [row for row in rows if row.at < before]:
                yield aged
            if rows and rows[-1].at >= before:
                break
            last = rows[-1].seq if len(rows) == PAGE else last + _STRETCH

    def _remove(self, table: Any, going: Callable[[], bool], *which: ColumnElement[bool]) -> int:
        """Rows this holds for, a few hundred a transaction, in the order of their keys: none is looked at
        twice."""
        keys = [column for column in table.primary_key if column.name != "connection"]
        mine, size = (table.c.connection == self.connection, *which), PAGE // (2 * len(keys))
        removed, after = 0, and_(true())
        while going():
            with self.reading() as conn:
                page = select(*keys).where(*mine, after).order_by(*keys).limit(size)
                found = [tuple(row) for row in conn.execute(page)]
            if not found:
                break
            with self.writing("state") as conn:
                removed += conn.execute(delete(table).where(*mine, tuple_(*keys).in_(found))).rowcount
            after = tuple_(*keys) > found[-1]
        return removed

    def _prune_purchases(self, before: float, going: Callable[[], bool]) -> int:
        """Purchases, and their sums, of whole days before an instant; by then nobody charges for them."""
        bought, spending = schema.purchase, schema.spending
        if before <= 0:
            return 0
        removed = self._prune_log(bought, day_of(before) * DAY, going)
        with self.writing("state") as conn:
            mine = (spending.c.connection == self.connection, spending.c.day < day_of(before))
            conn.execute(delete(spending).where(*mine))
        return removed

    def _prune_runs(self, keep: Keep, now: float, going: Callable[[], bool]) -> int:
        """Runs whose writes are gone too; sooner those that wrote and bought nothing, a thousand a day."""
        run, unnamed = schema.run, ~_named_by(schema.change_log, schema.run)
        old = run.c.id < _named(now - keep.runs)
        idle = and_(
            run.c.id < _named(now - min(keep.runs, _IDLE)),
            run.c.kind.in_(_OFTEN),
            ~_named_by(schema.purchase, run),
        )
        return self._remove(run, going, or_(old, idle), unnamed) if isfinite(keep.runs) else 0

    def _prune_answers(self, now: float, going: Callable[[], bool]) -> int:
        """Answers and clean misses that have expired; such count as not asked for already. One whose result
        waits under a job goes when nobody has looked for it in a long time. Events from outside that do not
        count any more; what they amounted to ends by itself."""
        answer, event = schema.answer, schema.inbound_event
        unfetched = or_(answer.c.job == "", answer.c.expires_at <= now - _WAITED)
        removed = self._remove(answer, going, answer.c.expires_at <= now, answer.c.until <= now, unfetched)
        return removed + self._remove(event, going, event.c.until <= now)

    def _prune_turns(self, before: float) -> int:
        """Turns of streams that nobody attends to, also of connections that are no more."""
        turn = schema.turn
        with self.reading() as conn:
            some = conn.execute(select(turn.c.stream).where(turn.c.due_at < before).limit(1)).first()
        if some is None:
            return 0
        with self.writing("turn") as conn:
            return conn.execute(delete(turn).where(turn.c.due_at < before)).rowcount

    def _forget_tombs(self, before: float, going: Callable[[], bool]) -> int:
        """Accounts erased so long ago that nothing which names them is kept either."""
        erased = (_ACCOUNT.c.status == "gone", _ACCOUNT.c.problem == ERASED)
        return self._remove(_ACCOUNT, going, *erased, _ACCOUNT.c.settled_at < before)

    def _erase_gone(self, before: float, now: float, going: Callable[[], bool]) -> int:
        """Of accounts gone since before then, only that they are, and whom they were merged into, stays."""
        gone = (
            _ACCOUNT.c.connection == self.connection,
            _ACCOUNT.c.status == "gone",
            _ACCOUNT.c.settled_at < before,
            _ACCOUNT.c.problem != ERASED,
        )
        erased = 0
        while before > 0 and going():
            with self.writing("state") as conn:
                ids = list(conn.execute(select(_ACCOUNT.c.id).where(*gone).limit(_TOMBS)).scalars())
                if not ids:
                    break
                erase(conn, self.connection, ids)
                conn.execute(
                    update(_ACCOUNT)
                    .where(*gone, _ACCOUNT.c.id.in_(ids))
                    .values(
                        problem=ERASED,
                        version=_ACCOUNT.c.version + 1,
                        score=None,
                        **dict.fromkeys(_BLANK, ""),
                    )
                )
                erased += len(ids)
        return erased


def _named(before: float) -> str:
    """Where ids that begin with an instant, as those of runs and requests do, are of before it."""
    return datetime.fromtimestamp(max(before, 0.0), UTC).strftime("%Y%m%d-%H%M%S")


def _named_by(log: Any, run: Any) -> ColumnElement[bool]:
    """Whether a log still holds something of the run."""
    return exists().where(and_(log.c.connection == run.c.connection, log.c.run == run.c.id))


def _superseded(log: Any, last: int, before: float) -> ColumnElement[bool]:
    """Whether a later evaluation of the account, up to a number, was in force already at that instant."""
    later = log.alias("later")
    return exists().where(
        and_(
            later.c.connection == log.c.connection,
            later.c.account == log.c.account,
            later.c.seq > log.c.seq,
            later.c.seq <= last,
            later.c.at <= before,
        )
    )
