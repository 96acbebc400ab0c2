"""Several slots at once, for the threads that wait for them; for how long one is good, and when none is near.

Pure. Asking for several costs one change of the ledger. Each is for a thread that stands in line, so none
lies about; what a process that dies had asked for expires with its window.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from math import inf

from icp_sync.errors import NoCallsLeftError, UnavailableError
from icp_sync.quota.day import Daily
from icp_sync.quota.ledger import Granted, Ledger, Refused
from icp_sync.quota.priority import Priority
from icp_sync.quota.rates import Rate

AT_ONCE = 8
"""Slots asked for at once, at most."""
OVERSLEPT = 4.0
"""A slot is good for this part of its window, and is asked for again after that."""


@dataclass(frozen=True, slots=True)
class Answer:
    """given: in order; after a refusal nothing more was asked. now: on the ledger's clock. short: whether the
    day's calls are known to have ended."""

    given: list[Granted | Refused]
    now: float
    short: bool = False


def several(
    ledger: Ledger,
    buckets: tuple[str, ...],
    most: int,
    *,
    now: float,
    priority: Priority,
    holder: str,
    daily: Daily | None,
) -> Answer:
    """Up to so many slots, until one is refused."""
    given: list[Granted | Refused] = []
    while len(given) < most and not (given and isinstance(given[-1], Refused)):
        given.append(ledger.take(buckets, now=now, priority=priority, holder=holder, daily=daily))
    return Answer(given, now, bool(ledger.day.short_since))


def tolerated(buckets: Iterable[str], rates: Mapping[str, Rate]) -> float:
    """Seconds a call may be sent after its slot: others count it as sent at its slot, and would fill the
    window that it really falls into. A process that was paused in between is far beyond."""
    return min((rates[name].seconds for name in buckets if name in rates), default=inf) / OVERSLEPT


def too_far(given: Refused, seconds: float) -> UnavailableError:
    """What it means that the next slot is beyond all patience."""
    why = given.why
    what, kind = (f"{why}: ", NoCallsLeftError) if why else ("", UnavailableError)
    return kind(
        f"{what}the rate limit allows no request for another {seconds:.0f} s",
        retry_after=seconds,
        next_step="icp-sync status" if why else "",
    )
