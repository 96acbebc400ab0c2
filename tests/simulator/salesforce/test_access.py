"""Who may see and change what: permission sets, hidden rows, read-only rows, open transactions."""

import pytest

from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.schema import FieldDef
from salesforce.served_org import NOON, Client, served

TIER = FieldDef(name="ICP_Tier__c", label="ICP Tier", type="string", length=10, custom=True)
QUIET = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


@pytest.fixture
def account(crm):
    return crm.admin("POST create", properties={"Name": "Acme", "Industry": "Retail"})["id"]


def patch(client, account, **values):
    answer = client.call("PATCH", f"sobjects/Account/{account}", json=values, headers=QUIET)
    return [entry["errorCode"] for entry in answer.json()] if answer.content else []


def grant(crm, *, edit):
    """A permission set for the new field, and its id. Nobody has it yet."""
    objects, platform = crm.org.objects, crm.org.accounts
    source = crm._served.desk.source({})
    permissions = objects["permissionset"].create({"Name": "ICP", "Label": "ICP"}, source)
    parent = objects["permissionset"].id_of(permissions)
    values = {"ParentId": parent, "SobjectType": platform.name, "Field": "Account.ICP_Tier__c"}
    rights = {"PermissionsRead": "true", "PermissionsEdit": "true" if edit else "false"}
    objects["fieldpermissions"].create(values | rights, source)
    return parent


def assign(crm, permission_set):
    values = {"PermissionSetId": permission_set, "AssigneeId": crm.org.integration.id}
    assigned = crm.org.objects["permissionsetassignment"]
    return assigned, assigned.create(values, crm._served.desk.source({}))


@pytest.mark.parametrize("edit", [True, False])
def test_a_field_made_over_an_api_is_unknown_until_an_assigned_permission_set_grants_it(
    crm, client, account, edit
):
    crm.org.accounts.add_field(TIER)
    permission_set = grant(crm, edit=edit)
    assert TIER.name not in client.describe()
    refused = client.call("GET", "query", params={"q": "SELECT ICP_Tier__c FROM Account"})
    assert (refused.status_code, refused.json()[0]["errorCode"]) == (400, "INVALID_FIELD")
    assigned, record = assign(crm, permission_set)
    assert client.describe()[TIER.name]["updateable"] == edit
    assert client.query("SELECT ICP_Tier__c FROM Account") == [{"ICP_Tier__c": None}]
    assert patch(client, account, ICP_Tier__c="A") == ([] if edit else ["INVALID_FIELD_FOR_INSERT_UPDATE"])
    with crm.org.lock:
        assigned.archive(record)
    assert TIER.name not in client.describe()


def test_a_hidden_account_is_not_there_and_neither_are_its_contacts(crm, client, account):
    crm.admin("POST create", type="contacts", account=account, properties={"LastName": "Doe"})
    crm.admin("POST create", type="opportunities", account=account, properties={"Name": "Deal"})
    other = crm.admin("POST create", properties={"Name": "Other"})["id"]
    crm.admin("POST access", hide=[account])
    assert client.query("SELECT Id FROM Account") == [{"Id": other}]
    assert client.query("SELECT Id FROM Contact") == []
    assert len(client.query("SELECT Id FROM Opportunity")) == 1
    assert client.json("GET", f"sobjects/Account/{account}")[0] == 404
    assert patch(client, account, Name="New") != []
    crm.admin("POST tokens", token="admin", user="admin@simulator.example")
    assert len(Client(crm, "admin").query("SELECT Id FROM Account")) == 2
    crm.admin("POST access", show=[account])
    assert len(client.query("SELECT Id FROM Account")) == 2


def test_a_read_only_account_is_seen_and_not_changed(crm, client, account):
    crm.admin("POST access", read_only=[account])
    assert patch(client, account, Name="New")[0].startswith("INSUFFICIENT_ACCESS")
    assert client.query("SELECT Name FROM Account") == [{"Name": "Acme"}]
    crm.admin("POST access", show=account)
    assert patch(client, account, Name="New") == []


def test_everybody_can_ask_what_they_may_do_with_which_record(crm, client):
    hidden, read_only, free = crm.admin("POST create", count=3)["ids"]
    crm.admin("POST access", hide=[hidden], read_only=[read_only])
    named = ", ".join(f"'{account[:15]}'" for account in (hidden, read_only, free))

    def rights():
        rows = client.query(
            "SELECT RecordId, HasReadAccess, HasEditAccess, HasTransferAccess, MaxAccessLevel"
            f" FROM UserRecordAccess WHERE UserId = '{crm.org.integration.id}' AND RecordId IN ({named})"
        )
        return {row.pop("RecordId"): list(row.values()) for row in rows}

    seen = {read_only: [True, False, False, "Read"], free: [True, True, True, "Transfer"]}
    assert rights() == seen
    crm.admin("POST settings", hidden_access_told=True)
    assert rights() == seen | {hidden: [False, False, False, "None"]}
    crm.admin("POST settings", hidden_access_told=False, transfer_right=False)
    assert rights() == seen | {free: [True, True, False, "Delete"]}


