"""The raw texts of public companies → facts: each is an interval with its date, or refused with a reason.

The readers by subject: `public_headcounts`, `public_revenues`, `public_places`, `public_websites`.
"""

from icp_sync.enrichers.public_headcounts import employees
from icp_sync.enrichers.public_places import Place, founded, headquarters
from icp_sync.enrichers.public_revenues import revenue
from icp_sync.enrichers.public_websites import websites
from icp_sync.enrichers.public_words import Refused, Stated

__all__ = ["Place", "Refused", "Stated", "employees", "founded", "headquarters", "revenue", "websites"]
