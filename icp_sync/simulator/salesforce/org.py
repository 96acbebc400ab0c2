"""One Salesforce org: everything the API's endpoints share. The endpoints do, the org holds.

All access is serialised by `lock`; `tick` lets time do its work before a request is looked at.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from random import Random

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.faults import Faults
from icp_sync.simulator.limits import Meter
from icp_sync.simulator.salesforce import founding
from icp_sync.simulator.salesforce.dependents import Dependent
from icp_sync.simulator.salesforce.errors import invalid_type
from icp_sync.simulator.salesforce.features import FEATURES, RECORD_TYPE_ID
from icp_sync.simulator.salesforce.history import TABLES, AccountHistory
from icp_sync.simulator.salesforce.ids import shown
from icp_sync.simulator.salesforce.layouts import Layout, RecordPage, usual
from icp_sync.simulator.salesforce.limits import DailyLimit
from icp_sync.simulator.salesforce.powers import READ
from icp_sync.simulator.salesforce.record_access import RecordAccess
from icp_sync.simulator.salesforce.refusals import KINDS
from icp_sync.simulator.salesforce.rights import Rights
from icp_sync.simulator.salesforce.rules import Trigger, ValidationRule
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.salesforce.standard import OBJECTS
from icp_sync.simulator.salesforce.switches import Switches
from icp_sync.simulator.store import Record, Source

__all__ = [
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "SESSION",
    "USERNAME",
    "Org",
    "RecordType",
    "SObject",
    "Session",
    "Trigger",
    "User",
    "ValidationRule",
]
Json = dict[str, object]
SESSION = "00D000000000001!simulator.session.opens.nothing.but.this.simulator"
CONSUMER_KEY = "3MVG9.simulator.consumer.key"
CONSUMER_SECRET = "0123456789SIMULATOR0123456789SIMULATOR"  # noqa: S105 - opens nothing but this simulator
USERNAME = founding.INTEGRATION
FIRST_ORG = 4_423_731_300
BORN = 500 * 86_400_000
PLATFORM = Source("PLATFORM", user_id=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Somebody who may sign in. modify_all: sees and changes everything, fields included."""

    record: Record
    modify_all: bool = False

    @property
    def number(self) -> int:
        return self.record.id

    @property
    def id(self) -> str:
        return shown("005", self.record.id)

    @property
    def username(self) -> str:
        return self.record.props.get("Username", "")

    @property
    def email(self) -> str:
        return self.record.props.get("Email", "")

    @property
    def active(self) -> bool:
        return self.record.props.get("IsActive") == "true"


@dataclass(slots=True, kw_only=True)
class Session:
    """A session. ends: epoch seconds of the simulator's clock; None is never."""

    user: User
    ends: float | None = None
    expired: bool = False
    app: str = "icp_sync simulator"

    def over(self, now: float) -> bool:
        return self.expired or (self.ends is not None and now >= self.ends)


@dataclass(slots=True, kw_only=True)
class RecordType:
    """A record type of accounts. picklists: field (lower case) to the values it offers; absent: all.

    defaults: field (lower case) to the value it proposes. person: whether it is one of person accounts.
    """

    name: str
    label: str
    record: Record
    active: bool = True
    picklists: dict[str, frozenset[str]] = field(default_factory=dict)
    defaults: dict[str, str] = field(default_factory=dict)

    @property
    def id(self) -> str:
        return shown("012", self.record.id)

    @property
    def person(self) -> bool:
        return self.record.props.get("IsPersonType") == "true"


def org_number(seed: int) -> int:
    """A seed's own org: no two seeds share one, so a journal can tell two simulated CRMs apart."""
    return FIRST_ORG + (2 * (seed - 1) if seed >= 1 else 1 - 2 * seed)


