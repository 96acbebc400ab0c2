"""List views: what may be deployed as one, what it is described as, which records it shows."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.metadata.conditions import condition, logic
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import Choice, FieldDef
from tests.simulator.salesforce.deploying import (
    Org,
    document,
    field,
    grants,
    manifest,
    problems,
    score,
    succeeded,
    tier,
    view,
)

COLUMNS = ["ACCOUNT.NAME", "ICP_Score__c", "ICP_Tier__c", "CORE.USERS.ALIAS", "CORE.USERS.FULL_NAME"]


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        one = Org(crm)
        one.ready(
            tier("A", "B", "Needs data"),
            score(),
            field("Why__c", "LongTextArea", length=4000, visibleLines=3),
            ICP_Tier__c="edit",
            ICP_Score__c="edit",
            Why__c="edit",
        )
        yield one


def shown(org, name, **query):
    """The names of the accounts a view shows, in its order."""
    status, body = org.view(name, **query)
    assert status == 200, body
    return [row["columns"][0]["value"] for row in body["records"]]


def made(org, *filters, **more):
    """Deploy a view and the names it shows."""
    assert succeeded(org.deploy(view("V", *filters, **more)))["Account.V"] in ("created", "changed")
    return shown(org, "V")


def test_a_view_shows_the_records_that_pass_its_filters_by_name(org):
    for name, tier_given in (("Beta", "A"), ("Alpha", "A"), ("Gamma", "B"), ("Delta", None)):
        org.make(Name=name, ICP_Tier__c=tier_given)
    assert made(org, ("ICP_Tier__c", "equals", "A")) == ["Alpha", "Beta"]
    assert made(org, ("ICP_Tier__c", "equals", "A,B")) == ["Alpha", "Beta", "Gamma"]
    assert made(org, ("ICP_Tier__c", "notEqual", "A")) == ["Delta", "Gamma"]
    assert made(org, ("ICP_Tier__c", "equals", "")) == ["Delta"]
    assert made(org) == ["Alpha", "Beta", "Delta", "Gamma"]


def test_filters_of_every_kind_of_field_hold(org):
    org.make(Name="Small", NumberOfEmployees=9, ICP_Score__c=9.5, Website="small.example")
    org.make(Name="Large", NumberOfEmployees=100, ICP_Score__c=80, Website="https://large.example")
    assert made(org, ("ACCOUNT.EMPLOYEES", "greaterThan", "50")) == ["Large"]
    assert made(org, ("ACCOUNT.EMPLOYEES", "lessOrEqual", "9")) == ["Small"]
    assert made(org, ("ICP_Score__c", "equals", "9.50")) == ["Small"]
    assert made(org, ("ACCOUNT.URL", "contains", "LARGE")) == ["Large"]
    assert made(org, ("ACCOUNT.URL", "startsWith", "small")) == ["Small"]
    assert made(org, ("ACCOUNT.URL", "notContain", "large")) == ["Small"]
    assert made(org, ("ACCOUNT.NAME", "greaterOrEqual", "m")) == ["Small"]
    either = [("ACCOUNT.NAME", "equals", name) for name in ("Small", "Large", "Other")]
    assert made(org, *either, booleanFilter="1 OR (2 AND NOT 3)") == ["Large", "Small"]
    assert made(org, *either, booleanFilter="3 AND (1 OR 2)") == []


def test_a_relative_date_moves_with_the_day(org):
    org.crm.admin("POST clock", freeze=True)
    assert succeeded(
        org.deploy(field("Seen__c", "DateTime"), sets={"Seen": grants(label="S", Seen__c="edit")})
    )
    assert org.assign("Seen")[0] == 201
    now = datetime.fromtimestamp(org.crm.admin("GET clock")["epoch"], UTC)
    for days in (0, 7, 8):
        org.make(Name=f"{days} days", Seen__c=(now - timedelta(days=days)).isoformat())
    org.make(Name="Never")
    week = ("Seen__c", "equals", "LAST_N_DAYS:7")
    assert made(org, week) == ["0 days", "7 days"]
    assert made(org, ("Seen__c", "lessThan", "LAST_N_DAYS:7")) == ["8 days"]
    assert made(org, ("Seen__c", "greaterOrEqual", "TODAY")) == ["0 days"]
    assert org.view("V", "describe")[1]["query"].count("Seen__c >= TODAY") == 1
    made(org, week)
    org.crm.admin("POST clock", advance=86_400)
    assert shown(org, "V") == ["0 days"]
    for wrong in ("LAST_N_DAYS", "THIS_WEEK:2", "SOON", "LAST_N_DAYS:x"):
        [problem] = problems(org.deploy(view("W", ("Seen__c", "equals", wrong)))).values()
        assert "Invalid date" in problem


def test_a_view_of_contacts_shows_contacts(org):
    account = org.make(Name="Alpha")
    for name, of in (("Okafor", account), ("Lee", None)):
        assert org.post("sobjects/Contact", {"LastName": name, "AccountId": of})[0] == 201
    part = view("V", ("ACCOUNT.NAME", "equals", "Alpha"), columns=("FULL_NAME", "ACCOUNT.NAME"))
    files = {"objects/Contact.object": document("CustomObject", part)}
    result = org.run({"package.xml": manifest({"ListView": ["Contact.V"]}), **files})
    assert succeeded(result) == {"Contact.V": "created"}
    [listed] = org.get("sobjects/Contact/listviews")[1]["listviews"]
    where = f"sobjects/Contact/listviews/{listed['id']}"
    [row] = org.get(f"{where}/results")[1]["records"]
    assert [cell["value"] for cell in row["columns"][:2]] == ["Okafor", "Alpha"]
    condition = {"field": "Account.Name", "operator": "equals", "values": ["'Alpha'"]}
    assert org.get(f"{where}/describe")[1]["whereCondition"] == condition
    assert org.get("sobjects/Account/listviews")[1]["listviews"] == []


def test_the_results_come_in_pages(org):
    for n in range(30):
        org.make(Name=f"N{n:02d}")
    made(org)
    assert len(shown(org, "V")) == 25
    assert shown(org, "V", limit=3, offset=28) == ["N28", "N29"]
    body = org.view("V", limit=30)[1]
    assert (body["size"], body["done"]) == (30, True)
    for bad in ({"limit": 0}, {"limit": 2001}, {"limit": "x"}, {"offset": -1}):
        assert org.view("V", **bad)[0] == 400


def test_columns_show_values_and_owners_and_only_what_the_user_may_see(org):
    org.make(Name="One", ICP_Score__c=12.5, ICP_Tier__c="Needs data")
    made(org, columns=COLUMNS)
    row = org.view("V")[1]["records"][0]["columns"]
    cells = {cell["fieldNameOrPath"]: cell["value"] for cell in row}
    assert (cells["Name"], cells["ICP_Score__c"], cells["ICP_Tier__c"]) == ("One", "12.5", "Needs data")
    assert cells["Owner.Alias"]
    org.crm.admin("POST fields", object="Account", hide=["ICP_Score__c"])
    seen = org.view("V")[1]["columns"]
    assert [one["fieldNameOrPath"] for one in seen] == ["Name", "ICP_Tier__c", "Owner.Alias", "Owner.Name"]


def test_a_view_that_filters_by_a_field_hidden_from_the_user_is_closed_to_him(org):
    made(org, ("ICP_Tier__c", "equals", "A"))
    org.crm.admin("POST fields", object="Account", hide=["ICP_Tier__c"])
    status, body = org.view("V")
    assert (status, body[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS")


def test_a_view_of_ones_own_shows_ones_own(org):
    org.make(Name="Mine", OwnerId=org.user())
    org.make(Name="Another's", OwnerId=org.user("amara.okafor@sales.example"))
    mine = org.query(f"SELECT Name FROM Account WHERE OwnerId = '{org.user()}'")
    assert made(org, scope="Mine") == [one["Name"] for one in mine]


def test_views_are_listed_described_and_asked_for_as_rows(org):
    made(org, ("ICP_Tier__c", "equals", "A"), ("ICP_Score__c", "greaterThan", "5"), columns=COLUMNS)
    listed = org.get("sobjects/Account/listviews")[1]
    entry = listed["listviews"][0]
    assert (listed["size"], entry["developerName"], entry["label"]) == (1, "V", "V")
    described = org.get(f"sobjects/Account/listviews/{entry['id']}/describe")[1]
    names = [one["fieldNameOrPath"] for one in described["columns"]]
    assert names == ["Name", "ICP_Score__c", "ICP_Tier__c", "Owner.Alias", "Owner.Name"]
    rows = org.query("SELECT Id, DeveloperName, SobjectType FROM ListView WHERE SobjectType = 'Account'")
    assert [(row["Id"], row["DeveloperName"]) for row in rows] == [(entry["id"], "V")]
    assert succeeded(org.delete("ListView", "Account.V")) == {"Account.V": "deleted"}
    assert org.get(f"sobjects/Account/listviews/{entry['id']}")[0] == 404


@pytest.mark.parametrize(
    "filters",
    [
        [("ICP_Tier__c", "equals", "A, Needs data")],
        [("ICP_Tier__c", "notEqual", "A,B")],
        [("ICP_Score__c", "greaterThan", "5"), ("ACCOUNT.NAME", "contains", "o'")],
        [("ACCOUNT.URL", "notContain", "x"), ("ACCOUNT.INDUSTRY", "equals", "Banking")],
    ],
)
def test_the_soql_a_view_is_described_with_selects_what_it_shows(org, filters):
    for name, tier_given, points in (("Anna o'Hara", "A", 9), ("Bo", "Needs data", 4), ("Co", "B", 6)):
        values = {"Name": name, "ICP_Tier__c": tier_given, "ICP_Score__c": points}
        org.make(**values, Website=f"{name[:2]}.test", Industry="Banking")
    named = made(org, *filters)
    asked = org.view("V", "describe")[1]["query"]
    assert [row["Name"] for row in org.query(asked)] == named


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (view("V", label="L" * 40), "label: between 1 and 39 characters, was 40"),
        (view("V V"), "can only contain underscores"),
        (view("V", columns=["Name"]), "Could not resolve list view column: Name"),
        (view("V", columns=["ICP_Gone__c"]), "Could not resolve list view column: ICP_Gone__c"),
        (view("V", columns=["Contact.ICP_Tier__c"]), "Could not resolve list view column"),
        (view("V", columns=["ICP_Tier__c", "icp_tier__c"]), "Duplicate list view column"),
        (view("V", ("Gone__c", "equals", "A")), "Could not resolve list view filter: Gone__c"),
        (view("V", ("ICP_Tier__c", "contains", "A")), "Invalid operator contains"),
        (view("V", ("ICP_Tier__c", "equals", "Z")), "Picklist value: Z in picklist: ICP_Tier__c not found"),
        (view("V", ("ICP_Score__c", "equals", "high")), "Invalid number 'high'"),
        (view("V", ("ICP_Score__c", "contains", "5")), "Invalid operator contains"),
        (view("V", ("Why__c", "contains", "x")), "Field Why__c cannot be filtered"),
        (view("V", scope="Queue"), "Filter scope Queue"),
        (view("V", scope="All"), "is not a valid value for the enum 'FilterScope'"),
        (view("V", ("ICP_Tier__c", "equals", "A"), booleanFilter="1 AND 2"), "Invalid booleanFilter"),
        (view("V", ("ICP_Tier__c", "equals", "A"), booleanFilter="(1"), "Invalid booleanFilter"),
    ],
    ids=lambda one: "xml" if "<" in one else one,
)
def test_a_view_that_cannot_be_is_refused(org, part, said):
    found = problems(org.deploy(part))
    assert said in " ".join(found.values())


def test_a_label_may_have_thirty_nine_characters_and_a_column_its_object(org):
    assert made(org, columns=["Account.ICP_Tier__c"], label="L" * 39) == []


def test_an_org_may_want_the_object_before_every_custom_column(org):
    org.crm.admin("POST settings", list_view_prefix=True)
    found = problems(org.deploy(view("V", columns=["ICP_Tier__c"])))
    assert found == {"Account.V": "Could not resolve list view column: ICP_Tier__c"}
    assert made(org, ("Account.ICP_Tier__c", "equals", "A"), columns=["Account.ICP_Tier__c"]) == []


# -- conditions by themselves


YES = FieldDef(name="Yes__c", label="Yes", type="boolean")
MANY = FieldDef(
    name="Many__c", label="Many", type="multipicklist", choices=(Choice(value="a", label="a"),), custom=True
)


def test_yes_is_one_and_no_is_zero():
    assert condition(YES, "equals", "1").passes(True)
    assert not condition(YES, "equals", "0").passes(True)
    assert condition(YES, "equals", "1").soql() == "Yes__c = true"
    with pytest.raises(Problem, match="neither 0 nor 1"):
        condition(YES, "equals", "yes")


def test_a_multi_select_includes_and_excludes():
    assert condition(MANY, "includes", "a,c").passes("b;c")
    assert not condition(MANY, "excludes", "b").passes("a;b")
    assert condition(MANY, "includes", "a").soql() == "Many__c INCLUDES ('a')"


@given(
    st.recursive(
        st.sampled_from(["1", "2", "3"]),
        lambda inner: st.one_of(
            inner.map(lambda one: f"NOT ({one})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) AND ({two[1]})"),
            st.tuples(inner, inner).map(lambda two: f"({two[0]}) OR ({two[1]})"),
        ),
        max_leaves=8,
    ),
    st.lists(st.booleans(), min_size=3, max_size=3),
)
@settings(max_examples=100, deadline=None)
def test_boolean_filters_mean_what_they_mean_everywhere(text, results):
    complete = f"({text}) OR ((1 AND 2) AND 3)"
    read = complete.replace("AND", "and").replace("OR", "or").replace("NOT", "not")
    for place, result in enumerate(results, start=1):
        read = read.replace(str(place), str(result))
    assert logic(complete, 3).passes(results) == eval(read, {"__builtins__": {}})


@given(st.text(alphabet="12 ()ANDORT", max_size=40))
@settings(max_examples=200, deadline=None)
def test_any_boolean_filter_is_read_or_refused(text):
    try:
        read = logic(text, 2)
    except Problem as wrong:
        said = wrong.message
    else:
        said = f"booleanFilter {read.passes([True, True])}"
    assert "booleanFilter" in said
