"""The controls on Salesforce: those every CRM has, and those it alone has."""

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.controls import CONTROLS
from salesforce.served_org import NOON, Client, served

QUIET = {"Sforce-Auto-Assign": "FALSE"}


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


def make(crm, **properties):
    return crm.admin("POST create", properties={"Name": "Acme", **properties})["id"]


def test_people_edit_by_id_or_by_domain_also_what_an_app_may_not(crm, client):
    made = make(crm, Website="https://www.acme.com/start")
    given = {"lastactivitydate": "2026-11-01", "NumberOfEmployees": 70, "OwnerId": "emi.tanaka@sales.example"}
    told = crm.admin("POST edit", domain="acme.com", properties=given)
    assert (told["id"], told["changed"]) == (made, True)
    [row] = client.query("SELECT LastActivityDate, NumberOfEmployees, Owner.Email FROM Account")
    assert (row["LastActivityDate"], row["NumberOfEmployees"]) == ("2026-11-01", 70)
    assert row["Owner"]["Email"] == "emi.tanaka@sales.example"
    assert crm.admin("POST edit", id=made[:15], properties={"Industry": "Retail"})["id"] == made


def test_the_editor_is_the_admin_or_whoever_is_named(crm, client):
    made = make(crm)
    soql = "SELECT LastModifiedBy.Email, CreatedById FROM Account"
    assert client.query(soql)[0]["CreatedById"] == crm.org.admin.id
    crm.admin("POST edit", id=made, properties={"Site": "x"}, user="ben.lindqvist@sales.example")
    assert client.query(soql)[0]["LastModifiedBy"]["Email"] == "ben.lindqvist@sales.example"


def test_the_write_log_tells_who_wrote_what_over_what(crm, client):
    made = make(crm, Industry="Retail")
    crm.admin("POST edit", id=made, properties={"Industry": "Media"}, source="FLOW", source_id="Nightly")
    headers = QUIET | {"Sforce-Call-Options": "client=icp_sync"}
    client.call("PATCH", f"sobjects/Account/{made}", json={"Industry": "Media"}, headers=headers)
    log = crm.admin("GET writes", id=made)["results"]
    seen = [(e["before"], e["value"], e["source"], e["sourceId"]) for e in log if e["property"] == "Industry"]
    assert seen == [
        ("", "Retail", "UI", ""),
        ("Retail", "Media", "FLOW", "Nightly"),
        ("Media", "Media", "API", "icp_sync"),
    ]
    assert {e["id"] for e in log} == {made}
    assert crm.admin("GET writes", id="001000000000000AAA")["results"] == []


def test_statistics_count_what_came_over_the_api(crm, client):
    made = make(crm)
    for _ in range(2):
        client.call("PATCH", f"sobjects/Account/{made}", json={"Site": "x"}, headers=QUIET)
    client.call("PATCH", f"sobjects/Account/{made}", json={"Site": "y"})
    stats = crm.admin("GET stats")
    assert (stats["records_written"], stats["noop_writes"], stats["auto_assigned"]) == (3, 1, 1)
    assert (stats["records"], stats["api_usage"], stats["plan"]) == (1, "3/10000000", "off")
    [moved] = crm.admin("GET tripwire")["results"]
    assert moved["id"] == made
    crm.admin("DELETE stats")
    assert crm.admin("GET stats")["records_written"] == 0


def test_records_are_found_and_shown_whole(crm):
    made = make(crm, Website="acme.com", AnnualRevenue=1_500_000)
    [found] = crm.admin("GET find", name="Acme")["results"]
    assert found["properties"]["AnnualRevenue"] == 1_500_000.0
    assert (found["id"], found["archived"], found["mergedInto"]) == (made, False, None)
    assert crm.admin("GET find", domain="acme.com")["results"] == [found]
    assert found["indexed"] == {"SystemModstamp": "2026-11-21T12:00:00.000Z"}
    crm.admin("POST edit", id=made, properties={"AnnualRevenue": None})
    shown = crm.admin(f"GET record/{made}")
    assert "AnnualRevenue" not in shown["properties"]
    assert [entry["value"] for entry in shown["history"]["AnnualRevenue"]] == ["", "1500000"]


def test_contacts_and_deals_belong_to_accounts_and_go_with_them(crm, client):
    first, second = make(crm), make(crm, Name="Second")
    crm.admin("POST create", type="contacts", account=first, properties={"LastName": "Doe"}, count=2)
    won = {"Name": "Won", "StageName": "Closed Won", "Amount": 100}
    deal = crm.admin("POST create", type="opportunities", account=first, properties=won)["id"]
    assert client.query("SELECT IsClosed, IsWon, Amount, AccountId FROM Opportunity") == [
        {"IsClosed": True, "IsWon": True, "Amount": 100.0, "AccountId": first}
    ]
    crm.admin("POST edit", type="opportunities", id=deal, properties={"StageName": "Prospecting"})
    assert client.query("SELECT IsClosed, IsWon FROM Opportunity") == [{"IsClosed": False, "IsWon": False}]
    crm.admin("POST merge", **{"into": second, "from": first})
    assert {row["AccountId"] for row in client.query("SELECT AccountId FROM Contact")} == {second}
    gone = crm.admin(f"GET record/{first}")
    assert (gone["archived"], gone["mergedInto"]) == (True, second)
    crm.admin("POST delete", id=second)
    assert client.query("SELECT Id FROM Contact") == client.query("SELECT Id FROM Opportunity") == []


