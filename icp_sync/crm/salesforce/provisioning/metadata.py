"""Our fields and list views as components of Salesforce metadata, and what a component is.

Our fields are on accounts; on opportunities only where deals are stamped. One tree for both ways to bring
them into an org: `packaging` renders it as an archive for the Metadata API and as a project for the
Salesforce CLI. Knows no org; what an org has already comes in as arguments.
Shapes and limits: CustomField, ListView and RecordType in the Metadata API Developer Guide,
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_types_list.htm
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from urllib.parse import quote

from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import FIELDS, STATES, Field, FieldType
from icp_sync.domain.views import MARK
from icp_sync.ports import Blueprint

ACCOUNT, OPPORTUNITY = "Account", "Opportunity"
"""The objects our fields are on."""

TYPES: Mapping[FieldType, str] = {
    FieldType.ENUM: "Picklist",
    FieldType.MULTI: "MultiselectPicklist",
    FieldType.NUMBER: "Number",
    FieldType.TEXT: "Text",
    FieldType.LONG_TEXT: "LongTextArea",
    FieldType.DATETIME: "DateTime",
    FieldType.OWNER: "Lookup",
    FieldType.YES_NO: "Checkbox",
}
"""Field type → the metadata's FieldType."""

PICKLISTS = frozenset({FieldType.ENUM, FieldType.MULTI})
LONGEST_LABEL = 40
LONGEST_VALUE = 255
MOST_VALUES = 1_000

NOTHING_YET = "none"
"""A picklist cannot be made without a value; one that has nothing to offer yet is made with this one."""

_NAME = re.compile(r"(?=.{1,43}$)[A-Za-z](?:_?[A-Za-z0-9])*__c")
_COLUMNS = ("fit_score", "tier", "priority")

Element = tuple[str, "str | tuple[Element, ...]"]
"""A tag with its text, or with the elements inside."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Component:
    """One piece of metadata. `name`: within its object, where it belongs to one. `body`: without its name."""

    kind: str  # "CustomField" | "ListView" | "RecordType" | "PermissionSet"
    name: str
    body: tuple[Element, ...]
    sobject: str = ACCOUNT

    @property
    def full_name(self) -> str:
        """As `package.xml` and the reports of a deployment name it."""
        return self.name if self.kind == "PermissionSet" else f"{self.sobject}.{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ours:
    """Our fields on one object. names: logical field → API name. known: what each of them is."""

    sobject: str
    names: Mapping[str, str]
    known: Mapping[str, Field]

    def full_name(self, target: str) -> str:
        """As metadata names a field of the object."""
        return f"{self.sobject}.{target}"

    def shown(self, target: str) -> str:
        """As people are told of it: an account's field goes without its object."""
        return target if self.sobject == ACCOUNT else self.full_name(target)


def ours(blueprint: Blueprint) -> tuple[Ours, ...]:
    """Our fields by object, accounts first; opportunities only where deals are stamped."""
    accounts = Ours(sobject=ACCOUNT, names=blueprint.fields, known=FIELDS)
    deals = Ours(sobject=OPPORTUNITY, names=blueprint.deal_fields, known=STAMP)
    return (accounts, deals) if deals.names else (accounts,)


@dataclass(frozen=True, slots=True, kw_only=True)
class Doomed:
    """One piece of metadata to be deleted. `full_name`: as a manifest names it."""

    kind: str
    full_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """One value of a picklist. Inactive ones stay on records and cannot be chosen any more."""

    value: str
    label: str
    active: bool = True
    default: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordType:
    """A record type of the org's accounts.

    values: picklist field (API name) → its values there; a field that is absent could not be read.
    known: whether its setup could be read, without which it cannot be deployed and lose nothing.
    kept, defaults: settings a deployment would otherwise take away, as elements, and by lower-case picklist.
    person: of person accounts, whose record types belong to another object.
    """

    name: str  # with its namespace, as metadata names it
    label: str
    active: bool = True
    description: str = ""
    id: str = ""
    values: Mapping[str, frozenset[str]]
    known: bool = True
    person: bool = False
    kept: Mapping[str, str] = dataclasses.field(default_factory=dict)
    defaults: Mapping[str, frozenset[str]] = dataclasses.field(default_factory=dict)


def name_problem(name: str) -> str:
    """Why this cannot be the name of a custom field, "" when it can."""
    if _NAME.fullmatch(name):
        return ""
    return (
        "no name of a custom field: letters, digits and single underscores, a letter first, at most 40, "
        "and __c at the end"
    )


def value_problem(value: str, kind: FieldType) -> str:
    """Why this cannot be a value of a picklist of ours, "" when it can."""
    if not value or value != value.strip() or not value.isprintable():
        return f"the value {value!r} begins or ends with a blank, or holds a letter nobody can see"
    if len(value) > LONGEST_VALUE:
        return f"the value {value[:40]!r}… is longer than {LONGEST_VALUE} characters"
    if kind is FieldType.MULTI and ";" in value:
        return f"the value {value!r} holds a semicolon, which separates values"
    return ""


def doubles(choices: Iterable[Choice], held: Iterable[Choice] = ()) -> str:
    """Why a picklist cannot offer these values, beside those it holds; "" when it can.

    Salesforce compares values without regard to case. A picklist has at most 1,000 of them, the inactive
    ones counted ("Picklist Limitations" in Salesforce Help).
    """
    known = {choice.value.lower(): choice.value for choice in held}
    for choice in choices:
        twin = known.setdefault(choice.value.lower(), choice.value)
        if twin != choice.value:
            return f"the values {twin!r} and {choice.value!r} are one and the same to Salesforce"
    if len(known) > MOST_VALUES:
        return f"it would have {len(known):,} values, and a picklist holds {MOST_VALUES:,}, inactive ones too"
    return ""


