"""The parts of the adapter that provision and check, on one simulated org, and blueprints to try."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass

import responses
from pydantic import SecretStr

from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client, Json
from icp_sync.crm.salesforce.login import Credentials, Login
from icp_sync.crm.salesforce.provisioning.provision import provision
from icp_sync.crm.salesforce.roster import roster
from icp_sync.ports import Blueprint, Step, StepKind
from icp_sync.quota import Quota, Rate
from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import SESSION
from tests.crm.salesforce.world import OURS, STANDARD

FLAGS, TIER = OURS["flags"], OURS["tier"]


@dataclass(frozen=True)
class Parts:
    """The adapter's parts that provision and check, on one simulated org."""

    client: Client
    catalogue: Catalogue
    roster: Roster

    def provision(self, blueprint: Blueprint = STANDARD, *, apply: bool = True) -> list[Step]:
        return provision(self.client, self.catalogue, blueprint, apply=apply)

    def field(self, name: str) -> Json | None:
        found = self.client.describe("Account")["fields"]
        return next((field for field in found if field["name"] == name), None)

    def values(self, name: str) -> list[tuple[str, str, bool]]:
        field = self.field(name)
        assert field is not None
        return [(one["value"], one["label"], one["active"]) for one in field["picklistValues"]]

    def rows(self, soql: str) -> list[Json]:
        return [row for page in self.client.query(soql) for row in page]


def connect(url: str, *, session: str = SESSION, properties: Mapping[str, str] | None = None) -> Parts:
    quota = Quota({"daily": Rate(1_000_000, 86_400.0)})
    login = Login(Credentials(session_id=SecretStr(session)), base_url=url)
    client = Client(login=login, base_url=url, quota=quota, patience=0.0)
    return Parts(client, Catalogue(client, properties or OURS, name="test"), roster(client))


def only(*fields: str, flags: tuple[str, ...] = ()) -> Blueprint:
    pairs = {"flags": tuple((flag, flag) for flag in flags)}
    return Blueprint(
        group="icp", group_label="ICP", fields={name: OURS[name] for name in fields}, options=pairs
    )


def define(simulator: Simulator, **field: object) -> None:
    """Somebody else's field."""
    simulator.admin("POST fields", object="Account", define=field)


def by_name(steps: list[Step]) -> dict[str, Step]:
    return {step.what: step for step in steps}


def kinds(steps: list[Step]) -> set[StepKind]:
    return {step.kind for step in steps}


def record_type_values(bare: Simulator, server: responses.RequestsMock, **values: list[str]) -> None:
    """What the org says a record type offers."""
    server.add_passthru(bare.url)
    found = {OURS[name]: {"values": [{"value": one} for one in listed]} for name, listed in values.items()}
    for known in bare.org.record_types.values():
        path = f"ui-api/object-info/Account/picklist-values/{known.id}"
        server.add("GET", f"{bare.url}/services/data/v66.0/{path}", json={"picklistFieldValues": found})


@contextmanager
def refusing(bare: Simulator, *words: str) -> Iterator[None]:
    """No query with these words is answered."""
    refusal = [{"errorCode": "QUERY_TIMEOUT", "message": "Your query request was running for too long."}]
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        for one in words:
            asked = re.compile(r".*/query/?\?q=.*" + re.escape(one).replace(r"\ ", r"(\+|%20)"))
            server.add("GET", asked, status=400, json=refusal)
        yield
