"""Closed windows over modification stamps: the arithmetic every CRM's poll and trailing streams share.

A window's end is the CRM's own clock, fixed before the first request, never the largest stamp seen and
never our clock: a record stamped between two requests is then in this window or in the next, not between.
Nothing here knows a CRM or sends a request.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from icp_sync.observe import log
from icp_sync.ports import Position, Stream

WINDOW_STREAMS = frozenset({Stream.POLL, Stream.TRAILING})

STAMP_UNIT_MS = 1
SETTLING_MS = 2_000

AHEAD_MS = 600_000
"""A position so far ahead of the CRM's clock comes from a clock that was wrong once. What is stamped until
then would never be read."""

_log = log("windows")


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """Stamps `[lower, upper]` in ms, both ends included, read in id order; ids up to `last_id` are done."""

    lower: int
    upper: int
    last_id: str
    start: Position

    def up_to(self, last_id: str) -> Position:
        """The position once every id up to `last_id` is settled."""
        return replace(self.start, upper=self.upper, last_id=last_id)

    def closed(self) -> Position:
        """The position once the whole window is settled."""
        return Position(done_to=self.upper)


@dataclass(frozen=True, slots=True, kw_only=True)
class Windows:
    """How windows are cut. Seconds.

    overlap: how far the poll reads back behind its last end; seen (id, stamp) pairs make that cheap.
    lag: how far the trailing stream stays behind, longer than any index takes to show a record.
    """

    overlap: float = 120.0
    lag: float = 3600.0

    def open(self, stream: Stream, position: Position, now: float) -> Window:
        """The window to read from `position`: the unfinished one, or the next. `now` is the CRM's clock.

        A new connection begins at its first window's end (the backfill reads what is older). A clock that
        stands still or went back reads the overlap again; `done_to` never goes back, unless it is so far
        ahead that the clock it was taken from was wrong: then everything since `now - lag` is read again.
        """
        position = self._mended(position, now)
        back = int(self.overlap * 1000) if stream is Stream.POLL else 0
        if position.upper:
            base = position.done_to or position.upper
            return Window(
                lower=max(base - back, 1000), upper=position.upper, last_id=position.last_id, start=position
            )
        end = now if stream is Stream.POLL else now - self.lag
        upper = max(int(end * 1000), position.done_to)
        base = position.done_to or upper
        return Window(lower=max(base - back, 1000), upper=upper, last_id="", start=position)

    def _mended(self, position: Position, now: float) -> Position:
        """The position, or one whose instants are possible. What lies between is not known to be read: longer
        ago than the lag it is left to the sweep."""
        ahead = max(position.done_to, position.upper) - now * 1000
        if ahead <= AHEAD_MS:
            return position
        _log.error(
            "a window ended in the future: the CRM's clock was wrong then, or is now; reading again",
            seconds_ahead=round(ahead / 1000),
            seconds_again=round(self.lag),
            next_step="if accounts changed earlier than that are missing: icp-sync run --backfill",
        )
        again = int((now - self.lag) * 1000)
        return Position(done_to=position.done_to if 0 < position.done_to <= now * 1000 else max(again, 1))


def stamp_is_old(stamp: int, read_at: int, unit: int = STAMP_UNIT_MS, settling: int = SETTLING_MS) -> bool:
    """Whether (id, stamp) may count as seen: no later change can still carry this very stamp.

    unit: of the CRM's stamps, ms. settling: how long after its stamp a change may begin to show, ms.
    """
    return stamp + unit + settling < read_at


def id_order(record_id: str) -> tuple[int, str]:
    """Sort key of decimal ids as numbers, without leading zeros to worry about, and of ids of one length as
    text; "" comes first."""
    return (len(record_id), record_id)