def test_an_admin_may_give_away_what_the_integration_may_not(crm, account):
    crm.admin("POST settings", transfer_right=False)
    crm.admin("POST tokens", token="admin's", user="admin@simulator.example")
    [row] = Client(crm, "admin's").query(
        "SELECT RecordId, HasTransferAccess, MaxAccessLevel FROM UserRecordAccess"
        f" WHERE UserId = '{crm.org.admin.id}' AND RecordId = '{account}'"
    )
    assert row == {"RecordId": account, "HasTransferAccess": True, "MaxAccessLevel": "All"}


def test_what_a_transaction_did_is_seen_when_it_commits_with_the_stamp_of_when_it_was_done(
    crm, client, account
):
    crm.admin("POST clock", advance=60)
    crm.admin("POST edit", id=account, properties={"Industry": "Media"}, visible_late=600)
    new = crm.admin("POST create", properties={"Name": "New"}, visible_late=600)["id"]
    soql = "SELECT Id, Industry, SystemModstamp FROM Account"
    before = {"Id": account, "Industry": "Retail", "SystemModstamp": "2026-11-21T12:00:00.000+0000"}
    assert client.query(soql) == [before]
    assert client.json("GET", f"sobjects/Account/{account}")[1]["Industry"] == "Retail"
    assert client.json("GET", f"sobjects/Account/{new}")[0] == 404
    assert crm.admin("GET stats")["index_waiting"] == 2
    crm.admin("POST clock", advance=600)
    stamp = "2026-11-21T12:01:00.000+0000"
    after = {"Id": account, "Industry": "Media", "SystemModstamp": stamp}
    assert client.query(soql) == [after, {"Id": new, "Industry": None, "SystemModstamp": stamp}]


def test_a_row_in_an_open_transaction_is_locked(crm, client, account):
    crm.admin("POST edit", id=account, properties={"Industry": "Media"}, visible_late=600)
    assert patch(client, account, Name="New") == ["UNABLE_TO_LOCK_ROW"]
    crm.admin("POST clock", advance=600)
    assert patch(client, account, Name="New") == []
    assert client.query("SELECT Name, Industry FROM Account") == [{"Name": "New", "Industry": "Media"}]


def test_a_merge_is_seen_as_a_whole(crm, client, account):
    other = crm.admin("POST create", properties={"Name": "Twin", "Phone": "1"})["id"]
    crm.admin("POST merge", **{"into": account, "from": other, "visible_late": 60})
    assert [row["Id"] for row in client.query("SELECT Id FROM Account")] == [account, other]
    crm.admin("POST clock", advance=60)
    assert client.query("SELECT Id, Phone FROM Account") == [{"Id": account, "Phone": "1"}]
    _, all_of_them = client.json(
        "GET", "queryAll", params={"q": "SELECT Id, IsDeleted, MasterRecordId FROM Account"}
    )
    gone = [row for row in all_of_them["records"] if row["IsDeleted"]]
    assert [(row["Id"], row["MasterRecordId"]) for row in gone] == [(other, account)]


def test_the_recycle_bin_is_emptied_after_fifteen_days(crm, client, account):
    def binned():
        _, body = client.json("GET", "queryAll", params={"q": "SELECT Id FROM Account WHERE IsDeleted=true"})
        return body["totalSize"]

    crm.admin("POST delete", id=account)
    assert (client.query("SELECT Id FROM Account"), binned()) == ([], 1)
    crm.admin("POST clock", advance=15 * 86_400)
    assert binned() == 0


def test_deleting_stamps_the_record_so_that_a_window_finds_it(crm, client, account):
    crm.admin("POST clock", advance=90)
    crm.admin("POST delete", id=account)
    found = "SELECT Id FROM Account WHERE IsDeleted = true AND SystemModstamp >= 2026-11-21T12:01:30Z"
    assert client.json("GET", "queryAll", params={"q": found})[1]["totalSize"] == 1


def test_a_background_job_moves_the_systems_stamp_and_nothing_else(crm, client, account):
    crm.admin("POST clock", set=NOON + 60)
    crm.admin("POST bump", ids=[account])
    [row] = client.query("SELECT SystemModstamp, LastModifiedDate FROM Account")
    assert row == {
        "SystemModstamp": "2026-11-21T12:01:00.000+0000",
        "LastModifiedDate": "2026-11-21T12:00:00.000+0000",
    }


@pytest.mark.parametrize("number", [0, 1, 61, 62, 62**12 - 1, 28_000_000_000])
def test_an_id_tells_its_number_in_both_forms(number):
    text = ids.shown("001", number)
    assert (len(text), ids.number(text), ids.number(text[:15])) == (18, number, number)
    assert ids.long(text[:15]) == ids.long(text) == text


def test_ids_are_in_the_order_of_their_numbers():
    numbers = sorted({7**n % 62**12 for n in range(60)} | set(range(300)))
    shown = [ids.shown("001", number) for number in numbers]
    assert shown == sorted(shown)


@pytest.mark.parametrize("text", ["", "001", "001000000000000AAB", "00100000000000é", "0010000000000001"])
def test_what_is_no_id_is_none(text):
    assert ids.number(text) is None
    assert ids.long(text) == text
