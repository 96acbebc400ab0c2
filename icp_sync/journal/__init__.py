"""All that survives a restart: one `Journal` per connection over one database.

Nothing outside this package imports SQLAlchemy, and nothing inside it knows a CRM or an enricher.
"""

from icp_sync.journal.bought import (
    Answered,
    Learned,
    Reserved,
    Tally,
    VendorReport,
    VendorState,
)
from icp_sync.journal.deal_rows import Recorded, Stamp, Stamped, StoredDeal, patience
from icp_sync.journal.families import Relative
from icp_sync.journal.forgetting import Forgotten
from icp_sync.journal.quota_rows import QUOTA_ALERT
from icp_sync.journal.records import (
    Alert,
    Amended,
    Asked,
    Audited,
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
from icp_sync.journal.retention import ERASED, USUALLY, Keep, Pruned
from icp_sync.journal.snapshots import Snapshot
from icp_sync.journal.store import Journal
from icp_sync.journal.verifying import Finding
from icp_sync.journal.watches import Watched

__all__ = [
    "ERASED",
    "QUOTA_ALERT",
    "USUALLY",
    "Alert",
    "Amended",
    "Answered",
    "Asked",
    "Audited",
    "BackfillRequest",
    "Changed",
    "Evaluated",
    "Finding",
    "Forgotten",
    "Journal",
    "Keep",
    "Learned",
    "Lease",
    "LeftAlone",
    "Listed",
    "ProfileVersion",
    "Pruned",
    "Recorded",
    "Relative",
    "Reserved",
    "RunRecord",
    "Settled",
    "Snapshot",
    "Stamp",
    "Stamped",
    "StoredAccount",
    "StoredDeal",
    "Tally",
    "VendorReport",
    "VendorState",
    "Watched",
    "patience",
]
