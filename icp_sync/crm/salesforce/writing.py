"""Absolute values onto accounts, and what became of each: prepared, compared with what is there now, the
owner first and alone, the rest together.

Salesforce runs people's automation on every update, so what is there already is not sent. An account's values
other than its owner are written together or not at all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor
from typing import TypeVar

from icp_sync.crm.rounds import rounds
from icp_sync.crm.salesforce.bulk_writing import BulkWriter
from icp_sync.crm.salesforce.chunks import Chunks
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.comparing import Comparing
from icp_sync.crm.salesforce.jobs import Jobs
from icp_sync.crm.salesforce.ownership import Ownership
from icp_sync.crm.salesforce.preparing import (
    OWNER,
    Input,
    Outputs,
    Preparing,
    Spelling,
    finish,
    outcome,
)
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.errors import AuthError, RequestError, UnavailableError

BULK_FROM = 2000
"""Rows from which a job is worth its dozen calls (Bulk API 2.0 guide, "Which API Do I Use")."""

A = TypeVar("A")
B = TypeVar("B")


class Writer:
    """outputs: which fields the org carries. values: how it spells them.

    parallel: calls at once, in the executor's threads; more than a few wait for each other's locks.
    jobs: where bulk jobs are remembered, None to do without bulk jobs.
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
        bulk_from: int = BULK_FROM,
    ) -> None:
        self._client = client
        self._outputs = outputs
        self._executor = executor
        self._parallel = max(1, parallel)
        self._preparing = Preparing(outputs, values)
        self._comparing = Comparing(client, outputs, values, self._preparing)
        self._ownership = Ownership(client, outputs)
        self._chunks = Chunks(client, self._preparing, self._comparing)
        self._bulk = BulkWriter(client, self._preparing, jobs) if jobs is not None else None
        self._bulk_from = bulk_from

    def write(self, writes: Sequence[Write]) -> Iterator[Outcome]:
        """One outcome per write. Writes of one account follow each other in the order given."""
        for together in rounds(writes):
            yield from self._round(together)

    def recover(self) -> frozenset[str]:
        """At the start, before anything is written: see to the bulk jobs a crash left behind.

        Returns the accounts of those that have ended; what became of them only a read tells.
        """
        return self._bulk.recover() if self._bulk else frozenset()

    def _round(self, writes: Sequence[Write]) -> Iterator[Outcome]:
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
        bulk = [item for item in ready if not (item.confirmed or item.refused or OWNER in item.values)]
        if self._bulk and len(bulk) >= self._bulk_from:
            yield from self._bulk.send(bulk)
            done = {item.id for item in bulk}
            ready = [item for item in ready if item.id not in done]
        transferred = {
            item.id: item for item in self._each(lambda item: self._ownership.transfer(item, instant), owned)
        }
        yield from self._together([transferred.get(item.id, item) for item in ready])

    def _together(self, items: Sequence[Input]) -> Iterator[Outcome]:
        """Send what is left of these, chunk by chunk, and say what became of the whole of each."""
        yield from (finish(item, None) for item in items if not item.values)
        left = {item.id: item for item in items if item.values}
        for outcomes in self._each(self._chunks.send, self._chunks.of(list(left.values()))):
            yield from (finish(left[became.account_id], became) for became in outcomes)

    def _each(self, call: Callable[[A], B], items: Sequence[A]) -> Iterator[B]:
        """The calls' results in order, `parallel` of them at a time."""
        if self._executor is None or self._parallel == 1:
            yield from map(call, items)
            return
        for at in range(0, len(items), self._parallel):
            yield from self._executor.map(call, items[at : at + self._parallel])
