"""How far a backfill's waves are, why one was halted, and which accounts a wave has written.

Of one that is cut into ranges, each has waves of its own (`journal.partitions`); a halt is that of all.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, func, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import changes_from_text, dumps, loads, plain

_LOG = schema.change_log
_WRITTEN = "written"
_PAUSED = "paused"


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillState:
    """waves: passed without anything to halt for, the canary among them. halted: why it went no further,
    "" when it was not, and `at` when. request: which request was being fulfilled, as text. holds: whether a
    person has seen that the guard holds changes of it, and let it go on.

    The wave that is under way: log_from: the change log's newest number when it began, None when there is no
    such wave. refused, deferred: accounts of it that could not be written. full_at: when it was written and
    its watch began, epoch seconds, 0 before."""

    waves: int = 0
    halted: str = ""
    at: float = 0.0
    request: str = ""
    holds: bool = False
    log_from: int | None = None
    refused: int = 0
    deferred: int = 0
    full_at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Paused:
    """Somebody stopped the backfills of a connection, until somebody lets them go on. at: epoch seconds."""

    by: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """The last write to an account: field → value that landed, and when that was known, by our clock."""

    values: Mapping[str, str]
    at: float


def state_from(data: Mapping[str, Any]) -> BackfillState:
    """What `state_to` made, by this version or an earlier one; nothing is as before the first wave."""
    log_from = data.get("log_from")
    return BackfillState(
        waves=int(data.get("waves", 0)),
        halted=str(data.get("halted", "")),
        at=float(data.get("at", 0.0)),
        request=str(data.get("request", "")),
        holds=bool(data.get("holds", False)),
        log_from=None if log_from is None else int(log_from),
        refused=int(data.get("refused", 0)),
        deferred=int(data.get("deferred", 0)),
        full_at=float(data.get("full_at", 0.0)),
    )


def state_to(state: BackfillState) -> dict[str, Any]:
    """As plain JSON."""
    return asdict(replace(state, halted=plain(state.halted, 2000), request=plain(state.request)))


class Backfills(Bound):
    def backfill_state(self) -> BackfillState:
        with self.reading() as conn:
            row = self.state(conn)
        return state_from(loads(row.backfill_state) if row else {})

    def set_backfill_state(self, state: BackfillState) -> None:
        with self.writing("state") as conn:
            row = self.state(conn)
            before = loads(row.backfill_state) if row else {}
            kept = (
                {_PAUSED: before[_PAUSED]} if _PAUSED in before else {}
            )  # who waits for it keeps no such thing
            self.set_state(conn, backfill_state=dumps(state_to(state) | kept))

    def backfill_paused(self) -> Paused | None:
        """Who paused the backfills, and when; None where nobody did."""
        with self.reading() as conn:
            row = self.state(conn)
        said = (loads(row.backfill_state) if row else {}).get(_PAUSED)
        return Paused(by=str(said[0]), at=float(said[1])) if said else None

    def pause_backfills(self, *, by: str, now: float) -> bool:
        """Let no backfill go on until `unpause_backfills`; false where they are paused already."""
        return self._set_paused([plain(by), now])

    def unpause_backfills(self) -> bool:
        """Whether they had been paused."""
        return self._set_paused(None)

    def _set_paused(self, said: list[object] | None) -> bool:
        with self.writing("state") as conn:
            row = self.state(conn)
            before = loads(row.backfill_state) if row else {}
            if (_PAUSED in before) is (said is not None):
                return False
            after = {name: value for name, value in before.items() if name != _PAUSED}
            self.set_state(conn, backfill_state=dumps(after | ({_PAUSED: said} if said else {})))
            return True

    def newest_change(self) -> int:
        """The number of the newest entry of the change log; later ones are greater."""
        with self.reading() as conn:
            mine = _LOG.c.connection == self.connection
            return int(conn.execute(select(func.max(_LOG.c.seq)).where(mine)).scalar() or 0)

    def written_after(self, number: int, stream: str, partitions: Collection[str] | None = None) -> list[str]:
        """Accounts the runs of a stream have written since that entry, in that order; of these partitions
        only, where any are named."""
        those = self._of(number, stream, partitions)
        with self.reading() as conn:
            rows = conn.execute(select(_LOG.c.account).where(*those).order_by(_LOG.c.seq))
            return list(dict.fromkeys(rows.scalars()))

    def sent_after(
        self, number: int, stream: str, ids: Collection[str], partitions: Collection[str] | None = None
    ) -> dict[str, Sent]:
        """What they last wrote to each of these accounts since that entry."""
        those = self._of(number, stream, partitions)
        newest: dict[str, Sent] = {}
        with self.reading() as conn:
            for chunk in chunks(list(ids)):
                rows = conn.execute(
                    select(_LOG.c.account, _LOG.c.changes, _LOG.c.at)
                    .where(*those, _LOG.c.account.in_(chunk))
                    .order_by(_LOG.c.seq)
                )
                for account, changes, at in rows:
                    values = {c.field: c.desired for c in changes_from_text(account, changes)}
                    newest[account] = Sent(values=values, at=at)
        return newest

    def _of(
        self, number: int, stream: str, partitions: Collection[str] | None
    ) -> tuple[ColumnElement[bool], ...]:
        run = schema.run
        runs = select(run.c.id).where(run.c.connection == self.connection, run.c.kind == stream)
        if partitions is not None:
            runs = runs.where(run.c.partition.in_(partitions))
        return (
            _LOG.c.connection == self.connection,
            _LOG.c.seq > number,
            _LOG.c.result == _WRITTEN,
            _LOG.c.run.in_(runs),
        )
