"""Seals that are not ours: when a run stops for them, and what it says. Must not know where a key is kept."""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.domain.seal import SealKey
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal
from icp_sync.sync.draft import Draft

MANY = 3
"""Foreign seals on one page, when they are most of its seals, that stop the run."""
RESTORE = (
    "restore the seal file from your backup; if it is gone for good: icp-sync provision --apply --new-key"
)
"""Under a new key, what the old one sealed is another installation's: held until that is taken over."""


def refuse_foreign(drafts: Sequence[Draft], key: SealKey, journal: Journal) -> None:
    """Stop when most sealed accounts of a page belong to another installation: one of us is misplaced.

    Without a key of our own, beside a journal that wrote, every seal looks like another's: then the key is
    what is missing. Raises ConfigError.
    """
    foreign = [d for d in drafts if d.differences.foreign]
    sealed = sum(bool(d.account.live.get("seal")) for d in drafts)
    if foreign and key.passing and journal.ever_wrote():
        raise ConfigError(
            f"the seal key that marks our values is gone, so {len(foreign)} of {sealed} sealed accounts "
            "on this page cannot be known as ours",
            next_step=RESTORE,
        )
    if len(foreign) >= MANY and 2 * len(foreign) > sealed:
        raise ConfigError(
            f"{len(foreign)} of {sealed} sealed accounts on this page were sealed by another installation: "
            f"account {foreign[0].account.id}: {foreign[0].differences.held}",
            next_step="bring that installation's seal key here, or: icp-sync bind --take-over",
        )
