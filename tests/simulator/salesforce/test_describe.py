"""What an org says of its objects: what the caller may see, and nothing else."""

import pytest

from icp_sync.simulator.salesforce.picklists import INDUSTRIES
from salesforce.served_org import NOON, Client, served


@pytest.fixture
def crm():
    with served() as running:
        yield running


@pytest.fixture
def client(crm):
    return Client(crm)


@pytest.fixture
def admin(crm):
    """A session of somebody who sees everything."""
    crm.admin("POST tokens", token="admin", user="admin@simulator.example")
    return Client(crm, "admin")


def test_every_object_is_listed_with_its_prefix(client):
    _, body = client.json("GET", "sobjects")
    prefixes = {one["name"]: one["keyPrefix"] for one in body["sobjects"]}
    wanted = {"Account": "001", "Contact": "003", "Opportunity": "006", "User": "005", "Organization": "00D"}
    assert wanted.items() <= prefixes.items()
    assert client.json("GET", "sobjects/account")[1]["objectDescribe"]["labelPlural"] == "Accounts"


def test_a_field_is_described_with_all_that_clients_rely_on(client):
    fields = client.describe()
    industry = fields["Industry"]
    assert [one["value"] for one in industry["picklistValues"]] == [c.value for c in INDUSTRIES]
    assert len(industry["picklistValues"]) == 32
    assert (industry["type"], industry["restrictedPicklist"], industry["nillable"]) == (
        "picklist",
        False,
        True,
    )
    assert (fields["Name"]["nameField"], fields["Name"]["length"]) == (True, 255)
    owner = fields["OwnerId"]
    assert (owner["referenceTo"], owner["relationshipName"]) == (["User"], "Owner")
    revenue = fields["AnnualRevenue"]
    assert (revenue["type"], revenue["precision"], revenue["scale"]) == ("currency", 18, 0)
    assert (fields["NumberOfEmployees"]["digits"], fields["NumberOfEmployees"]["precision"]) == (8, 0)
    assert {len(field) for field in fields.values()} == {len(industry)}
    assert len(industry) >= 55


@pytest.mark.parametrize("name", ["SystemModstamp", "Id", "CreatedDate", "LastModifiedById", "IsDeleted"])
def test_what_the_platform_keeps_nobody_writes(client, name):
    field = client.describe()[name]
    assert (field["createable"], field["updateable"], field["nillable"]) == (False, False, False)


def test_long_text_cannot_be_filtered(client):
    description = client.describe()["Description"]
    assert (description["type"], description["length"]) == ("textarea", 32_000)
    assert (description["filterable"], description["sortable"], description["groupable"]) == (False,) * 3


@pytest.mark.parametrize(
    ("feature", "field"),
    [
        ("data_com", "NaicsCode"),
        ("data_com", "YearStarted"),
        ("person_accounts", "IsPersonAccount"),
        ("multi_currency", "CurrencyIsoCode"),
        ("state_country_picklists", "BillingCountryCode"),
    ],
)
def test_a_features_fields_are_there_while_it_is_switched_on(crm, client, feature, field):
    assert field not in client.describe()
    crm.admin("POST settings", **{feature: True})
    assert field in client.describe()
    crm.admin("POST settings", **{feature: False})
    assert field not in client.describe()


def test_a_hidden_field_is_described_to_admins_only(crm, client, admin):
    crm.admin("POST fields", hide=["Industry"])
    assert "Industry" not in client.describe()
    assert "Industry" in admin.describe()
    crm.admin("POST fields", show=["industry"])
    assert "Industry" in client.describe()


def test_a_locked_field_is_described_as_nothing_to_write(crm, client, admin):
    crm.admin("POST fields", lock=["Industry"])
    assert (client.describe()["Industry"]["updateable"], admin.describe()["Industry"]["updateable"]) == (
        False,
        True,
    )
    crm.admin("POST fields", show=["Industry"])
    assert client.describe()["Industry"]["updateable"] is True


def test_record_types_are_described_once_there_are_some(crm, client):
    def named():
        infos = client.json("GET", "sobjects/Account/describe")[1]["recordTypeInfos"]
        return [(one["developerName"], one["available"], one["defaultRecordTypeMapping"]) for one in infos]

    assert named() == [("Master", True, True)]
    assert "RecordTypeId" not in client.describe()
    made = crm.admin("POST record_types", name="Partner", picklists={"Industry": ["Retail"]})
    assert named() == [("Master", False, False), ("Partner", True, True)]
    assert "RecordTypeId" in client.describe()
    rows = client.query("SELECT Id, DeveloperName, IsActive FROM RecordType WHERE SobjectType = 'Account'")
    assert rows == [{"Id": made["id"], "DeveloperName": "Partner", "IsActive": True}]
    crm.admin("POST record_types", name="Partner", active=False)
    assert named()[1] == ("Partner", False, True)


def test_a_description_nothing_changed_of_is_not_sent_again(crm, client):
    first = client.call("GET", "sobjects/Account/describe")
    since = {"If-Modified-Since": first.headers["Last-Modified"]}
    again = client.call("GET", "sobjects/Account/describe", headers=since)
    assert (again.status_code, again.content) == (304, b"")
    crm.admin("POST clock", set=NOON + 60)
    crm.admin("POST fields", define={"name": "Region__c"})
    assert "Region__c" in client.call("GET", "sobjects/Account/describe", headers=since).text
    later = {"If-Modified-Since": "Sat, 21 Nov 2026 12:01:00 GMT"}
    assert client.call("GET", "sobjects/Account/describe", headers=later).status_code == 304
    crm.admin("POST clock", set=NOON + 120)
    crm.admin("POST fields", hide=["Region__c"])
    changed = client.call("GET", "sobjects/Account/describe", headers=later)
    assert (changed.status_code, "Region__c" in changed.text) == (200, False)
    assert client.call("GET", "sobjects/Account/describe", headers={"If-Modified-Since": "x"}).ok
