"""Pages of accounts: what was discovered, less what is settled already, read in full while others are used.

Every adapter's read path from ids to pages. Positions stay in id order within a stream, however the reads
overtake each other. Knows no CRM: which ids there are, and what a read brings, is handed in.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future
from dataclasses import dataclass, field, replace
from typing import Any

from icp_sync.crm.windows import id_order
from icp_sync.domain.account import Account
from icp_sync.ports import Page, Position, Query, Stream

PAGE = 600
"""Accounts settled together unless an adapter says otherwise: full requests of a hundred, two at once."""
STRIDE = 10_000
"""Ids a page may pass over when nearly all are settled: the position moves even then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Ids in order with their stamps (ms, 0 unknown), and their records where the call brought them whole.

    read_at: the CRM's clock when it was asked, ms.
    """

    stamps: Mapping[str, int]
    records: Mapping[str, Any] = field(default_factory=dict)
    read_at: int = 0

    def last(self, otherwise: str) -> str:
        """The highest id, `otherwise` where nothing was found."""
        return next(reversed(tuple(self.stamps)), otherwise)


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """What one read told: accounts, and ids that are no more (→ survivor or "")."""

    accounts: Sequence[Account]
    gone: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """What to read: ids in order, the position after one of them, and the position at the end of them all.

    whole: the records found are what accounts are made of; no id needs a read of its own.
    """

    found: Iterator[Found]
    up_to: Callable[[str], Position]
    closed: Callable[[str], Position]
    whole: bool = False


@dataclass(slots=True, kw_only=True)
class _Plan:
    """A page in the making: reads under way, records at hand, and the position it will stand for."""

    reads: list[Future[Part]] = field(default_factory=list)
    records: list[tuple[Any, int]] = field(default_factory=list)
    waiting: list[str] = field(default_factory=list)
    wanted: int = 0
    skipped: int = 0
    last: str = ""
    position: Position = field(default_factory=Position)


class Pager:
    """read: at most `batch` accounts by id, called in the executor's threads. made: accounts of records found
    whole, each with the instant (ms) of its read. page_size: accounts of a page at most."""

    def __init__(
        self,
        *,
        read: Callable[[Sequence[str]], Part],
        batch: int,
        made: Callable[[Sequence[tuple[Any, int]]], Part],
        executor: Executor,
        page_size: int = PAGE,
    ) -> None:
        self._read = read
        self._batch = batch
        self._made = made
        self._executor = executor
        self._page_size = max(1, page_size)

    def pages(self, query: Query, source: Source) -> Generator[Page]:
        """The pages of a stream; the next one's requests are under way while one is consumed."""
        plans = self._plans(query, source)
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

    def _plans(self, query: Query, source: Source) -> Iterator[_Plan]:
        size = min(self._page_size, query.limit or self._page_size)
        plan = _Plan()
        for part in source.found:
            if query.stream is Stream.DUE or not part.stamps:
                spared: set[str] = set()
            else:
                spared = query.seen(part.stamps)
            for id in part.stamps:
                if (plan.wanted >= size and id not in spared) or plan.wanted + plan.skipped >= STRIDE:
                    plan.position = source.up_to(plan.last)
                    yield self._flush(plan)
                    plan = _Plan(last=plan.last)
                if id in spared:
                    plan.skipped += 1
                elif source.whole:
                    plan.records.append((part.records[id], part.read_at))
                    plan.wanted += 1
                else:
                    self._want(plan, id)
                plan.last = id
        plan.position = source.closed(plan.last)
        yield self._flush(plan)

    def _want(self, plan: _Plan, id: str) -> None:
        plan.waiting.append(id)
        plan.wanted += 1
        if len(plan.waiting) == self._batch:
            self._flush(plan)

    def _flush(self, plan: _Plan) -> _Plan:
        if plan.waiting:
            plan.reads.append(self._executor.submit(self._read, tuple(plan.waiting)))
            plan.waiting = []
        return plan

    def _page(self, stream: Stream, plan: _Plan) -> Page:
        parts = [
            *(read.result() for read in plan.reads),
            *([self._made(plan.records)] if plan.records else []),
        ]
        gone: dict[str, str] = {}
        for part in parts:
            # A survivor says more than a deletion, whichever read tells of it.
            gone.update((id, survivor) for id, survivor in part.gone.items() if survivor or not gone.get(id))
        kept = (account for part in parts for account in part.accounts if account.id not in gone)
        return Page(
            stream=stream,
            accounts=tuple(sorted(kept, key=lambda account: id_order(account.id))),
            position=plan.position,
            gone=gone,
            skipped=plan.skipped,
        )


def by_id(query: Query) -> tuple[str, Callable[[str], Position], Callable[[str], Position]]:
    """Where a read by id begins, and its positions: after an id, and at the end."""
    start = ("" if query.position.finished else query.position.last_id) or query.after
    return (
        start,
        lambda last: Position(last_id=last),
        lambda last: Position(last_id=last or start, finished=True),
    )


def until(found: Iterator[Found], up_to: str) -> Iterator[Found]:
    """What was found, up to and with an id; "" for all of it. What lies beyond is not asked for."""
    for part in found:
        if not up_to or id_order(part.last("")) <= id_order(up_to):
            yield part
            continue
        kept = {id: stamp for id, stamp in part.stamps.items() if id_order(id) <= id_order(up_to)}
        yield replace(part, stamps=kept)
        return


def due(query: Query) -> Source:
    """The accounts a due stream was given, from where it stands."""
    start, up_to, closed = by_id(query)
    ids = sorted({id for id in query.ids if id_order(id) > id_order(start)}, key=id_order)
    return Source(found=iter([Found(stamps=dict.fromkeys(ids, 0))]), up_to=up_to, closed=closed)
