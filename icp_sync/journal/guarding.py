"""What the guard counts by, and the changes it holds until a person lets them pass."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, case, delete, func, select, update

from icp_sync.domain.guard import Counted, Rule
from icp_sync.domain.plan import Hold, Result
from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import changes_from_text, changes_to_text, plain
from icp_sync.journal.records import Amended, Settled

_ACCOUNT = schema.account
_HOLD = schema.hold
_LOG = schema.change_log
_MOVEMENT = schema.movement

HOUR, DAY = 3600.0, 86_400.0


class Guarding(Bound):
    def population(self) -> int:
        """In-scope accounts known."""
        here = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.in_scope, _ACCOUNT.c.status != "gone")
        with self.reading() as conn:
            return int(conn.execute(select(func.count()).where(*here)).scalar() or 0)

    def guarded(self, ids: Sequence[str], writing: Sequence[str], *, population: int, now: float) -> Counted:
        """What the guard must know of a page's accounts, and of those among them that are to be written."""
        with self.reading() as conn:
            robots = conn.execute(
                select(func.count()).where(
                    _HOLD.c.connection == self.connection,
                    _HOLD.c.rule == Rule.ROBOTS.value,
                    _HOLD.c.since > now - HOUR,
                )
            ).scalar()
            return Counted(
                population=population,
                moved=self._moved(conn, now - DAY),
                again=self._again(conn, writing, now - DAY),
                writes=self._writes(conn, writing, now - HOUR),
                held=holds_of(conn, self.connection, ids),
                robots=int(robots or 0),
            )

    def _moved(self, conn: Connection, since: float) -> dict[str, int]:
        """Rule → accounts that moved by it, each of them once, however often it was tried."""
        unnamed = case((_MOVEMENT.c.account == "", _MOVEMENT.c.n), else_=0)
        named = case((_MOVEMENT.c.account != "", _MOVEMENT.c.account))
        rows = conn.execute(
            select(_MOVEMENT.c.rule, func.sum(unnamed), func.count(named.distinct()))
            .where(_MOVEMENT.c.connection == self.connection, _MOVEMENT.c.at > since)
            .group_by(_MOVEMENT.c.rule)
        )
        return {rule: int(several) + int(n) for rule, several, n in rows}

    def _again(self, conn: Connection, ids: Sequence[str], since: float) -> dict[str, set[str]]:
        found: dict[str, set[str]] = {}
        mine = (_MOVEMENT.c.connection == self.connection, among(_MOVEMENT.c.account, ids))
        for rule, account_id in conn.execute(
            select(_MOVEMENT.c.rule, _MOVEMENT.c.account).where(*mine, _MOVEMENT.c.at > since)
        ):
            found.setdefault(rule, set()).add(account_id)
        return found

    def _writes(self, conn: Connection, ids: Sequence[str], since: float) -> dict[str, int]:
        """Account → writes that landed, or may have. One of unknown fate that was then sent once more as it
        was had not landed: the read in between showed that."""
        found = Counter[str]()
        last: dict[str, set[tuple[str, str, str]]] = {}
        rows = conn.execute(
            select(_LOG.c.account, _LOG.c.result, _LOG.c.changes)
            .where(
                _LOG.c.connection == self.connection,
                among(_LOG.c.account, ids),
                _LOG.c.at > since,
                _LOG.c.result.in_((Result.WRITTEN.value, Result.UNCERTAIN.value)),
            )
            .order_by(_LOG.c.account, _LOG.c.seq)
        )
        for account_id, result, text in rows:
            sent = {(c.field, c.live, c.desired) for c in changes_from_text(account_id, text)}
            again = bool(sent & last.get(account_id, set()))
            found[account_id] += not again
            last[account_id] = sent if result == Result.UNCERTAIN.value else set()
        return found

    def holds(self, *, rule: str | None = None, limit: int = 1000) -> list[Hold]:
        """What waits for a person, oldest first; what was released and has not landed yet is among it."""
        mine = [_HOLD.c.connection == self.connection, *([_HOLD.c.rule == rule] if rule else [])]
        with self.reading() as conn:
            rows = conn.execute(
                select(*COLUMNS).where(*mine).order_by(_HOLD.c.since, _HOLD.c.account).limit(limit)
            )
            return [hold_of_row(*row) for row in rows]

    def waiting_holds(self) -> dict[str, int]:
        """Rule → accounts that wait for a person."""
        mine = (_HOLD.c.connection == self.connection, _HOLD.c.released_by == "")
        with self.reading() as conn:
            rows = conn.execute(select(_HOLD.c.rule, func.count()).where(*mine).group_by(_HOLD.c.rule))
            return {rule: int(n) for rule, n in rows}

    def waiting_moves(self) -> dict[str, dict[str, tuple[int, float]]]:
        """Rule → what would move → how many accounts wait for a person with it, and since when the first."""
        mine = (_HOLD.c.connection == self.connection, _HOLD.c.released_by == "")
        grouped = (
            select(_HOLD.c.rule, _HOLD.c.key, func.count(), func.min(_HOLD.c.since))
            .where(*mine)
            .group_by(_HOLD.c.rule, _HOLD.c.key)
        )
        found: dict[str, dict[str, tuple[int, float]]] = {}
        with self.reading() as conn:
            for rule, key, n, since in conn.execute(grouped):
                found.setdefault(str(rule), {})[str(key)] = (int(n), float(since))
        return found

    def let_pass(self) -> int:
        """Accounts of which a person let something pass that has not landed yet."""
        mine = (_HOLD.c.connection == self.connection, _HOLD.c.released_by != "")
        with self.reading() as conn:
            found = conn.execute(select(func.count(_HOLD.c.account.distinct())).where(*mine))
            return int(found.scalar_one())

    def release_holds(
        self, *, by: str, rule: str | None = None, ids: Sequence[str] | None = None, now: float
    ) -> int:
        """Let held changes pass, by rule, by account, or all; their accounts are due. Returns how many."""
        mine = [_HOLD.c.connection == self.connection, _HOLD.c.released_by == ""]
        if rule:
            mine.append(_HOLD.c.rule == rule)
        released = 0
        with self.writing("hold") as conn:
            for chunk in [None] if ids is None else chunks(list(ids)):
                those = mine if chunk is None else [*mine, _HOLD.c.account.in_(chunk)]
                due = _ACCOUNT.c.id.in_(select(_HOLD.c.account).where(*those))
                conn.execute(
                    update(_ACCOUNT)
                    .where(_ACCOUNT.c.connection == self.connection, due, _ACCOUNT.c.status != "gone")
                    .values(wake_at=now, fingerprint="")
                )
                released += conn.execute(
                    update(_HOLD).where(*those).values(released_by=plain(by) or "-")
                ).rowcount
        return released


