"""What a CustomField of the Metadata API makes of an org's field, or why it makes none. It touches no org.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/customfield.htm
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_picklist.htm
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import cast

from icp_sync.simulator.salesforce.formulas import LONGEST_RESULT
from icp_sync.simulator.salesforce.metadata import value_sets
from icp_sync.simulator.salesforce.metadata.shapes import Body
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import NUMBERS, FieldDef

_LONGEST_NAME, _LONGEST_LABEL = 40, 40
_LONGEST_DESCRIPTION, _LONGEST_HELP = 1_000, 510
_NAME = re.compile(r"[A-Za-z](?:_?[A-Za-z0-9])*")
BAD_NAME = (
    "The {} can only contain underscores and alphanumeric characters. It must be unique, begin with a "
    "letter, not include spaces, not end with an underscore, and not contain two consecutive underscores."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One field type of the Metadata API: its name in describe, and which measures it takes.

    takes: measures that must be given; every other one must not. length: the least and the most, or the one
    it always has. blank: its FieldDef without name and label.
    """

    blank: FieldDef
    takes: frozenset[str] = frozenset()
    length: tuple[int, int] = (0, 0)
    lines: tuple[int, int] = (0, 0)


def _kind(
    type_: str,
    takes: str = "",
    length: tuple[int, int] = (0, 0),
    *,
    filterable: bool = True,
    nillable: bool = True,
) -> Kind:
    taken = frozenset(takes.split())
    fixed = 0 if "length" in taken else length[1]
    blank = FieldDef(
        name="", label="", type=type_, custom=True, length=fixed, filterable=filterable, nillable=nillable
    )
    return Kind(blank=blank, takes=taken, length=length, lines=_LINES.get(type_, (0, 0)))


_LINES = {"textarea": (2, 50), "multipicklist": (3, 10)}
KINDS: Mapping[str, Kind] = {
    "Text": _kind("string", "length", (1, 255)),
    "TextArea": _kind("textarea", "", (255, 255)),
    "LongTextArea": _kind("textarea", "length visibleLines", (256, 131_072), filterable=False),
    "Html": _kind("textarea", "length visibleLines", (256, 131_072), filterable=False),
    "Number": _kind("double", "precision scale"),
    "Currency": _kind("currency", "precision scale"),
    "Percent": _kind("percent", "precision scale"),
    "Checkbox": _kind("boolean", "defaultValue", nillable=False),
    "Date": _kind("date"),
    "DateTime": _kind("datetime"),
    "Email": _kind("email", "", (80, 80)),
    "Phone": _kind("phone", "", (40, 40)),
    "Url": _kind("url", "", (255, 255)),
    "Picklist": _kind("picklist", "valueSet", (255, 255)),
    "MultiselectPicklist": _kind("multipicklist", "valueSet visibleLines", (4_099, 4_099)),
    "Lookup": _kind("reference", "referenceTo relationshipName", (18, 18)),
}
_MEASURES = (
    "length",
    "precision",
    "scale",
    "visibleLines",
    "valueSet",
    "referenceTo",
    "relationshipName",
    "defaultValue",
    "deleteConstraint",
    "relationshipLabel",
    "formula",
)
_OPTIONAL = {
    "Picklist": frozenset({"defaultValue"}),
    "Lookup": frozenset({"deleteConstraint", "relationshipLabel"}),
}


def is_name(text: str, longest: int) -> bool:
    """Whether a text can be the API name of a component (without its __c)."""
    return len(text) <= longest and _NAME.fullmatch(text) is not None


def made(body: Body, held: FieldDef | None, objects: Mapping[str, str], *, replaces: bool = True) -> FieldDef:
    """The field a CustomField describes. Raises Problem.

    held: the field of that name as it is now; objects: API names by their lower-case form. replaces: whether
    the values that a picklist leaves out become inactive; otherwise they stay as they are.
    """
    name = _checked_name(str(body["fullName"]))
    wanted = body.get("type")
    if wanted is None:
        raise Problem("Required field is missing: type")
    kind = KINDS.get(str(wanted))
    if kind is None:
        raise Problem(f"Fields of type {wanted} are not part of this simulator")
    if "formula" in body:
        kind = _worked_out(str(wanted), kind)
    _check_measures(str(wanted), kind, body)
    field = replace(
        kind.blank,
        name=name,
        label=_checked_label(body),
        unique=body.get("unique") is True,
        nillable=kind.blank.nillable and body.get("required") is not True,
        description=str(body.get("description", "")),
        help_text=str(body.get("inlineHelpText", "")),
        visible_lines=_number(body, "visibleLines"),
        tracked=body.get("trackHistory") is True,
    )
    finish = _FINISH.get(field.type) if "formula" not in body or field.type in NUMBERS else None
    if finish is not None:
        field = finish(field, body, objects)
    if "formula" in body:
        field = _formula(field, str(body["formula"]))
    return field if held is None else value_sets.with_old_values(field, held, replaces=replaces)


def _worked_out(wanted: str, kind: Kind) -> Kind:
    """The kind of a formula field: a text has no length of its own then, a number its digits still."""
    if wanted not in ("Text", "Number", "Currency", "Percent", "Checkbox", "Date", "DateTime"):
        raise Problem(f"A formula cannot be of type {wanted}")
    return replace(kind, takes=(kind.takes & {"precision", "scale"}) | {"formula"})


def _formula(field: FieldDef, text: str) -> FieldDef:
    if not text.strip():
        raise Problem("Formula error: Syntax error")
    length = LONGEST_RESULT if field.type == "string" else field.length
    return replace(
        field, formula=text, calculated=True, createable=False, updateable=False, length=length, nillable=True
    )


