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
from icp_sync.journal.dailies import Day
from icp_sync.journal.deal_rows import Recorded, Stamp, Stamped, StoredDeal, patience
from icp_sync.journal.families import Relative
from icp_sync.journal.figures import Done, Stood
from icp_sync.journal.forgetting import Forgotten
from icp_sync.journal.notices import (
    DROPPED,
    FAILED,
    OPERATOR,
    REP,
    SENT,
    WAITING,
    NoticeCounts,
    Stand,
    StoredNotice,
    Told,
)
from icp_sync.journal.pausing import NO_WISH, Pause, Wish
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
    Notice,
    ProfileVersion,
    RunRecord,
    Settled,
    StoredAccount,
)
from icp_sync.journal.retention import ERASED, USUALLY, Keep, Pruned
from icp_sync.journal.snapshots import Snapshot
from icp_sync.journal.store import Journal
from icp_sync.journal.verifying import Finding
from icp_sync.journal.views import KeptView
from icp_sync.journal.watches import Watched

__all__ = [
    "DROPPED",
    "ERASED",
    "FAILED",
    "NO_WISH",
    "OPERATOR",
    "QUOTA_ALERT",
    "REP",
    "SENT",
    "USUALLY",
    "WAITING",
    "Alert",
    "Amended",
    "Answered",
    "Asked",
    "Audited",
    "BackfillRequest",
    "Changed",
    "Day",
    "Done",
    "Evaluated",
    "Finding",
    "Forgotten",
    "Journal",
    "Keep",
    "KeptView",
    "Learned",
    "Lease",
    "LeftAlone",
    "Listed",
    "Notice",
    "NoticeCounts",
    "Pause",
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
    "Stand",
    "Stood",
    "StoredAccount",
    "StoredDeal",
    "StoredNotice",
    "Tally",
    "Told",
    "VendorReport",
    "VendorState",
    "Watched",
    "Wish",
    "patience",
]
