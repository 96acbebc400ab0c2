"""How companies stood when deals began, as far as it may be told without knowing how the deals ended.

What was in force when a deal was created tells; else the first verdict within the grace, where the deal is
known to have been open at that moment. Reads show deals now and then only, so that is known of the time
between two reads that both showed it open, and of the time between its last change and a read. Whatever
cannot be known counts as too late. Must not know a CRM, and changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from icp_sync.journal import Recorded, StoredDeal
from icp_sync.ports import Deal

Look = Callable[[Mapping[str, tuple[str, float, float]]], Mapping[str, Recorded]]
"""What `Journal.recorded` does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """A deal when it began. Instants are UTC epoch seconds on our clock.

    open_from: from when on it is known to have been open, until seen_at at least; None where it is closed.
    """

    id: str
    account_id: str
    at: float
    open_from: float | None
    seen_at: float


@dataclass(slots=True, kw_only=True)
class Stood:
    """found: deal → how its company stood. late: deals that nobody can tell of any more. waiting: those that
    another read will tell of. Of all others nothing is known yet."""

    found: dict[str, Recorded] = field(default_factory=dict)
    late: set[str] = field(default_factory=set)
    waiting: set[str] = field(default_factory=set)


def first_met(deal: Deal, *, seen_at: float, ahead: float) -> Beginning | None:
    """A deal that a read shows for the first time; None where it had ended before it was created, or may
    have, as deals that were imported: whatever was known then knew the outcome. ahead: our clock less the
    CRM's."""
    if not deal.open and not _ended_after_it_began(deal):
        return None
    at, changed = deal.created_at / 1000 + ahead, deal.changed_at / 1000 + ahead
    since = min(seen_at, changed) if deal.open else None
    return Beginning(id=deal.id, account_id=deal.account_id, at=at, open_from=since, seen_at=seen_at)


def met_before(deal: StoredDeal, *, ahead: float) -> Beginning:
    """A deal as the journal has it."""
    changed = deal.changed_at + ahead
    since = None if deal.open_since is None else min(deal.open_since, changed)
    at = deal.created_at + ahead
    return Beginning(id=deal.id, account_id=deal.account_id, at=at, open_from=since, seen_at=deal.seen_at)


def stood(deals: Iterable[Beginning], grace: float, recorded: Look) -> Stood:
    """How their companies stood. grace: seconds after which a first verdict comes too late."""
    known = {deal.id: deal for deal in deals}
    wanted = {
        deal.id: (deal.account_id, deal.at, deal.at if deal.open_from is None else deal.at + grace)
        for deal in known.values()
    }
    told = Stood()
    for id, one in recorded(wanted).items():
        deal = known[id]
        if one.at > deal.at and one.at > deal.seen_at:
            told.waiting.add(id)
        elif one.at > deal.at and (deal.open_from is None or one.at < deal.open_from):
            told.late.add(id)
        else:
            told.found[id] = one
    return told


def _ended_after_it_began(deal: Deal) -> bool:
    try:
        closed = date.fromisoformat(deal.closed_on)
        if deal.created_on:
            return closed >= date.fromisoformat(deal.created_on)
        return closed >= (datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=deal.created_at)).date()
    except (ValueError, OverflowError):
        return False
