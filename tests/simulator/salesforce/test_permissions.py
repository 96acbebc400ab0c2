"""Permission sets: whom a field is shown to, what may be granted, who may deploy."""

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.metadata import access
from tests.simulator.salesforce.deploying import (
    Org,
    document,
    field,
    grants,
    problems,
    record_type,
    score,
    succeeded,
    tier,
    xml,
    zipped,
)

RIGHTS = ("allowCreate", "allowDelete", "allowEdit", "allowRead", "modifyAllRecords", "viewAllRecords")


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


def on_accounts(*given, target="Account"):
    """A permission set with these rights on an object."""
    rights = {name: str(name in given).lower() for name in RIGHTS}
    return document("PermissionSet", "<label>ICP</label>", xml("objectPermissions", object=target, **rights))


# -- fields


def test_a_new_field_is_seen_by_nobody_until_a_permission_set_that_is_assigned_shows_it(org):
    account = org.make()
    org.deploy(score())
    assert "ICP_Score__c" not in org.described()
    status, body = org.get("query", q="SELECT ICP_Score__c FROM Account")
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD")
    org.deploy(sets={"ICP": grants(ICP_Score__c="read")})
    assert "ICP_Score__c" not in org.described()
    assert org.assign("ICP")[0] == 201
    assert org.described()["ICP_Score__c"]["updateable"] is False
    assert org.query("SELECT ICP_Score__c FROM Account")[0]["ICP_Score__c"] is None
    refused = org.call("PATCH", f"sobjects/Account/{account}", json={"ICP_Score__c": 5})
    assert refused.json()[0]["errorCode"] == "INVALID_FIELD_FOR_INSERT_UPDATE"
    org.deploy(sets={"ICP": grants(ICP_Score__c="edit")})
    assert org.described()["ICP_Score__c"]["updateable"] is True
    assert org.call("PATCH", f"sobjects/Account/{account}", json={"ICP_Score__c": 5}).status_code == 204


def test_a_permission_set_is_replaced_by_the_next_one_of_its_name(org):
    org.ready(score(), tier("A"), ICP_Score__c="edit", ICP_Tier__c="read")
    assert succeeded(org.deploy(sets={"ICP": grants(ICP_Tier__c="read")})) == {"ICP": "changed"}
    assert "ICP_Score__c" not in org.described()
    rows = org.query("SELECT Field, SobjectType, PermissionsRead, PermissionsEdit FROM FieldPermissions")
    assert [(row["Field"], row["SobjectType"]) for row in rows] == [("Account.ICP_Tier__c", "Account")]
    assert (rows[0]["PermissionsRead"], rows[0]["PermissionsEdit"]) == (True, False)


def test_what_several_permission_sets_grant_adds_up(org):
    org.ready(score(), ICP_Score__c="read")
    org.deploy(sets={"More": grants(ICP_Score__c="edit")})
    assert org.described()["ICP_Score__c"]["updateable"] is False
    org.assign("More")
    assert org.described()["ICP_Score__c"]["updateable"] is True


def test_a_grant_can_be_made_and_taken_back_as_a_row(org):
    org.deploy(score(), sets={"ICP": grants()})
    org.assign("ICP")
    parent = org.query("SELECT Id FROM PermissionSet WHERE Name = 'ICP'")[0]["Id"]
    grant = {
        "ParentId": parent,
        "SobjectType": "Account",
        "Field": "Account.ICP_Score__c",
        "PermissionsRead": True,
    }
    status, body = org.post("sobjects/FieldPermissions", grant)
    assert status == 201, body
    assert "ICP_Score__c" in org.described()


def test_deleting_a_permission_set_takes_its_grants_and_assignments_with_it(org):
    org.ready(score(), ICP_Score__c="edit")
    assert "assigned to 1 user" in problems(org.delete("PermissionSet", "ICP"))["ICP"]
    org.crm.admin("POST settings", assigned_sets_stay=False)
    assert succeeded(org.delete("PermissionSet", "ICP")) == {"ICP": "deleted"}
    assert "ICP_Score__c" not in org.described()
    for name in ("PermissionSet", "PermissionSetAssignment", "FieldPermissions"):
        assert org.query(f"SELECT Id FROM {name}") == []


