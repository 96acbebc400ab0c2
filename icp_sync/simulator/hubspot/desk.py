"""HubSpot as the simulator's controls see it: companies, contacts or deals, through the eyes of a user."""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.arguments import record_named
from icp_sync.simulator.controls import Control
from icp_sync.simulator.desk import Arguments, Desk, Json, Unusable
from icp_sync.simulator.hubspot import uses
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.portal import COMPANIES, CONTACTS, DEALS, Portal, Token
from icp_sync.simulator.hubspot.validation import Invalid, accepted
from icp_sync.simulator.index import Index
from icp_sync.simulator.store import Record, Source, Store

USER = 73_074_756
HANDS = {
    "person": ("CRM_UI", ""),
    "workflow": ("AUTOMATION_PLATFORM", "enrollmentId:9876543210;actionExecutionIndex:0"),
    "import": ("IMPORT", "41872315"),
    "app": ("INTEGRATION", "551234"),
}
"""The usual editors → the sourceType and sourceId their values carry."""


class PortalDesk(Desk):
    """One type of a portal's records."""

    stamp_name = "hs_lastmodifieddate"

    def __init__(self, portal: Portal) -> None:
        self.portal = portal

    @property
    def crm(self) -> Portal:
        return self.portal

    @property
    def store(self) -> Store:
        return self.portal.store

    @property
    def index(self) -> Index:
        return self.portal.index

    def at(self, kind: object) -> Desk:
        seen = self.portal.seen.get(str(kind))
        if seen is None:
            raise Unusable(f"type: {kind!r} is none of {', '.join(self.portal.seen)}")
        return PortalDesk(seen)

    def number(self, record_id: str) -> int:
        return int(record_id) if record_id.isascii() and record_id.isdigit() else -1

    def shown(self, number: int) -> str:
        return str(number)

    def domain_of(self, record: Record) -> str:
        return record.props.get("domain", "")

    def kept(self, wanted: Mapping[str, object], record: Record | None) -> dict[str, str]:
        owners = {owner.id for owner in self.portal.owners}
        kept = {}
        for name, value in wanted.items():
            definition = self.portal.catalogue.get(name)
            if definition is None:
                raise Unusable(f"no such property: {name}")
            text = "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
            held = record.props.get(name, "") if record is not None else ""
            try:
                kept[name] = accepted(definition, text, held, owners)
            except Invalid as wrong:
                raise Unusable(f"{name}: {wrong.message}") from None
        return kept

    def source(self, given: Arguments) -> Source:
        """A user of the interface unless `source` names another editor (person, workflow, import, app) or
        sourceType."""
        user = int(str(given.get("user", USER)))
        source = str(given.get("source", "person"))
        kind, usual = HANDS.get(source, (source, ""))
        if kind == "CRM_UI":
            return Source(kind, f"userId:{user}", user)
        return Source(kind, str(given.get("source_id", usual)), None)

    def edit(
        self,
        record: Record,
        kept: Mapping[str, str],
        source: Source,
        *,
        at: int | None,
        late: int,
        follow_up: bool,
    ) -> bool:
        portal = self.portal
        values = portal.effects(record, kept)
        changed = portal.store.write(record, values, source, at=at, late=late, follow_up=follow_up)
        if portal.kind == DEALS:
            portal.sales.follow(record)
        return changed

    def make(
        self, given: Arguments, kept: dict[str, str], source: Source, *, many: int, at: int | None, late: int
    ) -> list[Record]:
        portal = self.portal
        company = None
        if "company" in given:
            company = record_named(PortalDesk(portal.companies), {"id": given["company"]})
            if portal.kind == COMPANIES:
                raise Unusable("company: only contacts and deals belong to one; say type=contacts or deals")
        values = portal.effects(None, kept)
        made = [portal.store.create(values, source, at=at, late=late) for _ in range(many)]
        if company is not None:
            (portal.tie if portal.kind == CONTACTS else portal.sales.tie)(company, made)
        return made

    def bump(self, record: Record, at: int, *, late: int) -> None:
        self.portal.store.stamp(record, at, late=late)

    def delete(self, record: Record, *, late: int) -> None:
        self.portal.archive(record)

    def merge(self, survivor: Record, other: Record, *, late: int) -> None:
        self.portal.merge(survivor, other, late=late)

    def document(self, record: Record) -> Json:
        shown = view(self.portal, self.portal.catalogue.all, record.history or ())
        body = document(self.portal, record, shown, whole_history=True)
        properties = body["properties"]
        if isinstance(properties, dict):
            body["properties"] = {name: value for name, value in properties.items() if value is not None}
        return body

    def compete(self, calls: int) -> None:
        self.portal.limits.use(calls)

    def plan(self) -> Json:
        limits = self.portal.limits
        limits.catch_up(self.portal.clock.now())
        used = {"used_today": limits.used_today, "used_by_others": limits.others.used}
        return {"plan": limits.plan, **used, **limits.watch.as_json()}

    def settle(self, changes: Mapping[str, object]) -> Json:
        """Also `currency` and `account_type` of the portal."""
        portal, switches = self.portal, dict(changes)
        plan, currency = switches.pop("plan", None), switches.pop("currency", None)
        kind = switches.pop("account_type", None)
        portal.switches.turn(switches)
        if plan is not None:
            portal.limits.choose(str(plan))
        if currency is not None:
            portal.account.currency = str(currency)
        if kind is not None:
            portal.account.type = str(kind)
        return portal.switches.as_json() | {"plan": portal.limits.plan}

    def credentials(self, given: Arguments) -> Json:
        """A `token`: its `scopes`, whether it is `expired`, its `app` in the history."""
        text = str(given.get("token", ""))
        if not text:
            raise Unusable("token: which one?")
        token = self.portal.tokens.setdefault(text, Token())
        scopes = given.get("scopes")
        if isinstance(scopes, list):
            token.scopes = frozenset(map(str, scopes))
        token.expired = bool(given.get("expired", token.expired))
        token.app = str(given.get("app", token.app))
        return {"token": text, "scopes": sorted(token.scopes), "expired": token.expired}