@dataclass(kw_only=True)
class Org:
    """The state behind the API."""

    clock: Clock
    switches: Switches
    limits: DailyLimit
    seed: int
    session: str = SESSION
    lock: threading.RLock = field(default_factory=threading.RLock)
    sessions: dict[str, Session] = field(default_factory=dict)
    approved: set[int] = field(default_factory=set)
    certificates: list[str] = field(default_factory=list)
    sandbox: bool = False
    edition: str = "Enterprise Edition"
    currency: str = "USD"

    def __post_init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Back to an org with its standard objects and people, no accounts."""
        self.random = Random(self.seed)  # noqa: S311 - reproducible, not secret
        self.born = self.clock.now_ms() - BORN
        self.faults = Faults(Random(self.seed + 1), KINDS)  # noqa: S311 - as above
        self.meter = Meter()
        self.requests: deque[Json] = deque(maxlen=20_000)
        self.record_types: dict[str, RecordType] = {}
        self.rules: list[ValidationRule] = []
        self.triggers: list[Trigger] = []
        self.dependents: list[Dependent] = []
        self.layouts: list[Layout] = [usual(1, "Account Layout")]
        self.pages: list[RecordPage] = []
        self.tripwire: list[Json] = []
        self.hidden: set[tuple[str, int]] = set()
        self.read_only: set[tuple[str, int]] = set()
        self.in_approval: set[tuple[str, int]] = set()
        self.objects: dict[str, SObject] = {
            one.name.lower(): TABLES.get(one.name.lower(), SObject)(
                self, one.name, one.label, one.prefix, one.fields
            )
            for one in OBJECTS
        }
        history = self.objects["accounthistory"]
        self.accounts.noticed = history.note if isinstance(history, AccountHistory) else None
        access = self.objects["userrecordaccess"]
        self.objects[access.key] = RecordAccess(self, access.name, access.label, "", access.fields.values())
        self.rights = Rights(self)
        founding.organization(self, org_number(self.seed))
        staff = founding.people(self)
        self.integration = User(record=staff[0])
        self.admin = User(record=staff[1], modify_all=True)
        others = (User(record=record) for record in staff[2:])
        self.users = {user.number: user for user in (self.integration, self.admin, *others)}
        self._keep_sessions()
        self.apply_features()

    @property
    def id(self) -> str:
        return shown("00D", org_number(self.seed))

    @property
    def latency(self) -> float:
        return self.switches.latency

    @property
    def accounts(self) -> SObject:
        return self.objects["account"]

    def user(self, username: str) -> User | None:
        """Somebody by their user name, in any case."""
        return next((user for user in self.users.values() if user.username == username.lower()), None)

    def employ(self, user: User) -> None:
        """Let somebody sign in, or with other rights than before."""
        self.users[user.number] = user
        for session in self.sessions.values():
            if session.user.number == user.number:
                session.user = user

    def _keep_sessions(self) -> None:
        """Sessions outlive the records of those whose they are; the people of an org are always the same."""
        if not self.sessions:
            self.sessions[self.session] = Session(user=self.integration)
            self.approved.add(self.integration.number)
        for session in self.sessions.values():
            session.user = self.users.get(session.user.number, self.integration)
        self.approved &= set(self.users)

    def object(self, name: str) -> SObject:
        """An object by its name, in any case. Raises Refusal INVALID_TYPE."""
        found = self.objects.get(name.lower())
        if found is None:
            raise invalid_type(name)
        return found

    def object_for(self, user: User, name: str) -> SObject:
        """An object that somebody may read; one they may not is refused like one there is not."""
        found = self.object(name)
        if not self.rights.may_do(user, found, READ):
            raise invalid_type(name)
        return found

    def tick(self) -> None:
        """Commit what is due."""
        now = self.clock.now_ms()
        for sobject in self.objects.values():
            sobject.index.catch_up(now)
        self.rights.forget()

    def apply_features(self) -> None:
        """Bring the fields into line with the features that are switched on."""
        for feature, objects in FEATURES.items():
            on = bool(getattr(self.switches, feature))
            for name, fields in objects.items():
                for one in fields:
                    known = self.objects[name].field(one.name)
                    if on and known is None:
                        self.objects[name].add_field(one)
                    elif not on and known == one:
                        self.objects[name].drop_field(one.name)

    def add_record_type(
        self,
        name: str,
        label: str,
        picklists: dict[str, frozenset[str]],
        *,
        defaults: dict[str, str] | None = None,
        person: bool = False,
    ) -> RecordType:
        """A record type of accounts, or another choice of values for one there is. `person`: of a new one."""
        known = self.record_types.get(name)
        if known is None:
            values = {"Name": label, "DeveloperName": name, "SobjectType": "Account", "IsActive": "true"}
            values |= {"IsPersonType": "true"} if person else {}
            record = self.objects["recordtype"].create(values, PLATFORM)
            known = self.record_types[name] = RecordType(name=name, label=label, record=record)
        known.picklists, known.defaults = picklists, defaults or {}
        known.label = label
        self.accounts.add_field(RECORD_TYPE_ID)
        return known

    def activate(self, record_type: RecordType, *, active: bool) -> None:
        """Offer a record type for new accounts, or no longer."""
        record_type.active = active
        values = {"IsActive": "true" if active else "false", "Name": record_type.label}
        self.objects["recordtype"].write(record_type.record, values, PLATFORM)

    # -- who may see and do what

    def readable(self, user: User, sobject: SObject, field: FieldDef) -> bool:
        return self.rights.readable(user, sobject, field)

    def editable(self, user: User, sobject: SObject, field: FieldDef) -> bool:
        return self.rights.editable(user, sobject, field)

    def visible(self, user: User, sobject: SObject, record: Record) -> bool:
        return self.rights.visible(user, sobject, record)

    def may_edit(self, user: User, record: Record, sobject: SObject | None = None) -> bool:
        """Whether the user may change the record (an account unless another object is named)."""
        return self.rights.may_edit(user, sobject or self.accounts, record)
