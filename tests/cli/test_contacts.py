""" "Has a VP Sales", answered from the contacts in the CRM, from the settings to `explain`."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.simulator import Simulator
from tests.cli.conftest import Place

PROFILE = """
profile: sells-already
currency: USD
criteria:
  - {name: Has a VP Sales, layer: buying, fact: contact_titles, any_of: [vp sales], weight: 60}
  - {name: Some contacts, layer: buying, fact: contacts, at_least: 1, weight: 40}
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A settled connection whose profile asks for a VP Sales."""
    profile = tmp_path / "profile.yaml"
    profile.write_text(PROFILE)
    with Simulator(accounts=0, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        place = Place(tmp_path, crm)
        place.write(profile=profile, more='[[connections.main.enrichers]]\nuse = "contacts"')
        yield place


def company(place: Place, name: str, *titles: str) -> str:
    made = str(place.crm.admin("POST create", properties={"name": name})["id"])
    for title in titles:
        place.crm.admin("POST create", type="contacts", company=made, properties={"jobtitle": title})
    return made


def test_a_vp_sales_in_the_crm_decides_the_tier_and_explain_says_from_where(place: Place) -> None:
    selling = company(place, "Acme", "Vice President, Sales EMEA", "CFO")
    other = company(place, "Beta", "CFO")
    for step in (("provision", "--apply"), ("profile", "activate"), ("mode", "write")):
        place.run(*step)
    place.settle()
    held = place.crm.portal.store.records
    tiers = {
        id: (held[int(id)].props["icp_tier"], held[int(id)].props["icp_certainty"]) for id in (selling, other)
    }
    assert tiers[selling] == ("A", "firm")
    assert tiers[other][1] != "firm"
    said = place.run("explain", selling).stdout
    assert "vp sales" in said
    assert "contacts" in said
