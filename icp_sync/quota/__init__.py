"""Limits of a connection as reserved slots: bursts, searches, and the calls of a day with others' reserve.

Who asks is given the next free instant under one lock, in this process's memory or in the journal, and sleeps
until then: nobody polls a counter. What is urgent goes first, and what replies say of limits is believed.
"""

from icp_sync.quota.day import Daily
from icp_sync.quota.fence import fenced, still_ours
from icp_sync.quota.governor import Quota
from icp_sync.quota.keeping import InJournal
from icp_sync.quota.ledger import DAILY, Ledger
from icp_sync.quota.priority import Carrying, Priority, working_for
from icp_sync.quota.rates import GUARD, Rate
from icp_sync.quota.reports import Flight
from icp_sync.quota.standing import BucketStanding, DayStanding

__all__ = [
    "DAILY",
    "GUARD",
    "BucketStanding",
    "Carrying",
    "Daily",
    "DayStanding",
    "Flight",
    "InJournal",
    "Ledger",
    "Priority",
    "Quota",
    "Rate",
    "fenced",
    "still_ours",
    "working_for",
]
