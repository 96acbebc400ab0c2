"""How a limit stands, as plain values for `status`, logs and forecasts."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class DayStanding:
    """The calls of a day. remaining, others: None while the CRM has said nothing.

    others: used by everybody else. reserve: calls left to them. backfill: of our calls, those of backfills.
    Spans are seconds: observed_ago since the CRM last said so; resets_in to the end of its day (None: the
    last 24 hours count, or nobody knows); runs_out_in until the reserve is reached at the present rate (None:
    not in this day); stopped_for since our calls have waited for the day to end (None: they do not).
    """

    remaining: int | None
    others: int | None
    reserve: int
    backfill: int
    in_flight: int
    observed_ago: float | None
    resets_in: float | None
    runs_out_in: float | None
    stopped_for: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketStanding:
    """One limit: at most `limit` calls (0 unknown) in `seconds`, of which `used` are ours.

    paused_for: seconds for which the CRM wants no such call.
    """

    name: str
    limit: int
    seconds: float
    used: int
    paused_for: float = 0.0
    day: DayStanding | None = None
