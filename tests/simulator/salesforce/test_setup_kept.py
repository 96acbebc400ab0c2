"""What people set up on fields and record types, and that the Tooling API shows it."""

import pytest

from icp_sync.simulator import Simulator
from tests.simulator.salesforce.deploying import Org, document, field, problems, succeeded, tier, xml


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


def value_set(default="", is_sorted="false", **labels):
    listed = "".join(
        xml("value", fullName=name, default=str(name == default).lower(), label=label)
        for name, label in labels.items()
    )
    definition = f"<valueSetDefinition><sorted>{is_sorted}</sorted>{listed}</valueSetDefinition>"
    return f"<valueSet><restricted>true</restricted>{definition}</valueSet>"


def shown(org, name):
    """A custom field's metadata, as the Tooling API has it."""
    query = f"SELECT Id FROM CustomField WHERE DeveloperName = '{name}'"
    [row] = org.get("tooling/query", q=query)[1]["records"]
    return org.get(f"tooling/sobjects/CustomField/{row['Id']}")[1]["Metadata"]


def test_what_was_set_up_on_a_field_is_kept_and_replaced_whole(org):
    said = {"description": "An admin's words", "inlineHelpText": "Ask us", "trackHistory": "true"}
    made = field("X__c", "MultiselectPicklist", value_set("b", b="Bee", a="Ay"), visibleLines=7, **said)
    assert succeeded(org.deploy(made)) == {"Account.X__c": "created"}
    org.crm.admin("POST fields", show=["X__c"])
    found = shown(org, "X")
    assert (found["type"], found["visibleLines"], found["label"]) == ("MultiselectPicklist", 7, "A label")
    assert (found["description"], found["inlineHelpText"]) == ("An admin's words", "Ask us")
    assert found["trackHistory"] is True
    values = found["valueSet"]["valueSetDefinition"]["value"]
    assert [(one["valueName"], one["label"], one["default"]) for one in values] == [
        ("b", "Bee", True),
        ("a", "Ay", False),
    ]
    described = org.described()["X__c"]
    assert described["inlineHelpText"] == "Ask us"
    assert [one["defaultValue"] for one in described["picklistValues"]] == [True, False]
    bare = field("X__c", "MultiselectPicklist", value_set(a="Ay"), visibleLines=4)
    assert succeeded(org.deploy(bare)) == {"Account.X__c": "changed"}
    found = shown(org, "X")
    assert (found["description"], found["inlineHelpText"], found["trackHistory"]) == (None, None, False)
    left = found["valueSet"]["valueSetDefinition"]["value"][1]
    assert (left["valueName"], left["isActive"], left["default"]) == ("b", False, False)


def test_a_picklist_that_is_sorted_says_so(org):
    org.deploy(field("X__c", "Picklist", value_set(is_sorted="true", b="Bee", a="Ay")))
    definition = shown(org, "X")["valueSet"]["valueSetDefinition"]
    assert definition["sorted"] is True
    assert [one["valueName"] for one in definition["value"]] == ["a", "b"]


@pytest.mark.parametrize(
    ("kind", "texts", "expected"),
    [
        ("Text", {"length": 80}, {"type": "Text", "length": 80, "visibleLines": None}),
        ("TextArea", {}, {"type": "TextArea", "length": None}),
        ("LongTextArea", {"length": 4000, "visibleLines": 6}, {"length": 4000, "visibleLines": 6}),
        ("Number", {"precision": 6, "scale": 2}, {"type": "Number", "precision": 6, "scale": 2}),
        ("Checkbox", {"defaultValue": "false"}, {"type": "Checkbox", "defaultValue": "false"}),
        (
            "Lookup",
            {"referenceTo": "User", "relationshipName": "Ours"},
            {"type": "Lookup", "referenceTo": "User", "relationshipName": "Ours"},
        ),
    ],
)
def test_a_field_of_every_kind_can_be_read_back(org, kind, texts, expected):
    assert problems(org.deploy(field("X__c", kind, **texts))) == {}
    found = shown(org, "X")
    assert {name: found[name] for name in expected} == expected
    assert found["valueSet"] is None


def record_type(default=""):
    listed = "".join(xml("values", fullName=one, default=str(one == default).lower()) for one in ("A", "B"))
    return xml(
        "recordTypes",
        f"<picklistValues><picklist>ICP_Tier__c</picklist>{listed}</picklistValues>",
        fullName="Partner",
        active="true",
        label="Partner",
    )


def proposed(org):
    """The default of the record type, as the setup and as the interface tell it."""
    [kind] = org.query("SELECT Id FROM RecordType")
    listed = org.get(f"tooling/sobjects/RecordType/{kind['Id']}")[1]["Metadata"]["picklistValues"]
    [values] = [one["values"] for one in listed if one["picklist"] == "ICP_Tier__c"]
    entry = org.get(f"ui-api/object-info/Account/picklist-values/{kind['Id']}/ICP_Tier__c")[1]
    default = entry["defaultValue"]
    return [one["valueName"] for one in values if one["default"]], default and default["value"]


def test_a_record_type_keeps_the_default_it_was_given_until_it_is_given_none(org):
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    org.deploy(record_type("B"))
    assert proposed(org) == (["B"], "B")
    assert succeeded(org.deploy(record_type("A"))) == {"Account.Partner": "changed"}
    assert proposed(org) == (["A"], "A")
    org.deploy(record_type())
    assert proposed(org) == ([], None)
    org.deploy(record_type("B"))
    org.deploy(tier("A"))
    assert proposed(org) == ([], None)


