"""The parts of the adapter that read, on one simulated org whose clock only moves when told to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.reads.opportunities import Opportunities
from icp_sync.crm.salesforce.reads.reading import Reader
from icp_sync.crm.salesforce.roster import roster
from icp_sync.crm.salesforce.values import Values
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Account
from icp_sync.domain.facts import FactValue
from icp_sync.normalize.facts_map import FactsMap
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.ports import Page, Position, Query, Seen, Stream, nothing_seen
from icp_sync.simulator import Simulator
from icp_sync.simulator.store import Source
from tests.crm.contract import LAG, OVERLAP
from tests.crm.salesforce.parts import connect
from tests.crm.salesforce.world import NOBODY, START

PROPERTIES = {"owner": "OwnerId", "tier": "Tier__c", "fit_score": "Score__c", "routed_owner": "Chosen__c"}
TIER = {"name": "Tier__c", "type": "picklist", "values": ["A", "B", "Not ICP"], "restricted": True}
SCORE = {"name": "Score__c", "type": "double", "precision": 6, "scale": 2}
CHOSEN = {"name": "Chosen__c", "type": "reference", "reference_to": "User"}
PLATFORM = Source("PLATFORM", user_id=0)


class Reads:
    """A running org with three fields of ours, and what reads it. how: of the reader."""

    def __init__(self, facts: FactsMap = SALESFORCE_DEFAULTS, **how: Any) -> None:
        self.simulator = Simulator(crm="salesforce", accounts=0, start_clock=START).start()
        self.simulator.admin("POST clock", freeze=True)
        self.simulator.admin("POST fields", define=[TIER, SCORE, CHOSEN])
        parts = connect(self.simulator.url, properties=PROPERTIES)
        self.monotonic = 1_000.0
        self.client = parts.client
        self.executor = ThreadPoolExecutor(2)
        self.catalogue = Catalogue(self.client, PROPERTIES, name="test", clock=lambda: self.monotonic)
        self.roster = roster(self.client, clock=lambda: self.monotonic)
        self.values = Values(self.roster, facts, self.catalogue, vacant_owners=[NOBODY])
        self.opportunities = Opportunities(
            self.client, wanted=True, name="test", clock=lambda: self.monotonic
        )
        settings: dict[str, Any] = {"windows": Windows(overlap=OVERLAP, lag=LAG), "page_size": 20, **how}
        self.reader = Reader(
            self.client,
            self.catalogue,
            self.values,
            facts=facts.properties,
            executor=self.executor,
            currency=lambda: "USD",
            **settings,
        )

    def close(self) -> None:
        self.executor.shutdown()
        self.client.transport.close()
        self.simulator.stop()

    def admin(self, control: str, **arguments: object) -> dict[str, object]:
        return self.simulator.admin(control, **arguments)

    def advance(self, seconds: float) -> None:
        self.admin("POST clock", advance=seconds)

    def create(self, count: int = 1, *, late: float = 0.0, **properties: str) -> list[str]:
        made = self.admin(
            "POST create", properties={"Name": "Acme", **properties}, count=count, visible_late=late
        )
        ids = made["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def edit(self, id: str, **properties: str) -> None:
        self.admin("POST edit", id=id, properties=properties)

    def sell(self, account: str, stage: str = "Prospecting", count: int = 1, **properties: str) -> list[str]:
        held = {"Name": "A sale", "StageName": stage, "CloseDate": "2026-12-01", **properties}
        made = self.admin("POST create", type="opportunities", account=account, properties=held, count=count)
        ids = made["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def one(self, id: str) -> Account:
        (account,) = self.reader.fetch([id]).accounts
        return account

    def pages(
        self,
        stream: Stream,
        position: Position = Position(),  # noqa: B008  frozen
        seen: Seen = nothing_seen,
    ) -> list[Page]:
        return list(self.reader.pages(Query(stream=stream, position=position, seen=seen)))

    def run(self, stream: Stream, position: Position = Position()) -> list[str]:  # noqa: B008  frozen
        return [id for page in self.pages(stream, position) for id in page.ids]

    def position(self, stream: Stream = Stream.POLL) -> Position:
        return self.pages(stream)[-1].position

    def asked(self, label: str) -> int:
        """How many requests of a kind there were."""
        return sum(label in f"{one['method']} {one['path']}" for one in self.simulator.org.requests)

    def fault(self, kind: str, match: str, **how: object) -> None:
        self.admin("POST faults", kind=kind, match=match, **how)


def facts(account: Account) -> Mapping[str, FactValue]:
    return {signal.fact: signal.value for signal in account.signals}


@contextmanager
def reading(**how: Any) -> Iterator[Reads]:
    reads = Reads(**how)
    try:
        yield reads
    finally:
        reads.close()
