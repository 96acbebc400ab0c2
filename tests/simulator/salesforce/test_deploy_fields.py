"""The fields a deployment makes, changes and deletes."""

import pytest

from icp_sync.simulator import Simulator
from tests.simulator.salesforce.deploying import (
    Org,
    document,
    field,
    full_name,
    grants,
    manifest,
    problems,
    score,
    succeeded,
    tier,
    values,
    view,
    xml,
)

LONGEST_NAME = "A" * 40


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


# -- fields


GOOD = {
    "Text": field("X__c", "Text", length=255),
    "TextArea": field("X__c", "TextArea"),
    "LongTextArea": field("X__c", "LongTextArea", length=32_768, visibleLines=6),
    "Number": field("X__c", "Number", precision=18, scale=18),
    "Currency": field("X__c", "Currency", precision=18, scale=2),
    "Percent": field("X__c", "Percent", precision=3, scale=0),
    "Checkbox": field("X__c", "Checkbox", defaultValue="false"),
    "Date": field("X__c", "Date"),
    "DateTime": field("X__c", "DateTime", trackHistory="false"),
    "Email": field("X__c", "Email", unique="true"),
    "Phone": field("X__c", "Phone"),
    "Url": field("X__c", "Url"),
    "Picklist": field("X__c", "Picklist", values("A", "B")),
    "MultiselectPicklist": field("X__c", "MultiselectPicklist", values("A"), visibleLines=4),
    "Lookup": field(
        "X__c", "Lookup", referenceTo="User", relationshipName="Ours", deleteConstraint="SetNull"
    ),
}
DESCRIBED = {
    "Text": {"type": "string", "length": 255},
    "TextArea": {"type": "textarea", "length": 255, "filterable": True},
    "LongTextArea": {"type": "textarea", "length": 32_768, "filterable": False},
    "Number": {"type": "double", "precision": 18, "scale": 18},
    "Currency": {"type": "currency", "precision": 18, "scale": 2},
    "Percent": {"type": "percent", "precision": 3, "scale": 0},
    "Checkbox": {"type": "boolean", "nillable": False},
    "Date": {"type": "date"},
    "DateTime": {"type": "datetime"},
    "Email": {"type": "email", "length": 80, "unique": True},
    "Phone": {"type": "phone", "length": 40},
    "Url": {"type": "url", "length": 255},
    "Picklist": {"type": "picklist", "restrictedPicklist": True},
    "MultiselectPicklist": {"type": "multipicklist"},
    "Lookup": {"type": "reference", "referenceTo": ["User"], "relationshipName": "X__r"},
}


@pytest.mark.parametrize("kind", GOOD)
def test_a_field_of_every_type_is_described_as_its_type_is(org, kind):
    org.ready(GOOD[kind], X__c="edit")
    found = org.described()["X__c"]
    assert {name: found[name] for name in DESCRIBED[kind]} == DESCRIBED[kind]
    assert (found["label"], found["custom"], found["calculated"]) == ("A label", True, False)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (
            field("X__c", "TextArea", length=255),
            "Can not specify 'length' for a CustomField of type TextArea",
        ),
        (field("X__c", "Text"), "Must specify 'length' for a CustomField of type Text"),
        (field("X__c", "LongTextArea", length=4000), "Must specify 'visibleLines'"),
        (
            field("X__c", "LongTextArea", length=255, visibleLines=3),
            "'length' must be between 256 and 131072",
        ),
        (score(precision=19), "Precision must be between 1 and 18"),
        (score(precision=3, scale=4), "Scale must be between 0 and the precision"),
        (field("X__c", "Checkbox"), "Must specify 'defaultValue'"),
        (field("X__c", "Checkbox", defaultValue="0"), "true or false"),
        (field("X__c", "Lookup", referenceTo="User"), "Must specify 'relationshipName'"),
        (
            field("X__c", "Lookup", referenceTo="Thing", relationshipName="T"),
            "does not resolve to a valid sObject",
        ),
        (field("X__c", "Picklist"), "Must specify 'valueSet'"),
        (field("X__c", "Picklist", values()), "between 1 and 1000 values"),
        (field("X__c", "Picklist", values(*map(str, range(1001)))), "between 1 and 1000 values"),
        (field("X__c", "Picklist", values("A", "a")), "Duplicate picklist value: a"),
        (field("X__c", "Picklist", values("A" * 256)), "between 1 and 255 characters"),
        (field("X__c", "AutoNumber"), "not part of this simulator"),
        (field("X__c", "Text", length=9, formula="1"), "Can not specify 'length'"),
        (field("X__c", "Text", formula="1 + 1"), "not part of this simulator"),
        (field("X", "Text", length=9), "Could not resolve standard field's name."),
        (field("X__Y__c", "Text", length=9), "can only contain underscores and alphanumeric"),
        (field("1X__c", "Text", length=9), "can only contain underscores and alphanumeric"),
        (field("X___c", "Text", length=9), "can only contain underscores and alphanumeric"),
        (field("Umsätze__c", "Text", length=9), "can only contain underscores and alphanumeric"),
        (field(f"{LONGEST_NAME}A__c", "Text", length=9), "can only contain underscores and alphanumeric"),
        (field("X__c", "Text", length=9, label="L" * 41), "data value too large"),
        (field("X__c", "Text", length=9, label=""), "Required field is missing: label"),
        (field("X__c", "Text", length=9, description="d" * 1001), "Value too long for field: description"),
        (field("X__c", "Date", unique="true"), "Can not specify 'unique'"),
        (xml("fields", fullName="X__c", label="X"), "Required field is missing: type"),
    ],
    ids=lambda one: "xml" if "<" in one else one,
)
def test_a_field_that_cannot_be_is_refused(org, part, said):
    result = org.deploy(part)
    assert result["status"] == "Failed"
    assert said in problems(result)[f"Account.{full_name(part)}"]


