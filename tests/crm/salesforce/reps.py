"""An org with our fields and accounts of every tier, and what reps see of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache

from icp_sync.crm.salesforce.provisioning.deploying import deploy
from icp_sync.crm.salesforce.provisioning.metadata import Component
from icp_sync.crm.salesforce.views import making
from icp_sync.crm.salesforce.views.components import developer_name
from icp_sync.domain.standing import STATES
from icp_sync.domain.views import VIEWS, View
from icp_sync.ports import Blueprint, StepKind, Views, ViewStep
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import Parts, connect
from tests.crm.salesforce.world import OURS, STANDARD
from tests.simulators import Copied

TIER, LANE, CHANGED, SCORE = (OURS[name] for name in ("tier", "lane", "tier_changed_at", "fit_score"))
DAY = 86_400


@dataclass(frozen=True)
class Reps:
    """One org and its views."""

    bare: Simulator
    org: Parts

    def views(
        self,
        known: Mapping[str, str] | None = None,
        *,
        blueprint: Blueprint = STANDARD,
        apply: bool = True,
        force: bool = False,
    ) -> Views:
        return making.views(self.org.client, VIEWS, blueprint, known or {}, apply=apply, force=force)

    def shown(self, view: View) -> set[str]:
        """The ids of the records a list view shows."""
        sobject = "Account" if view.of == "accounts" else "Contact"
        listed = self.org.client.call("GET", f"sobjects/{sobject}/listviews").data
        assert isinstance(listed, dict)
        name = developer_name(view)
        [id] = [one["id"] for one in listed["listviews"] if one["developerName"] == name]
        path = f"sobjects/{sobject}/listviews/{id}/results"
        found = self.org.client.call("GET", path, params={"limit": "2000"}).data
        assert isinstance(found, dict)
        cells = ({one["fieldNameOrPath"]: one["value"] for one in row["columns"]} for row in found["records"])
        return {str(row["Id"]) for row in cells}

    def ids(self, soql: str) -> set[str]:
        return {str(row["Id"]) for row in self.org.rows(soql)}

    def give(self, id: str, **values: object) -> None:
        self.bare.admin("POST edit", id=id, properties=values)

    def sections(self) -> dict[str, list[tuple[str, list[str]]]]:
        """Layout → its sections in order, each with its fields."""
        found = self.bare.admin("POST layouts")["layouts"]
        assert isinstance(found, dict)
        return {name: [(label, fields) for label, fields in held] for name, held in found.items()}

    def deployed(self, *components: Component) -> None:
        """An administrator deploys something."""
        assert deploy(self.org.client, components, check_only=False) == []


@cache
def _provisioned() -> Copied:
    with Simulator(crm="salesforce", accounts=30, contacts=True) as simulator:
        connect(simulator.url).provision()
    return Copied(simulator)


@contextmanager
def settled() -> Iterator[Reps]:
    """An org with our fields, whose time stands still; each account changed a day before the one above it."""
    with _provisioned().another() as bare:
        one = Reps(bare, connect(bare.url))
        bare.admin("POST clock", freeze=True)
        for at, row in enumerate(one.org.rows("SELECT Id FROM Account ORDER BY Id")):
            state = [*STATES, None][at % (len(STATES) + 1)]
            lane = "research" if at % 3 == 0 else "sales"
            since = _instant(bare.org.clock.now() - at * DAY)
            one.give(str(row["Id"]), **{TIER: state, LANE: lane, SCORE: at, CHANGED: since})
        yield one


def _instant(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def known(views: Views) -> dict[str, str]:
    return {one.key: one.id for one in views.steps if one.key and one.id}


def step(views: Views, what: str) -> ViewStep:
    [found] = [one for one in views.steps if what in (one.key, one.step.what)]
    return found


def kinds(views: Views) -> set[StepKind]:
    return {one.step.kind for one in views.steps}
