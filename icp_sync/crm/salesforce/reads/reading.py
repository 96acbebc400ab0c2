"""Accounts read in full, as pages.

What poll, trailing, sweep and due settle is always what a retrieve answered just now. A backfill of many
accounts reads a bulk query's snapshot instead, and what changed since anew.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import replace

from icp_sync.crm.ahead import ahead
from icp_sync.crm.paging import PAGE, Pager, Part, Source, by_id, due
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import RETRIEVE, Client, Json
from icp_sync.crm.salesforce.columns import ID, STAMP, Columns, columns
from icp_sync.crm.salesforce.ids import account_id
from icp_sync.crm.salesforce.reads import discovery
from icp_sync.crm.salesforce.reads.bulk_reading import Bulk
from icp_sync.crm.salesforce.reads.cutting import counted
from icp_sync.crm.salesforce.reads.opportunities import PSEUDO, Opportunities
from icp_sync.crm.salesforce.values import Raw, Values, raw_of, stamp_of
from icp_sync.crm.windows import WINDOW_STREAMS, Windows
from icp_sync.domain.account import Account
from icp_sync.errors import RequestError
from icp_sync.observe import accounts_total, log
from icp_sync.ports import Page, Query, Stream

CHARACTERS = 8_000_000
"""Of long texts in one read at most: 32 MB where each is an emoji."""

BULK_FROM = 10_000
FRESH_FOR = 60.0

_log = log("salesforce")


class Reader:
    """facts: the properties of the facts map. currency: the org's. executor: where retrieves run.

    bulk_from: a read of so many accounts by id is one bulk query, 0 always. fresh_for: seconds for which its
    snapshot is taken as it is.
    """

    def __init__(
        self,
        client: Client,
        catalogue: Catalogue,
        values: Values,
        *,
        facts: Iterable[str],
        windows: Windows,
        executor: Executor,
        currency: Callable[[], str],
        name: str = "salesforce",
        page_size: int = PAGE,
        bulk_from: int = BULK_FROM,
        fresh_for: float = FRESH_FOR,
    ) -> None:
        self._client = client
        self._catalogue = catalogue
        self._values = values
        self._windows = windows
        self._currency = currency
        self._name = name
        self._bulk_from = bulk_from
        self._fresh_for = fresh_for
        asked = tuple(facts)
        self._facts = tuple(name for name in asked if name not in PSEUDO)
        self._opportunities = Opportunities(client, wanted=any(one in PSEUDO for one in asked), name=name)
        self._bulk = Bulk(client, catalogue, self._opportunities)
        self._executor = executor
        self._page_size = page_size

    def pages(self, query: Query) -> Generator[Page]:
        """The pages of a stream; the next one's requests are under way while one is consumed."""
        query = replace(query, ids=tuple(account_id(id) or id for id in query.ids))
        return self._pager().pages(query, self._source(query))

    def fetch(self, ids: Sequence[str]) -> Page:
        """These accounts as they are now."""
        return self._pager().fetch([account_id(id) or id for id in ids])

    def _pager(self) -> Pager:
        batch = self._batch()
        page_size = min(self._page_size, batch) if batch < RETRIEVE else self._page_size
        return Pager(
            read=self.read, batch=batch, made=self._whole, executor=self._executor, page_size=page_size
        )

    def _batch(self) -> int:
        """Accounts of one read: as many as a retrieve takes, fewer where their texts may be long, so that
        what is in memory does not grow with them."""
        long = self._columns().long
        return max(1, min(RETRIEVE, CHARACTERS // long)) if long else RETRIEVE

    def read(self, ids: Sequence[str]) -> Part:
        """At most 2,000 accounts by id, in the calling thread."""
        read_at = round(self._client.now() * 1000)
        asked = [id for id in ids if account_id(id)]
        shown, records = self.retrieved(asked)
        found = {id: record for id, record in zip(asked, records, strict=True) if record is not None}
        tallies = self._opportunities.tally(list(found)) or {}
        accounts = self._accounts(
            [raw_of(shown.of_json(record), tallies.get(id), read_at) for id, record in found.items()]
        )
        missing = [id for id in asked if id not in found]
        gone = dict.fromkeys((id for id in ids if not account_id(id)), "")
        if missing:
            gone |= self._fate(missing)
        return Part(accounts=accounts, gone=gone)

    def retrieved(self, ids: Sequence[str]) -> tuple[Columns, list[Json | None]]:
        """These records in order, None for what is not there for us, and the fields that were read."""
        while True:
            shown = self._columns()
            try:
                return shown, self._client.retrieve(ids, shown.names) if ids else []
            except RequestError as error:
                if not self._catalogue.refused(error, shown.names):
                    raise

    def _columns(self) -> Columns:
        shown = columns(self._catalogue, self._facts)
        self._catalogue.report_missing(shown.missing)
        return shown

    def _fate(self, missing: Sequence[str]) -> Mapping[str, str]:
        """Those that are gone. Who cannot be read and is not known to be gone is in no part of a page."""
        fate = discovery.fate(self._client, missing)
        unreadable = (*fate.hidden, *fate.untold)
        if unreadable:
            accounts_total.labels(self._name, "read", "unreadable").inc(len(unreadable))
            _log.error(
                "accounts cannot be read: hidden from us, or purged; left for a later pass",
                connection=self._name,
                accounts=list(unreadable[:20]),
                count=len(unreadable),
                known_to_exist=len(fate.hidden),
                next_step="share these accounts with the integration user, or let it view all of them",
            )
        return fate.gone

    def _source(self, query: Query) -> Source:
        if query.stream in WINDOW_STREAMS:
            window, found = discovery.window(
                self._client, self._opportunities, self._windows, query.stream, query.position
            )
            return Source(found=found, up_to=window.up_to, closed=lambda _: window.closed())
        if query.stream is Stream.DUE:
            return due(query)
        start, up_to, closed = by_id(query)
        end = query.up_to
        if query.limit is not None or not self._is_bulk(start, end):
            listed = discovery.everything(self._client, self._opportunities, start, end)
            return Source(found=ahead(listed, discovery.AHEAD), up_to=up_to, closed=closed)
        if query.stream is Stream.SWEEP:  # the snapshot only says what there is: most of it is settled
            found = self._bulk.everything(lambda: columns(self._catalogue, ()).only(ID, STAMP), start, end)
            return Source(found=found, up_to=up_to, closed=closed)
        found = self._bulk.everything(self._columns, start, end, at_once=self._batch())
        return Source(found=found, up_to=up_to, closed=closed, whole=True)

    def _is_bulk(self, start: str, end: str) -> bool:
        return not self._bulk_from or counted(self._client, start, end) >= self._bulk_from

    def _whole(self, records: Sequence[tuple[Raw, int]]) -> Part:
        """Accounts of a snapshot, those that changed since as they are now."""
        found = {raw.values[ID]: raw for raw, _ in records}
        read_at = min((read_at for _, read_at in records), default=0)
        moved = [] if self._is_fresh(read_at) else self._moved(found, read_at)
        batch = self._batch()
        parts = [self.read(moved[at : at + batch]) for at in range(0, len(moved), batch)]
        anew = frozenset(moved)
        accounts = self._accounts([raw for id, raw in found.items() if id not in anew])
        return Part(
            accounts=[*accounts, *(account for part in parts for account in part.accounts)],
            gone={id: survivor for part in parts for id, survivor in part.gone.items()},
        )

    def _is_fresh(self, read_at: int) -> bool:
        return self._client.now() * 1000 - read_at <= self._fresh_for * 1000

    def _moved(self, found: Mapping[str, Raw], read_at: int) -> list[str]:
        """Which of these accounts are not as the snapshot shows them."""
        ids = sorted(found)
        moved = set(self._opportunities.touched(read_at, ids[0], ids[-1])) & found.keys()
        for at in range(0, len(ids), RETRIEVE):
            some = ids[at : at + RETRIEVE]
            now = self._client.retrieve(some, (ID, STAMP))
            moved |= {
                id
                for id, record in zip(some, now, strict=True)
                if _stamp(record) != stamp_of(found[id].values)
            }
        return sorted(moved)

    def _accounts(self, records: Sequence[Raw]) -> list[Account]:
        carried, currency = self._catalogue.carried(), self._currency()
        accounts = self._values.accounts(records, carried, currency=currency)
        if any(len(account.live) < len(carried) for account in accounts):
            self._catalogue.unnamed()
        return accounts


def _stamp(record: Json | None) -> int:
    return -1 if record is None else stamp_of({STAMP: str(record.get(STAMP) or "")})
