"""Formula fields as far as they follow a reference: `Account.ICP_Score__c`, `TEXT(Account.ICP_Tier__c)`.

A formula is worked out when its record is read, whoever reads it: field-level security on what it refers to
does not matter. Other functions are not part of this simulator.
https://help.salesforce.com/s/articleView?id=sf.customize_formulas.htm
https://developer.salesforce.com/docs/atlas.en-us.usefulFormulaFields.meta/usefulFormulaFields/formula_using_picklist.htm
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from icp_sync.simulator.salesforce.schema import NUMBERS, TEXTS, FieldDef, Value

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org
    from icp_sync.simulator.salesforce.sobject import SObject
    from icp_sync.simulator.store import Record

LONGEST_RESULT = 1_300
_LONG_TEXT = 255
_SHAPE = re.compile(r"\s*(?:TEXT\s*\(\s*([\w.]+)\s*\)|([\w.]+))\s*", re.IGNORECASE)
_TEXT, _NUMBER = "Text", "Number"


@dataclass(frozen=True, slots=True, kw_only=True)
class Formula:
    """A path to a field, "" for a relation that is the record itself, and whether it is turned into text."""

    relation: str
    field: str
    as_text: bool


@lru_cache(maxsize=256)
def read(text: str) -> Formula:
    """A formula's text, understood. Raises ValueError."""
    found = _SHAPE.fullmatch(text)
    path = (found[1] or found[2] or "") if found is not None else ""
    relation, _, own = path.rpartition(".")
    if not own or relation.count("."):
        raise ValueError("formulas other than a field, or TEXT() of one, are not part of this simulator")
    return Formula(relation=relation, field=own, as_text=bool(found and found[1]))


def problem(text: str, wanted: str, entity: str, fields: Mapping[str, Mapping[str, FieldDef]]) -> str:
    """Why a field of an object cannot be this formula, "" when it can.

    wanted: what it shall give, as describe names types. fields: every object's, by lower-case names.
    """
    try:
        formula = read(text)
    except ValueError as wrong:
        return f"Formula error: {wrong}"
    through = _reference(formula, fields[entity])
    if formula.relation and through is None:
        return f"Field {formula.relation} does not exist. Check spelling."
    holder = through.reference_to.lower() if through is not None else entity
    target = fields.get(holder, {}).get(formula.field.lower())
    if target is None:
        path = ".".join(filter(None, (formula.relation, formula.field)))
        return f"Field {path} does not exist. Check spelling."
    return _misused(target, formula) or _mismatch(target, formula, wanted)


def _misused(target: FieldDef, formula: Formula) -> str:
    if target.type == "textarea" and target.length > _LONG_TEXT:
        return f'You referenced an unsupported field type called "Long Text Area" using: {target.name}'
    picklist = {"picklist": "picklist", "multipicklist": "multi-select picklist"}.get(target.type)
    if picklist and not (formula.as_text and target.type == "picklist"):
        return f"Field {target.name} is a {picklist} field. Those are only supported in certain functions."
    if formula.as_text and target.type in (*TEXTS, "boolean", "reference", "id"):
        return "Incorrect parameter type for function 'TEXT()'. Expected Number, Date, DateTime, Picklist"
    return ""


def _mismatch(target: FieldDef, formula: Formula, wanted: str) -> str:
    given = _TEXT if formula.as_text else _kind(target.type)
    expected = _kind(wanted)
    if given == expected:
        return ""
    return f"Formula result is data type ({given}), incompatible with expected data type ({expected})."


def _kind(described: str) -> str:
    """The data type of a formula's result, by a field's type in describe."""
    if described in NUMBERS:
        return _NUMBER
    return {"date": "Date", "datetime": "DateTime", "boolean": "Checkbox"}.get(described, _TEXT)


def mentions(
    fields: Mapping[str, Mapping[str, FieldDef]], entity: str, own: str
) -> Iterator[tuple[str, FieldDef]]:
    """The formula fields, each with its object, that refer to a field of an object (both in lower case)."""
    for holder, known in fields.items():
        for field in known.values():
            if not field.formula:
                continue
            formula = read(field.formula)
            through = _reference(formula, known)
            target = through.reference_to.lower() if through is not None else holder
            if (target, formula.field.lower()) == (entity, own):
                yield holder, field


def value(org: Org, sobject: SObject, record: Record, field: FieldDef) -> Value:
    """What a formula field shows on a record: blank where what it follows is blank or gone."""
    formula = read(field.formula)
    holder, found = sobject, record
    if formula.relation:
        through = _reference(formula, sobject.fields)
        key = sobject.value(record, through) if through is not None else None
        if through is None or not isinstance(key, str):
            return _blank(field)
        holder = org.object(through.reference_to)
        parent = holder.record(key)
        if parent is None:
            return _blank(field)
        found = parent
    target = holder.field(formula.field)
    if target is None:
        return _blank(field)
    held = holder.value(found, target)
    return _text(held) if formula.as_text else held


def _reference(formula: Formula, known: Mapping[str, FieldDef]) -> FieldDef | None:
    lowered = formula.relation.lower()
    return next((one for one in known.values() if lowered and one.relationship.lower() == lowered), None)


def _blank(field: FieldDef) -> Value:
    return False if field.type == "boolean" else None


def _text(held: Value) -> Value:
    """TEXT() of a value: a picklist's API name, a number without what says nothing."""
    if held is None or held == "":
        return None
    return f"{held:.15g}" if isinstance(held, int | float) else held
