"""Whose value is it? What an org's field history says, and what it keeps to itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.domain.plan import Write
from icp_sync.ports import Edit, Editor
from tests.crm.contract import OWNED
from tests.crm.salesforce.world import PROPERTIES, START, Org


@pytest.fixture
def org() -> Iterator[Org]:
    world = Org()
    yield world
    world.close()


def track(org: Org, *fields: str) -> None:
    org.simulator.admin("POST fields", track=[PROPERTIES[name] for name in fields])


def type_in(org: Org, id: str, source: str = "person", **fields: str) -> None:
    properties = {PROPERTIES[name]: value for name, value in fields.items()}
    org.simulator.admin("POST edit", id=id, properties=properties, source=source)
    org.advance(5.0)


def versions(org: Org, id: str, field: str) -> list[tuple[str, Editor]]:
    told = org.crm.history([id], [field]).get(id, {}).get(field, ())
    return [(edit.value, edit.by) for edit in told]


def test_the_values_of_a_tracked_field_come_newest_first_with_the_class_of_who_wrote_them(org: Org) -> None:
    id = org.create()
    track(org, "tier", "lane")
    for tier, source in (("A", "person"), ("B", "app"), ("C", "workflow"), ("D", "import")):
        type_in(org, id, source, tier=tier)
    list(org.crm.write([Write(account_id=id, values={"tier": "A", "lane": "sales"}, expected={})]))
    assert versions(org, id, "tier") == [
        ("A", Editor.OURS),
        ("D", Editor.PERSON),  # an import is made by a person, and nothing says how
        ("C", Editor.WORKFLOW),
        ("B", Editor.APP),
        ("A", Editor.PERSON),
    ]


def test_who_and_when_are_told(org: Org) -> None:
    id = org.create()
    track(org, "tier")
    type_in(org, id, tier="B")
    (edit,) = org.crm.history([id], ["tier"])[id]["tier"]
    assert edit == Edit(value="B", at=round(START * 1000), by=Editor.PERSON, who="Ada Admin")


def test_owners_are_emails_and_numbers_and_instants_canonical(org: Org) -> None:
    id = org.create()
    track(org, "owner", "fit_score", "routed_at", "routed_owner")
    type_in(org, id, owner=OWNED, fit_score="72.50", routed_at="2026-11-21T22:00:00.000Z", routed_owner=OWNED)
    type_in(org, id, routed_owner="")
    told = org.crm.history([id], ["owner", "fit_score", "routed_at", "routed_owner"])[id]
    assert {field: [edit.value for edit in edits] for field, edits in told.items()} == {
        "owner": [OWNED],
        "fit_score": ["72.5"],
        "routed_at": ["2026-11-21T22:00:00.000Z"],
        "routed_owner": ["", OWNED],
    }


def test_nothing_is_told_of_fields_that_are_not_tracked_keep_no_values_or_are_none(org: Org) -> None:
    id = org.create()
    type_in(org, id, certainty="firm")
    track(org, "reasons", "flags", "certainty")
    type_in(org, id, lane="sales", reasons="because", flags="agency")
    asked = ["certainty", "lane", "reasons", "flags", "no field"]
    assert org.crm.history([id, "nonsense", ""], asked) == {}
    assert org.crm.history([], ["tier"]) == {}


def test_what_was_tracked_once_and_is_no_more_is_not_told(org: Org) -> None:
    id = org.create()
    track(org, "tier")
    type_in(org, id, tier="A")
    org.simulator.admin("POST fields", untrack=[PROPERTIES["tier"]])
    assert org.crm.history([id], ["tier"]) == {}


def test_many_accounts_are_asked_in_few_calls(org: Org) -> None:
    ids = org.create_many(450)
    track(org, "tier")
    for id in (ids[0], ids[-1]):
        type_in(org, id, tier="A")
    org.crm.history(ids[:1], ["tier"])
    org.simulator.admin("DELETE stats")
    assert set(org.crm.history(ids, ["tier"])) == {ids[0], ids[-1]}
    asked = org.simulator.admin("GET requests")["results"]
    assert isinstance(asked, list)
    assert len(asked) == 3


def test_hidden_history_or_profiles_are_no_news_and_no_error(org: Org) -> None:
    id = org.create()
    track(org, "tier")
    type_in(org, id, "app", tier="A")
    org.simulator.admin("POST fields", object="Profile", hide=["PermissionsApiUserOnly"])
    assert versions(org, id, "tier") == [("A", Editor.PERSON)]
    org.simulator.admin("POST fields", object="FieldDefinition", hide=["IsFieldHistoryTracked"])
    assert org.connect().history([id], ["tier"]) == {}
