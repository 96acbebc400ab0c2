"""`icp-sync outcomes`: win rate, cycle, velocity and retention by the tier companies had at the beginning."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Journal
    from icp_sync.journal.deal_rows import StoredDeal
    from icp_sync.learning.definitions import Definitions
    from icp_sync.learning.outcomes import Row, Sold
    from icp_sync.reporting.opened import Opened

PAGE = 1_000


def register(app: typer.Typer) -> None:
    app.command()(outcomes)


def outcomes(
    since: Annotated[
        str, typer.Option("--since", metavar="DATE", help="Only deals created on or after this day.")
    ] = "",
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of deals, by the tier their company had when they were created.

    Needs `deals.follow` in the settings; reads the journal only.
    """
    from icp_sync.cli.moments import moment
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.learning.definitions import defined
    from icp_sync.learning.outcomes import customers, rows

    begin = moment(since, option="--since") if since else 0.0
    with opened(config, connection, existing=True) as at:
        definitions = defined(at.connection.learning)
        currency = _currency(at)
        ever = list(_sold(at.journal, currency))
        sold = [deal for deal in ever if deal.created >= begin]
        if not sold:
            raise _none(at, since)
        now = _worth(at.journal, definitions, currency) if definitions.value or definitions.churned_on else {}
    today = datetime.fromtimestamp(time.time(), UTC).date()
    stayed = list(customers(ever, now, today - timedelta(days=365), since=begin))
    found = rows(sold, stayed)
    if as_json:
        document(
            {"currency": currency, "since": since, "deals": len(sold), "tiers": [_json(r) for r in found]}
        )
    else:
        _show(Screen.here(), found, currency, retention=bool(now))


def _none(at: Opened, since: str) -> ConfigError:
    if since:
        return ConfigError(
            [Problem(where="--since", what=f"no deal that was read was created since {since}")]
        )
    section = f"connections.{at.name}.deals"
    if not at.connection.deals.followed:
        what = "deals are not followed, so nothing is known of outcomes"
        return ConfigError(
            [Problem(where=section, what=what, hint="follow = true")], next_step="icp-sync check"
        )
    return ConfigError([Problem(where=section, what="no deal was read yet")], next_step="icp-sync run --once")


def _currency(at: Opened) -> str:
    """What most won deals are in."""
    from collections import Counter

    seen = Counter(deal.currency for page in _pages(at.journal) for deal in page if deal.won)
    del seen[""]
    return min(seen, key=lambda code: (-seen[code], code), default="USD")


def _pages(journal: Journal) -> Iterator[Sequence[StoredDeal]]:
    last = ""
    while page := journal.deals(after=last, limit=PAGE):
        last = page[-1].id
        yield page


def _sold(journal: Journal, currency: str) -> Iterator[Sold]:
    from icp_sync.domain.facts import Money
    from icp_sync.learning.outcomes import Sold
    from icp_sync.learning.past.sales import in_currency

    for page in _pages(journal):
        for deal in page:
            closed = None if deal.open else _closed(deal.closed_on)
            amount = deal.amount
            if amount is not None:
                year = closed.year if closed else None
                amount = in_currency(Money(amount, amount, deal.currency, year), currency)
            yield Sold(
                account_id=deal.account_id,
                tier=deal.tier,
                created=deal.created_at,
                closed=closed,
                open=deal.open,
                won=deal.won,
                amount=amount,
            )


def _closed(text: str) -> date | None:
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        return None


def _worth(journal: Journal, definitions: Definitions, currency: str) -> Mapping[str, float | None]:
    """Account → what it is worth today, 0 once it has churned."""
    from icp_sync.cli.subjects import in_journal
    from icp_sync.learning.definitions import CHURNED_ON, VALUE
    from icp_sync.learning.past.placing import gone
    from icp_sync.learning.past.sales import in_currency

    found: dict[str, float | None] = {}
    now = time.time()
    for subject in in_journal(journal, frozenset()):
        value = subject.facts.get(definitions.fact(VALUE))
        worth = None if value is None else in_currency(value, currency)
        churned = gone(subject.facts.get(definitions.fact(CHURNED_ON)), value, now)
        found[subject.id] = 0.0 if churned else worth
    return found


def _json(row: Row) -> dict[str, object]:
    from dataclasses import asdict

    return {**asdict(row), "tier": row.tier or "unknown"}


def _show(screen: Screen, found: Sequence[Row], currency: str, *, retention: bool) -> None:
    from icp_sync.reporting.text import amount

    each = f"{currency} per won deal"
    screen.table(
        ["tier then", "deals", "open", "won", "of", "win rate", "days", each, "a day", "kept"],
        [
            (
                row.tier or "unknown",
                f"{row.deals:,}",
                f"{row.open:,}",
                f"{row.won:,}",
                f"{row.decided:,}",
                "" if row.rate is None else f"{row.rate:.0%} ({row.low:.0%}–{row.high:.0%})",
                "" if row.cycle is None else f"{row.cycle:.0f}" if row.cycle >= 1 else "< 1",
                "" if row.amount is None else amount(round(row.amount)),
                "" if row.velocity is None else amount(round(row.velocity)),
                "" if row.retention is None else f"{row.retention:.0%} of {row.customers}",
            )
            for row in found
        ],
        right=(1, 2, 3, 4, 6, 7, 8),
    )
    screen.say()
    screen.say(
        "tier then: of the company when the deal was created. days: from creation to close of the won ones, "
        "the median. a day: open deals x win rate x what a won one brings / days, of which one at least."
    )
    if retention:
        screen.say("kept: what customers of a year and more are worth today, of what they first bought.")
    else:
        screen.say(
            "Retention is unknown: name the facts `value` and `churned_on` in the settings' learning section."
        )
