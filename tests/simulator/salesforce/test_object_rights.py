"""What profiles and permission sets let somebody do with objects, owners, permissions and the setup."""

import pytest

from salesforce.served_org import Client, served

QUIET = {"Sforce-Auto-Assign": "FALSE"}
SELLER = "amara.okafor@sales.example"


@pytest.fixture
def crm():
    with served(object_rights=True) as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


@pytest.fixture
def account(crm):
    return crm.admin("POST create", properties={"Name": "Acme"})["id"]


def patch(client, account, **values):
    """The code an update is refused with, "" for none."""
    answer = client.call("PATCH", f"sobjects/Account/{account}", json=values, headers=QUIET)
    return answer.json()[0]["errorCode"] if answer.content else ""


def code(answer):
    status, body = answer
    return body[0]["errorCode"] if status >= 400 else ""


def asked(client, soql):
    return code(client.json("GET", "query", params={"q": soql}))


def give(crm, user=None, *, rights="", **objects):
    """Assign somebody a new permission set: `rights` of the user, and of objects, `Account="Read Edit"`."""
    held, source = crm.org.objects, crm._served.desk.source({})
    granted = {f"Permissions{name}": "true" for name in rights.split()}
    made = held["permissionset"].create({"Name": "Given", "Label": "Given", **granted}, source)
    parent = held["permissionset"].id_of(made)
    for name, what in objects.items():
        row = {f"Permissions{one}": "true" for one in what.split()}
        access = crm.org.objects["objectpermissions"]
        access.create({"ParentId": parent, "SobjectType": name, **row}, source)
    assignee = (user or crm.org.integration).id
    held["permissionsetassignment"].create({"PermissionSetId": parent, "AssigneeId": assignee}, source)


def test_a_fresh_integration_reads_and_edits_accounts_and_reads_what_belongs_to_them(crm, client, account):
    assert patch(client, account, Site="x") == ""
    assert [asked(client, f"SELECT Id FROM {name}") for name in ("Account", "Contact", "Opportunity")] == [
        ""
    ] * 3
    made = client.json("POST", "sobjects/Account", {"Name": "New"}, headers=QUIET)
    assert code(made) == "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"
    assert code(client.json("DELETE", f"sobjects/Account/{account}")) == "INSUFFICIENT_ACCESS_OR_READONLY"
    contact = crm.admin("POST create", type="contacts", account=account, properties={"LastName": "Doe"})["id"]
    written = client.json("PATCH", f"sobjects/Contact/{contact}", {"Title": "CEO"})
    assert code(written) == "INSUFFICIENT_ACCESS_OR_READONLY"
    about = client.json("GET", "sobjects/Account/describe")[1]
    assert (about["createable"], about["updateable"], about["deletable"]) == (False, True, False)


def test_a_bare_user_sees_no_business_object_at_all(crm, client, account):
    crm.admin("POST settings", bare_user=True)
    assert asked(client, "SELECT Id FROM Account") == "INVALID_TYPE"
    assert asked(client, "SELECT COUNT() FROM Opportunity") == "INVALID_TYPE"
    assert client.json("GET", "sobjects/Account/describe")[0] == 404
    names = {one["name"] for one in client.json("GET", "sobjects")[1]["sobjects"]}
    assert "User" in names
    assert not names & {"Account", "Contact", "Opportunity"}
    assert code(client.json("GET", f"sobjects/Account/{account}")) == "INVALID_TYPE"
    job = {"object": "Account", "operation": "update"}
    assert code(client.json("POST", "jobs/ingest", job)) == "INVALIDENTITY"
    assert asked(client, "SELECT Id FROM User") == ""


def test_permission_sets_add_rights_on_objects_to_a_bare_user(crm, client, account):
    crm.admin("POST settings", bare_user=True)
    give(crm, Account="Read")
    assert (asked(client, "SELECT Id FROM Account"), asked(client, "SELECT Id FROM Contact")) == (
        "",
        "INVALID_TYPE",
    )
    assert patch(client, account, Site="x") == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert client.describe()["Site"]["updateable"] is False
    give(crm, Account="Read Edit")
    assert patch(client, account, Site="x") == ""


