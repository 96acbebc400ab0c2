"""What the streams ask of each CRM: how many calls, of which kind. Sizes are the adapters' own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil

from icp_sync.crm.hubspot.ranges import RANGES
from icp_sync.crm.hubspot.records import BATCH, HISTORY_BATCH, LIST_PAGE, SEARCH_PAGE
from icp_sync.crm.paging import PAGE
from icp_sync.crm.salesforce.client import COLLECTION, RETRIEVE
from icp_sync.crm.salesforce.org import BULK_PAGE
from icp_sync.crm.salesforce.org import PAGE as ORG_PAGE
from icp_sync.crm.salesforce.reads.bulk_reading import PAGE_ROWS
from icp_sync.crm.salesforce.writes.writing import BULK_FROM

AT_ONCE = 10
"""Batches a HubSpot portal's executor reads or writes at once."""
TALLY = 400
"""Accounts one query for their opportunities names."""
LOOKS = 12
"""Calls of a bulk job, its looks among them: opened, uploaded, closed, three results, dropped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Calls:
    """number: of this kind. abreast: at once. longer: seconds each takes beyond a plain call."""

    kind: str
    bucket: str
    number: int
    abreast: int = 1
    longer: float = 0.0


class HubSpot:
    """owners are fields like any other here; whole records come with the list."""

    name = "hubspot"
    page = PAGE
    reads_window_again = False
    ready = 0.0

    def opening(self, accounts: int) -> Iterator[Calls]:
        """Before the first page of a full read: how far the ids go."""
        if accounts > LIST_PAGE:
            yield Calls(kind="search", bucket="search", number=1)

    def reading(self, accounts: int, *, old: bool) -> Iterator[Calls]:
        yield Calls(kind="list", bucket="burst", number=ceil(accounts / LIST_PAGE), abreast=RANGES)

    def fetching(self, accounts: int) -> Iterator[Calls]:
        if accounts:
            yield Calls(kind="batch/read", bucket="burst", number=ceil(accounts / BATCH), abreast=AT_ONCE)

    def writing(self, accounts: int, update: float) -> Iterator[Calls]:
        if accounts:
            yield Calls(kind="batch/update", bucket="burst", number=ceil(accounts / BATCH), abreast=AT_ONCE)

    def searching(self, met: int) -> Iterator[Calls]:
        """One after another, by id; a full one is followed by another."""
        yield Calls(kind="search", bucket="search", number=met // SEARCH_PAGE + 1)

    def remembering(self, echoes: int) -> Iterator[Calls]:
        """The history of what we wrote."""
        if echoes:
            number = ceil(echoes / HISTORY_BATCH)
            yield Calls(kind="batch/read", bucket="burst", number=number, abreast=AT_ONCE)


class Salesforce:
    """By update collections, or by bulk jobs. Whole reads are one bulk query for each range of ids.

    opening: seconds until the first rows of a query of so many. rows: a second that a bulk job writes.
    """

    name = "salesforce"
    reads_window_again = True
    """A transaction may commit late, so what the overlap shows is read again, not passed over."""

    def __init__(self, *, bulk: bool, rows: float, opening: float) -> None:
        self._bulk, self._rows, self._opening = bulk, rows, opening
        self.page = BULK_PAGE if bulk else ORG_PAGE

    def opening(self, accounts: int) -> Iterator[Calls]:
        """How many there are; two jobs, each opened, looked at and dropped, and their results."""
        seconds = self._opening * accounts / 1e6
        yield Calls(kind="query", bucket="", number=1)
        yield Calls(kind="jobs/query", bucket="", number=2, longer=seconds / 2)
        yield Calls(kind="jobs/query", bucket="", number=4)
        pages = 2 * ceil(accounts / PAGE_ROWS)
        yield Calls(kind="jobs/query/results", bucket="", number=pages, longer=2.0)

    def reading(self, accounts: int, *, old: bool) -> Iterator[Calls]:
        """From the snapshot on disk; one that is old is held against the org's stamps."""
        if old:
            yield Calls(kind="query", bucket="", number=1)
            yield Calls(kind="retrieve", bucket="", number=ceil(accounts / RETRIEVE))

    def fetching(self, accounts: int) -> Iterator[Calls]:
        if accounts:
            yield Calls(kind="retrieve", bucket="", number=ceil(accounts / RETRIEVE), abreast=2)
            yield Calls(kind="query", bucket="", number=ceil(accounts / TALLY), abreast=2)

    def writing(self, accounts: int, update: float) -> Iterator[Calls]:
        """What is there now, then the rest: chunk by chunk, or one job."""
        if not accounts:
            return
        yield Calls(kind="retrieve", bucket="", number=ceil(accounts / RETRIEVE))
        if self._bulk and accounts >= BULK_FROM:
            yield Calls(kind="jobs/ingest", bucket="", number=1, longer=accounts / self._rows)
            yield Calls(kind="jobs/ingest", bucket="", number=LOOKS - 1)
            return
        number = ceil(accounts / COLLECTION)
        yield Calls(kind="update", bucket="", number=number, longer=update * min(accounts, COLLECTION))

    def searching(self, met: int) -> Iterator[Calls]:
        yield Calls(kind="query", bucket="", number=met // RETRIEVE + 1)
        yield Calls(kind="query", bucket="", number=1)

    def remembering(self, echoes: int) -> Iterator[Calls]:
        if echoes:
            yield Calls(kind="query", bucket="", number=ceil(echoes / RETRIEVE))


Crm = HubSpot | Salesforce