# -- what may be granted


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"Gone__c": "read"}, "In field: field - no CustomField named Account.Gone__c found"),
        ({"Name": "edit"}, "You cannot deploy to a required field: Account.Name"),
        ({"OwnerId": "read"}, "You cannot deploy to a required field: Account.OwnerId"),
        ({"Required__c": "read"}, "You cannot deploy to a required field: Account.Required__c"),
    ],
)
def test_a_grant_that_cannot_be_fails_the_permission_set(org, fields, said):
    required = field("Required__c", "Text", length=9, required="true")
    assert problems(org.deploy(required, sets={"ICP": grants(**fields)})) == {"ICP": said}


def test_a_checkbox_can_be_granted_though_it_is_never_null(org):
    box = field("Ours__c", "Checkbox", defaultValue="false")
    org.ready(box, Ours__c="edit")
    assert org.described()["Ours__c"]["updateable"] is True


def test_a_field_may_not_be_granted_twice_nor_edited_without_being_read(org):
    one = xml("fieldPermissions", editable="false", field="Account.Site", readable="true")
    twice = document("PermissionSet", one, one, "<label>ICP</label>")
    assert "Duplicate" in problems(org.deploy(sets={"ICP": twice}))["ICP"]
    blind = xml("fieldPermissions", editable="true", field="Account.Site", readable="false")
    assert (
        "needs readable"
        in problems(org.deploy(sets={"ICP": document("PermissionSet", blind, "<label>I</label>")}))["ICP"]
    )


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("allowEdit",), "Permission Edit Account depends on permission(s): Read Account"),
        (("allowRead", "allowDelete"), "Permission Delete Account depends on permission(s): Edit Account"),
        (("viewAllRecords",), "Permission View All Account depends on permission(s): Read Account"),
        (("allowRead", "allowEdit", "modifyAllRecords"), "Delete Account, View All Account"),
    ],
)
def test_a_right_on_an_object_needs_those_below_it(org, given, said):
    assert said in problems(org.deploy(sets={"ICP": on_accounts(*given)}))["ICP"]


def test_rights_on_objects_and_of_users_can_be_read_back(org):
    rights = on_accounts("allowRead", "allowEdit", "viewAllRecords")
    org.deploy(sets={"ICP": rights, "Users": grants("ApiEnabled")})
    fewer = on_accounts("allowRead", "viewAllRecords")
    assert succeeded(org.deploy(sets={"ICP": fewer})) == {"ICP": "changed"}
    columns = "SobjectType, PermissionsRead, PermissionsEdit, PermissionsViewAllRecords"
    (row,) = org.query(f"SELECT {columns} FROM ObjectPermissions")
    del row["attributes"]
    assert row == {
        "SobjectType": "Account",
        "PermissionsRead": True,
        "PermissionsEdit": False,
        "PermissionsViewAllRecords": True,
    }
    named = "SELECT Name FROM PermissionSet WHERE PermissionsApiEnabled = TRUE"
    assert [one["Name"] for one in org.query(named)] == ["Users"]
    org.deploy(sets={"Users": grants("ViewRoles", "ViewSetup")})
    assert org.query(named) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (grants("FlyAeroplanes"), "Unknown user permission: FlyAeroplanes"),
        (on_accounts("allowRead", target="Thing__c"), "no CustomObject named Thing__c found"),
        (grants(label="L" * 81), "Label"),
        (document("PermissionSet"), "Required field is missing: label"),
        (document("PermissionSet", "<label>I</label>", "<tabSettings/>"), "is not part of this simulator"),
        (
            document(
                "PermissionSet",
                "<label>I</label>",
                xml("recordTypeVisibilities", recordType="Account.Gone", visible="true"),
            ),
            "no RecordType named Account.Gone found",
        ),
    ],
    ids=lambda one: "xml" if "<" in one else one,
)
def test_a_permission_set_that_says_what_cannot_be_is_refused(org, text, said):
    assert said in problems(org.deploy(sets={"ICP": text}))["ICP"]


