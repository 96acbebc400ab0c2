"""What a deployment's zip must be like: its manifest, its files, the XML of components."""

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
    view,
    xml,
)

TIER = {"package.xml": manifest({"CustomField": ["Account.ICP_Tier__c"]})}


@pytest.fixture
def org():
    with Simulator(crm="salesforce", accounts=0) as crm:
        yield Org(crm)


# -- the manifest


def test_a_component_that_is_named_must_be_there(org):
    files = {
        "package.xml": manifest({"CustomField": ["Account.ICP_Score__c", "Account.Other__c"]}),
        "objects/Account.object": document("CustomObject", score()),
    }
    assert problems(org.run(files)) == {
        "Account.Other__c": "An object 'Account.Other__c' of type CustomField was named in package.xml, "
        "but was not found in zipped directory"
    }


def test_a_component_that_is_there_must_be_named(org):
    files = {
        "package.xml": manifest({"CustomField": ["Account.ICP_Score__c"]}),
        "objects/Account.object": document("CustomObject", score(), score("Other__c")),
        "permissionsets/ICP.permissionset": grants(),
    }
    assert problems(org.run(files)) == {"Account.Other__c": "Not in package.xml", "ICP": "Not in package.xml"}


def test_a_whole_object_or_every_permission_set_can_be_named(org):
    files = {
        "package.xml": manifest({"CustomObject": ["Account"], "PermissionSet": ["*"]}),
        "objects/Account.object": document("CustomObject", score()),
        "permissionsets/ICP.permissionset": grants(),
    }
    assert succeeded(org.run(files)) == {
        "Account": "unchanged",
        "Account.ICP_Score__c": "created",
        "ICP": "created",
    }


def test_a_package_lies_at_the_root_or_in_a_folder_as_the_options_say(org):
    files = {**TIER, "objects/Account.object": document("CustomObject", tier("A"))}
    inside = {f"pkg/{path}": text for path, text in files.items()}
    assert problems(org.run(inside)) == {"package.xml": "No package.xml found"}
    assert succeeded(org.run(inside, singlePackage=False, checkOnly=True)) == {
        "Account.ICP_Tier__c": "created"
    }
    assert problems(org.run(files, singlePackage=False))


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no element found"),
        ("<Package/>", "Element {}Package invalid at this location"),
        (document("Packet"), "Packet invalid at this location"),
        (document("Package"), "Required field is missing: version"),
        (manifest({}, version="12.0"), "Invalid version specified: 12.0"),
        (manifest({}, version="sixty"), "Invalid version specified: sixty"),
        (document("Package", "<what/>"), "what invalid at this location in type Package"),
        (f'<!DOCTYPE Package [<!ENTITY a "b">]>{document("Package")[39:]}', "DOCTYPE is not allowed"),
        (document("Package", "<version>" * 40), "Error parsing file"),
    ],
    ids=lambda one: "xml" if "<" in one else one,
)
def test_a_bad_manifest_says_what_is_wrong_with_it(org, text, said):
    found = problems(org.run({"package.xml": text}))
    assert said in found["package.xml"]


def test_a_file_or_a_type_that_is_not_known_fails(org):
    files = {
        "package.xml": manifest({"ApexClass": ["Hello"]}),
        "classes/Hello.cls": "class Hello {}",
    }
    failures = org.run(files)["details"]["componentFailures"]
    assert [(one["fullName"], one["problem"]) for one in failures] == [
        ("Hello", "classes/Hello.cls is of no type this simulator deploys"),
        ("Hello", "Unknown type name 'ApexClass' specified in package.xml"),
    ]


# -- the xml of components


@pytest.mark.parametrize(
    ("part", "said"),
    [
        (xml("fields", fullName="X__c", colour="red"), "colour invalid at this location in type CustomField"),
        (xml("fields", fullName="X__c", label=["a", "b"]), "label is duplicated at this location"),
        (xml("fields", label="a"), "Required field is missing: fullName"),
        (score(externalId="maybe"), "'maybe' is not a valid value for the type xsd:boolean"),
        (score(trackHistory=""), "'' is not a valid value for the type xsd:boolean"),
        (score(visibleLines="many"), "'many' is not a valid value for the type xsd:int"),
        (field("X__c", "Shape"), "'Shape' is not a valid value for the enum 'FieldType'"),
        (xml("fields", "<label><b/></label>", fullName="X__c"), "invalid at this location in simple type"),
        (
            xml("validationRules", fullName="R"),
            "validationRules of CustomObject is not part of this simulator",
        ),
        (xml("gadgets", fullName="R"), "gadgets invalid at this location in type CustomObject"),
    ],
    ids=lambda one: "xml" if "<" in one else one,
)
def test_strict_xml_says_where_it_does_not_fit(org, part, said):
    files = {
        "package.xml": manifest({"CustomObject": ["Account"]}),
        "objects/Account.object": document("CustomObject", "\n\n", part),
    }
    result = org.run(files)
    failed = [one for one in result["details"]["componentFailures"] if one["fileName"].endswith(".object")]
    assert said in failed[0]["problem"]
    assert failed[0]["lineNumber"] == 4
    assert failed[0]["columnNumber"] >= 1


def test_elements_of_one_name_must_stand_together(org):
    mixed = document("CustomObject", score(), view("ICP_A"), score("Other__c"))
    found = problems(
        org.run({"package.xml": manifest({"CustomObject": ["Account"]}), "objects/Account.object": mixed})
    )
    assert "fields is duplicated at this location in type CustomObject" in found["Account"]


def test_a_component_twice_is_a_problem(org):
    assert problems(org.deploy(score(), score())) == {
        "Account.ICP_Score__c": "Duplicate component: Account.ICP_Score__c"
    }
