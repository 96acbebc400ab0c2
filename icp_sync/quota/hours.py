"""How many calls of ours each hour had, out of what is kept for the limits."""

from __future__ import annotations

from icp_sync.quota.ledger import Ledger


def calls_by_hour(text: str) -> dict[int, int]:
    """Hours since 1970-01-01 UTC → calls, of the last day or two; hours before the CRM's own day began may be
    forgotten. `text` is the ledger's, as the journal keeps it."""
    return {hour: counted[0] for hour, counted in Ledger.from_text(text, {}).day.hours.items()}