def _tie(desk: Desk, given: Arguments) -> Json:
    """Tie `contacts`, or `deals` (ids), to the company `company` (id)."""
    if not isinstance(desk, PortalDesk):
        raise Unusable("records are tied on HubSpot only")
    kind = DEALS if DEALS in given else CONTACTS
    named = given.get(kind)
    if not isinstance(named, list):
        raise Unusable(f"{kind}: a list of ids")
    portal = desk.portal
    company = record_named(PortalDesk(portal.companies), {"id": given.get("company")})
    records = [record_named(PortalDesk(portal.seen[kind]), {"id": i}, anything=True) for i in named]
    (portal.tie if kind == CONTACTS else portal.sales.tie)(company, records)
    return {"id": str(company.id), kind: len(records)}


def _depend(desk: Desk, given: Arguments) -> Json:
    """Something in the portal uses the `property`: `by` a list, a workflow, a report or a calculation, called
    `name`."""
    if not isinstance(desk, PortalDesk):
        raise Unusable("properties are HubSpot's")
    portal, kind = desk.portal, str(given.get("by", "list"))
    if kind not in uses.KINDS:
        raise Unusable(f"by: {kind!r} is none of {', '.join(uses.KINDS)}")
    definition = portal.catalogue.get(str(given.get("property", "")))
    if definition is None:
        raise Unusable(f"no such property: {given.get('property')!r}")
    made = uses.use(portal, definition.name, kind, str(given.get("name", f"Some {kind}")))
    return {"id": made.id, "name": made.name}


CONTROLS: Mapping[str, Control] = {"POST tie": _tie, "POST depend": _depend}
