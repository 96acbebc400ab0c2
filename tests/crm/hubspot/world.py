"""A HubSpot portal for tests: our adapter against the simulator, whose clock only moves when told to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from pydantic import SecretStr

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.windows import Windows
from icp_sync.domain.stamp import STAMP
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.ports import Blueprint, CrmField, Editor, FieldKind
from icp_sync.quota import Quota, Rate
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.catalogue import Property
from icp_sync.simulator.hubspot.catalogue import options as choices
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.crm.contract import LAG, OURS, OVERLAP, STANDARD, blueprint
from tests.simulators import Copied

START = 1_795_302_000.0
UNLIMITED = {"burst": Rate(1_000_000, 1.0), "search": Rate(1_000_000, 1.0)}
TYPES = {
    FieldKind.TEXT: ("string", "text"),
    FieldKind.NUMBER: ("number", "number"),
    FieldKind.DATE: ("date", "date"),
    FieldKind.CHOICES: ("enumeration", "checkbox"),
}
SOURCES = {
    Editor.PERSON: "person",
    Editor.WORKFLOW: "workflow",
    Editor.IMPORT: "import",
    Editor.APP: "app",
    Editor.OURS: "",
}
PROPERTIES = {**OURS, "owner": "hubspot_owner_id", "target_account": "hs_is_target_account"}


def connect(simulator: Simulator, **how: Any) -> HubSpot:
    """Our adapter on a simulator, without limits, giving up at the first failure unless told otherwise."""
    settings: dict[str, Any] = {
        "token": SecretStr(simulator.token),
        "base_url": simulator.url,
        "facts_map": HUBSPOT_DEFAULTS,
        "properties": PROPERTIES,
        "quota": Quota(UNLIMITED),
        "windows": Windows(overlap=OVERLAP, lag=LAG),
        "patience": 0.0,
    }
    return HubSpot(**{**settings, **how})


class Portal:
    """The world of the contract suite, on a simulator without accounts."""

    page_size = 20
    archives = True
    editors = frozenset(SOURCES)

    def __init__(self, **how: Any) -> None:
        self._running: list[Simulator] = []
        self._before: dict[str, Property] = {}
        self.simulator = self._started(_provisioned().another())
        self.crm = connect(self.simulator, **{"page_size": self.page_size, **how})

    def _started(self, simulator: Simulator) -> Simulator:
        self._running.append(simulator.start())
        return simulator

    def close(self) -> None:
        self.crm.close()
        for simulator in self._running:
            simulator.stop()

    def advance(self, seconds: float) -> None:
        self.simulator.admin("POST clock", advance=seconds)

    def create(self, name: str = "Acme", *, late: float = 0.0) -> str:
        made = self.simulator.admin("POST create", properties={"name": name}, visible_late=late)
        return str(made["id"])

    def create_many(self, count: int) -> Sequence[str]:
        made = self.simulator.admin("POST create", properties={"name": "Many"}, count=count)
        ids = made["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def edit(self, id: str, *, late: float = 0.0, **fields: str) -> None:
        properties = {PROPERTIES[name]: value for name, value in fields.items()}
        self.simulator.admin("POST edit", id=id, properties=properties, visible_late=late)

    def edit_as(self, id: str, by: Editor, **fields: str) -> None:
        properties = {PROPERTIES[name]: value for name, value in fields.items()}
        self.simulator.admin("POST edit", id=id, properties=properties, source=SOURCES[by])

    def touch(self, id: str) -> None:
        self.simulator.admin("POST bump", ids=[id])

    def delete(self, id: str) -> None:
        self.simulator.admin("POST delete", id=id)

    def merge(self, loser: str, survivor: str) -> None:
        self.simulator.admin("POST merge", **{"from": loser, "into": survivor})

    def put_under(self, id: str, parent: str) -> None:
        self.simulator.admin("POST edit", id=id, properties={"hs_parent_company_id": parent})

    def add_contact(self, id: str, title: str = "") -> str:
        held = {"jobtitle": title} if title else {}
        made = self.simulator.admin("POST create", type="contacts", company=id, properties=held)
        return str(made["id"])

    def drop_contact(self, contact: str) -> None:
        self.simulator.admin("POST delete", type="contacts", id=contact)

    def add_deal(
        self, account: str, *, won: bool | None = None, amount: float | None = None, name: str = "A sale"
    ) -> str:
        stage = {None: "contractsent", True: "closedwon", False: "closedlost"}[won]
        return self.make_deal(account, dealname=name, amount=amount, dealstage=stage)

    def make_deal(self, account: str, **properties: object) -> str:
        (id,) = self._deals(account, 1, properties)
        return id

    def add_deals(self, account: str, count: int) -> Sequence[str]:
        return self._deals(account, count, {"dealname": "Many"})

    def _deals(self, account: str, count: int, properties: dict[str, object]) -> list[str]:
        tied = {"company": account} if account else {}
        made = self.simulator.admin("POST create", type="deals", count=count, properties=properties, **tied)
        ids = made["ids"]
        assert isinstance(ids, list)
        return [str(id) for id in ids]

    def change_deal(self, deal: str, **properties: object) -> None:
        self.simulator.admin("POST edit", type="deals", id=deal, properties=properties)

    def win_deal(self, deal: str) -> None:
        self.change_deal(deal, dealstage="closedwon")

    def drop_deal(self, deal: str) -> None:
        self.simulator.admin("POST delete", type="deals", id=deal)

    def forbid_deals(self) -> str:
        right = "crm.objects.deals.read"
        scopes = sorted(SCOPES - {right})
        self.simulator.admin("POST tokens", token=self.simulator.token, scopes=scopes)
        return right

    def blueprint(self, *flags: str) -> Blueprint:
        return blueprint(*flags)

    def define(
        self,
        name: str,
        label: str,
        kind: FieldKind = FieldKind.TEXT,
        options: tuple[str, ...] = (),
        *,
        archived: bool = False,
    ) -> CrmField:
        type, widget = TYPES[kind]
        self.simulator.portal.catalogue.put(
            Property(
                name=name,
                label=label,
                type=type,
                field_type=widget,
                options=choices((value, value) for value in options),
                custom=True,
                archived_at=1 if archived else None,
            )
        )
        return CrmField(
            name=name,
            label=label,
            kind=kind,
            type=f"{type}/{widget}" if widget not in (type, "text") else type,
            options=options,
            separator=";" if kind is FieldKind.CHOICES else "",
            archived=archived,
        )

    def type_in(self, id: str, field: CrmField, value: str) -> None:
        self.simulator.admin("POST edit", id=id, properties={field.name: value})

    def break_reads(self, after: int) -> None:
        for nth in range(after + 1, after + 6):
            self.fault("503", "batch/read|GET companies$", nth=nth)

    def mend(self) -> None:
        self.simulator.admin("DELETE faults")

    def lose_next_reply(self) -> None:
        self.fault("reset_after_apply", "batch/update", nth=1)

    def fault(self, kind: str, match: str, **how: object) -> None:
        self.simulator.admin("POST faults", kind=kind, match=match, **how)

    def depend(self, field: str) -> str:
        self.see_lists()
        self.simulator.admin("POST depend", property=PROPERTIES[field], by="list", name="Hot accounts")
        return "Hot accounts"

    def see_lists(self, *, may: bool = True) -> None:
        scopes = sorted(SCOPES if may else SCOPES - {"crm.lists.read", "crm.lists.write"})
        self.simulator.admin("POST tokens", token=self.simulator.token, scopes=scopes)

    def take_away(self, field: str) -> None:
        self.change(field, archived_at=1)

    def drop_option(self, field: str, option: str) -> None:
        held = self.definition(field).options
        self.change(field, options=tuple(one for one in held if one["value"] != option))

    def give_back(self, field: str) -> None:
        self.simulator.portal.catalogue.put(self._before.pop(field))

    def change(self, field: str, **how: Any) -> None:
        """An admin changes the property behind a field; `give_back` undoes it."""
        found = self.definition(field)
        self._before.setdefault(field, found)
        self.simulator.portal.catalogue.put(replace(found, **how))

    def definition(self, field: str) -> Property:
        return self.simulator.portal.catalogue.all[PROPERTIES[field]]

    def grow_old(self) -> None:
        self.crm._catalogue._read_at = float("-inf")
        self.crm._catalogue._made.clear()

    def bare(self) -> HubSpot:
        return connect(self._started(_bare()))


class Stamping(Portal):
    """The same where deals are stamped."""

    def __init__(self, version: str, **how: Any) -> None:
        self.version = version
        self.stamp = {name: f"icp_{name}_at_creation" for name in STAMP}
        super().__init__(stamp=self.stamp, version=version, **how)
        plan = replace(STANDARD, deal_fields=self.stamp, follows_deals=True)
        self.crm.provision(plan, apply=True)

    def type_on_deal(self, deal: str, **fields: str) -> None:
        self.change_deal(deal, **{self.stamp[name]: value for name, value in fields.items()})

    def lock_deal(self, deal: str) -> None:
        """An admin's rule asks for more before anything of this deal may be written, from 2026-09 on."""
        if self.version != "2026-09":
            pytest.skip("in this version no rule of a portal refuses one deal alone")
        self.change_deal(deal, dealname="Locked")
        rule = {"when": {"property": "dealname", "value": "Locked"}, "require": ["dealtype"]}
        self.simulator.admin("POST settings", conditional_required=[rule], conditional_on_any_write=True)

    def lose_next_note(self) -> None:
        self.fault("reset_after_apply", "deals/batch/update", nth=1)

    def break_notes(self) -> None:
        self.fault("503", "deals/batch/update")

    def take_away_stamp(self, field: str) -> None:
        catalogue = self.simulator.portal.deals.catalogue
        catalogue.put(replace(catalogue.all[self.stamp[field]], archived_at=1))

    def grow_old(self) -> None:
        super().grow_old()
        self.crm._annotator.forget()


def _bare() -> Simulator:
    simulator = Simulator(accounts=0, index_lag=3.0, start_clock=START)
    simulator.admin("POST clock", freeze=True)
    simulator.admin("POST settings", property_lag=0.0, follow_up=False)
    return simulator


@cache
def _provisioned() -> Copied:
    """A portal with our properties, made once: every test has a copy."""
    simulator = _bare().start()
    crm = connect(simulator)
    crm.provision(STANDARD, apply=True)
    crm.close()
    simulator.admin("DELETE stats")
    return Copied(simulator)