def test_what_was_deleted_comes_back_with_what_went_with_it(crm, client):
    account = make(crm)
    alone, along = crm.admin("POST create", type="contacts", account=account, count=2)["ids"]
    crm.admin("POST delete", type="contacts", id=alone)
    crm.admin("POST clock", advance=60)
    crm.admin("POST delete", id=account)
    assert client.query("SELECT Id FROM Account") == client.query("SELECT Id FROM Contact") == []
    crm.admin("POST clock", advance=60)
    assert crm.admin("POST undelete", id=account[:15]) == {"id": account}
    [back] = client.query("SELECT Id, IsDeleted, SystemModstamp FROM Account")
    assert back == {"Id": account, "IsDeleted": False, "SystemModstamp": "2026-11-21T12:02:00.000+0000"}
    assert client.query("SELECT Id FROM Contact") == [{"Id": along}]
    crm.admin("POST undelete", type="contacts", id=alone)
    assert len(client.query("SELECT Id FROM Contact")) == 2


def test_what_is_not_in_the_recycle_bin_cannot_be_brought_back(crm):
    live, loser, purged = make(crm), make(crm), make(crm)
    crm.admin("POST delete", id=purged)
    crm.admin("POST clock", advance=15 * 86_400)
    crm.admin("POST merge", **{"into": live, "from": loser})
    for account in (live, loser, purged):
        with pytest.raises(ValueError, match=f"not in the recycle bin: {account}"):
            crm.admin("POST undelete", id=account)


def test_an_edit_may_be_stamped_in_the_past(crm, client):
    made = make(crm)
    crm.admin("POST edit", id=made, properties={"Site": "x"}, at=NOON - 600.5)
    [row] = client.query("SELECT SystemModstamp FROM Account")
    assert row["SystemModstamp"] == "2026-11-21T11:49:59.000+0000"


def test_a_job_gives_many_records_one_stamp(crm, client):
    crm.admin("POST create", count=30)
    crm.admin("POST clock", advance=10)
    assert crm.admin("POST bump", count=20) == {"count": 20, "SystemModstamp": "2026-11-21T12:00:10.000Z"}
    stamped = client.query("SELECT Id FROM Account WHERE SystemModstamp = 2026-11-21T12:00:10Z")
    assert len(stamped) == 20


def test_a_field_somebody_defined_is_there_for_everybody(crm, client):
    fields = [
        {"name": "Segment__c", "type": "picklist", "values": ["SMB", "Enterprise"], "restricted": True},
        {"name": "Seats__c", "type": "double", "precision": 6, "scale": 1, "label": "Seats sold"},
    ]
    crm.admin("POST fields", define=fields)
    described = client.describe()
    assert [one["value"] for one in described["Segment__c"]["picklistValues"]] == ["SMB", "Enterprise"]
    assert (described["Seats__c"]["label"], described["Seats__c"]["scale"]) == ("Seats sold", 1)
    assert described["Segment__c"]["custom"] is True
    made = make(crm, Seats__c=12.5, Segment__c="SMB")
    assert client.query(f"SELECT Seats__c FROM Account WHERE Id = '{made}'") == [{"Seats__c": 12.5}]
    crm.admin("POST fields", remove=["Segment__c"])
    assert "Segment__c" not in client.describe()
    crm.admin("POST fields", object="Opportunity", define={"name": "Region__c"})
    assert "Region__c" in client.describe("Opportunity")


def test_a_validation_rule_refuses_until_it_is_cleared(crm, client):
    made = make(crm)
    crm.admin("POST rules", field="Industry", value="Other", message="Say which")

    def write():
        return client.call("PATCH", f"sobjects/Account/{made}", json={"Industry": "Other"}, headers=QUIET)

    [refused] = write().json()
    assert (refused["errorCode"], refused["message"]) == ("FIELD_CUSTOM_VALIDATION_EXCEPTION", "Say which")
    assert crm.admin("POST rules", clear=True) == {"rules": []}
    assert write().status_code == 204


def test_people_come_and_go(crm, client):
    made = crm.admin("POST users", email="New.Hire@sales.example", first="New", last="Hire")
    assert (made["email"], made["active"]) == ("new.hire@sales.example", True)
    soql = "SELECT Name, IsActive FROM User WHERE Email = 'new.hire@sales.example'"
    assert client.query(soql) == [{"Name": "New Hire", "IsActive": True}]
    assert crm.admin("POST users", email="new.hire@sales.example", active=False)["id"] == made["id"]
    assert client.query(soql) == [{"Name": "New Hire", "IsActive": False}]


