"""Our section on an org's page layouts: on every one, once, and nothing else of it touched."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.crm.salesforce.client import Json
from icp_sync.crm.salesforce.views import sections
from icp_sync.domain.standing import FIELDS
from icp_sync.ports import StepKind
from tests.crm.salesforce.reps import Reps, settled, step
from tests.crm.salesforce.world import OURS

SECTION = "section ICP fit on the page layout Account Layout"


@pytest.fixture
def reps() -> Iterator[Reps]:
    with settled() as one:
        yield one


def test_every_layout_gets_our_section_behind_its_first_and_keeps_all_it_had(reps: Reps) -> None:
    reps.bare.admin("POST layouts", name="Partner Layout", fields=[OURS["tier"]])
    before = reps.sections()
    whole = _layout(reps)
    reps.views()
    left, right = sections.columns(OURS)
    for name, held in before.items():
        ours = [one for one in (*left, *right) if name == "Account Layout" or one != OURS["tier"]]
        assert reps.sections()[name] == [held[0], ("ICP fit", ours), *held[1:]]
    now = _layout(reps)
    assert {key: value for key, value in now.items() if key != "layoutSections"} == {
        key: value for key, value in whole.items() if key != "layoutSections"
    }
    items = [item for one in now["layoutSections"][1]["layoutColumns"] for item in one["layoutItems"]]
    editable = {item["field"] for item in items if item["behavior"] == "Edit"}
    assert editable == {OURS[name] for name, field in FIELDS.items() if field.theirs}


def _layout(reps: Reps) -> Json:
    [row] = [one for one in reps.bare.org.layouts if one.name == "Account Layout"]
    found = reps.org.client.call("GET", f"tooling/sobjects/Layout/{row.id}").data
    assert isinstance(found, dict)
    return dict(found["Metadata"])


def test_a_section_of_our_name_with_other_fields_is_somebodys_own(reps: Reps) -> None:
    [layout] = reps.bare.org.layouts
    metadata = _layout(reps)
    metadata["layoutSections"][0]["label"] = "ICP fit"
    reps.org.client.call("PATCH", f"tooling/sobjects/Layout/{layout.id}", json={"Metadata": metadata})
    before = reps.sections()
    assert step(reps.views(), SECTION).step.kind is StepKind.CONFLICT
    assert reps.sections() == before


def test_a_layout_that_cannot_be_changed_is_told_and_the_others_are(reps: Reps) -> None:
    reps.bare.admin("POST layouts", name="Feed Layout", feed=True)
    reps.bare.admin("POST layouts", name="Packaged Layout", namespace="acme")
    told = reps.views()
    refused = step(told, "section ICP fit on the page layout Feed Layout")
    assert (refused.step.kind, refused.step.done) == (StepKind.CONFLICT, False)
    assert "VALUE_STRING" in refused.step.detail
    assert step(told, SECTION).step.done
    assert not any("Packaged" in one.step.what for one in told.steps)
    assert any("drag Section" in one for one in told.by_hand)


def test_a_lightning_page_with_fields_of_its_own_is_told_with_what_to_do(reps: Reps) -> None:
    reps.bare.admin("POST layouts", page="Account Page", dynamic=True)
    reps.bare.admin("POST layouts", page="Plain Page", dynamic=False)
    told = reps.views()
    assert step(told, "Lightning page Account Page").step.kind is StepKind.NOTE
    said = [one for one in told.by_hand if "Lightning App Builder" in one]
    assert len(said) == 1
    assert "Account Page" in said[0]
    assert "ICP tier, ICP priority" in said[0]