def test_a_control_gives_a_record_type_a_default(org):
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    picklists = {"ICP_Tier__c": ["A", "B"]}
    org.crm.admin("POST record_types", name="Partner", picklists=picklists, defaults={"ICP_Tier__c": "B"})
    assert proposed(org) == (["B"], "B")


def test_a_record_type_proposes_one_value_of_a_picklist_at_most(org):
    twice = "".join(xml("values", fullName=one, default="true") for one in ("A", "B"))
    values = f"<picklistValues><picklist>ICP_Tier__c</picklist>{twice}</picklistValues>"
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    made = xml("recordTypes", values, fullName="Partner", active="true", label="Partner")
    assert "Only one default" in problems(org.deploy(made))["Account.Partner"]


def test_record_types_of_person_accounts_are_told_from_the_others_where_there_are_some(org):
    only = {"q": "SELECT Name FROM RecordType WHERE IsPersonType = FALSE"}
    assert org.get("query", **only)[0] == 400
    org.crm.admin("POST settings", person_accounts=True)
    org.crm.admin("POST record_types", name="Person", person=True)
    org.crm.admin("POST record_types", name="Business")
    assert [row["Name"] for row in org.query(only["q"])] == ["Business"]
    [person] = org.query("SELECT Id FROM RecordType WHERE IsPersonType = TRUE")
    assert org.get(f"tooling/sobjects/RecordType/{person['Id']}")[1]["FullName"] == "PersonAccount.Person"
    assert org.get(f"sobjects/Account/{org.make()}", fields="RecordTypeId")[1]["RecordTypeId"] != person["Id"]
    made = org.deploy(xml("recordTypes", fullName="Person", active="true", label="Mine"))
    assert "person accounts" in problems(made)["Account.Person"]


# -- list views of others


def shared(**to):
    inside = "".join(f"<{key}>{value}</{key}>" for key, value in to.items())
    whole = f"<sharedTo>{inside}</sharedTo>" if to else ""
    return xml("listViews", whole, fullName="V", columns="ACCOUNT.NAME", filterScope="Everything", label="V")


@pytest.mark.parametrize(
    ("to", "seen"),
    [({}, True), ({"allInternalUsers": ""}, True), ({"group": "Board"}, False), ({"role": "CEO"}, False)],
)
def test_a_list_view_shared_with_others_is_there_and_cannot_be_seen(org, to, seen):
    assert succeeded(org.deploy(shared(**to))) == {"Account.V": "created"}
    rows = org.query("SELECT DeveloperName FROM ListView")
    listed = org.get("sobjects/Account/listviews")[1]["listviews"]
    assert [len(rows), len(listed)] == [int(seen)] * 2
    assert succeeded(org.deploy(shared(**to))) == {"Account.V": "unchanged"}
    org.crm.admin("POST settings", shared_views_hidden=False)
    assert len(org.query("SELECT Id FROM ListView")) == 1


def test_who_has_the_role_and_who_is_an_admin_see_a_shared_list_view(org):
    person = org.crm.org.user("amara.okafor@sales.example")
    role = org.crm.org.objects["userrole"].record(person.record.props["UserRoleId"])
    org.deploy(shared(role=role.props["DeveloperName"]))
    for token, user in (("seller's", person.username), ("admin's", "admin@simulator.example")):
        org.crm.admin("POST tokens", token=token, user=user)
        assert len(Org(org.crm, token).query("SELECT Id FROM ListView")) == 1
    assert org.query("SELECT Id FROM ListView") == []


# -- what a deployment may not say


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (field("X__c", "Picklist", value_set(**{"a;b": "L"})), "neither semicolons"),
        (field("X__c", "Picklist", value_set(**{"a\nb": "L"})), "neither semicolons"),
        (field("X__c", "Picklist", value_set(a="Same", b="same")), "Duplicate label"),
        (
            field("X__c", "Lookup", referenceTo="User", relationshipName="ours"),
            "already a Child Relationship named Ours on User",
        ),
        (field("TAKEN__c", "DateTime"), "already a field named Taken__c"),
    ],
)
def test_a_field_that_would_clash_is_refused(org, made, said):
    taken = field("Taken__c", "Lookup", referenceTo="User", relationshipName="Ours")
    other = field("Account__c", "Lookup", referenceTo="Account", relationshipName="Ours")
    assert problems(org.deploy(taken, other)) == {}
    [problem] = problems(org.deploy(made)).values()
    assert said in problem


def test_a_field_deployed_under_another_case_keeps_its_name(org):
    org.deploy(field("Mine__c", "Text", length=80))
    assert succeeded(org.deploy(field("MINE__c", "Text", length=90))) == {"Account.MINE__c": "changed"}
    [row] = org.get("tooling/query", q="SELECT DeveloperName, Length FROM CustomField")[1]["records"]
    assert (row["DeveloperName"], row["Length"]) == ("Mine", 90)


@pytest.mark.parametrize(("given", "needed"), [("ViewSetup", "ViewRoles"), ("ApiUserOnly", "ApiEnabled")])
def test_a_right_of_the_user_needs_the_one_below_it(org, given, needed):
    def rights(*names):
        listed = "".join(xml("userPermissions", enabled="true", name=name) for name in names)
        return document("PermissionSet", "<label>ICP</label>", listed)

    said = f"Permission {given} depends on permission(s): {needed}"
    assert problems(org.deploy(sets={"ICP": rights(given)})) == {"ICP": said}
    assert succeeded(org.deploy(sets={"ICP": rights(given, needed)})) == {"ICP": "created"}
