"""Our fields, permission sets and list views as metadata, in both forms."""

from __future__ import annotations

import io
import xml.etree.ElementTree as Tree
import zipfile
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.salesforce.provisioning.metadata import (
    Choice,
    Component,
    RecordType,
    custom_field,
    doubles,
    list_views,
    name_problem,
    record_type,
    value_problem,
    wanted_choices,
)
from icp_sync.crm.salesforce.provisioning.packaging import archive, project, sfdx
from icp_sync.crm.salesforce.provisioning.permission_sets import (
    INTEGRATION,
    READERS,
    integration_grants,
    permission_set,
    reader_grants,
)
from icp_sync.domain.standing import FIELDS, STATES, Field, FieldType
from icp_sync.ports import Blueprint

SPACE = "{http://soap.sforce.com/2006/04/metadata}"
NAMES = {name: f"ICP_{name.title()}__c" for name, field in FIELDS.items() if not field.native}


def blueprint(*flags: str) -> Blueprint:
    pairs = tuple((flag, flag) for flag in flags)
    return Blueprint(group="icp", group_label="ICP", fields=NAMES, options={"flags": pairs})


def files(components: Sequence[Component]) -> dict[str, str]:
    with zipfile.ZipFile(io.BytesIO(archive(components))) as packed:
        return {name: packed.read(name).decode() for name in packed.namelist()}


def texts(root: Tree.Element, path: str) -> list[str | None]:
    return [found.text for found in root.findall("/".join(SPACE + part for part in path.split("/")))]


def body(component: Component) -> dict[str, Any]:
    return dict(component.body)


def everything() -> list[Component]:
    plan = blueprint("agency", "b2c & <b2b>")
    made = [
        custom_field(FIELDS[name], api, wanted_choices(FIELDS[name], plan)) for name, api in NAMES.items()
    ]
    partner = RecordType(name="Partner", label="Partner", values={})
    return [
        *made,
        *list_views(NAMES),
        record_type(partner, {"ICP_Tier__c": STATES}),
        permission_set(INTEGRATION, integration_grants(plan, transfer=True)),
        permission_set(READERS, reader_grants(plan)),
    ]


@pytest.mark.parametrize(
    ("field", "kind", "measures"),
    [
        ("tier", "Picklist", {"required": "false"}),
        ("flags", "MultiselectPicklist", {"visibleLines": "4"}),
        ("fit_score", "Number", {"precision": "6", "scale": "2"}),
        ("profile", "Text", {"length": "255"}),
        ("reasons", "LongTextArea", {"length": "32768", "visibleLines": "6"}),
        ("routed_at", "DateTime", {"required": "false"}),
        ("routed_owner", "Lookup", {"referenceTo": "User", "deleteConstraint": "SetNull"}),
    ],
)
def test_a_field_is_made_with_the_type_and_measures_it_needs(
    field: str, kind: str, measures: dict[str, str]
) -> None:
    made = body(custom_field(FIELDS[field], NAMES[field], wanted_choices(FIELDS[field], blueprint("x"))))
    assert made["type"] == kind
    assert made["label"] == FIELDS[field].label
    assert made["description"] == FIELDS[field].description
    assert made.items() >= measures.items()


def test_a_yes_no_field_is_a_checkbox_that_starts_unchecked() -> None:
    known = Field(name="x", label="X", type=FieldType.YES_NO, description="")
    assert body(custom_field(known, "ICP_X__c", ())).items() >= {
        ("type", "Checkbox"),
        ("defaultValue", "false"),
    }


def test_every_label_fits_and_every_name_of_ours_is_one() -> None:
    for field, name in NAMES.items():
        assert len(str(body(custom_field(FIELDS[field], name, ()))["label"])) <= 40
        assert name_problem(name) == ""
    for view in list_views(NAMES):
        assert len(str(body(view)["label"])) < 40


@pytest.mark.parametrize(
    "name",
    [
        "icp_tier",
        "1_tier__c",
        "ICP__tier__c",
        "ICP_Tier___c",
        "ICP Tier__c",
        "_tier__c",
        "T" * 41 + "__c",
        "",
    ],
)
def test_a_name_salesforce_would_not_take_is_told(name: str) -> None:
    assert "custom field" in name_problem(name)


def test_a_name_may_be_as_long_as_salesforce_lets_it() -> None:
    assert name_problem("T" * 40 + "__c") == ""


