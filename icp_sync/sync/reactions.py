"""Whether something in the CRM reacts to what a wave wrote: its accounts looked at again, some minutes later.

A workflow that fires on our fields changes what we wrote, or the record around it. Knows neither when to look
nor what follows from it.
"""

from __future__ import annotations

from icp_sync.domain.account import Account
from icp_sync.journal.backfills import Sent
from icp_sync.sync.cycle import Parts
from icp_sync.sync.wave_book import Book

SETTLING = 5.0
"""Seconds after our write in which a new stamp may still be that of the write itself."""


def reaction(book: Book, parts: Parts, log_from: int, ahead: float) -> str:
    """Why what happened since to the accounts written after an entry of the change log is too much, "" when
    it is not. ahead: the CRM's clock less ours, seconds."""
    ids = _spread(book.written_after(log_from), parts.pacing.sample)
    if not ids:
        return ""
    sent = book.sent_after(log_from, ids)
    now = parts.crm.fetch(ids).accounts
    again = [a.id for a in now if a.id in sent and _changed(a, sent[a.id], ahead)]
    if len(again) <= parts.pacing.changed * len(ids):
        return ""
    return (
        f"{len(again)} of {len(ids)} accounts looked at were changed again soon after we wrote them, for "
        f"example {again[0]}: a workflow or another integration reacts to our fields"
    )


def _spread(ids: list[str], most: int) -> list[str]:
    """At most so many, from all over the list."""
    if len(ids) <= most:
        return ids
    return [ids[at * len(ids) // most] for at in range(most)]


def _changed(account: Account, sent: Sent, ahead: float) -> bool:
    """Whether an account was changed after our write."""
    if account.stamp > (sent.at + ahead + SETTLING) * 1000:
        return True
    return any(account.live.get(name, value) != value for name, value in sent.values.items())