def test_a_permission_set_may_show_a_record_type_of_the_same_deployment(org):
    shown = xml("recordTypeVisibilities", recordType="Account.Partner", visible="true")
    made = org.deploy(
        record_type("Partner"), sets={"ICP": document("PermissionSet", "<label>I</label>", shown)}
    )
    assert succeeded(made) == {"Account.Partner": "created", "ICP": "created"}


def test_a_permission_set_has_a_name_as_components_have(org):
    found = problems(org.deploy(sets={"My ICP": grants()}))
    assert "can only contain underscores" in found["My ICP"]


# -- who may


def test_somebody_without_the_right_may_not_touch_metadata(org):
    org.crm.admin("POST settings", metadata_right=False)
    answers = [
        org.send(zipped({})),
        org.call("GET", "metadata/deployRequest/0Af000000000001CAA"),
        org.call("POST", "tooling/sobjects/CustomField", json={}),
        org.call("GET", "tooling/query", params={"q": "SELECT Id FROM CustomField"}),
    ]
    for answer in answers:
        assert (answer.status_code, answer.json()[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")


def test_a_permission_set_can_give_the_right_to_deploy(org):
    org.deploy(sets={"Deployers": grants("ModifyMetadata")})
    org.assign("Deployers")
    org.crm.admin("POST settings", metadata_right=False)
    assert succeeded(org.deploy(score())) == {"Account.ICP_Score__c": "created"}


def test_values_left_out_can_be_made_to_stay(org):
    org.crm.admin("POST settings", picklist_replaces=False)
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    assert succeeded(org.deploy(tier("C"))) == {"Account.ICP_Tier__c": "changed"}
    assert [one["value"] for one in org.described()["ICP_Tier__c"]["picklistValues"]] == ["C", "A", "B"]
    org.make(ICP_Tier__c="B")


# -- assignments


def test_an_assignment_needs_a_set_and_an_active_person_and_is_made_once(org):
    org.deploy(sets={"ICP": grants()})
    state, ours = org.crm.org, org.query("SELECT Id FROM PermissionSet")[0]["Id"]
    people = {row["IsActive"]: row["Id"] for row in org.query("SELECT Id, IsActive FROM User")}

    def problem(assignee, parent):
        found = access.assignment_problem(state, {"AssigneeId": assignee, "PermissionSetId": parent})
        return found and found[0]

    assert problem(people[True], "0PS000000000009AAA") == "INVALID_CROSS_REFERENCE_KEY"
    assert problem("", ours) == "INVALID_CROSS_REFERENCE_KEY"
    assert problem(people[False], ours) == "INACTIVE_OWNER_OR_USER"
    assert problem(org.user(), ours) is None
    assert org.assign("ICP")[0] == 201
    assert problem(org.user(), ours) == "DUPLICATE_VALUE"


def test_an_assignment_made_twice_over_the_api_is_refused_until_the_first_is_gone(org):
    org.deploy(sets={"ICP": grants()})
    _, made = org.assign("ICP")
    status, [error] = org.assign("ICP")
    assert (status, error["errorCode"]) == (400, "DUPLICATE_VALUE")
    assert len(org.query("SELECT Id FROM PermissionSetAssignment")) == 1
    org.call("DELETE", f"sobjects/PermissionSetAssignment/{made['id']}")
    assert org.assign("ICP")[0] == 201


def test_nobody_who_has_left_is_assigned_anything(org):
    org.deploy(sets={"ICP": grants()})
    [left] = org.query("SELECT Id FROM User WHERE IsActive = FALSE")
    [ours] = org.query("SELECT Id FROM PermissionSet")
    values = {"AssigneeId": left["Id"], "PermissionSetId": ours["Id"]}
    status, [error] = org.post("sobjects/PermissionSetAssignment", values)
    assert (status, error["errorCode"], error["fields"]) == (400, "INACTIVE_OWNER_OR_USER", ["AssigneeId"])
