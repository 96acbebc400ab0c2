"""Pages of accounts: what discovery found, less what is settled already, read in full and in parallel.

What is settled is always what batch/read (or the list) answered, never what the index said. Positions
stay in id order within a stream, however the requests overtake each other.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field

from icp_sync.crm.hubspot import discovery
from icp_sync.crm.hubspot.ahead import ahead
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import BATCH, Client, Json, results
from icp_sync.crm.hubspot.discovery import Found
from icp_sync.crm.hubspot.ranges import everything
from icp_sync.crm.hubspot.values import MERGED, OWN_PROPERTIES, STAMP, Values, merged_ids
from icp_sync.crm.windows import WINDOW_STREAMS, Windows, id_order
from icp_sync.domain.account import Account
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.observe import log
from icp_sync.ports import Page, Position, Query, Stream

PAGE = 1000
STRIDE = 10_000
"""Ids a page may pass over when nearly all are settled: the position moves even then."""

_log = log("hubspot")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one batch/read told: accounts, and ids that are no more (→ survivor or "")."""

    accounts: Sequence[Account]
    gone: Mapping[str, str]


@dataclass(slots=True, kw_only=True)
class _Plan:
    """A page in the making: reads under way, records at hand, and the position it will stand for."""

    reads: list[Future[Part]] = field(default_factory=list)
    records: list[tuple[Json, int]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    wanted: int = 0
    skipped: int = 0
    last: str = ""
    position: Position = field(default_factory=Position)


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
        self._executor = executor
        self._currency = currency
        self._page_size = max(1, min(page_size, PAGE))
        self.properties = tuple(
            dict.fromkeys((*OWN_PROPERTIES, *facts, *sorted(catalogue.properties.values())))
        )

    def pages(self, query: Query) -> Generator[Page]:
        """The pages of a stream; the next one's requests are under way while one is consumed."""
        plans = self._plans(query)
        told, late = 0, None
        plan, following = next(plans, None), None
        try:
            while plan is not None:
                try:
                    following = next(plans, None)
                except Exception as error:  # this page is whole; the error is the next one's
                    late = error
                page = self._page(query.stream, plan)
                yield page
                told += len(page.accounts)
                if late is not None:
                    raise late
                if query.limit is not None and told >= query.limit:
                    return
                plan, following = following, None
        finally:
            for read in [read for left in (plan, following) if left for read in left.reads]:
                read.cancel()

    def fetch(self, ids: Sequence[str]) -> Page:
        """These accounts as they are now."""
        plan = _Plan()
        for id in dict.fromkeys(ids):
            self._want(plan, id)
        self._flush(plan)
        return self._page(Stream.DUE, plan)

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

    # A page in the making

    def _plans(self, query: Query) -> Iterator[_Plan]:
        size = min(self._page_size, query.limit or PAGE)
        found, up_to, closed = self._source(query)
        whole = query.stream in (Stream.SWEEP, Stream.BACKFILL) and self._listed_whole
        plan = _Plan()
        for part in found:
            if query.stream is Stream.DUE or not part.stamps:
                spared: set[str] = set()
            else:
                spared = query.seen(part.stamps)
            for id in part.stamps:
                if (plan.wanted >= size and id not in spared) or plan.wanted + plan.skipped >= STRIDE:
                    plan.position = up_to(plan.last)
                    yield self._flush(plan)
                    plan = _Plan(last=plan.last)
                if id in spared:
                    plan.skipped += 1
                elif whole:
                    plan.records.append((part.records[id], part.read_at))
                    plan.wanted += 1
                else:
                    self._want(plan, id)
                plan.last = id
        plan.position = closed(plan.last)
        yield self._flush(plan)

    def _source(
        self, query: Query
    ) -> tuple[Iterator[Found], Callable[[str], Position], Callable[[str], Position]]:
        """What to read, the position after an id of it, and the position at its end."""
        if query.stream in WINDOW_STREAMS:
            window, found = discovery.window(self._client, self._windows, query.stream, query.position)
            return found, window.up_to, lambda _: window.closed()
        start = "" if query.position.finished else query.position.last_id
        if query.stream is Stream.DUE:
            due = sorted({id for id in query.ids if id_order(id) > id_order(start)}, key=id_order)
            found = iter([Found(stamps=dict.fromkeys(due, 0))])
        else:
            names = self.properties if self._listed_whole else [STAMP]
            found = (
                everything(self._client, names, start, ranges=self._ranges)
                if query.limit is None
                else ahead(discovery.listing(self._client, names, start), discovery.AHEAD)
            )
        return (
            found,
            lambda last: Position(last_id=last),
            lambda last: Position(last_id=last or start, finished=True),
        )

    @property
    def _listed_whole(self) -> bool:
        """Whether the list endpoint can bring all we read, or only the ids."""
        return discovery.short_enough(self.properties)

    def _want(self, plan: _Plan, id: str) -> None:
        plan.waiting.append(id)
        plan.wanted += 1
        if len(plan.waiting) == BATCH:
            self._flush(plan)

    def _flush(self, plan: _Plan) -> _Plan:
        if plan.waiting:
            plan.reads.append(self._executor.submit(self.read, tuple(plan.waiting)))
            plan.waiting = []
        return plan

    def _page(self, stream: Stream, plan: _Plan) -> Page:
        parts = [read.result() for read in plan.reads]
        accounts = [*self._accounts(plan.records), *(a for part in parts for a in part.accounts)]
        gone = _merged(record for record, _ in plan.records)
        for part in parts:
            # A survivor says more than a deletion, whichever batch tells of it.
            gone.update((id, survivor) for id, survivor in part.gone.items() if survivor or not gone.get(id))
        kept = (account for account in accounts if account.id not in gone)
        return Page(
            stream=stream,
            accounts=tuple(sorted(kept, key=lambda account: id_order(account.id))),
            position=plan.position,
            gone=gone,
            skipped=plan.skipped,
        )

    def _accounts(self, records: Sequence[tuple[Json, int]]) -> list[Account]:
        carried, currency = self._catalogue.carried(), self._currency()
        accounts = [
            self._values.account(record, carried, read_at=read_at, currency=currency)
            for record, read_at in records
        ]
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
