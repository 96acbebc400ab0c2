"""`Journal`: everything one connection remembers across restarts, put together from its parts."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from icp_sync.domain.seal import SealKey
from icp_sync.journal import postgres
from icp_sync.journal.alerts import Alerts
from icp_sync.journal.amend import Amend
from icp_sync.journal.answers import Answers
from icp_sync.journal.assignments import Assignments
from icp_sync.journal.backfills import Backfills
from icp_sync.journal.commit import Commit
from icp_sync.journal.compacting import Compacting
from icp_sync.journal.connections import Connections
from icp_sync.journal.dailies import Dailies
from icp_sync.journal.database import open_engine
from icp_sync.journal.deals import Deals
from icp_sync.journal.exclusive import exclusive
from icp_sync.journal.exporting import Exporting
from icp_sync.journal.families import Families
from icp_sync.journal.figures import Figures
from icp_sync.journal.forgetting import Forgetting
from icp_sync.journal.guarding import Guarding
from icp_sync.journal.held import Held
from icp_sync.journal.histories import Histories
from icp_sync.journal.inbound import Inbound
from icp_sync.journal.intend import Intend
from icp_sync.journal.jobs import Jobs
from icp_sync.journal.leases import Leases
from icp_sync.journal.listing import Listing
from icp_sync.journal.notices import Notices
from icp_sync.journal.paging import Paging
from icp_sync.journal.partitions import Partitions
from icp_sync.journal.pausing import Pausing
from icp_sync.journal.positions import Positions
from icp_sync.journal.profiles import Profiles
from icp_sync.journal.purchases import Purchases
from icp_sync.journal.quota_rows import QuotaRows
from icp_sync.journal.recall import Recall
from icp_sync.journal.removed import Removed
from icp_sync.journal.reports import Reports
from icp_sync.journal.requests import Requests
from icp_sync.journal.retention import Retention
from icp_sync.journal.retrying import Retrying
from icp_sync.journal.runs import Runs
from icp_sync.journal.snapshots import Snapshots
from icp_sync.journal.tallies import Tallies
from icp_sync.journal.tasks import TaskRows
from icp_sync.journal.turns import Turns
from icp_sync.journal.undoing import Undoing
from icp_sync.journal.vendors import Vendors
from icp_sync.journal.verifying import Verifying
from icp_sync.journal.views import Views
from icp_sync.journal.waking import Waking
from icp_sync.journal.watches import Watches
from icp_sync.journal.workers import Workers


class Journal(
    Leases,
    Connections,
    Profiles,
    Recall,
    Families,
    Intend,
    Commit,
    Amend,
    Undoing,
    Retrying,
    Waking,
    Guarding,
    Assignments,
    Positions,
    QuotaRows,
    Answers,
    Purchases,
    Tallies,
    Vendors,
    Inbound,
    Jobs,
    Held,
    Removed,
    Runs,
    Turns,
    TaskRows,
    Workers,
    Histories,
    Figures,
    Dailies,
    Snapshots,
    Deals,
    Requests,
    Notices,
    Backfills,
    Partitions,
    Alerts,
    Watches,
    Views,
    Verifying,
    Retention,
    Forgetting,
    Exporting,
    Compacting,
    Reports,
    Listing,
    Paging,
    Pausing,
):
    """One connection's journal. Safe to share between threads; every method is a transaction of its own."""

    @classmethod
    def open(cls, url: str, connection: str, key: SealKey | None = None) -> Self:
        """Open, make and migrate the journal at a URL such as sqlite:///var/icp-sync/journal.db.

        key: what the audit is signed with, where there is a seal key.
        Raises ConfigError for a URL, a file or a schema that cannot be used, naming what to do.
        """
        return cls(open_engine(url), connection).signing_with(key)

    def for_connection(self, name: str) -> Self:
        """The same database for another connection; closing either closes both."""
        return type(self)(self.engine, name).signing_with(self._key).listening(self.quiet)

    @property
    def is_shared(self) -> bool:
        """Whether processes on several machines may work on it at once."""
        return self.engine.dialect.name == postgres.NAME

    def close(self) -> None:
        self.engine.dispose()

    @contextmanager
    def hold(self, who: str) -> Iterator[None]:
        """Be the only writing process on this SQLite journal; UnavailableError names who is already.

        On PostgreSQL many processes may work; there the leases and their fences keep them apart, and
        holding only tells the others that this one lives.
        """
        if self.engine.dialect.name == postgres.NAME:
            with postgres.present(self.engine):
                yield
            return
        with exclusive(Path(str(self.engine.url.database)), who):
            yield