COLUMNS = (
    _HOLD.c.account,
    _HOLD.c.rule,
    _HOLD.c.key,
    _HOLD.c.reason,
    _HOLD.c.changes,
    _HOLD.c.since,
    _HOLD.c.released_by,
)


def hold_of_row(
    account: str, rule: str, key: str, reason: str, changes: str, since: float, released_by: str
) -> Hold:
    return Hold(
        account_id=account,
        rule=rule,
        key=key,
        reason=reason,
        changes=changes_from_text(account, changes),
        since=since,
        released_by=released_by,
    )


def holds_of(conn: Connection, connection: str, ids: Sequence[str]) -> dict[str, tuple[Hold, ...]]:
    found: dict[str, tuple[Hold, ...]] = {}
    mine = (_HOLD.c.connection == connection, among(_HOLD.c.account, ids))
    for row in conn.execute(select(*COLUMNS).where(*mine).order_by(_HOLD.c.account, _HOLD.c.rule)):
        found[row[0]] = (*found.get(row[0], ()), hold_of_row(*row))
    return found


def keep_holds(
    conn: Connection, connection: str, holds: Mapping[str, tuple[Hold, ...]], run: str, now: float
) -> None:
    """Replace what is held on these accounts; what was held before keeps its date.

    A release given meanwhile is kept as well: the account was judged without it, and is due again.
    """
    before = holds_of(conn, connection, list(holds))
    rows = []
    for account_id, several in holds.items():
        known = {(hold.rule, hold.key): hold for hold in before.get(account_id, ())}
        for hold in several:
            last = known.get((hold.rule, hold.key))
            rows.append(
                {
                    "connection": connection,
                    "account": account_id,
                    "rule": hold.rule,
                    "key": plain(hold.key),
                    "reason": plain(hold.reason, 2000),
                    "changes": changes_to_text(hold.changes),
                    "since": last.since if last else hold.since or now,
                    "released_by": last.released_by if last else hold.released_by,
                }
            )
    for chunk in chunks(list(before)):
        conn.execute(delete(_HOLD).where(_HOLD.c.connection == connection, _HOLD.c.account.in_(chunk)))
    upsert(conn, _HOLD, rows)


def note_movements(
    conn: Connection, connection: str, written: Iterable[Settled | Amended], run: str, now: float
) -> None:
    """Note whose writes of each guarded kind have landed, or may have."""
    rows = [
        {"connection": connection, "run": run, "at": now, "rule": rule, "n": 1, "account": one.account_id}
        for one in written
        for rule in one.counted
    ]
    if rows:
        conn.execute(_MOVEMENT.insert(), rows)