def check_relationship(new: FieldDef, others: Iterable[FieldDef]) -> None:
    """A parent can be gone down from by any name only once. Raises Problem. others: fields of all objects."""
    for other in others:
        same = other.child_relationship.lower() == new.child_relationship.lower() != ""
        if same and other.reference_to == new.reference_to and other.key != new.key:
            raise Problem(
                f"There is already a Child Relationship named {other.child_relationship} on "
                f"{new.reference_to}."
            )


def _checked_name(full: str) -> str:
    if not full.endswith("__c"):
        raise Problem("Could not resolve standard field's name.")
    if not is_name(full[:-3], _LONGEST_NAME):
        raise Problem(BAD_NAME.format("Field Name"))
    return full


def _checked_label(body: Body) -> str:
    label = str(body.get("label", ""))
    if not label:
        raise Problem("Required field is missing: label")
    if len(label) > _LONGEST_LABEL:
        raise Problem(f"Label: data value too large: {label} (max length={_LONGEST_LABEL})")
    for name, most in (("description", _LONGEST_DESCRIPTION), ("inlineHelpText", _LONGEST_HELP)):
        if len(str(body.get(name, ""))) > most:
            raise Problem(f"Value too long for field: {name} maximum length is:{most}")
    return label


def _check_measures(wanted: str, kind: Kind, body: Body) -> None:
    """Every measure the type takes, no other, each within bounds."""
    for name in _MEASURES:
        if name in kind.takes and name not in body:
            raise Problem(f"Must specify '{name}' for a CustomField of type {wanted}")
        if name in body and name not in kind.takes and name not in _OPTIONAL.get(wanted, ()):
            raise Problem(f"Can not specify '{name}' for a CustomField of type {wanted}")
    if body.get("unique") is True and wanted not in ("Text", "Number", "Email"):
        raise Problem(f"Can not specify 'unique' for a CustomField of type {wanted}")
    if body.get("externalId") is True and wanted not in ("Text", "Number", "Email"):
        raise Problem(f"Can not specify 'externalId' for a CustomField of type {wanted}")
    for name, (least, most) in (("length", kind.length), ("visibleLines", kind.lines)):
        if name in kind.takes and not least <= _number(body, name) <= most:
            raise Problem(f"Value of '{name}' must be between {least} and {most} for a {wanted} field")


def _number(body: Body, name: str) -> int:
    return cast("int", body.get(name, 0))


def _text(field: FieldDef, body: Body, objects: Mapping[str, str]) -> FieldDef:
    return replace(field, length=_number(body, "length") or field.length)


def _digits(field: FieldDef, body: Body, objects: Mapping[str, str]) -> FieldDef:
    precision, scale = _number(body, "precision"), _number(body, "scale")
    if not 1 <= precision <= 18:
        raise Problem("Precision must be between 1 and 18")
    if not 0 <= scale <= precision:
        raise Problem("Scale must be between 0 and the precision")
    return replace(field, precision=precision, scale=scale)


def _checkbox(field: FieldDef, body: Body, objects: Mapping[str, str]) -> FieldDef:
    if body["defaultValue"] not in ("true", "false"):
        raise Problem(f"Default value of a Checkbox is true or false, was {body['defaultValue']}")
    return field


def _lookup(field: FieldDef, body: Body, objects: Mapping[str, str]) -> FieldDef:
    target = objects.get(str(body["referenceTo"]).lower())
    if target is None:
        raise Problem(
            f"referenceTo value of '{body['referenceTo']}' does not resolve to a valid sObject type"
        )
    relationship = str(body["relationshipName"])
    if not is_name(relationship, _LONGEST_NAME):
        raise Problem(BAD_NAME.format("Child Relationship Name"))
    if body.get("deleteConstraint") == "Cascade":
        raise Problem("Cannot specify deleteConstraint Cascade on a standard object")
    if body.get("required") is True and body.get("deleteConstraint", "SetNull") == "SetNull":
        raise Problem(
            "field integrity exception: deleteConstraint SetNull needs a lookup that is not required"
        )
    return replace(
        field, reference_to=target, relationship=field.name[:-1] + "r", child_relationship=relationship
    )


Finish = Callable[[FieldDef, Body, Mapping[str, str]], FieldDef]
_FINISH: Mapping[str, Finish] = {
    "string": _text,
    "textarea": _text,
    "double": _digits,
    "currency": _digits,
    "percent": _digits,
    "boolean": _checkbox,
    "reference": _lookup,
    "picklist": value_sets.picklist,
    "multipicklist": value_sets.picklist,
}

_WIDER = {
    ("string", "textarea"),
    ("picklist", "string"),
    ("picklist", "multipicklist"),
    ("picklist", "textarea"),
}


def check_change(held: FieldDef, new: FieldDef, longest: Callable[[], int]) -> None:
    """Whether a field can become another. Raises Problem.

    longest: finds the length of the longest value records hold, 0 when none holds any.
    """
    if held.name != new.name and held.type != new.type:
        raise Problem(f"There is already a field named {held.name}; names differ in more than their case")
    if bool(held.formula) != bool(new.formula):
        raise Problem("Cannot change a field into a formula, nor a formula into a field")
    if "reference" in (held.type, new.type):
        if held.type != new.type:
            way = "to a {} from" if new.type == "reference" else "from a {} to"
            what = way.format("Lookup, MasterDetail, or Hierarchy")
            raise Problem(f"Cannot update a field {what} something else")
        if held.reference_to != new.reference_to:
            raise Problem("Cannot change which object the field refers to")
    if held.type != new.type and (held.type, new.type) not in _WIDER and longest():
        raise Problem("Cannot change type due to existing data")
    if (held.type, held.length) != (new.type, new.length) and longest() > new.length > 0:
        raise Problem("Cannot change length due to existing data")