def test_names_and_labels_may_be_forty_characters_long(org):
    made = succeeded(org.deploy(score(f"{LONGEST_NAME}__c", label="L" * 40)))
    assert made == {f"Account.{LONGEST_NAME}__c": "created"}


def test_a_field_of_an_object_there_is_not_is_refused(org):
    files = {
        "package.xml": manifest({"CustomField": ["Thing.X__c"]}),
        "objects/Thing.object": document("CustomObject", score("X__c")),
    }
    assert "cannot be found" in problems(org.run(files))["Thing.X__c"]


def test_values_a_picklist_leaves_out_become_inactive(org):
    org.ready(tier("A", "B"), ICP_Tier__c="edit")
    account = org.make(ICP_Tier__c="B")
    assert succeeded(org.deploy(tier("A", "C"))) == {"Account.ICP_Tier__c": "changed"}
    listed = {one["value"]: one["active"] for one in org.described()["ICP_Tier__c"]["picklistValues"]}
    assert listed == {"A": True, "C": True, "B": False}
    refused = org.call("PATCH", f"sobjects/Account/{account}", json={"ICP_Tier__c": "B"})
    assert refused.json()[0]["errorCode"] == "INVALID_OR_NULL_FOR_RESTRICTED_PICKLIST"
    assert org.query("SELECT ICP_Tier__c FROM Account")[0]["ICP_Tier__c"] == "B"


def test_a_type_changes_only_where_no_value_is_lost(org):
    org.ready(field("X__c", "Text", length=20), X__c="edit")
    org.make(X__c="twelve signs")
    assert problems(org.deploy(score("X__c"))) == {"Account.X__c": "Cannot change type due to existing data"}
    shorter = org.deploy(field("X__c", "Text", length=10))
    assert problems(shorter) == {"Account.X__c": "Cannot change length due to existing data"}
    assert succeeded(org.deploy(field("X__c", "TextArea"))) == {"Account.X__c": "changed"}
    lookup = GOOD["Lookup"]
    assert "Cannot update a field to a Lookup" in problems(org.deploy(lookup))["Account.X__c"]


# -- deleting


def test_a_deleted_field_takes_values_grants_and_columns_with_it(org):
    org.ready(score(), view("ICP_All", columns=["ACCOUNT.NAME", "ICP_Score__c"]), ICP_Score__c="edit")
    org.make(ICP_Score__c=50)
    assert succeeded(org.delete("CustomField", "Account.ICP_Score__c")) == {"Account.ICP_Score__c": "deleted"}
    assert "ICP_Score__c" not in org.described()
    assert org.query("SELECT Id FROM FieldPermissions") == []
    shown = org.view("ICP_All")[1]
    assert [one["fieldNameOrPath"] for one in shown["columns"]] == ["Name"]
    assert (
        succeeded(org.deploy(score(), sets={"ICP": grants(ICP_Score__c="edit")}))["Account.ICP_Score__c"]
        == "created"
    )
    assert org.query("SELECT ICP_Score__c FROM Account")[0]["ICP_Score__c"] is None


def test_a_field_that_a_view_filters_by_goes_only_with_the_view(org):
    org.deploy(tier("A"), view("ICP_A", ("ICP_Tier__c", "equals", "A"), label="Ours"))
    refused = problems(org.delete("CustomField", "Account.ICP_Tier__c"))
    assert refused["Account.ICP_Tier__c"].endswith("List View - Ours")
    files = {
        "package.xml": manifest({}),
        "destructiveChangesPost.xml": manifest(
            {"CustomField": ["Account.ICP_Tier__c"], "ListView": ["Account.ICP_A"]}
        ),
    }
    assert set(succeeded(org.run(files)).values()) == {"deleted"}


def test_deleting_what_is_not_there_is_a_warning_that_fails_unless_warnings_are_ignored(org):
    result = org.delete("CustomField", "Account.Gone__c")
    failed = result["details"]["componentFailures"][0]
    assert (failed["problemType"], failed["problem"]) == (
        "Warning",
        "No CustomField named: Account.Gone__c found",
    )
    ignored = org.delete("CustomField", "Account.Gone__c", ignoreWarnings=True)
    assert succeeded(ignored) == {"Account.Gone__c": "unchanged"}


def test_neither_standard_fields_nor_wildcards_can_be_deleted(org):
    assert "standard field" in problems(org.delete("CustomField", "Account.Industry"))["Account.Industry"]
    assert "wildcard" in problems(org.delete("PermissionSet", "*"))["*"]
    assert "cannot be deleted" in problems(org.delete("RecordType", "Account.Partner"))["Account.Partner"]
