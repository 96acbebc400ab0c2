"""By what facts are bought, and of whom: a change of it asks for a backfill, like a change of profile.

Accounts whose facts were bought by other rules are settled and sleep; nothing else would look at them again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from icp_sync.domain.buying import Buying
from icp_sync.journal import Journal
from icp_sync.observe import log
from icp_sync.ports import Enricher, Position

RULES = "buying rules"
"""Under this name the journal keeps by what facts were bought last, and of whom."""
ONCE_A = 86_400.0
"""Seconds between backfills for rules that go to and fro."""
OTHER_RULES = "facts are bought by other rules, or of other sources"


def rules_of(buying: Buying, enrichers: Sequence[Enricher]) -> str:
    """The rules but for the budgets, and the names of the sources in their order."""
    return f"{buying.digest} {','.join(enricher.name for enricher in enrichers)}"


def note_rules(
    journal: Journal, rules: str, keep: Callable[[Position], None], now: float, *, ask: bool
) -> None:
    """Keep the rules and, where they are others than before and `ask` says so, ask for a backfill first.

    keep: stores the position of this name. ask: false for a backfill, which has read everything by them.
    Rules that were in force a moment ago are another worker's: two that differ ask once a day, not in turn.
    """
    last = journal.position(RULES)
    before, _, earlier = last.last_id.partition("\n")
    if rules == before or (rules == earlier and ask and now * 1000 - last.upper < ONCE_A * 1000):
        return
    if before and ask:
        journal.request_backfill(OTHER_RULES, now)
        log("cycle").info(OTHER_RULES, connection=journal.connection, next="icp-sync run --backfill")
    keep(Position(last_id=f"{rules}\n{before}", upper=round(now * 1000)))
