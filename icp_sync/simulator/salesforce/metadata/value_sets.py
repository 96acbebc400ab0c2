"""The values of a picklist, as a CustomField of the Metadata API gives them. It touches no org.

https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_picklist.htm
https://help.salesforce.com/s/articleView?id=sf.picklist_limitations.htm
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

from icp_sync.simulator.salesforce.metadata.shapes import Body
from icp_sync.simulator.salesforce.metadata.trees import Problem
from icp_sync.simulator.salesforce.schema import Choice, FieldDef

MOST_VALUES = 1_000
_LONGEST_VALUE = 255


def picklist(field: FieldDef, body: Body, objects: Mapping[str, str]) -> FieldDef:
    """The field with the values a CustomField gives it. Raises Problem."""
    values = cast("Body", body["valueSet"])
    if "valueSetName" in values or "controllingField" in values:
        raise Problem("Global and dependent value sets are not part of this simulator")
    definition = cast("Body | None", values.get("valueSetDefinition"))
    if definition is None:
        raise Problem("Must specify either 'valueSetDefinition' or 'valueSetName' for a value set")
    choices: dict[str, Choice] = {}
    labels: set[str] = set()
    defaults = 0
    for value in cast("list[Body]", definition["value"]):
        choice = _choice(value)
        if choice.value.lower() in choices:
            raise Problem(f"Duplicate picklist value: {choice.value}")
        if choice.label.lower() in labels:
            raise Problem(f"Duplicate label: {choice.label}")
        labels.add(choice.label.lower())
        choices[choice.value.lower()] = choice
        defaults += value["default"] is True
    if not choices or len(choices) > MOST_VALUES:
        raise Problem(f"A picklist has between 1 and {MOST_VALUES} values, was {len(choices)}")
    if defaults > 1:
        raise Problem("Only one default value is allowed")
    alphabetical = definition["sorted"] is True
    if alphabetical:
        choices = dict(sorted(choices.items(), key=lambda item: item[1].label.lower()))
    return replace(
        field,
        restricted=values.get("restricted") is True,
        choices=tuple(choices.values()),
        alphabetical=alphabetical,
    )


def _choice(body: Body) -> Choice:
    value = str(body["fullName"])
    label = str(body.get("label", value))
    if not value or max(len(value), len(label)) > _LONGEST_VALUE:
        raise Problem(f"Picklist value: between 1 and {_LONGEST_VALUE} characters, was {value[:60]!r}")
    if any(sign in value for sign in ";\r\n"):
        raise Problem(f"Picklist value: neither semicolons nor line ends, was {value[:60]!r}")
    active = body.get("isActive") is not False
    return Choice(value=value, label=label, active=active, default=body["default"] is True)


def with_old_values(field: FieldDef, held: FieldDef, *, replaces: bool) -> FieldDef:
    """The field with the values it had and that are not named again, inactive if it `replaces` them."""
    named = {choice.value.lower() for choice in field.choices}
    left_out = [choice for choice in held.choices if choice.value.lower() not in named]
    if not named or not left_out:
        return field
    kept = tuple(replace(one, active=one.active and not replaces, default=False) for one in left_out)
    return replace(field, choices=field.choices + kept)
