"""Record types, the picklist values they offer, and the Tooling API."""

import pytest

from icp_sync.simulator import Simulator
from tests.simulator.salesforce.deploying import (
    Org,
    problems,
    record_type,
    succeeded,
    tier,
)


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


# -- record types


def test_no_record_type_offers_a_new_picklist_until_it_lists_the_values(org):
    assert succeeded(org.deploy(record_type("Partner"))) == {"Account.Partner": "created"}
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    kind = org.query("SELECT Id FROM RecordType WHERE DeveloperName = 'Partner'")[0]["Id"]
    path = f"ui-api/object-info/Account/picklist-values/{kind}/ICP_Tier__c"
    offered = [one["value"] for one in org.get(path)[1]["values"]]
    status, body = org.post("sobjects/Account", {"Name": "X", "RecordTypeId": kind, "ICP_Tier__c": "A"})
    assert (offered, status) == ([], 400)
    assert body[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert succeeded(org.deploy(record_type("Partner", ICP_Tier__c=["A"]))) == {"Account.Partner": "changed"}
    assert [one["value"] for one in org.get(path)[1]["values"]] == ["A"]
    org.make(RecordTypeId=kind, ICP_Tier__c="A")
    assert succeeded(org.deploy(tier("A", "B", "C"))) == {"Account.ICP_Tier__c": "changed"}
    assert [one["value"] for one in org.get(path)[1]["values"]] == ["A"]
    master = org.get("ui-api/object-info/Account/picklist-values/012000000000000AAA")[1][
        "picklistFieldValues"
    ]
    assert [one["value"] for one in master["ICP_Tier__c"]["values"]] == ["A", "B", "C"]


def test_a_record_type_keeps_the_picklists_it_does_not_name(org):
    org.deploy(record_type("Partner", Industry=["Banking"]))
    assert succeeded(org.deploy(record_type("Partner", Rating=["Hot"]))) == {"Account.Partner": "changed"}
    kind = org.query("SELECT Id FROM RecordType")[0]["Id"]
    found = org.get(f"ui-api/object-info/Account/picklist-values/{kind}")[1]["picklistFieldValues"]
    assert [one["value"] for one in found["Industry"]["values"]] == ["Banking"]
    assert [one["value"] for one in found["Rating"]["values"]] == ["Hot"]


def test_a_record_type_is_a_row_with_its_state_and_description(org):
    org.deploy(record_type("Partner", active="false", description="Those who resell"))
    (row,) = org.query("SELECT DeveloperName, IsActive, Description FROM RecordType")
    assert (row["DeveloperName"], row["IsActive"], row["Description"]) == (
        "Partner",
        False,
        "Those who resell",
    )
    assert succeeded(org.deploy(record_type("Partner", active="false"))) == {"Account.Partner": "changed"}
    assert org.query("SELECT Description FROM RecordType")[0]["Description"] is None


def test_a_record_type_writes_special_characters_as_in_a_url(org):
    assert succeeded(org.deploy(record_type("P", Industry=["Food %26 Beverage"]))) == {"Account.P": "created"}
    unknown = problems(org.deploy(record_type("P", Industry=["Bank%20ing"])))
    assert unknown == {"Account.P": "Picklist value: Bank%20ing in picklist: Industry not found"}


@pytest.mark.parametrize(
    "path", ["012000000000009AAA", "nonsense", "012000000000000AAA/Name", "012000000000000AAA/X__c"]
)
def test_picklist_values_of_what_is_not_there_are_refused(org, path):
    assert org.get(f"ui-api/object-info/Account/picklist-values/{path}")[0] in (400, 404)


# -- the tooling API


def test_the_tooling_api_makes_reads_and_deletes_single_fields(org):
    metadata = {
        "label": "Tier",
        "type": "Picklist",
        "valueSet": {
            "restricted": True,
            "valueSetDefinition": {
                "sorted": False,
                "value": [{"valueName": "A", "default": False, "label": "A"}],
            },
        },
    }
    body = {"FullName": "Account.Tier__c", "Metadata": metadata}
    status, made = org.post("tooling/sobjects/CustomField", body)
    assert (status, made["success"]) == (201, True)
    status, again = org.post("tooling/sobjects/CustomField", body)
    assert (status, again[0]["errorCode"]) == (400, "DUPLICATE_DEVELOPER_NAME")
    found = org.get(
        "tooling/query", q="SELECT Id, DeveloperName FROM CustomField WHERE TableEnumOrId = 'Account'"
    )
    assert [(one["Id"], one["DeveloperName"]) for one in found[1]["records"]] == [(made["id"], "Tier")]
    assert org.get(f"tooling/sobjects/CustomField/{made['id']}")[1]["FullName"] == "Account.Tier__c"
    assert org.call("DELETE", f"tooling/sobjects/CustomField/{made['id']}").status_code == 204
    assert org.get(f"tooling/sobjects/CustomField/{made['id']}")[0] == 404


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"FullName": "Tier"},
        {"FullName": "Account.T__c"},
        {"FullName": "Account.T__c", "Metadata": []},
        {"FullName": "Account.T__c", "Metadata": {"label": 3, "type": "Date"}},
        {"FullName": "Account.T__c", "Metadata": {"label": "T", "type": "Dates"}},
        {
            "FullName": "Account.T__c",
            "Metadata": {"label": "T", "type": "Number", "precision": True, "scale": 0},
        },
        {"FullName": "Account.T__c", "Metadata": {"label": "T", "type": "Date", "colour": "red"}},
        {"FullName": "Account.T", "Metadata": {"label": "T", "type": "Date"}},
        {"FullName": "Nothing.T__c", "Metadata": {"label": "T", "type": "Date"}},
    ],
    ids=str,
)
def test_the_tooling_api_refuses_what_is_no_field(org, body):
    status, answer = org.post("tooling/sobjects/CustomField", body)
    assert status == 400
    assert answer[0]["message"]


def test_the_tooling_api_shows_what_a_record_type_offers(org):
    org.ready(tier("A", "B & C"), ICP_Tier__c="edit")
    org.deploy(record_type("Partner", ICP_Tier__c=["B %26 C"], Rating=["Hot"]))
    kind = org.query("SELECT Id FROM RecordType")[0]["Id"]
    found = org.get(f"tooling/sobjects/RecordType/{kind}")[1]
    offered = {
        one["picklist"]: [value["valueName"] for value in one["values"]]
        for one in found["Metadata"]["picklistValues"]
    }
    assert (offered["ICP_Tier__c"], offered["Rating"]) == (["B %26 C"], ["Hot"])
    assert (found["FullName"], found["Metadata"]["active"]) == ("Account.Partner", True)
    assert "Banking" in offered["Industry"]
    assert org.get("tooling/sobjects/RecordType/012000000000009AAA")[0] == 404
