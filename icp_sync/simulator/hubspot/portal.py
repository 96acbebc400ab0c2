"""One HubSpot account: everything the API's endpoints share. The endpoints do, the portal holds.

All access is serialised by `lock`; `tick` lets time do its work before a request is looked at.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Mapping
from copy import copy
from dataclasses import dataclass, field
from random import Random

from icp_sync.simulator.clock import Clock, iso
from icp_sync.simulator.faults import Faults
from icp_sync.simulator.hubspot import sales
from icp_sync.simulator.hubspot.catalogue import SYSTEM, Catalogue
from icp_sync.simulator.hubspot.people import Owner, owners
from icp_sync.simulator.hubspot.segments import Segments
from icp_sync.simulator.hubspot.standard import companies, contacts, deals, tasks
from icp_sync.simulator.index import Index
from icp_sync.simulator.limits import Limits, Meter
from icp_sync.simulator.store import Record, Source, Store
from icp_sync.simulator.switches import Switches
from icp_sync.simulator.ties import Ties

Json = dict[str, object]

PORTAL_ID = 44_237_313
"""The portal of seed 1."""
APP_ID = "19083857"
TIME_ZONE = "America/New_York"
COMPANIES, CONTACTS, DEALS, TASKS = "companies", "contacts", "deals", "tasks"
OBJECT_TYPES = {
    **dict.fromkeys(("companies", "company", "0-2"), COMPANIES),
    **dict.fromkeys(("contacts", "contact", "0-1"), CONTACTS),
    **dict.fromkeys(("deals", "deal", "0-3"), DEALS),
    **dict.fromkeys(("tasks", "task", "0-27"), TASKS),
}
SINGULAR = {COMPANIES: "company", CONTACTS: "contact", DEALS: "deal", TASKS: "task"}
TYPE_IDS = {COMPANIES: "0-2", CONTACTS: "0-1", DEALS: "0-3", TASKS: "0-27"}
DERIVED = frozenset(
    {*SYSTEM, "lastmodifieddate", "hs_merged_object_ids", "hs_object_source", "hs_object_source_id"}
)
_DICE = {CONTACTS: 2, DEALS: 3, TASKS: 4}
SCOPES = frozenset(
    {
        "crm.objects.companies.read",
        "crm.objects.companies.write",
        "crm.schemas.companies.read",
        "crm.schemas.companies.write",
        "crm.objects.contacts.read",
        "crm.objects.contacts.write",
        "crm.objects.deals.read",
        "crm.objects.deals.write",
        "crm.schemas.deals.read",
        "crm.schemas.deals.write",
        "crm.objects.owners.read",
        "crm.lists.read",
        "crm.lists.write",
    }
)


@dataclass(slots=True, kw_only=True)
class Token:
    """A credential the portal knows. `app` is what its writes show as sourceId in the history."""

    scopes: frozenset[str] = SCOPES
    expired: bool = False
    app: str = APP_ID

    @property
    def source(self) -> Source:
        return Source("INTEGRATION", self.app)


def portal_id(seed: int) -> int:
    """A seed's own portal: no two seeds share one, so a journal can tell two simulated CRMs apart."""
    return PORTAL_ID + (2 * (seed - 1) if seed >= 1 else 1 - 2 * seed)