def test_the_fields_of_a_parent_one_may_not_read_are_not_there(crm, client, account):
    crm.admin("POST create", type="contacts", account=account, properties={"LastName": "Doe"})
    crm.admin("POST settings", bare_user=True)
    give(crm, Contact="Read")
    assert asked(client, "SELECT Id, Owner.Name FROM Contact") == ""
    assert asked(client, "SELECT Account.Name FROM Contact") == "INVALID_FIELD"


@pytest.mark.parametrize(("right", "edits"), [("ViewAllData", False), ("ModifyAllData", True)])
def test_the_great_rights_hold_for_every_object(crm, client, account, right, edits):
    crm.admin("POST settings", bare_user=True)
    give(crm, rights=right)
    assert asked(client, "SELECT Id FROM Opportunity") == ""
    assert patch(client, account, Site="x") == ("" if edits else "INSUFFICIENT_ACCESS_OR_READONLY")


def test_giving_an_account_away_takes_a_right_of_its_own_and_costs_only_the_owner(crm, client, account):
    seller = crm.org.user(SELLER).id
    soql = f"SELECT RecordId, HasTransferAccess FROM UserRecordAccess WHERE RecordId = '{account}'"
    soql += f" AND UserId = '{crm.org.integration.id}'"
    assert patch(client, account, OwnerId=seller) == "INSUFFICIENT_ACCESS_OR_READONLY"
    assert patch(client, account, Site="x") == ""
    assert client.query(soql)[0]["HasTransferAccess"] is False
    give(crm, rights="TransferAnyEntity")
    assert client.query(soql)[0]["HasTransferAccess"] is True
    assert patch(client, account, OwnerId=seller) == ""


def test_who_may_do_what_is_told_to_who_sees_the_setup(crm, client):
    crm.admin("POST settings", metadata_right=False)
    for name in ("FieldPermissions", "ObjectPermissions"):
        assert asked(client, f"SELECT Id FROM {name}") == "INVALID_TYPE"
    give(crm, rights="ViewRoles ViewSetup")
    for name in ("FieldPermissions", "ObjectPermissions"):
        assert asked(client, f"SELECT Id FROM {name}") == ""


@pytest.mark.parametrize("switch", [{"metadata_right": False}, {"bare_user": True}])
def test_permission_sets_are_handed_out_and_metadata_deployed_by_who_may(crm, client, switch):
    crm.admin("POST settings", **switch)
    source = crm._served.desk.source({})
    made = crm.org.objects["permissionset"].create({"Name": "ICP", "Label": "ICP"}, source)
    wanted = {
        "PermissionSetId": crm.org.objects["permissionset"].id_of(made),
        "AssigneeId": crm.org.integration.id,
    }
    refused = client.json("POST", "sobjects/PermissionSetAssignment", wanted)
    assert code(refused) == "INSUFFICIENT_ACCESS_OR_READONLY"
    fields = {"q": "SELECT Id FROM CustomField"}
    assert code(client.json("GET", "tooling/query", params=fields)) == "INSUFFICIENT_ACCESS"
    give(crm, rights="AssignPermissionSets ModifyMetadata")
    assert client.json("POST", "sobjects/PermissionSetAssignment", wanted)[0] == 201
    assert client.json("GET", "tooling/query", params=fields)[0] == 200


def test_a_seller_works_with_accounts_and_neither_deploys_nor_hands_out_rights(crm, account):
    crm.admin("POST tokens", token="seller's", user=SELLER)
    seller = Client(crm, "seller's")
    assert seller.json("POST", "sobjects/Account", {"Name": "New"}, headers=QUIET)[0] == 201
    assert seller.json("DELETE", f"sobjects/Account/{account}")[0] == 204
    query = {"q": "SELECT Id FROM CustomField"}
    assert code(seller.json("GET", "tooling/query", params=query)) == "INSUFFICIENT_ACCESS"
    wanted = {"PermissionSetId": "0PS000000000001AAA", "AssigneeId": crm.org.user(SELLER).id}
    refused = seller.json("POST", "sobjects/PermissionSetAssignment", wanted)
    assert code(refused) == "INSUFFICIENT_ACCESS_OR_READONLY"


def test_an_admin_may_do_everything(crm, account):
    crm.admin("POST tokens", token="admin's", user="admin@simulator.example")
    admin = Client(crm, "admin's")
    assert patch(admin, account, OwnerId=crm.org.user(SELLER).id) == ""
    assert admin.json("DELETE", f"sobjects/Account/{account}")[0] == 204
