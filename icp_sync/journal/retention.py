"""How long what is only history is kept. Nothing that decides what may be written is ever too old.

Never pruned: whose values are whose, people's held values, profile versions, the audit, and of each account
the evaluation in force at the beginning of what is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, delete, exists, or_, select, tuple_, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.budgets import day_of
from icp_sync.journal.forgetting import erase

_ACCOUNT = schema.account
DAY = 86_400.0
PAGE = 1_000
"""Rows a transaction removes at most."""
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
    """How many rows went, and of how many gone accounts everything."""

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

    def to_json(self) -> dict[str, int]:
        return asdict(self)


class Retention(Bound):
    def prune(self, keep: Keep, *, now: float, going: Callable[[], bool] = lambda: True) -> Pruned:
        """Remove what is older than is kept, in short transactions; stops between two of them when told to.

        Repeating it is harmless, and a crash in between loses nothing that was to be kept.
        """
        done = Pruned()
        log, sent, moved = schema.evaluation_log, schema.change_log, schema.movement
        self._begin_history(now - keep.history)
        done.evaluations = self._prune_log(
            log, now - keep.history, going, _superseded(log, now - keep.history)
        )
        done.writes = self._prune_log(sent, now - keep.history, going)
        done.counts = self._prune_log(moved, now - max(keep.runs, _MOVED), going)
        done.counts += self._prune_purchases(now - max(keep.runs, _BOUGHT), going)
        done.runs = self._prune_named(schema.run, now - keep.runs, going, ~_named_by(sent, schema.run))
        finished = schema.request.c.state.in_(("done", "failed", "cancelled"))
        done.requests = self._prune_named(schema.request, now - keep.runs, going, finished)
        done.answers = self._prune_answers(now, going) + self._prune_events(now, going)
        done.deals = self._prune_deals(now - keep.gone, going)
        over = schema.notice.c.due.is_(None)
        done.notices = self._prune_log(schema.notice, now - keep.runs, going, over)
        done.assignments = self._prune_assignments(now - keep.history, going)
        done.erased = self._erase_gone(now - keep.gone, now, going)
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

    def _prune_log(
        self, table: Any, before: float, going: Callable[[], bool], *only: ColumnElement[bool]
    ) -> int:
        """Rows of a numbered log from before an instant. Numbers rise with time: it is read only so far."""
        removed, last = 0, -1
        mine = table.c.connection == self.connection
        while before > 0 and going():
            with self.reading() as conn:
                page = select(table.c.seq, table.c.at).where(mine, table.c.seq > last)
                rows = conn.execute(page.order_by(table.c.seq).limit(PAGE)).all()
            old = [seq for seq, at in rows if at < before]
            if not old:
                break
            last = old[-1]
            with self.writing("state") as conn:
                removed += conn.execute(delete(table).where(mine, table.c.seq.in_(old), *only)).rowcount
        return removed

    def _prune_purchases(self, before: float, going: Callable[[], bool]) -> int:
        """Purchases, and their sums, of whole days before an instant; what may be charged yet stays."""
        bought, spending = schema.purchase, schema.spending
        if before <= 0:
            return 0
        removed = self._prune_log(bought, day_of(before) * DAY, going, ~bought.c.open)
        with self.writing("state") as conn:
            mine = (spending.c.connection == self.connection, spending.c.day < day_of(before))
            conn.execute(delete(spending).where(*mine))
        return removed

    def _prune_named(
        self, table: Any, before: float, going: Callable[[], bool], *only: ColumnElement[bool]
    ) -> int:
        """Rows of a table whose ids begin with the instant they were made."""
        if before <= 0:
            return 0
        stamp = datetime.fromtimestamp(before, UTC).strftime("%Y%m%d-%H%M%S")
        mine = (table.c.connection == self.connection, table.c.id < stamp, *only)
        removed = 0
        while going():
            with self.reading() as conn:
                ids = list(conn.execute(select(table.c.id).where(*mine).limit(PAGE // 2)).scalars())
            if not ids:
                break
            with self.writing("state") as conn:
                removed += conn.execute(delete(table).where(*mine, table.c.id.in_(ids))).rowcount
        return removed

    def _prune_answers(self, now: float, going: Callable[[], bool]) -> int:
        """Answers and clean misses that have expired; such count as not asked for already. One whose result
        waits under a job goes when nobody has looked for it in a long time."""
        answer = schema.answer
        mine = (
            answer.c.connection == self.connection,
            answer.c.expires_at <= now,
            answer.c.until <= now,
            or_(answer.c.job == "", answer.c.expires_at <= now - _WAITED),
        )
        removed = 0
        while going():
            with self.reading() as conn:
                found: Sequence[Any] = conn.execute(
                    select(answer.c.enricher, answer.c.key).where(*mine).limit(PAGE // 4)
                ).all()
            if not found:
                break
            keys = [tuple(row) for row in found]
            with self.writing("state") as conn:
                those = tuple_(answer.c.enricher, answer.c.key).in_(keys)
                removed += conn.execute(delete(answer).where(*mine, those)).rowcount
        return removed

    def _prune_events(self, now: float, going: Callable[[], bool]) -> int:
        """Events from outside that do not count any more; what they amounted to ends by itself."""
        event = schema.inbound_event
        mine = (event.c.connection == self.connection, event.c.until <= now)
        removed = 0
        while going():
            with self.reading() as conn:
                found = conn.execute(select(event.c.source, event.c.id).where(*mine).limit(PAGE // 4)).all()
            if not found:
                break
            those = tuple_(event.c.source, event.c.id).in_([tuple(row) for row in found])
            with self.writing("state") as conn:
                removed += conn.execute(delete(event).where(*mine, those)).rowcount
        return removed

    def _prune_deals(self, before: float, going: Callable[[], bool]) -> int:
        """Deals that no read has met since before then."""
        deal, removed = schema.deal, 0
        mine = (deal.c.connection == self.connection, deal.c.gone_at < before)
        while before > 0 and going():
            with self.reading() as conn:
                ids = list(conn.execute(select(deal.c.id).where(*mine).limit(PAGE // 2)).scalars())
            if not ids:
                break
            with self.writing("state") as conn:
                removed += conn.execute(delete(deal).where(*mine, deal.c.id.in_(ids))).rowcount
        return removed

    def _prune_assignments(self, before: float, going: Callable[[], bool]) -> int:
        """What became of accounts after they were given to somebody, once that has ended."""
        given, removed = schema.assignment, 0
        mine = (given.c.connection == self.connection, given.c.ended_at < before)
        while before > 0 and going():
            with self.reading() as conn:
                page = select(given.c.account, given.c.routed_at).where(*mine).limit(PAGE // 4)
                found: Sequence[Any] = conn.execute(page).all()
            if not found:
                break
            those = tuple_(given.c.account, given.c.routed_at).in_([tuple(row) for row in found])
            with self.writing("state") as conn:
                removed += conn.execute(delete(given).where(*mine, those)).rowcount
        return removed

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


def _named_by(log: Any, run: Any) -> ColumnElement[bool]:
    """Whether a log still holds something of the run."""
    return exists().where(and_(log.c.connection == run.c.connection, log.c.run == run.c.id))


def _superseded(log: Any, before: float) -> ColumnElement[bool]:
    """Whether a later evaluation of the same account was in force already at that instant."""
    later = log.alias("later")
    return exists().where(
        and_(
            later.c.connection == log.c.connection,
            later.c.account == log.c.account,
            later.c.seq > log.c.seq,
            later.c.at <= before,
        )
    )
