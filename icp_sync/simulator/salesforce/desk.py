"""Salesforce as the simulator's controls see it: one object's records through the eyes of an admin."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from icp_sync.normalize import domains
from icp_sync.simulator.arguments import record_named
from icp_sync.simulator.clock import iso
from icp_sync.simulator.desk import Arguments, Desk, Json, Unusable
from icp_sync.simulator.index import Index
from icp_sync.simulator.salesforce import ids, recycling
from icp_sync.simulator.salesforce.credentials import changed as credentials_changed
from icp_sync.simulator.salesforce.founding import AUTOMATED, OTHER_APP, UNASSIGNED, special_values
from icp_sync.simulator.salesforce.org import Org, SObject, User
from icp_sync.simulator.salesforce.schema import FieldDef, kept
from icp_sync.simulator.store import Record, Source, Store

TYPES = {
    "accounts": "account",
    "companies": "account",
    "contacts": "contact",
    "opportunities": "opportunity",
    "deals": "opportunity",
    "users": "user",
}
DEAL_DAYS = 30
_SOURCES = {"person": "UI", "workflow": "WORKFLOW", "import": "IMPORT", "app": "APP"}
_FOUNDED = Source("PLATFORM", user_id=0)


class OrgDesk(Desk):
    """One object of an org."""

    stamp_name = "SystemModstamp"

    def __init__(self, org: Org, object_name: str = "account") -> None:
        self.org = org
        self.object_name = object_name

    @property
    def sobject(self) -> SObject:
        return self.org.objects[self.object_name]

    @property
    def crm(self) -> Org:
        return self.org

    @property
    def store(self) -> Store:
        return self.sobject.store

    @property
    def index(self) -> Index:
        return self.sobject.index

    def at(self, kind: object) -> Desk:
        name = TYPES.get(str(kind))
        if name is None:
            raise Unusable(f"type: {kind!r} is none of {', '.join(TYPES)}")
        return OrgDesk(self.org, name)

    def number(self, record_id: str) -> int:
        found = self.sobject.number(record_id)
        return -1 if found is None else found

    def shown(self, number: int) -> str:
        return ids.shown(self.sobject.prefix, number)

    def domain_of(self, record: Record) -> str:
        return domains.registrable(record.props.get("Website", ""))

    def name_of(self, record: Record) -> str:
        return str(self._value(record, "Name") or "")

    def kept(self, wanted: Mapping[str, object], record: Record | None) -> dict[str, str]:
        found = {}
        for name, value in wanted.items():
            field = self.sobject.field(name)
            if field is None:
                raise Unusable(f"no such field: {name}")
            try:
                found[field.name] = kept(field, self._referred(field, value))
            except ValueError as wrong:
                raise Unusable(str(wrong)) from None
        return found

    def _referred(self, field: FieldDef, value: object) -> object:
        """A user may be named by the e-mail address."""
        if field.reference_to == "User" and isinstance(value, str) and "@" in value:
            return user_named(self.org, value).id
        return ids.long(value) if field.type == "reference" and isinstance(value, str) else value

    def source(self, given: Arguments) -> Source:
        """`user`: an id or e-mail address, the admin unless named; `source`: what did it, UI unless named.

        An `app` and a `workflow` have users of their own; an `import` is made by a person.
        """
        kind = str(given.get("source", "UI"))
        user = user_named(self.org, str(given["user"])) if "user" in given else staff(self.org, kind)
        return Source(_SOURCES.get(kind, kind), str(given.get("source_id", "")), user.number)

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
        return self.sobject.write(record, kept, source, at=at, late=late)

    def make(
        self, given: Arguments, kept: dict[str, str], source: Source, *, many: int, at: int | None, late: int
    ) -> list[Record]:
        values = self._defaults() | kept
        if "account" in given:
            if self.object_name not in recycling.CHILDREN:
                raise Unusable("account: contacts and opportunities belong to one; say type=contacts")
            account = record_named(OrgDesk(self.org), {"id": given["account"]})
            values["AccountId"] = self.org.accounts.id_of(account)
        return [self.sobject.create(values, source, at=at, late=late) for _ in range(many)]

    def _defaults(self) -> dict[str, str]:
        """What a record of this object cannot be without."""
        owner = user_named(self.org, UNASSIGNED).id
        closing = datetime.fromtimestamp(self.org.clock.now(), UTC) + timedelta(days=DEAL_DAYS)
        match self.object_name:
            case "account":
                return {"Name": "Unnamed account", "OwnerId": owner}
            case "contact":
                return {"LastName": "Unnamed", "OwnerId": owner}
            case "opportunity":
                more = {"StageName": "Prospecting", "CloseDate": closing.date().isoformat()}
                return {"Name": "Unnamed deal", "OwnerId": owner, **more}
        raise Unusable("users are made with POST users")

    def bump(self, record: Record, at: int, *, late: int) -> None:
        self.sobject.bump(record, at, late=late)

    def delete(self, record: Record, *, late: int) -> None:
        recycling.delete(self.sobject, record, self.source({}), late=late)

    def merge(self, survivor: Record, other: Record, *, late: int) -> None:
        recycling.merge(self.sobject, survivor, other, self.source({}), late=late)

    def document(self, record: Record) -> Json:
        shown = {name: self._value(record, name) for name in self.sobject.fields}
        named = {self.sobject.fields[name].name: value for name, value in shown.items() if value is not None}
        gone = record.archived_at
        return {
            "id": self.sobject.id_of(record),
            "type": self.sobject.name,
            "properties": named,
            "createdAt": iso(record.created),
            "updatedAt": iso(record.modified),
            "archived": gone is not None,
            "archivedAt": None if gone is None else iso(gone),
            "history": {
                name: [
                    {"value": entry.value, "at": iso(entry.at), "source": entry.source.type}
                    for entry in self.store.history(record, name)
                ]
                for name in record.history or ()
            },
        }

    def _value(self, record: Record, name: str) -> object:
        field = self.sobject.field(name)
        return None if field is None else self.sobject.value(record, field)

    def compete(self, calls: int) -> None:
        self.org.limits.use(calls, self.org.clock.now())

    def plan(self) -> Json:
        limits = self.org.limits
        limits.catch_up(self.org.clock.now())
        used = limits.used(self.org.clock.now())
        return limits.watch.as_json() | {
            "used_by_others": limits.others.used,
            "plan": limits.plan,
            "used_today": used,
            "api_usage": f"{used}/{limits.most}",
            "auto_assigned": len(self.org.tripwire),
        }

    def settle(self, changes: Mapping[str, object]) -> Json:
        """Also `currency`, `edition`, and whether the org is a `sandbox`."""
        org, switches = self.org, dict(changes)
        plan, currency = switches.pop("plan", None), switches.pop("currency", None)
        edition, sandbox = switches.pop("edition", None), switches.pop("sandbox", None)
        org.switches.turn(switches)
        if plan is not None:
            org.limits.choose(str(plan))
        if currency is not None:
            org.currency = str(currency)
        org.edition = str(edition) if edition is not None else org.edition
        org.sandbox = bool(sandbox) if sandbox is not None else org.sandbox
        org.apply_features()
        account = {"plan": org.limits.plan, "edition": org.edition, "sandbox": org.sandbox}
        return org.switches.as_json() | account | {"currency": org.currency}

    def credentials(self, given: Arguments) -> Json:
        return credentials_changed(self.org, given)


def staff(org: Org, source: str) -> User:
    """Who does what a source does: the admin, another program's user, or the platform's own."""
    hired = {"app": OTHER_APP, "workflow": AUTOMATED}.get(source)
    if hired is None:
        return org.admin
    known = org.user(hired)
    if known is None:
        record = org.objects["user"].create(special_values(org, hired), _FOUNDED)
        known = User(record=record)
        org.employ(known)
    return known


def user_named(org: Org, text: str) -> User:
    """A user by id, user name or e-mail address. Raises Unusable."""
    number = ids.number(text) if text[:3] == "005" else None
    found = org.users.get(number) if number is not None else org.user(text)
    found = found or next((user for user in org.users.values() if user.email == text.lower()), None)
    if found is None:
        raise Unusable(f"no such user: {text}")
    return found
