"""The simulator's READMEs name everything there is to turn, ask and break."""

import re
from pathlib import Path

import pytest

import icp_sync.simulator as package
from icp_sync.simulator import Simulator
from icp_sync.simulator.controls import CONTROLS
from icp_sync.simulator.faults import KINDS
from icp_sync.simulator.salesforce import refusals
from icp_sync.simulator.salesforce.controls import CONTROLS as ORG_CONTROLS
from icp_sync.simulator.salesforce.endpoints import ENDPOINTS
from icp_sync.simulator.salesforce.switches import Switches as OrgSwitches
from icp_sync.simulator.switches import Switches

HERE = Path(package.__file__).parent
SHARED = (HERE / "README.md").read_text(encoding="utf-8")
ORG = (HERE / "salesforce" / "README.md").read_text(encoding="utf-8")
ROUTES = [route for found in ENDPOINTS.by_length.values() for _, route in found]


def table(text: str, section: str) -> dict[str, str]:
    """The rows of a section's tables: every name in the first cell to the second cell."""
    [_, after] = text.split(f"\n## {section}\n")
    rows = [line.split(" | ") for line in after.partition("\n## ")[0].splitlines() if line.startswith("| `")]
    return {name: cells[1].strip(" |") for cells in rows for name in re.findall(r"`([^`]+)`", cells[0])}


@pytest.mark.parametrize("name", [*CONTROLS, *KINDS, *Switches().as_json()])
def test_the_readme_names(name):
    assert f"`{name}`" in SHARED or f"`{name}/{{id}}`" in SHARED


@pytest.mark.parametrize("name", [*ORG_CONTROLS, *refusals.KINDS, *OrgSwitches().as_json()])
def test_the_readmes_name_what_salesforce_has(name):
    assert f"`{name}`" in ORG or (name in {**CONTROLS, **KINDS} and f"`{name}`" in SHARED)


def test_the_tables_of_the_salesforce_readme_hold_nothing_there_is_not():
    controls = table(ORG, "Controls")
    assert set(ORG_CONTROLS) <= set(controls) <= {*CONTROLS, *ORG_CONTROLS}
    assert set(table(ORG, "Faults")) == set(refusals.KINDS) - set(KINDS)
    assert set(table(ORG, "Where nobody knows what Salesforce does")) == set(OrgSwitches().as_json())


@pytest.mark.parametrize("name", OrgSwitches().as_json())
def test_the_readme_tells_the_default_of_each_salesforce_switch(name):
    told = table(ORG, "Where nobody knows what Salesforce does")[name].replace(",", "")
    default = OrgSwitches().as_json()[name]
    if isinstance(default, bool):
        wanted = "true, false" if name.startswith("duplicate_") else str(default).lower()
        assert told == wanted.replace(",", "")
    elif default is None:
        assert told in ("null", "the plan's")
    else:
        assert told == f"{default:g} s"


@pytest.mark.parametrize("route", ROUTES, ids=[route.title for route in ROUTES])
def test_the_salesforce_readme_names_every_endpoint_with_its_method(route):
    label = route.title.removeprefix(f"{route.method} ")
    [_, after] = ORG.split("\n## Endpoints\n")
    lines = [line for line in after.partition("\n## ")[0].splitlines() if f"`{label}`" in line]
    assert any(
        route.method in part.split("`")[0] for line in lines for part in clauses(line) if f"`{label}`" in part
    )


def clauses(line: str) -> list[str]:
    """The parts of an endpoints row that each begin with their methods."""
    return [part.strip(" |") for part in line.rpartition(" | ")[2].split("; ")]


@pytest.mark.parametrize(("crm", "text"), [("hubspot", SHARED), ("salesforce", ORG)])
def test_the_edit_a_readme_shows_can_be_made(crm, text):
    accounts = int(re.search(r"Simulator\(.*accounts=(\d+)", text)[1])
    control, arguments = re.search(r'crm\.admin\("(POST edit)", (.*)\)', text).groups()
    simulator = Simulator(crm, accounts=accounts)
    given = eval(f"dict({arguments})", {})
    assert simulator.admin(control, **given)["changed"] is True
    assert simulator.admin("GET stats")["index_waiting"] == 1


def test_the_pages_point_at_each_other():
    assert "(salesforce/README.md)" in SHARED
    assert "(../README.md)" in ORG