@dataclass(slots=True, kw_only=True)
class Account:
    """What account-info says."""

    id: int = PORTAL_ID
    type: str = "STANDARD"
    currency: str = "USD"
    further_currencies: tuple[str, ...] = ("EUR", "GBP", "JPY")
    time_zone: str = TIME_ZONE
    hosting: str = "na1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """Something in the portal that reads or writes a property."""

    property: str
    kind: str
    name: str
    id: str


@dataclass(slots=True)
class Memo:
    """The matches of the last query without its id bounds: paging by id asks for them again and again."""

    generation: int = -1
    key: object = None
    ids: list[int] = field(default_factory=list)


@dataclass(kw_only=True)
class Portal:
    """The state behind the API, seen through its companies; `contacts`, `deals` and `tasks` are the same
    portal seen through those: another store, index and catalogue each, and everything else shared."""

    clock: Clock
    switches: Switches
    limits: Limits
    seed: int
    tokens: dict[str, Token]
    account: Account = field(default_factory=Account)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Back to an empty portal with its standard properties and owners."""
        self.kind = COMPANIES
        self.random = Random(self.seed)  # noqa: S311 - reproducible, not secret
        self.memo = Memo()
        self.index, self.store = self._made(self.random)
        self.catalogue: Catalogue = companies()
        self.owners: tuple[Owner, ...] = owners(self.clock.now_ms() - 400 * 86_400_000)
        # One who left stays on records but is given no more.
        self.owner_ids = frozenset(owner.id for owner in self.owners if not owner.archived)
        self.faults = Faults(Random(self.seed + 1))  # noqa: S311 - as above
        self.meter = Meter()
        self.requests: deque[Json] = deque(maxlen=20_000)
        self.uses: list[Use] = []
        self.lists = Segments()
        self.seen: dict[str, Portal] = {COMPANIES: self}
        # Dice of their own, so that contacts and deals do not change which companies a seed gives.
        beside = {kind: Random(self.seed + n) for kind, n in _DICE.items()}  # noqa: S311 - as above
        made = {kind: self._made(dice) for kind, dice in beside.items()}
        self.ties = Ties()
        self.errands = Ties()
        self.sales = sales.Sales(self.store, made[DEALS][1])
        self.seen[CONTACTS] = self._through(CONTACTS, contacts(), *made[CONTACTS])
        self.seen[DEALS] = self._through(DEALS, deals(), *made[DEALS])
        self.seen[TASKS] = self._through(TASKS, tasks(), *made[TASKS])

    @property
    def companies(self) -> Portal:
        return self.seen[COMPANIES]

    @property
    def contacts(self) -> Portal:
        return self.seen[CONTACTS]

    @property
    def deals(self) -> Portal:
        return self.seen[DEALS]

    @property
    def tasks(self) -> Portal:
        return self.seen[TASKS]

    @property
    def latency(self) -> float:
        return self.switches.latency

    def tick(self) -> None:
        for portal in self.seen.values():
            portal.store.tick()

    def merge(self, survivor: Record, other: Record, *, late: int = 0) -> None:
        """Merge `other` away; the survivor also takes over what it was tied to."""
        self.store.merge(survivor, other, late=late)
        if self.kind == COMPANIES:
            self.ties.move_company(other.id, survivor.id)
            self.errands.move_company(other.id, survivor.id)
            self.recount([survivor.id])
            self.sales.recount([survivor.id])
        elif self.kind == CONTACTS:
            self.recount(self.ties.adopt(other.id, survivor.id))
        elif self.kind == DEALS:
            self.sales.merge(survivor, other)

    def archive(self, record: Record) -> None:
        self.store.archive(record)
        if self.kind == CONTACTS:
            self.recount(self.ties.companies_of(record.id))
        elif self.kind == DEALS:
            self.sales.follow(record)

    def tie(self, company: Record, contacts: Iterable[Record]) -> None:
        for contact in contacts:
            self.ties.tie(company.id, contact.id)
        self.recount([company.id])

    def recount(self, companies: Iterable[int]) -> None:
        """The rolled-up number of contacts, which changes without moving the company's stamp."""
        for company in filter(None, map(self.companies.store.get, companies)):
            live = sum(self.contacts.store.get(i) is not None for i in self.ties.of(company.id))
            company.props = {**company.props, "num_associated_contacts": str(live)}
            self.companies.store.publish(company)

    def _made(self, dice: Random) -> tuple[Index, Store]:
        index = Index()
        return index, Store(self.clock, self.switches, index, dice)

    def _through(self, kind: str, catalogue: Catalogue, index: Index, store: Store) -> Portal:
        seen = copy(self)
        seen.kind, seen.catalogue, seen.memo = kind, catalogue, Memo()
        seen.index, seen.store = index, store
        return seen

    def effects(self, record: Record | None, kept: Mapping[str, str]) -> dict[str, str]:
        """What HubSpot changes along with a write: giving an owner dates the assignment."""
        held = record.props if record is not None else {}
        values = sales.effects(record, kept) if self.kind == DEALS else dict(kept)
        owner = values.get("hubspot_owner_id")
        if owner is None or owner == held.get("hubspot_owner_id", ""):
            return values
        assigned = iso(self.clock.now_ms()) if owner else ""
        return {**values, "hubspot_owner_assigneddate": assigned, "hs_all_owner_ids": owner}


def derived(record: Record, name: str) -> str | None:
    """A property the portal works out rather than stores; `DERIVED` names them."""
    match name:
        case "hs_object_id":
            return str(record.id)
        case "createdate":
            return iso(record.created)
        case "hs_lastmodifieddate" | "lastmodifieddate":
            return iso(record.modified)
        case "hs_merged_object_ids":
            return ";".join(map(str, record.merged_from)) or None
        case "hs_object_source":
            return record.origin.type
        case "hs_object_source_id":
            return record.origin.id or None
    return None
