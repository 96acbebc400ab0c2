"""Page layouts and Lightning record pages: read and written whole, refused where Salesforce refuses."""

import copy

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.layouts import section
from tests.simulator.salesforce.deploying import Org, succeeded, tier

OURS = section("Ours", [["ICP_Tier__c"], []], custom=True)


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        one = Org(crm)
        one.ready(tier("A", "B"), ICP_Tier__c="edit")
        yield one


def tooling(org, soql):
    status, body = org.get("tooling/query", q=soql)
    assert status == 200, body
    return body["records"]


def layouts(org):
    """Name to id."""
    rows = tooling(org, "SELECT Id, Name FROM Layout WHERE TableEnumOrId = 'Account'")
    return {row["Name"]: row["Id"] for row in rows}


def path(org, name="Account Layout"):
    return f"tooling/sobjects/Layout/{layouts(org)[name]}"


def read(org, name="Account Layout"):
    status, body = org.get(path(org, name))
    assert status == 200, body
    return body["Metadata"]


def write(org, metadata, name="Account Layout"):
    """What went wrong, "" when nothing did."""
    answer = org.call("PATCH", path(org, name), json={"Metadata": metadata})
    if answer.status_code == 204:
        return ""
    [problem] = answer.json()
    return f"{problem['errorCode']} {problem['message']}"


def with_section(metadata, one=OURS):
    return metadata | {"layoutSections": [*metadata["layoutSections"], one]}


def test_a_layout_is_written_whole(org):
    before = read(org)
    assert write(org, before) == ""
    assert read(org) == before
    assert write(org, with_section(before)) == ""
    assert [one["label"] for one in read(org)["layoutSections"]][-1] == "Ours"
    assert write(org, {"layoutSections": before["layoutSections"]}) == ""
    assert read(org)["relatedLists"] is None


def test_a_layout_that_cannot_be_is_refused_and_stays(org):
    before = read(org)
    unknown = section("X", [["Nothing__c"], []], custom=True)
    double = section("X", [["Phone"], []], custom=True)
    odd = section("X", [["ICP_Tier__c"]], custom=True)
    for one, said in ((unknown, "no CustomField"), (double, "Duplicate"), (odd, "2 column(s)")):
        assert said in write(org, with_section(before, one))
    assert "required layout field: Name" in write(org, {"layoutSections": []})
    assert "No such column" in write(org, before | {"layoutSection": []})
    assert "JSON_PARSER_ERROR" in write(org, "a layout")
    for bad in ([1], "x", {}):
        assert write(org, before | {"layoutSections": bad}) != ""
    assert read(org) == before


def test_a_deleted_field_drops_off_its_layouts_and_they_are_told_of_before(org):
    assert write(org, with_section(read(org))) == ""
    [field] = tooling(org, "SELECT Id FROM CustomField WHERE DeveloperName = 'ICP_Tier'")
    rows = tooling(
        org,
        "SELECT MetadataComponentId, MetadataComponentType FROM MetadataComponentDependency "
        f"WHERE RefMetadataComponentId = '{field['Id']}'",
    )
    assert [(row["MetadataComponentType"], row["MetadataComponentId"]) for row in rows] == [
        ("Layout", layouts(org)["Account Layout"])
    ]
    assert succeeded(org.delete("CustomField", "Account.ICP_Tier__c"))
    last = read(org)["layoutSections"][-1]
    assert (last["label"], [one["layoutItems"] for one in last["layoutColumns"]]) == ("Ours", [[], []])


def test_a_layout_with_a_feed_is_refused_as_it_was_read_and_one_of_a_package_always(org):
    org.crm.admin("POST layouts", name="Feed", feed=True)
    org.crm.admin("POST layouts", name="Packaged", namespace="acme")
    assert "VALUE_STRING" in write(org, read(org, "Feed"), "Feed")
    plain = copy.deepcopy(read(org, "Feed"))
    plain["feedLayout"] = None
    assert write(org, plain, "Feed") == ""
    assert "INSUFFICIENT_ACCESS" in write(org, read(org, "Packaged"), "Packaged")
    own = tooling(org, "SELECT Name FROM Layout WHERE NamespacePrefix = null")
    assert {row["Name"] for row in own} == {"Account Layout", "Feed"}


def test_a_lightning_page_says_whether_it_has_fields_of_its_own(org):
    org.crm.admin("POST layouts", page="With fields", dynamic=True)
    org.crm.admin("POST layouts", page="Plain", dynamic=False)
    rows = tooling(
        org,
        "SELECT Id, MasterLabel FROM FlexiPage WHERE EntityDefinitionId = 'Account' AND Type = 'RecordPage'",
    )
    found = {}
    for row in rows:
        [region] = org.get(f"tooling/sobjects/FlexiPage/{row['Id']}")[1]["Metadata"]["flexiPageRegions"]
        found[row["MasterLabel"]] = [one["fieldInstance"] is not None for one in region["itemInstances"]]
    assert found == {"With fields": [True], "Plain": [False]}
    assert org.get("tooling/sobjects/FlexiPage/0M0999999999999")[0] == 404
    assert org.get("tooling/sobjects/Layout/00h999999999999")[0] == 404


def test_layouts_are_setup_and_closed_to_others(org):
    where = path(org)
    org.crm.admin("POST settings", metadata_right=False)
    assert org.get(where)[0] == 403
    assert org.call("PATCH", where, json={"Metadata": {}}).status_code == 403
