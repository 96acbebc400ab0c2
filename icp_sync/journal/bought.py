"""What goes into the journal, and comes out of it, when facts are bought. Plain values; no database in sight.

Instants are UTC epoch seconds, amounts credits. A key names a company (its registrable domain) or one account
(`ports.account_key`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.domain.facts import Signal

HIT, MISS, PENDING, NONE, UNKNOWN = "hit", "miss", "pending", "none", "unknown"
REFUSED, LOST = "refused", "lost"
KINDS = frozenset((HIT, MISS, PENDING, NONE, UNKNOWN, REFUSED, LOST))
"""The kinds of an `Answered`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """One enricher's answer about one key.

    kind: "hit"; "miss", a clean one; "pending": taken, to be fetched later under `job`; "none": nothing was
    learned, the reservation is given back, what was known before stays and the question is open at once;
    "unknown": it was sent and nobody knows whether it was paid, the reservation stays; "refused": no answer,
    only what was charged is paid, what was known before stays and the question waits until `expires_at`;
    "lost": a job that is waited for no more, of unknown fate from now on.
    charge: credits really spent by this very request. expires_at: from when it may be asked, or looked for,
    again. until: from when its signals are recalled no more, 0 for `expires_at`; each may end before.
    """

    key: str
    kind: str
    signals: tuple[Signal, ...] = ()
    charge: float = 0.0
    expires_at: float = 0.0
    until: float = 0.0
    unread: Mapping[str, str] = field(default_factory=dict)
    job: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reserved:
    """Who may be asked about now, and why the others may not.

    free: in the order they were given. jobs: those of them whose result waits under a job: it is to be
    fetched, nothing ordered again; ordered: key → when it was. busy: somebody is asking, an answer holds, or
    it is too early to look for a job.
    over: key → the budget that is used up: "account", "run", "day", "month", "vendor day", "vendor month".
    """

    free: tuple[str, ...] = ()
    jobs: Mapping[str, str] = field(default_factory=dict)
    ordered: Mapping[str, float] = field(default_factory=dict)
    busy: frozenset[str] = frozenset()
    over: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """What requests added to experience. fact: "" for the request as a whole. segment: kind of company.

    asked: how many wanted it. told: how many of those brought it. charge: credits they cost.
    """

    fact: str
    segment: str
    asked: int
    told: int
    charge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Learned:
    """All the tallies of one enricher, fact and segment."""

    asked: int
    told: int
    charge: float


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorState:
    """How a source was last.

    failures: in a row. open_until: not asked before then. kind, message: of the last failure, "" after a
    success. credits_left: as it last said, None where it does not. at: when this was.
    """

    failures: int = 0
    open_until: float = 0.0
    kind: str = ""
    message: str = ""
    credits_left: float | None = None
    at: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorReport:
    """What the journal holds of one enricher.

    hits, misses, pending, unknown: answers by what they are now; unknown are those being asked as well.
    asked: answers tallied ever. spent, spent_day, spent_month: all that is remembered, and since the UTC day
    and month began. median_age: seconds since the middle one of its hits came, None without any.
    """

    hits: int = 0
    misses: int = 0
    pending: int = 0
    unknown: int = 0
    spent_day: float = 0.0
    spent_month: float = 0.0
    spent: float = 0.0
    asked: int = 0
    median_age: float | None = None
