"""A Salesforce org for tests: our adapter against the simulator, whose clock only moves when told to."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from pydantic import SecretStr

from icp_sync.crm.salesforce import Credentials, Salesforce
from icp_sync.crm.windows import Windows
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import FIELDS
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS
from icp_sync.ports import Blueprint, CrmField, Editor, FieldKind
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.store import Source
from tests.crm.contract import LAG, OVERLAP, blueprint
from tests.simulators import Copied

START = 1_795_302_000.0
NOBODY = "unassigned@sales.example"


def api_name(field: str) -> str:
    return (
        "_".join("ICP" if word == "icp" else word.capitalize() for word in f"icp_{field}".split("_")) + "__c"
    )


OURS = {name: api_name(name) for name, known in FIELDS.items() if not known.native}
PROPERTIES = {**OURS, "owner": "OwnerId"}
STANDARD = blueprint("agency", "b2c", fields=OURS)
STAMPED = {name: f"ICP_{name.capitalize()}_at_Creation__c" for name in STAMP}
STAMPING = replace(STANDARD, deal_fields=STAMPED)
TYPES: dict[FieldKind, dict[str, object]] = {
    FieldKind.TEXT: {"type": "string", "length": 255},
    FieldKind.NUMBER: {"type": "double", "precision": 18, "scale": 2},
    FieldKind.DATE: {"type": "date"},
    FieldKind.CHOICES: {"type": "multipicklist"},
}


def connect(simulator: Simulator, **how: Any) -> Salesforce:
    """Our adapter on a simulator, giving up at the first failure unless told otherwise."""
    settings: dict[str, Any] = {
        "credentials": Credentials(
            consumer_key=CONSUMER_KEY, consumer_secret=SecretStr(CONSUMER_SECRET), my_domain="simulator.my"
        ),
        "base_url": simulator.url,
        "facts_map": SALESFORCE_DEFAULTS,
        "properties": PROPERTIES,
        "stamp": STAMPED,
        "windows": Windows(overlap=OVERLAP, lag=LAG),
        "vacant_owners": [NOBODY],
        "patience": 0.0,
    }
    return Salesforce(**{**settings, **how})


class Org:
    """The world of the contract suite, on a simulator without accounts."""

    page_size = 20
    archives = False
    editors = frozenset({Editor.OURS, Editor.PERSON, Editor.WORKFLOW, Editor.APP})

    def __init__(self, **how: Any) -> None:
        self._running: list[Simulator] = []
        self._crms: list[Salesforce] = []
        self._old = 0.0
        self._taken: dict[str, FieldDef] = {}
        self.simulator = self._started(_provisioned().another())
        self.crm = self._connect(self.simulator, **{"page_size": self.page_size, "clock": self._clock, **how})

    def _clock(self) -> float:
        return time.monotonic() + self._old

    def _started(self, simulator: Simulator) -> Simulator:
        self._running.append(simulator.start())
        return simulator

    def connect(self, **how: Any) -> Salesforce:
        """Another adapter on the same org."""
        return self._connect(self.simulator, **how)

    def _connect(self, simulator: Simulator, **how: Any) -> Salesforce:
        self._crms.append(connect(simulator, **how))
        return self._crms[-1]

    def close(self) -> None:
        for crm in self._crms:
            crm.close()
        for simulator in self._running:
            simulator.stop()

    def advance(self, seconds: float) -> None:
        self.simulator.admin("POST clock", advance=seconds)

    def create(self, name: str = "Acme", *, late: float = 0.0) -> str:
        made = self.simulator.admin("POST create", properties={"Name": name}, visible_late=late)
        return str(made["id"])

    def create_many(self, count: int) -> Sequence[str]:
        ids = self.simulator.admin("POST create", properties={"Name": "Many"}, count=count)["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def edit(self, id: str, *, late: float = 0.0, **fields: str) -> None:
        properties = {PROPERTIES[name]: value for name, value in fields.items()}
        self.simulator.admin("POST edit", id=id, properties=properties, visible_late=late)

    def edit_as(self, id: str, by: Editor, **fields: str) -> None:
        properties = {PROPERTIES[name]: value for name, value in fields.items()}
        self.simulator.admin("POST edit", id=id, properties=properties, source=by.value)

    def touch(self, id: str) -> None:
        self.simulator.admin("POST bump", ids=[id])

    def delete(self, id: str) -> None:
        self.simulator.admin("POST delete", id=id)

    def merge(self, loser: str, survivor: str) -> None:
        self.simulator.admin("POST merge", **{"from": loser, "into": survivor})

    def put_under(self, id: str, parent: str) -> None:
        self.simulator.admin("POST edit", id=id, properties={"ParentId": parent})

    def add_contact(self, id: str, title: str = "") -> str:
        held = {"LastName": "Somebody"} | ({"Title": title} if title else {})
        made = self.simulator.admin("POST create", type="contacts", account=id, properties=held)
        return str(made["id"])

    def drop_contact(self, contact: str) -> None:
        self.simulator.admin("POST delete", type="contacts", id=contact)

    def add_deal(
        self, account: str, *, won: bool | None = None, amount: float | None = None, name: str = "A sale"
    ) -> str:
        stage = {None: "Prospecting", True: "Closed Won", False: "Closed Lost"}[won]
        (id,) = self._deals(account, 1, {"Name": name, "StageName": stage, "Amount": amount})
        return id

    def add_deals(self, account: str, count: int) -> Sequence[str]:
        return self._deals(account, count, {"Name": "Many", "StageName": "Prospecting"})

    def _deals(self, account: str, count: int, properties: dict[str, object]) -> list[str]:
        properties = {"CloseDate": "2026-12-31", **{n: v for n, v in properties.items() if v is not None}}
        tied = {"account": account} if account else {}
        made = self.simulator.admin(
            "POST create", type="opportunities", count=count, properties=properties, **tied
        )
        ids = made["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def win_deal(self, deal: str) -> None:
        won = {"StageName": "Closed Won"}
        self.simulator.admin("POST edit", type="opportunities", id=deal, properties=won)

    def drop_deal(self, deal: str) -> None:
        self.simulator.admin("POST delete", type="opportunities", id=deal)

    def forbid_deals(self) -> str:
        self.simulator.admin("POST fields", object="Opportunity", hide=["StageName", "IsWon", "IsClosed"])
        return "Opportunity"

    def blueprint(self, *flags: str) -> Blueprint:
        return blueprint(*flags, fields=OURS)

    def define(
        self,
        name: str,
        label: str,
        kind: FieldKind = FieldKind.TEXT,
        options: tuple[str, ...] = (),
        *,
        archived: bool = False,
    ) -> CrmField:
        api = f"{name.capitalize()}__c"
        made: dict[str, object] = {"name": api, "label": label, **TYPES[kind]}
        if options:
            made["values"] = list(options)
        self.simulator.admin("POST fields", object="Account", define=made, show=[api])
        return CrmField(
            name=api,
            label=label,
            kind=kind,
            type=str(made["type"]),
            options=options,
            separator=";" if kind is FieldKind.CHOICES else "",
        )

    def type_in(self, id: str, field: CrmField, value: str) -> None:
        self.simulator.admin("POST edit", id=id, properties={field.name: value})

    def break_reads(self, after: int) -> None:
        if not after:
            self.fault("503", "GET query")
        for nth in range(after + 1, after + 6):
            self.fault("503", r"composite/sobjects/Account|jobs/query/\w+/results", nth=nth)

    def mend(self) -> None:
        self.simulator.admin("DELETE faults")

    def lose_next_reply(self) -> None:
        self.fault("reset_after_apply", "PATCH composite/sobjects", nth=1)

    # Deals that are stamped

    @property
    def stamp(self) -> dict[str, str]:
        return STAMPED

    def type_on_deal(self, deal: str, **fields: str) -> None:
        typed = {STAMPED[name]: value for name, value in fields.items()}
        self.simulator.admin("POST edit", type="opportunities", id=deal, properties=typed)

    def lock_deal(self, deal: str) -> None:
        """It waits for somebody's approval."""
        self.simulator.admin("POST access", lock=[deal])

    def lose_next_note(self) -> None:
        self.lose_next_reply()

    def break_notes(self) -> None:
        self.fault("503", "PATCH composite/sobjects")

    def take_away_stamp(self, field: str) -> None:
        self.simulator.admin("POST fields", object="Opportunity", remove=[STAMPED[field]])

    def depend(self, field: str) -> str:
        self.simulator.admin("POST depend", field=OURS[field], by="Flow", name="Route by tier")
        return "Route by tier"

    def take_away(self, field: str) -> None:
        self._keep(field)
        self.simulator.admin("POST fields", remove=[OURS[field]])

    def drop_option(self, field: str, option: str) -> None:
        known = self._keep(field)
        left = tuple(one for one in known.choices if one.value != option)
        self._set_up(replace(known, choices=left))

    def give_back(self, field: str) -> None:
        self._set_up(self._taken.pop(field))

    def _keep(self, field: str) -> FieldDef:
        known = self.simulator.org.accounts.field(OURS[field])
        assert known is not None
        return self._taken.setdefault(field, known)

    def _set_up(self, field: FieldDef) -> None:
        """An administrator changes a field in the setup."""
        with self.simulator.org.lock:
            self.simulator.org.accounts.add_field(field)

    def grow_old(self) -> None:
        self._old += 1_000.0
        self.advance(1_000.0)

    def trust_with_owners(self) -> None:
        """An administrator lets the integration transfer records, whatever permission set of ours it has."""
        org = self.simulator.org
        with org.lock:
            sets, source = org.objects["permissionset"], Source("UI", user_id=org.admin.number)
            given = {"Name": "Transfers", "Label": "Transfers", "PermissionsTransferAnyEntity": "true"}
            made = sets.id_of(sets.create(given, source))
            row = {"PermissionSetId": made, "AssigneeId": org.integration.id}
            org.objects["permissionsetassignment"].create(row, source)

    def fault(self, kind: str, match: str, **how: object) -> None:
        self.simulator.admin("POST faults", kind=kind, match=match, **how)

    def bare(self) -> Salesforce:
        return self._connect(self._started(_bare()))


def _bare() -> Simulator:
    simulator = Simulator(crm="salesforce", accounts=0, start_clock=START)
    simulator.admin("POST clock", freeze=True)
    return simulator


@cache
def _provisioned() -> Copied:
    """An org with our fields, made once: every test has a copy."""
    simulator = _bare().start()
    crm = connect(simulator)
    crm.provision(STAMPING, apply=True)
    crm.close()
    simulator.admin("POST fields", track=[PROPERTIES["tier"]])
    simulator.admin("DELETE stats")
    return Copied(simulator)
