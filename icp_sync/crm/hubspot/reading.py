"""Companies read in full, by batch/read or the list, as pages of accounts.

What is settled is always what one of those two answered, never what the index said.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor

from icp_sync.crm.ahead import ahead
from icp_sync.crm.hubspot import discovery
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.ranges import everything
from icp_sync.crm.hubspot.records import BATCH, Json, results
from icp_sync.crm.hubspot.values import MERGED, OWN_PROPERTIES, STAMP, Values, merged_ids
from icp_sync.crm.paging import PAGE, Found, Pager, Part, Source, by_id, due, until
from icp_sync.crm.windows import WINDOW_STREAMS, Windows
from icp_sync.domain.account import Account
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.lean_json import loads
from icp_sync.observe import log
from icp_sync.ports import Page, Query, Stream

_log = log("hubspot")


class Reader:
    """currency: the account's, for plain money fields. executor: where batches are read in parallel.

    ranges: of ids, the list endpoint is read in at once.
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
        page_size: int = PAGE,
        ranges: int = 1,
    ) -> None:
        self._client = client
        self._ranges = ranges
        self._catalogue = catalogue
        self._values = values
        self._windows = windows
        self._currency = currency
        self._pager = Pager(
            read=self.read, batch=BATCH, made=self._whole, executor=executor, page_size=page_size
        )
        self.properties = tuple(
            dict.fromkeys((*OWN_PROPERTIES, *facts, *sorted(catalogue.properties.values())))
        )

    def pages(self, query: Query) -> Generator[Page]:
        """The pages of a stream; the next one's requests are under way while one is consumed."""
        return self._pager.pages(query, self._source(query))

    def fetch(self, ids: Sequence[str]) -> Page:
        """These accounts as they are now."""
        return self._pager.fetch(ids)

    def read(self, ids: Sequence[str]) -> Part:
        """At most 100 companies by id, in the calling thread."""
        read_at = round(self._client.now() * 1000)
        found = {str(r["id"]): r for r in results(self._client.batch_read(ids, self.properties))}
        merged = _merged(found.values())
        gone: dict[str, str] = {}
        unreadable: list[str] = []
        for id in [id for id in ids if id not in found]:
            told = merged.get(id) or self._alone(id)
            if told is None:
                unreadable.append(id)
            elif isinstance(told, str):
                gone[id] = told
            else:
                found[id] = told
        if unreadable:
            _log.error("companies that exist cannot be read; left for a later pass", accounts=unreadable)
        asked = [found[id] for id in ids if id in found]
        accounts = self._accounts([(record, read_at) for record in asked])
        return Part(accounts=accounts, gone={**gone, **_merged(asked)})

    def _alone(self, id: str) -> Json | str | None:
        """A company of which a batch said nothing: its record; its survivor, or "" when it is deleted;
        None when HubSpot answers, and has neither for us."""
        try:
            company = self._client.company(id, self.properties if self._listed_whole else [MERGED])
        except (UnavailableError, RequestError) as error:
            _log.warning("a company cannot be read by itself", account=id, error=str(error))
        else:
            if company is None:
                return ""
            shown = str(company.get("id") or id)
            if shown != id:
                return shown
            if self._listed_whole and "id" in company:
                return company
        # Raises when HubSpot is out of order altogether: then the company is not to blame.
        again = results(self._client.batch_read([id], self.properties))
        return next((record for record in again if str(record["id"]) == id), None)

    def _source(self, query: Query) -> Source:
        if query.stream in WINDOW_STREAMS:
            window, found = discovery.window(self._client, self._windows, query.stream, query.position)
            return Source(found=found, up_to=window.up_to, closed=lambda _: window.closed())
        if query.stream is Stream.DUE:
            return due(query)
        start, up_to, closed = by_id(query)
        names = self.properties if self._listed_whole else [STAMP]
        found = (
            everything(self._client, names, start, up_to=query.up_to, ranges=self._ranges)
            if query.limit is None
            else ahead(until(self._listing(names, start), query.up_to), discovery.AHEAD)
        )
        return Source(found=found, up_to=up_to, closed=closed, whole=self._listed_whole)

    @property
    def _listed_whole(self) -> bool:
        """Whether the list endpoint can bring all we read, or only the ids."""
        return discovery.short_enough(self.properties)

    def _listing(self, names: Sequence[str], start: str) -> Iterator[Found]:
        return map(discovery.packed, discovery.listing(self._client, names, start))

    def _whole(self, packed: Sequence[tuple[bytes, int]]) -> Part:
        records: list[tuple[Json, int]] = [(loads(text), read_at) for text, read_at in packed]
        return Part(accounts=self._accounts(records), gone=_merged(record for record, _ in records))

    def _accounts(self, records: Sequence[tuple[Json, int]]) -> list[Account]:
        carried, currency = self._catalogue.carried(), self._currency()
        accounts = self._values.accounts(records, carried, currency=currency)
        if any(len(account.live) < len(carried) for account in accounts):
            self._catalogue.unnamed()
        return accounts


def _merged(records: Iterable[Json]) -> dict[str, str]:
    """Ids of the companies merged into these → the id they were merged into."""
    return {
        loser: str(record["id"])
        for record in records
        for loser in merged_ids(record)
        if loser != str(record["id"])
    }
