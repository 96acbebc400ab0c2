"""One readable line per case: a settled account, a write, a page committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from icp_sync.domain.account import Confirmed, Memory, Origin
from icp_sync.domain.facts import Signal, number
from icp_sync.domain.plan import Write
from icp_sync.journal import Journal, Lease, Settled
from icp_sync.ports import Position

NOW = 1_800_000_000.0


def settled(account_id: str, **changes: Any) -> Settled:
    known = {
        "name": f"Company {account_id}",
        "domain": f"{account_id}.example",
        "in_scope": True,
        "tier": "B",
    }
    return Settled(account_id=account_id, **(known | changes))


def write(account_id: str, **values: str) -> Write:
    return Write(account_id=account_id, values=values or {"tier": "B"})


def ours(value: str, at: float = NOW) -> Confirmed:
    return Confirmed(value=value, origin=Origin.OURS, at=at)


def human(value: str, at: float = NOW) -> Confirmed:
    return Confirmed(value=value, origin=Origin.HUMAN, at=at)


def employees(n: int) -> Signal:
    return Signal(fact="employees", value=number(n), source="vendor", observed_at=NOW)


class Worker:
    """One process's way of using the journal: a lease, and what it asked last."""

    def __init__(self, journal: Journal, holder: str = "worker", stream: str = "poll") -> None:
        self.journal = journal
        self.stream = stream
        lease = journal.lease(stream, holder=holder, now=NOW)
        assert lease is not None
        self.lease: Lease = lease

    def recall(self, *ids: str) -> Memory:
        return self.journal.recall({i: f"{i}.example" for i in ids}, now=NOW)

    def intend(
        self,
        *writes: Write,
        versions: Mapping[str, int] | None = None,
        assignments: Mapping[str, str] | None = None,
        memory: Memory | None = None,
    ) -> tuple[tuple[Write, ...], dict[str, str]]:
        memory = memory or self.recall(*(one.account_id for one in writes))
        return self.journal.intend(
            writes,
            versions=versions
            if versions is not None
            else {one.account_id: memory.of(one.account_id).version for one in writes},
            assignments=assignments or {},
            load_versions=memory.roster.load_versions,
            run="run-1",
            lease=self.lease,
            now=NOW,
        )

    def commit(
        self,
        *accounts: Settled,
        gone: Mapping[str, str] | None = None,
        position: Position | None = None,
        now: float = NOW,
        run: str = "run-1",
    ) -> None:
        self.journal.commit(
            accounts,
            gone=gone or {},
            position=position,
            stream=self.stream,
            lease=self.lease,
            run=run,
            now=now,
        )


def values(memory: Memory, account_id: str) -> dict[str, str]:
    return {name: held.value for name, held in memory.of(account_id).confirmed.items()}


def ids(writes: Sequence[Write]) -> list[str]:
    return [one.account_id for one in writes]