@pytest.mark.parametrize(
    ("value", "kind", "told"),
    [
        ("a;b", FieldType.MULTI, "semicolon"),
        (" a", FieldType.ENUM, "blank"),
        ("", FieldType.ENUM, "blank"),
        ("a\nb", FieldType.ENUM, "nobody can see"),
        ("a" * 256, FieldType.ENUM, "255"),
        ("a;b", FieldType.ENUM, ""),
        ("Under $1M & <small>", FieldType.MULTI, ""),
    ],
)
def test_a_value_no_picklist_takes_is_told(value: str, kind: FieldType, told: str) -> None:
    found = value_problem(value, kind)
    assert told in found
    assert bool(found) == bool(told)


def test_a_picklist_without_values_is_made_with_one_that_says_so() -> None:
    (made,) = project([custom_field(FIELDS["flags"], "ICP_Flags__c", ())]).items() - project([]).items()
    root = Tree.fromstring(made[1])
    assert texts(root, "valueSet/valueSetDefinition/value/fullName") == ["none"]
    assert texts(root, "valueSet/restricted") == ["true"]


def test_inactive_and_default_values_stay_what_they_are() -> None:
    choices = (Choice(value="A", label="Gold", default=True), Choice(value="old", label="Old", active=False))
    (text,) = [
        text
        for path, text in project([custom_field(FIELDS["tier"], "T__c", choices)]).items()
        if "T__c" in path
    ]
    values = Tree.fromstring(text).findall(f"{SPACE}valueSet/{SPACE}valueSetDefinition/{SPACE}value")
    assert [[(child.tag.removeprefix(SPACE), child.text) for child in value] for value in values] == [
        [("fullName", "A"), ("default", "true"), ("label", "Gold")],
        [("fullName", "old"), ("default", "false"), ("isActive", "false"), ("label", "Old")],
    ]


# Permission sets


def test_the_integration_edits_our_fields_and_people_the_override_and_they_read_all_but_the_seal() -> None:
    ours, theirs = integration_grants(blueprint(), transfer=False), reader_grants(blueprint())
    override = {"tier_override", "tier_override_reason", "tier_override_until"}
    assert ours.fields == {f"Account.{name}": field not in override for field, name in NAMES.items()}
    assert theirs.fields == {
        f"Account.{name}": field in override for field, name in NAMES.items() if field != "seal"
    }
    seen = frozenset({"allowRead", "viewAllRecords"})
    assert ours.objects == {"Account": seen | {"allowEdit"}, "Contact": seen, "Opportunity": seen}
    assert theirs.objects == {"Account": frozenset({"allowRead"})}
    assert theirs.user == frozenset()


def test_the_right_to_transfer_is_asked_for_only_where_owners_are_written() -> None:
    assert "TransferAnyEntity" not in integration_grants(blueprint(), transfer=False).user
    assert "TransferAnyEntity" in integration_grants(blueprint(), transfer=True).user


@pytest.mark.parametrize(
    ("wanted", "held", "told"),
    [
        (["a", "b"], ["A", "old"], "'A' and 'a'"),
        (["a", "A"], [], "'a' and 'A'"),
        (["a", "b"], [f"v{n}" for n in range(999)], "1,001 values"),
        (["a"], [f"v{n}" for n in range(999)], ""),
        (["a", "b"], ["a", "B2"], ""),
    ],
)
def test_values_one_picklist_cannot_hold_together_are_named(
    wanted: list[str], held: list[str], told: str
) -> None:
    problem = doubles(
        [Choice(value=value, label=value) for value in wanted],
        [Choice(value=value, label=value) for value in held],
    )
    assert told in problem
    assert bool(told) == bool(problem)


# List views and record types


def test_there_is_a_list_view_for_every_tier_and_state() -> None:
    views = list_views(NAMES)
    assert [dict(body(view)["filters"])["value"] for view in views] == list(STATES)
    assert [view.name for view in views][-3:] == ["ICP_Tier_D", "ICP_Needs_data", "ICP_Not_ICP"]
    assert [text for tag, text in views[0].body if tag == "columns"] == [
        "ACCOUNT.NAME",
        "ICP_Fit_Score__c",
        "ICP_Tier__c",
        "ICP_Priority__c",
        "CORE.USERS.ALIAS",
        "ICP_Lane__c",
    ]


def test_list_views_show_the_fields_there_are() -> None:
    minimal = {"tier": "T__c", "lane": "L__c"}
    columns = [text for tag, text in list_views(minimal)[0].body if tag == "columns"]
    assert columns == ["ACCOUNT.NAME", "T__c", "CORE.USERS.ALIAS", "L__c"]
    assert list_views({"lane": "L__c"}) == ()


def test_an_org_that_wants_the_object_before_the_field_gets_it() -> None:
    view = list_views({"tier": "T__c"}, prefixed=True)[0]
    assert [text for tag, text in view.body if tag == "columns"][1] == "Account.T__c"
    assert dict(body(view)["filters"])["field"] == "Account.T__c"