def wanted_choices(field: Field, blueprint: Blueprint) -> tuple[Choice, ...]:
    """The values a picklist of ours must offer, none for other fields."""
    if field.type not in PICKLISTS:
        return ()
    given = blueprint.options.get(field.name)
    pairs = given if given is not None else tuple((value, value) for value in field.options)
    return tuple(Choice(value=value, label=label[:LONGEST_VALUE]) for value, label in pairs)


def custom_field(
    field: Field,
    name: str,
    choices: Sequence[Choice],
    *,
    restricted: bool = True,
    ordered: bool = False,
    kept: Mapping[str, str] = MappingProxyType({}),
    sobject: str = ACCOUNT,
) -> Component:
    """A field of ours with these values, all there shall be.

    restricted: whether it takes no other values. ordered: whether they are shown by the alphabet.
    kept: what the org has given it already, as elements, in place of ours.
    """
    body = dict(_typed(field.type, name, _value_set(choices, restricted=restricted, ordered=ordered)))
    body |= {"description": field.description, "label": field.label[:LONGEST_LABEL], **kept}
    body["type"] = TYPES[field.type]
    return Component(kind="CustomField", name=name, body=tuple(sorted(body.items())), sobject=sobject)


def list_views(
    fields: Mapping[str, str], mark: str = MARK, *, prefixed: bool = False
) -> tuple[Component, ...]:
    """A list view of all accounts for every tier and state; none without the field of the tier.

    Columns and filters name custom fields by their API name, standard ones by a token of the list's own.
    prefixed: write `Account.X__c`, which other orgs want.
    """
    if "tier" not in fields:
        return ()
    if prefixed:
        fields = {field: f"Account.{name}" for field, name in fields.items()}
    columns = ["ACCOUNT.NAME", *(fields[name] for name in _COLUMNS if name in fields), "CORE.USERS.ALIAS"]
    columns += [fields["lane"]] if "lane" in fields else []
    return tuple(_list_view(mark, state, fields["tier"], columns) for state in STATES)


def record_type(existing: RecordType, values: Mapping[str, Iterable[str]]) -> Component:
    """A record type as it is, with all the values of these picklists; its other picklists are not named.

    Values are percent-encoded there, blanks excepted, as a retrieved record type shows them.
    """
    said = {"active": yes_no(existing.active), "label": existing.label, **existing.kept}
    if existing.description:
        said["description"] = existing.description
    body: list[Element] = [*sorted(said.items())]
    for picklist, offered in sorted(values.items()):
        first = existing.defaults.get(picklist.lower(), frozenset())
        listed: list[Element] = [
            (
                "values",
                (("fullName", quote(value, safe=" -_.!~*'()")), ("default", yes_no(value in first))),
            )
            for value in sorted(set(offered))
        ]
        if listed:
            body.append(("picklistValues", (("picklist", picklist), *listed)))
    return Component(kind="RecordType", name=existing.name, body=tuple(body))


def _typed(kind: FieldType, name: str, value_set: tuple[Element, ...]) -> list[Element]:
    plain: list[Element] = [("externalId", "false"), ("required", "false")]
    match kind:
        case FieldType.NUMBER:
            return [*plain, ("precision", "6"), ("scale", "2"), ("unique", "false")]
        case FieldType.TEXT:
            return [*plain, ("length", "255"), ("unique", "false")]
        case FieldType.LONG_TEXT:
            return [("externalId", "false"), ("length", "32768"), ("visibleLines", "6")]
        case FieldType.DATETIME:
            return plain
        case FieldType.YES_NO:
            return [("defaultValue", "false"), ("externalId", "false")]
        case FieldType.OWNER:
            stem = name.removesuffix("__c")
            return [
                *plain,
                ("deleteConstraint", "SetNull"),
                ("referenceTo", "User"),
                ("relationshipLabel", "Accounts"),
                ("relationshipName", f"{stem[:31]}_Accounts".replace("__", "_")),
            ]
        case FieldType.ENUM:
            return [*plain, ("valueSet", value_set)]
        case FieldType.MULTI:
            return [*plain, ("valueSet", value_set), ("visibleLines", "4")]


def _value_set(choices: Sequence[Choice], *, restricted: bool, ordered: bool = False) -> tuple[Element, ...]:
    values: list[Element] = [("sorted", yes_no(ordered))]
    for choice in choices or [Choice(value=NOTHING_YET, label="None")]:
        said: list[Element] = [("fullName", choice.value), ("default", yes_no(choice.default))]
        if not choice.active:
            said.append(("isActive", "false"))
        values.append(("value", (*said, ("label", choice.label))))
    return ("restricted", yes_no(restricted)), ("valueSetDefinition", tuple(values))


def _list_view(mark: str, state: str, tier: str, columns: Sequence[str]) -> Component:
    one_letter = len(state) == 1
    name = f"{mark}_Tier_{state}" if one_letter else f"{mark}_{state.replace(' ', '_')}"
    label = f"{mark} tier {state}" if one_letter else f"{mark}: {state}"
    body: list[Element] = [("columns", column) for column in columns]
    wanted: tuple[Element, ...] = (("field", tier), ("operation", "equals"), ("value", state))
    body += [("filterScope", "Everything"), ("filters", wanted), ("label", label)]
    return Component(kind="ListView", name=name, body=tuple(body))


def yes_no(value: bool) -> str:
    """A boolean as metadata writes it."""
    return "true" if value else "false"