@pytest.mark.parametrize(
    ("control", "arguments", "words"),
    [
        ("POST explode", {}, "GET tripwire"),
        ("POST tie", {}, "is none of: GET stats"),
        ("POST edit", {"id": "1"}, "no such record: '1'"),
        ("POST edit", {"id": "003000000000000AAA"}, "no such record"),
        ("POST create", {"properties": {"Nope": 1}}, "no such field: Nope"),
        ("POST create", {"properties": {"NumberOfEmployees": "many"}}, "'many' is no int"),
        ("POST create", {"properties": {"NumberOfEmployees": 1.5}}, "1.5 is no int"),
        ("POST create", {"properties": {"AnnualRevenue": "nan"}}, "'nan' is no currency"),
        ("POST create", {"properties": {"LastActivityDate": "soon"}}, "'soon' is no date"),
        ("POST create", {"properties": {"Name": ["x"]}}, "is no single value"),
        ("POST create", {"properties": {"OwnerId": "x@y.example"}}, "no such user: x@y.example"),
        ("POST create", {"properties": [1]}, "properties: a JSON object"),
        ("POST create", {"type": "leads"}, "type: 'leads' is none of accounts"),
        ("POST create", {"type": "users"}, "users are made with POST users"),
        ("POST create", {"account": "001000000000000AAA"}, "contacts and opportunities belong to one"),
        ("POST create", {"type": "contacts", "account": "x"}, "no such record: 'x'"),
        ("POST fields", {"object": "Nothing"}, "sObject type 'Nothing' is not supported"),
        ("POST fields", {"hide": ["Nope"]}, "no such field: Nope"),
        ("POST fields", {"hide": 7}, "hide: a list"),
        ("POST fields", {"define": {"name": "X__c", "type": "blob"}}, "a field has a name and a type"),
        ("POST fields", {"define": {"name": "X__c", "colour": 1}}, "colour is no part of a field"),
        ("POST fields", {"define": {"name": "X__c", "values": 1}}, "values: a list"),
        ("POST fields", {"define": "X__c"}, "a JSON object"),
        ("POST access", {"hide": ["001000000000000AAA"]}, "no such record"),
        ("POST undelete", {}, "no such record"),
        ("POST undelete", {"type": "contacts", "id": "001000000000000AAA"}, "no such record"),
        ("POST rules", {"field": "Nope"}, "no such field: Nope"),
        ("POST record_types", {}, "name: which record type?"),
        ("POST record_types", {"name": "A", "picklists": [1]}, "picklists: a JSON object"),
        ("POST users", {"email": "nobody"}, "'nobody' is no address"),
        ("POST settings", {"index_lag": 1}, "index_lag: no such switch"),
        ("POST settings", {"plan": "gold"}, "'gold' is none of off, free, pro"),
        ("POST faults", {"rules": [{"kind": "flood"}]}, "'flood' is none of"),
    ],
)
def test_a_control_that_cannot_be_carried_out_says_why(crm, client, control, arguments, words):
    with pytest.raises(ValueError, match=r".") as refused:
        crm.admin(control, **arguments)
    assert words in str(refused.value)
    method, _, name = control.partition(" ")
    status, body = client.json(method, f"/__simulator/{name}", arguments)
    assert (status, words in body["message"]) == (400, True)


def test_every_control_says_what_it_does():
    assert all(control.__doc__ for control in CONTROLS.values())


def test_a_reset_brings_the_seeded_org_back_and_keeps_who_is_signed_in():
    with served(accounts=6, contacts=True) as crm:
        crm.admin("POST reset")
        before = {name: dict(one.store.records) for name, one in crm.org.objects.items()}
        crm.admin("POST delete", id=crm.org.accounts.id_of(next(iter(before["account"].values()))))
        crm.admin("POST tokens", token="mine", user="admin@simulator.example")
        assert crm.admin("GET stats")["records"] == 5
        assert crm.admin("POST reset") == {"records": 6}
        assert {name: list(one.store.records) for name, one in crm.org.objects.items()} == {
            name: list(records) for name, records in before.items()
        }
        assert Client(crm, "mine").json("GET", "/services/oauth2/userinfo")[1]["user_id"] == crm.org.admin.id


def test_the_ready_line_tells_how_to_sign_in(crm):
    line = crm.ready_line()
    assert all(f'"{name}"' in line for name in ("url", "token", "consumer_key", "consumer_secret"))


def test_a_plan_or_a_lag_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="'gold' is none of off, free, pro"):
        Simulator(crm="salesforce", limits="gold")
    with pytest.raises(ValueError, match="index_lag: on Salesforce"):
        Simulator(crm="salesforce", index_lag=3.0)
    with pytest.raises(ValueError, match="latency"):
        Simulator(crm="salesforce", latency=-1.0)
    with pytest.raises(AttributeError, match="salesforce has no portal"):
        assert Simulator(crm="salesforce", accounts=0).portal
    with pytest.raises(AttributeError, match="hubspot has no org"):
        assert Simulator(accounts=0).org
