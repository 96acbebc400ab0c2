"""Why an account has its tier and owner, in full, from the journal: now, and as of a past day."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.journal import Journal, StoredAccount
    from icp_sync.reporting.explain.as_of import AsOf
    from icp_sync.reporting.explain.explanation import Explained
    from icp_sync.reporting.opened import Opened


def explain_account(
    journal: Journal, account_id: str, version: int, compiled: Sequence[Compiled]
) -> Explained:
    """The explanation of one journaled account. Raises ConfigError while it was never evaluated."""
    from icp_sync.reporting.explain.explained import explain

    stored = journal.account(account_id)
    if stored is None or not stored.evidence:
        raise ConfigError(
            [Problem(where=f"account {account_id}", what=unexplained(stored))],
            next_step="icp-sync run --once",
        )
    return explain(stored, compiled, version, journal, time.time())


def unexplained(stored: StoredAccount | None) -> str:
    """Why there is no evaluation of an account that the journal has met."""
    if stored is not None and stored.problem == "erased":
        return "erased since it is gone from the CRM"
    if stored is not None and stored.status == "gone":
        return "it was merged or deleted before it was ever evaluated"
    return "the journal met it, but it was never evaluated"


def then(at: Opened, account_id: str, text: str, *, option: str = "--as-of") -> AsOf:
    """The account as of a day or an instant. Raises ConfigError where nothing is known of it."""
    from icp_sync.reporting.explain.as_of import as_of
    from icp_sync.reporting.moments import kept_since, moment
    from icp_sync.wiring import facts_of

    now = time.time()
    if moment(text, option=option) > now:
        raise ConfigError([Problem(where=f"{option} {text[:40]}", what="lies in the future")])
    until = min(now, moment(text, option=option, end=True))
    stored, types = at.journal.account(account_id), facts_of(at.connection)[1]
    return as_of(stored, account_id, until, at.journal, types, kept_since(at, now))
