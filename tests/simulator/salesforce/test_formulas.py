"""Formula fields: what may be deployed as one, what they show, and what they keep from being deleted."""

import pytest

from icp_sync.simulator import Simulator
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
)

TEXT, NUMBER = "TEXT(Account.ICP_Tier__c)", "Account.ICP_Score__c"
READ = {"Contact.ICP_Tier__c": "read", "Contact.ICP_Score__c": "read"}


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        one = Org(crm)
        one.ready(
            tier("A", "B"),
            score(),
            field("Why__c", "LongTextArea", length=4000, visibleLines=3),
            ICP_Tier__c="edit",
            ICP_Score__c="edit",
        )
        yield one


def on_contacts(org, *parts, **sets):
    """Deploy fields of contacts."""
    names = [part.partition("<fullName>")[2].partition("</fullName>")[0] for part in parts]
    members = {"CustomField": [f"Contact.{name}" for name in names], "PermissionSet": list(sets)}
    files = {"package.xml": manifest({k: v for k, v in members.items() if v})}
    files["objects/Contact.object"] = document("CustomObject", *parts)
    files |= {f"permissionsets/{name}.permissionset": text for name, text in sets.items()}
    return org.run(files)


def formula(name, kind, text, **more):
    return field(name, kind, formula=text, **more)


def digits(text):
    return formula("ICP_Score__c", "Number", text, precision=18, scale=2)


def tooling(org, soql):
    status, body = org.get("tooling/query", q=soql)
    assert status == 200, body
    return body["records"]


def made(org):
    """Contacts know their account's tier and score, and we may read both."""
    parts = (formula("ICP_Tier__c", "Text", TEXT), digits(NUMBER))
    assert set(succeeded(on_contacts(org, *parts, Contacts=grants(label="Contacts", **READ))).values()) == {
        "created"
    }
    assert org.assign("Contacts")[0] == 201


def contact(org, **fields):
    status, body = org.post("sobjects/Contact", {"LastName": "Lee", **fields})
    assert status == 201, body
    return body["id"]


def test_a_contact_shows_what_its_account_says_now(org):
    made(org)
    account = org.make(ICP_Tier__c="A", ICP_Score__c=72.5)
    one, alone = contact(org, AccountId=account), contact(org)
    soql = "SELECT Id, ICP_Tier__c, ICP_Score__c FROM Contact"
    shown = {row["Id"]: (row["ICP_Tier__c"], row["ICP_Score__c"]) for row in org.query(soql)}
    assert shown == {one: ("A", 72.5), alone: (None, None)}
    assert org.call("PATCH", f"sobjects/Account/{account}", json={"ICP_Tier__c": "B"}).status_code == 204
    assert [row["Id"] for row in org.query("SELECT Id FROM Contact WHERE ICP_Tier__c = 'B'")] == [one]
    status, record = org.get(f"sobjects/Contact/{one}", fields="ICP_Tier__c")
    assert (status, record["ICP_Tier__c"]) == (200, "B")


def test_a_formula_is_described_as_worked_out_and_cannot_be_written(org):
    made(org)
    described = {one["name"]: one for one in org.get("sobjects/Contact/describe")[1]["fields"]}
    one = described["ICP_Tier__c"]
    assert (one["type"], one["length"], one["calculated"], one["updateable"]) == ("string", 1300, True, False)
    assert one["calculatedFormula"] == TEXT
    status, body = org.post("sobjects/Contact", {"LastName": "Lee", "ICP_Tier__c": "A"})
    assert (status, body[0]["errorCode"]) == (400, "INVALID_FIELD_FOR_INSERT_UPDATE")


def test_the_setup_tells_the_formula(org):
    made(org)
    [row] = tooling(
        org, "SELECT Id FROM CustomField WHERE DeveloperName = 'ICP_Tier' AND TableEnumOrId = 'Contact'"
    )
    metadata = org.get(f"tooling/sobjects/CustomField/{row['Id']}")[1]["Metadata"]
    assert (metadata["type"], metadata["formula"], metadata["length"]) == ("Text", TEXT, None)


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (formula("X__c", "Text", "Account.ICP_Tier__c"), "picklist field"),
        (formula("X__c", "Text", "Account.Why__c"), "Long Text Area"),
        (formula("X__c", "Text", "TEXT(Account.Nothing__c)"), "does not exist"),
        (formula("X__c", "Text", "TEXT(Nobody.Name)"), "does not exist"),
        (formula("X__c", "Text", NUMBER), "incompatible with expected data type (Text)"),
        (digits(TEXT), "incompatible with expected data type (Number)"),
        (formula("X__c", "Text", "TEXT(Account.Name)"), "Incorrect parameter type"),
        (formula("X__c", "Text", "IF(true, 1, 2)"), "not part of this simulator"),
        (formula("X__c", "LongTextArea", TEXT), "cannot be of type"),
        (formula("X__c", "Text", TEXT, length=9), "Can not specify 'length'"),
    ],
    ids=lambda one: "" if "<" in one else one,
)
def test_a_formula_that_cannot_be_is_refused(org, part, said):
    [problem] = problems(on_contacts(org, part)).values()
    assert said in problem


def test_a_permission_set_cannot_make_a_formula_editable(org):
    made(org)
    [problem] = problems(on_contacts(org, S=grants(**{"Contact.ICP_Tier__c": "edit"}))).values()
    assert "not editable" in problem


def test_a_formula_keeps_its_field_even_when_both_shall_go(org):
    made(org)
    refused = problems(org.delete("CustomField", "Contact.ICP_Tier__c", "Account.ICP_Tier__c"))
    assert "Custom Formula Field - Contact.ICP_Tier" in refused["Account.ICP_Tier__c"]
    assert succeeded(org.delete("CustomField", "Contact.ICP_Tier__c"))
    assert succeeded(org.delete("CustomField", "Account.ICP_Tier__c"))


def test_the_dependency_api_tells_of_formulas(org):
    made(org)
    [field_row] = tooling(
        org, "SELECT Id FROM CustomField WHERE DeveloperName = 'ICP_Tier' AND TableEnumOrId = 'Account'"
    )
    rows = tooling(
        org,
        "SELECT MetadataComponentName, MetadataComponentType FROM MetadataComponentDependency "
        f"WHERE RefMetadataComponentId = '{field_row['Id']}'",
    )
    assert [(one["MetadataComponentType"], one["MetadataComponentName"]) for one in rows] == [
        ("CustomField", "ICP_Tier")
    ]


def test_a_field_does_not_become_a_formula(org):
    assert succeeded(on_contacts(org, field("X__c", "Text", length=9)))
    [problem] = problems(on_contacts(org, formula("X__c", "Text", TEXT))).values()
    assert "into a formula" in problem
