"""What somebody should look at, raised as alerts of the journal when it begins and ended when it is over.

Those that show only in what the journal holds as a whole; others are raised where they happen: changes that
wait for a person and outputs (`guarding`), a backfill (`waves`), changes only a sweep found (`cycle`), the
calls of the day (`quota`), drift (`learning`), and what only a worker knows (`daemon`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from icp_sync.domain.buying import Budgets
from icp_sync.journal import Journal, Stood
from icp_sync.observe import log
from icp_sync.ports import Enricher

REFUSED = "refused"
UNWRITTEN = "not written"
WAITING = "waiting for a person"
SEAL = "foreign seals"
BUDGET = "budget: "
"""With this begins the name of the alert of a budget that is spent."""
TRIES = 5
"""Attempts in a row after which an account that is tried again and again counts: half an hour, or less where
it keeps changing."""
FEW = 3
"""From so many of them on somebody should look where no other account could be written meanwhile."""
HOUR = 3_600.0

HALTED = "connection stopped"
"""The name of the alert that stands while a worker does nothing for a connection until a person helps."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alarming:
    """From when on somebody should look. refused: share of the live accounts, at least `refused_floor` of
    them. waiting: seconds a change may wait for a person."""

    refused: float = 0.01
    refused_floor: int = 20
    waiting: float = 86_400.0


USUALLY_ALARMING = Alarming()


def raise_alarms(
    journal: Journal,
    stood: Stood,
    alarming: Alarming,
    *,
    budgets: Budgets,
    enrichers: Iterable[Enricher],
    now: float,
) -> None:
    """Raise and end the alerts of what the journal shows."""
    found = dict(_found(journal, stood, alarming, now))
    found |= _budgets(journal, budgets, enrichers, now)
    settle_alerts(journal, found, {REFUSED, UNWRITTEN, WAITING, SEAL}, BUDGET, now=now)


def settle_alerts(
    journal: Journal, found: Mapping[str, str], names: Collection[str], prefix: str, *, now: float
) -> None:
    """Let exactly these alerts stand of those with one of `names`, or a name beginning with `prefix`.

    found: name → text. Nothing is written where nothing has changed.
    """
    standing = {alert.name: alert.text for alert in journal.alerts()}
    for name, text in found.items():
        if standing.get(name) != text and journal.raise_alert(name, text, now=now):
            log("alerts").error(name, connection=journal.connection, text=text)
    for name in standing:
        mine = name in names or bool(prefix and name.startswith(prefix))
        if mine and name not in found and journal.end_alert(name, now=now):
            log("alerts").info("over", connection=journal.connection, alert=name)


def _found(journal: Journal, stood: Stood, alarming: Alarming, now: float) -> Iterator[tuple[str, str]]:
    live = sum(n for status, n in stood.statuses.items() if status not in ("gone", "met"))
    refused = stood.statuses.get("refused", 0) + stood.statuses.get("dead", 0)
    if refused and refused >= max(alarming.refused_floor, alarming.refused * live):
        yield REFUSED, f"the CRM refuses {refused} of {live} accounts. next: icp-sync status --refused"
    if stood.statuses.get("deferred") and (vain := journal.tried_in_vain(TRIES)):
        many = vain >= max(alarming.refused_floor, alarming.refused * live)
        if many or (vain >= FEW and not _written_since(journal, now - HOUR)):
            yield UNWRITTEN, f"{_are(vain, 'account')} written again and again in vain. next: icp-sync status"
    oldest = journal.oldest_hold()
    if oldest is not None and now - oldest > alarming.waiting:
        waiting = sum(journal.waiting_holds().values())
        said = "1 change waits" if waiting == 1 else f"{waiting} changes wait"
        yield (
            WAITING,
            f"{said} for a person, the first since {_day(oldest)}. next: icp-sync status --held",
        )
    if stood.statuses.get("held") and (sealed := journal.held(limit=1000)):
        one = len(sealed) == 1
        carry = "1 account carries" if one else f"{len(sealed)} accounts carry"
        yield (
            SEAL,
            f"{carry} a seal that is not ours and {'is' if one else 'are'} left alone, for example "
            f"{sealed[0].account_id}. next: icp-sync status --held",
        )


def _written_since(journal: Journal, since: float) -> bool:
    """Whether a run has written anything; of one that began before, whenever that was."""
    across = journal.done_across(since).values()
    return bool(journal.done(since).written) or any(did.written for _, did in across)


def _are(n: int, what: str) -> str:
    return f"1 {what} is" if n == 1 else f"{n:,} {what}s are"


def _budgets(journal: Journal, budgets: Budgets, enrichers: Iterable[Enricher], now: float) -> dict[str, str]:
    """Of each budget of which less is left than one request costs: its alert."""
    prices = {enricher.name: enricher.price for enricher in enrichers if enricher.price > 0}
    if not prices:
        return {}
    found = {}
    for name, left in journal.budget_left(budgets, now=now).items():
        vendor = name.removeprefix("vendor ").rpartition(" ")[0]
        price = prices.get(vendor) if vendor else min(prices.values())
        if price is not None and left < price:
            until = "the next month" if name.endswith("month") else "tomorrow, UTC"
            found[BUDGET + name] = (
                f"the budget of credits, {name}, is spent: facts are not bought until {until}. "
                "next: icp-sync vendors"
            )
    return found


def _day(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d")