def test_a_record_type_goes_on_beginning_with_the_value_it_began_with() -> None:
    partner = RecordType(name="P", label="P", values={}, defaults={"f__c": frozenset({"a/b"})})
    ((_, *values),) = [
        inside for tag, inside in record_type(partner, {"F__c": ["a/b", "c"]}).body if tag == "picklistValues"
    ]
    assert [dict(inside)["default"] for _, inside in values] == ["true", "false"]


def test_a_record_type_names_our_picklists_alone_and_its_values_encoded() -> None:
    partner = RecordType(name="Partner", label="Partners", description="Resell", active=False, values={})
    made = record_type(partner, {"F__c": ["Under $1M", "Café", "a/b"], "Empty__c": []})
    assert made.full_name == "Account.Partner"
    assert body(made).items() >= {("active", "false"), ("label", "Partners"), ("description", "Resell")}
    ((_, *values),) = [inside for tag, inside in made.body if tag == "picklistValues"]
    assert [dict(inside)["fullName"] for _, inside in values] == ["Caf%C3%A9", "Under %241M", "a%2Fb"]


# Both forms


def test_the_archive_names_exactly_the_components_it_holds() -> None:
    packed = files(everything())
    manifest = Tree.fromstring(packed.pop("package.xml"))
    assert texts(manifest, "version") == ["66.0"]
    named = {
        (types.findtext(f"{SPACE}name"), member.text)
        for types in manifest.findall(f"{SPACE}types")
        for member in types.findall(f"{SPACE}members")
    }
    account = Tree.fromstring(packed.pop("objects/Account.object"))
    tags = {"fields": "CustomField", "listViews": "ListView", "recordTypes": "RecordType"}
    held = {
        (kind, f"Account.{name}") for tag, kind in tags.items() for name in texts(account, f"{tag}/fullName")
    }
    held |= {("PermissionSet", path.split("/")[1].split(".")[0]) for path in packed}
    assert named == held


def test_what_stands_in_a_file_once_stands_together() -> None:
    account = Tree.fromstring(files(everything())["objects/Account.object"])
    tags = [child.tag for child in account]
    assert tags == sorted(tags)


def test_both_forms_say_the_same_of_every_component() -> None:
    components = everything()
    packed, source = files(components), project(components)
    account = Tree.fromstring(packed["objects/Account.object"])
    together = {child.findtext(f"{SPACE}fullName"): list(child.itertext()) for child in account}
    for component in components:
        (path,) = [path for path in source if f"/{component.name}." in path]
        alone = Tree.fromstring(source[path])
        assert alone.tag == f"{SPACE}{component.kind}"
        if component.kind == "PermissionSet":
            assert source[path] == packed[f"permissionsets/{component.name}.permissionset"]
        else:
            assert [text.strip() for text in alone.itertext() if text.strip()] == [
                text.strip() for text in together[component.name] if text.strip()
            ]


def test_the_same_components_are_the_same_bytes() -> None:
    assert archive(everything()) == archive(everything())


def test_a_project_holds_everything_an_org_without_our_fields_needs() -> None:
    partner = RecordType(name="Partner", label="Partner", values={})
    made = sfdx(blueprint("agency"), [partner])
    folder = "force-app/main/default"
    account = f"{folder}/objects/Account"
    assert {f"{account}/fields/{name}.field-meta.xml" for name in NAMES.values()} <= set(made)
    assert f"{account}/listViews/ICP_Tier_A.listView-meta.xml" in made
    assert f"{folder}/permissionsets/{INTEGRATION}.permissionset-meta.xml" in made
    assert "sfdx-project.json" in made
    text = made[f"{account}/recordTypes/Partner.recordType-meta.xml"]
    listed = Tree.fromstring(text)
    assert "ICP_Flags__c" in texts(listed, "picklistValues/picklist")
    assert all(path.isascii() and not path.startswith("/") for path in made)


@given(st.lists(st.text(min_size=1, max_size=30), unique=True, max_size=5))
def test_any_printable_value_comes_back_from_the_archive_as_it_went_in(values: list[str]) -> None:
    usable = [value for value in values if not value_problem(value, FieldType.MULTI)]
    plan = Blueprint(
        group="icp",
        group_label="ICP",
        fields={"flags": "F__c"},
        options={"flags": tuple((value, value) for value in usable)},
    )
    made = custom_field(FIELDS["flags"], "F__c", wanted_choices(FIELDS["flags"], plan))
    account = Tree.fromstring(files([made])["objects/Account.object"])
    found = texts(account, "fields/valueSet/valueSetDefinition/value/fullName")
    assert found == (usable or ["none"])
