"""All that survives a restart: one `Journal` per connection over one database.

Nothing outside this package imports SQLAlchemy, and nothing inside it knows a CRM or an enricher.
"""

from icp_sync.journal.families import Relative
from icp_sync.journal.records import (
    Answered,
    BackfillRequest,
    Changed,
    Evaluated,
    Lease,
    LeftAlone,
    Listed,
    ProfileVersion,
    RunRecord,
    Settled,
    StoredAccount,
)
from icp_sync.journal.store import Journal

__all__ = [
    "Answered",
    "BackfillRequest",
    "Changed",
    "Evaluated",
    "Journal",
    "Lease",
    "LeftAlone",
    "Listed",
    "ProfileVersion",
    "Relative",
    "RunRecord",
    "Settled",
    "StoredAccount",
]
