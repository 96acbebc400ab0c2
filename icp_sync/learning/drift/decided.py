"""A journal's deals → the rows that findings are made of: who was sold to, who is a customer, what came.

Values only; opens no journal and compares nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import date

from icp_sync.domain.facts import Facts
from icp_sync.journal import StoredDeal
from icp_sync.learning.cases import Goal, Labelled
from icp_sync.learning.days import begins
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.drift.drift import Sold
from icp_sync.learning.drift.losses import Customer
from icp_sync.learning.past.cohorts import Sale, Subject, book_of


def closed(deal: StoredDeal) -> float:
    """When a deal was decided, UTC epoch seconds; its last change where the CRM has no day."""
    try:
        return begins(date.fromisoformat(deal.closed_on[:10]))
    except ValueError:
        return deal.changed_at


def _first_won(deals: Sequence[StoredDeal], now: float) -> dict[str, StoredDeal]:
    """Account → the deal that made it a customer."""
    found: dict[str, StoredDeal] = {}
    for deal in sorted((d for d in deals if d.won and not d.open), key=_order):
        if closed(deal) <= now:
            found.setdefault(deal.account_id, deal)
    return found


def _order(deal: StoredDeal) -> tuple[float, float, str]:
    return closed(deal), deal.created_at, deal.id


def sold(deals: Sequence[StoredDeal], *, since: float, now: float) -> Iterator[Sold]:
    """Deals decided within a window, in that order, of companies that were no customers before: what a
    customer renews or buys as well tells nothing of who is won."""
    won = _first_won(deals, now)
    for deal in sorted((d for d in deals if d.tier and not d.open), key=_order):
        first = won.get(deal.account_id)
        if since <= closed(deal) <= now and (first is None or _order(deal) <= _order(first)):
            yield Sold(account=deal.account_id, tier=deal.tier, won=deal.won, at=closed(deal))


def customers(deals: Sequence[StoredDeal], left: Mapping[str, float | None], *, now: float) -> list[Customer]:
    """Whom a deal won, by their first one; who is not known any more, or was not then, tells nothing.

    left: account → when it left, None while it stays.
    """
    return [
        Customer(account=account, tier=deal.tier, since=closed(deal), left=left[account])
        for account, deal in _first_won(deals, now).items()
        if account in left and deal.tier
    ]


def cases(
    deals: Sequence[StoredDeal],
    fates: Mapping[str, Facts],
    definitions: Definitions,
    goal: Goal,
    *,
    now: float,
    currency: str,
) -> Iterator[tuple[Labelled, StoredDeal]]:
    """What became of companies, placed as a profile is learned from them, each with the deal that decided.

    fates: account → its facts, those that say what became of it among them.
    """
    named = {deal.id: deal for deal in deals}
    sales = [_sale(deal) for deal in deals if deal.account_id in fates]
    subjects = [Subject(id=account, facts=facts) for account, facts in fates.items()]
    book = book_of(subjects, sales, definitions, now=now, currency=currency)
    for one in book.labelled(goal):
        if one.case.deal in named:
            yield one, named[one.case.deal]


def _sale(deal: StoredDeal) -> Sale:
    return Sale(
        account_id=deal.account_id,
        id=deal.id,
        created=deal.created_at,
        closed=None if deal.open else closed(deal),
        won=deal.won,
        open=deal.open,
        amount=deal.amount,
        currency=deal.currency,
    )


def outcomes_of(facts: Facts, names: Collection[str]) -> Facts:
    """Only what says what became of an account."""
    return {name: value for name, value in facts.items() if name in names}
