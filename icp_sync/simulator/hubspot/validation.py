"""Whether HubSpot takes a value for a property, and the form it keeps it in. Nothing here stores anything.

Every problem of a record is found at once; one bad value refuses all of the record's values.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from math import isfinite

from icp_sync.simulator.clock import iso, to_ms
from icp_sync.simulator.hubspot.catalogue import Catalogue, Property
from icp_sync.simulator.hubspot.errors import Json, problem

LONGEST_STRING = 65_536
DAY_MS = 86_400_000
_SHOWN_OPTIONS = 40


class Invalid(Exception):
    """A value a property does not take: HubSpot's code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.message = message


def validate(
    given: Mapping[str, str],
    held: Mapping[str, str],
    catalogue: Catalogue,
    owners: Collection[str],
    portal: int,
) -> tuple[dict[str, str], list[Json]]:
    """The values as they would be kept, and every problem. `held`: what the record holds now."""
    kept: dict[str, str] = {}
    problems: list[Json] = []
    for name, value in given.items():
        definition = catalogue.get(name)
        try:
            if definition is None:
                raise Invalid("PROPERTY_DOESNT_EXIST", f'Property "{name}" does not exist')
            if definition.read_only:
                raise Invalid(
                    "READ_ONLY_VALUE", f'"{name}" is a read only property; its value cannot be set.'
                )
            kept[name] = accepted(definition, value, held.get(name, ""), owners)
        except Invalid as wrong:
            problems.append(problem(name, wrong.code, wrong.message, portal))
    return kept, problems


def accepted(definition: Property, value: str, held: str, owners: Collection[str]) -> str:
    """The value in the form it is kept in; "" clears. Raises Invalid."""
    if value == "":
        return ""
    if definition.external_options:
        if value not in owners:
            raise Invalid("INVALID_OWNER_ID", f"{value} was not a valid owner id.")
        return value
    match definition.type:
        case "number":
            return _number(value)
        case "date":
            return _date(value)
        case "datetime":
            return iso(_instant(value))
        case "bool":
            return _option(definition, value)
        case "enumeration":
            return _choices(definition, value, held) if definition.multiple else _option(definition, value)
    if len(value) > LONGEST_STRING:
        raise Invalid(
            "VALUE_TOO_LONG", f"value of length {len(value)} exceeds the maximum of {LONGEST_STRING}"
        )
    return value


def forward_only(stages: Sequence[str], held: str, wanted: str) -> str:
    """A lifecycle stage never moves back: a lower stage is ignored in silence; it must be cleared first."""
    if held in stages and wanted in stages and stages.index(wanted) < stages.index(held):
        return held
    return wanted


def _number(value: str) -> str:
    try:
        finite = value.isascii() and "_" not in value and isfinite(float(value))
    except ValueError:
        finite = False
    if not finite:
        raise Invalid("INVALID_INTEGER", f"{value} was not a valid number")
    return value.strip()


def _instant(value: str) -> int:
    ms = to_ms(value)
    if ms is None or not -62_135_596_800_000 <= ms < 253_402_300_800_000:
        raise Invalid("INVALID_LONG", f"{value} was not a valid long.")
    return ms


def _date(value: str) -> str:
    ms = _instant(value)
    if ms % DAY_MS:
        seconds, rest = divmod(ms % DAY_MS, 1000)
        time = f"{seconds // 3600}:{seconds // 60 % 60}:{seconds % 60}.{rest}"
        raise Invalid("INVALID_DATE", f"{value} is at {time} UTC, not midnight!")
    return iso(ms)[:10]


def _option(definition: Property, value: str) -> str:
    if value not in definition.allowed:
        labels = [str(option["value"]) for option in definition.options]
        shown = ", ".join(labels[:_SHOWN_OPTIONS]) + ("..." if len(labels) > _SHOWN_OPTIONS else "")
        raise Invalid("INVALID_OPTION", f"{value} was not one of the allowed options: [{shown}]")
    return value


def _choices(definition: Property, value: str, held: str) -> str:
    """A multiple choice `a;b`; a leading `;` adds to what is held."""
    given = [part.strip() for part in value.split(";") if part.strip()]
    for part in given:
        _option(definition, part)
    before = held.split(";") if held and value.startswith(";") else []
    return ";".join(dict.fromkeys([*before, *given]))
