"""Absolute values onto accounts, and what became of each: prepared, compared with what is there now, the
owner first and alone, the rest together.

Salesforce runs people's automation on every update, so what is there already is not sent. An account's values
other than its owner are written together or not at all. Nothing is written on an old look: what must wait for
owners to be given is compared with what is there once more.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from icp_sync.crm.rounds import rounds
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.writes.bulk_writing import BulkWriter
from icp_sync.crm.salesforce.writes.chunks import Chunks
from icp_sync.crm.salesforce.writes.comparing import Comparing
from icp_sync.crm.salesforce.writes.jobs import LEFT_SECONDS, Following, Jobs
from icp_sync.crm.salesforce.writes.ownership import Ownership
from icp_sync.crm.salesforce.writes.preparing import (
    OWNER,
    Input,
    Outputs,
    Preparing,
    Spelling,
    finish,
    outcome,
)
from icp_sync.domain.plan import UNDER_WAY, Outcome, Result, Write
from icp_sync.errors import AuthError, RequestError, UnavailableError

BULK_FROM = 2000
"""Rows from which a job is worth its dozen calls (Bulk API 2.0 guide, "Which API Do I Use")."""

A = TypeVar("A")
B = TypeVar("B")


class Writer:
    """outputs: which fields the org carries. values: how it spells them.

    executor, parallel: threads in which owners travel, and how many at once; more than a few wait for each
    other's locks. jobs: where bulk jobs are remembered, None where there never was one. bulk: whether any is
    begun. left_seconds: how long one that was left behind is waited for.
    """

    def __init__(
        self,
        client: Client,
        outputs: Outputs,
        values: Spelling,
        *,
        executor: Executor | None = None,
        parallel: int = 1,
        jobs: Jobs | None = None,
        bulk: bool = True,
        bulk_from: int = BULK_FROM,
        left_seconds: float = LEFT_SECONDS,
    ) -> None:
        self._client = client
        self._outputs = outputs
        self._executor = executor
        self._parallel = max(1, parallel)
        self._preparing = Preparing(outputs, values)
        self._comparing = Comparing(client, outputs, values, self._preparing)
        self._ownership = Ownership(client, outputs)
        self._chunks = Chunks(client, self._preparing, self._comparing)
        self._following = Following(client, jobs, left_seconds=left_seconds) if jobs is not None else None
        self._bulk = (
            BulkWriter(client, self._preparing, self._following) if self._following and bulk else None
        )
        self._bulk_from = bulk_from

    def write(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        """One outcome per write. Writes of one account follow each other in the order given."""
        for together in rounds(writes):
            yield from self._round(together)

    def recover(self) -> frozenset[str]:
        """Before anything is read or written: see to the bulk jobs that were left behind.

        Returns the accounts of those that have ended; what became of them only a read tells. The accounts of
        the others are not written.
        """
        return self._following.recover() if self._following else frozenset()

    def _round(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        held = self._following.held() if self._following else {}
        yield from (_held(w.account_id, held[w.account_id]) for w in writes if w.account_id in held)
        writes = [write for write in writes if write.account_id not in held]
        try:
            self._outputs.definitions()
            prepared = [self._preparing.prepare(write) for write in writes]
        except (UnavailableError, AuthError, RequestError) as error:
            yield from (outcome(w.account_id, Result.FAILED, message=str(error)) for w in writes)
            return
        inputs = [item for item in prepared if isinstance(item, Input)]
        yield from (item for item in prepared if isinstance(item, Outcome))
        yield from (finish(item, None) for item in inputs if not item.values)
        begun = time.monotonic()
        ready, settled = self._comparing.look([item for item in inputs if item.values])
        instant = self._client.transport.now() - (time.monotonic() - begun)
        yield from settled
        owned = [item for item in ready if OWNER in item.values]
        bulk = self._worth_a_job(ready)
        apart = {item.id for item in (*owned, *bulk)}
        others = [item for item in ready if item.id not in apart]
        yield from self._together(others)
        yield from self._owned(owned, instant)
        yield from self._in_bulk(bulk, fresh=not (others or owned))

    def _together(self, items: Sequence[Input]) -> Iterator[Outcome]:
        """Send what is left of these, chunk by chunk, and say what became of the whole of each."""
        yield from (finish(item, None) for item in items if not item.values)
        left = {item.id: item for item in items if item.values}
        for chunk in self._chunks.of(list(left.values())):
            yield from (finish(left[became.account_id], became) for became in self._chunks.send(chunk))

    def _owned(self, items: Sequence[Input], looked_at: float) -> Iterator[Outcome]:
        """The owners of a chunk's accounts, then what else there is of it: they take their time, one call
        each, so the rest is looked at once more."""
        transfers = self._ownership.page(looked_at)
        for chunk in self._chunks.of(items):
            # In no order, or a few records locked for good would always be the first, and stop the others.
            mixed = random.sample(chunk, len(chunk))
            yield from self._late(list(self._each(transfers.transfer, mixed)))

    def _late(self, items: Sequence[Input]) -> Iterator[Outcome]:
        """Send what is left of these, though it is a while since they were looked at."""
        yield from (finish(item, None) for item in items if not item.values)
        left = {item.id: item for item in items if item.values}
        ready, settled = self._comparing.look(list(left.values()))
        yield from (finish(left[became.account_id], became) for became in settled)
        yield from self._together(ready)

    def _worth_a_job(self, items: Sequence[Input]) -> list[Input]:
        bulk = [item for item in items if not (item.confirmed or item.refused or OWNER in item.values)]
        return bulk if self._bulk and len(bulk) >= self._bulk_from else []

    def _in_bulk(self, items: Sequence[Input], *, fresh: bool) -> Iterator[Outcome]:
        """fresh: whether nothing was sent since they were looked at."""
        if not (self._bulk and items):
            return
        if not fresh:
            items, settled = self._comparing.look(items)
            yield from settled
        if items:
            yield from self._bulk.send(items)

    def _each(self, call: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """The calls' results in order, `parallel` of them at a time."""
        if self._executor is None or self._parallel == 1:
            yield from map(call, items)
            return
        for at in range(0, len(items), self._parallel):
            yield from self._executor.map(call, items[at : at + self._parallel])


def _held(id: str, job: str) -> Outcome:
    message = f"bulk job {job} may still write it; its turn comes when that has ended"
    return outcome(id, Result.FAILED, code=UNDER_WAY, message=message)
