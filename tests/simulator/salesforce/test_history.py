"""What an org remembers of changes, and what else uses a field: told as sparingly as Salesforce tells it."""

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.desk import Unusable
from tests.simulator.salesforce.deploying import Org, field, grants, problems, score, succeeded, tier, values

ROWS = "SELECT Field, OldValue, NewValue, CreatedById, CreatedDate FROM AccountHistory ORDER BY Id"


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


def rows(org):
    return [(row["Field"], row["OldValue"], row["NewValue"]) for row in org.query(ROWS)]


def track(org, *names):
    org.crm.admin("POST fields", track=list(names))


def edit(org, account, properties, **how):
    org.crm.admin("POST edit", id=account, properties=properties, **how)


# -- history


def test_only_changes_of_tracked_fields_since_they_are_tracked_have_rows(org):
    account = org.make(Industry="Retail", Type="Prospect")
    edit(org, account, {"Industry": "Energy"})
    track(org, "Industry")
    edit(org, account, {"Industry": "Banking", "Type": "Other"})
    edit(org, account, {"Industry": "Banking"})
    edit(org, account, {"Industry": ""})
    assert rows(org) == [("Industry", "Energy", "Banking"), ("Industry", "Banking", None)]
    org.crm.admin("POST fields", untrack=["Industry"])
    edit(org, account, {"Industry": "Media"})
    assert len(rows(org)) == 2


def test_an_owner_has_two_rows_with_the_name_and_with_the_id(org):
    account = org.make()
    track(org, "OwnerId")
    ada = org.query("SELECT Id, Name FROM User WHERE Email = 'amara.okafor@sales.example'")[0]
    edit(org, account, {"OwnerId": ada["Id"]})
    told = rows(org)
    assert [one[0] for one in told] == ["Owner", "Owner"]
    assert {one[2] for one in told} == {ada["Id"], ada["Name"]}


def test_long_texts_and_several_choices_leave_rows_without_values_and_numbers_rows_with_numbers(org):
    several = field("Some__c", "MultiselectPicklist", values("a", "b"), visibleLines=4)
    org.ready(score(), several, ICP_Score__c="edit", Some__c="edit")
    account = org.make()
    track(org, "Description", "Some__c", "ICP_Score__c")
    edit(org, account, {"Description": "long"})
    edit(org, account, {"Some__c": "a;b"})
    edit(org, account, {"ICP_Score__c": 72.5})
    assert rows(org) == [
        ("Description", None, None),
        ("Some__c", None, None),
        ("ICP_Score__c", None, 72.5),
    ]


def test_every_source_has_an_editor_of_its_own_and_an_import_is_a_persons(org):
    account = org.make()
    track(org, "Industry")
    for number, source in enumerate(("person", "import", "app", "workflow")):
        edit(org, account, {"Industry": f"I{number}"}, source=source)
    who = "SELECT Id, UserType, Profile.PermissionsApiUserOnly FROM User"
    kinds = {
        row["Id"]: (row["UserType"], (row["Profile"] or {})["PermissionsApiUserOnly"])
        for row in org.query(who)
    }
    assert [kinds[row["CreatedById"]] for row in org.query(ROWS)] == [
        ("Standard", False),
        ("Standard", False),
        ("Standard", True),
        ("AutomatedProcess", False),
    ]


def test_history_shows_only_what_its_reader_may_see_and_when_it_is_committed(org):
    account = org.make()
    track(org, "Industry")
    edit(org, account, {"Industry": "Energy"}, visible_late=60)
    assert rows(org) == []
    org.crm.admin("POST clock", advance=61)
    assert len(rows(org)) == 1
    org.crm.admin("POST fields", hide=["Industry"])
    assert rows(org) == []
    org.crm.admin("POST fields", show=["Industry"])
    org.crm.admin("POST access", hide=[account])
    assert rows(org) == []


def test_nobody_writes_history_and_its_values_are_no_conditions(org):
    status, body = org.post("sobjects/AccountHistory", {"Field": "Industry"})
    assert (status, body[0]["errorCode"]) == (400, "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY")
    status, body = org.get("query", q="SELECT Id FROM AccountHistory WHERE NewValue = 'x'")
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD")


def test_which_fields_are_tracked_can_be_asked_and_there_are_twenty_at_most(org):
    track(org, "Industry")
    asked = "SELECT QualifiedApiName FROM FieldDefinition WHERE EntityDefinitionId = 'Account'"
    told = org.query(f"{asked} AND IsFieldHistoryTracked = TRUE")
    assert [row["QualifiedApiName"] for row in told] == ["Industry"]
    names = [row["QualifiedApiName"] for row in org.query(asked)]
    with pytest.raises(Unusable, match="at most 20"):
        track(org, *names[:21])


def test_a_deleted_field_takes_its_history_along(org):
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    account = org.make(ICP_Tier__c="A")
    track(org, "ICP_Tier__c")
    edit(org, account, {"ICP_Tier__c": "B"})
    assert len(rows(org)) == 1
    succeeded(org.delete("CustomField", "Account.ICP_Tier__c"))
    succeeded(org.deploy(tier("A", "B"), sets={"ICP": grants(ICP_Tier__c="edit")}))
    assert rows(org) == []


# -- what uses a field

ASKED = "SELECT MetadataComponentType, MetadataComponentName FROM MetadataComponentDependency"


def dependencies(org, where=""):
    status, body = org.get("tooling/query", q=f"{ASKED} {where}".strip())
    return status, body["records"] if status == 200 else body


def test_what_uses_a_field_keeps_it_and_the_dependency_api_tells_of_all_but_reports(org):
    org.ready(tier("A"), ICP_Tier__c="edit")
    for kind, name in (("Flow", "Route"), ("Report", "Tiers"), ("Layout", "Account Layout")):
        org.crm.admin("POST depend", field="ICP_Tier__c", by=kind, name=name, refuses=kind != "Layout")
    status, told = dependencies(org, "WHERE RefMetadataComponentType = 'CustomField'")
    assert status == 200
    assert {one["MetadataComponentName"] for one in told} == {"Route", "Account Layout"}
    refused = problems(org.delete("CustomField", "Account.ICP_Tier__c"))["Account.ICP_Tier__c"]
    assert refused.endswith("Flow - Route")
    org.crm.admin("POST depend", clear=True)
    org.crm.admin("POST depend", field="ICP_Tier__c", by="Layout", refuses=False)
    assert succeeded(org.delete("CustomField", "Account.ICP_Tier__c")) == {"Account.ICP_Tier__c": "deleted"}


@pytest.mark.parametrize(
    "where",
    [
        "WHERE RefMetadataComponentId IN ('00N000000000001AAA')",
        "WHERE MetadataComponentName = 'Route'",
        "WHERE RefMetadataComponentType LIKE 'Custom%'",
        "ORDER BY MetadataComponentName",
    ],
)
def test_the_dependency_api_takes_few_questions(org, where):
    status, body = dependencies(org, where)
    assert (status, body[0]["errorCode"]) == (400, "MALFORMED_QUERY")


def test_an_org_may_be_without_the_dependency_api(org):
    org.crm.admin("POST settings", dependency_api=False)
    status, body = dependencies(org)
    assert (status, body[0]["errorCode"]) == (400, "INVALID_TYPE")
