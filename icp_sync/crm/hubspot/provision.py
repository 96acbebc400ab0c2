"""Our properties in a portal: the missing are made, ours are kept, others' are not touched.

Reads first, decides everything, then acts; doing it twice changes nothing. An option list is only ever
added to, starting from the list the portal has at that moment, because HubSpot replaces it whole.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import COMPANIES, DEALS, Client
from icp_sync.crm.hubspot.definitions import conflict, definition, missing_options
from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.stamp import STAMP
from icp_sync.domain.standing import FIELDS, Field
from icp_sync.errors import RequestError, UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind

UNSEEN_PAUSES = (0.0, 0.3, 0.7, 1.0)

TYPE_IDS: Mapping[str, tuple[str, ...]] = {
    COMPANIES: ("0-2", "companies", "company", "COMPANY"),
    DEALS: ("0-3", "deals", "deal", "DEAL"),
}
OF_DEALS = "deals."
"""Before what a step of deals is about: a company has properties of the same names, maybe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Intent:
    """A step, and the call that takes it and returns the property as it is then."""

    step: Step
    act: Callable[[], Json | None] | None = None


def provision(client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool) -> list[Step]:
    """The steps to the blueprint, taken when `apply`. Raises what a call raises; repeat it then."""
    catalogue.refresh(judge=False)
    fields = {name: FIELDS[field] for field, name in blueprint.fields.items()}
    intents = _intents(client, blueprint, fields, catalogue.definitions(), COMPANIES)
    deals = _deal_intents(client, blueprint)
    if not apply:
        return [intent.step for intent in (*intents, *deals)]
    made = [intent.act() for intent in intents if intent.act]
    catalogue.remember(entry for entry in made if entry)
    for intent in deals:
        if intent.act:
            intent.act()
    return [replace(intent.step, done=intent.act is not None) for intent in (*intents, *deals)]


def _deal_intents(client: Client, blueprint: Blueprint) -> list[_Intent]:
    """The same for deals, where they are stamped; `what` says that they are meant."""
    if not blueprint.deal_fields:
        return []
    fields = {name: STAMP[field] for field, name in blueprint.deal_fields.items()}
    found = {str(entry.get("name")): entry for entry in client.properties(of=DEALS)}
    intents = _intents(client, blueprint, fields, found, DEALS)
    return [
        replace(intent, step=replace(intent.step, what=f"{OF_DEALS}{intent.step.what}")) for intent in intents
    ]


def _intents(
    client: Client, blueprint: Blueprint, fields: Mapping[str, Field], found: Mapping[str, Json], of: str
) -> list[_Intent]:
    """fields: property name → the field it is for. found: the properties there are."""
    intents = [_group(client, blueprint, of)]
    for name, field in fields.items():
        intents.append(_property(client, found.get(name), blueprint, field, name, of))
    return _within_limits(client, intents, of)


def room(limits: Json, of: str = COMPANIES) -> int | None:
    """How many custom properties may still be made, None when HubSpot does not say."""
    left: list[int] = []
    if isinstance(limits.get("overallLimit"), int) and isinstance(limits.get("overallUsage"), int):
        left.append(limits["overallLimit"] - limits["overallUsage"])
    listed = limits.get("byObjectType")
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and str(entry.get("objectTypeId")) in TYPE_IDS[of]:
            limit, usage = entry.get("limit"), entry.get("usage")
            if isinstance(limit, int) and isinstance(usage, int):
                left.append(limit - usage)
    return min(left) if left else None


def _group(client: Client, blueprint: Blueprint, of: str) -> _Intent:
    what = f"group {blueprint.group}"
    if client.group(blueprint.group, of=of) is not None:
        return _Intent(step=Step(kind=StepKind.KEEP, what=what))

    def create() -> None:
        body = {"name": blueprint.group, "label": blueprint.group_label, "displayOrder": -1}
        _unless_there(lambda: client.create_group(body, of=of))

    return _Intent(step=Step(kind=StepKind.CREATE, what=what, detail=blueprint.group_label), act=create)


def _property(
    client: Client, existing: Json | None, blueprint: Blueprint, field: Field, name: str, of: str
) -> _Intent:
    if existing is None:
        body = definition(field, name, blueprint)

        def create() -> Json | None:
            made = _unless_there(lambda: client.create_property(body, of=of))
            return made or _made_by_another(client, name, of)

        return _Intent(
            step=Step(kind=StepKind.CREATE, what=name, detail=f"{body['type']}, {field.label}"), act=create
        )
    if reason := conflict(field, existing):
        return _Intent(step=Step(kind=StepKind.CONFLICT, what=name, detail=reason))
    missing = missing_options(field, existing, blueprint)
    if not missing:
        return _Intent(step=Step(kind=StepKind.KEEP, what=name))
    marks = existing.get("modificationMetadata")
    if isinstance(marks, dict) and marks.get("readOnlyOptions"):
        detail = f"its options are read-only, {', '.join(value for value, _ in missing)} missing"
        return _Intent(step=Step(kind=StepKind.CONFLICT, what=name, detail=detail))

    def add() -> Json:
        return _add_options(client, field, name, blueprint, of)

    detail = ", ".join(value for value, _ in missing)
    return _Intent(step=Step(kind=StepKind.ADD_OPTION, what=name, detail=detail), act=add)


def _add_options(client: Client, field: Field, name: str, blueprint: Blueprint, of: str) -> Json:
    """Read the options as they are now, and send them back with the missing ones behind."""
    existing = client.property(name, of=of) or {}
    options = [dict(option) for option in existing.get("options") or [] if isinstance(option, dict)]
    at = max([-1, *(o["displayOrder"] for o in options if isinstance(o.get("displayOrder"), int))])
    for number, (value, label) in enumerate(missing_options(field, existing, blueprint), start=1):
        taken = {str(option.get("label")) for option in options}
        shown = label if label not in taken else f"{label} ({value})"
        options.append({"label": shown, "value": value, "displayOrder": at + number, "hidden": False})
    return client.change_property(name, {"options": options}, of=of)


def _within_limits(client: Client, intents: list[_Intent], of: str) -> list[_Intent]:
    """All that is to be made, or none of it: half a set of outputs helps nobody."""
    new = [i for i in intents[1:] if i.step.kind is StepKind.CREATE]
    left = room(client.property_limits(), of) if new else None
    if left is None or len(new) <= left:
        return intents
    detail = f"{len(new)} needed, the portal has room for {left}; archive some, or use footprint: minimal"
    refused = Step(kind=StepKind.CONFLICT, what="custom properties", detail=detail)
    return [_Intent(step=refused), *(replace(intent, act=None) for intent in intents)]


def _made_by_another(client: Client, name: str, of: str) -> Json:
    """A property that exists though we did not see it: a new one can be read after 0.25–0.7 s."""
    for pause in UNSEEN_PAUSES:
        client.transport.wait(pause)
        found = client.property(name, of=of)
        if found is not None:
            return found
    raise UnavailableError(
        f"HubSpot says that property {name} exists, and does not show it", next_step="icp-sync provision"
    )


def _unless_there(create: Callable[[], Json]) -> Json | None:
    """Create, None when somebody else was faster (HTTP 409)."""
    try:
        return create()
    except RequestError as error:
        if error.status == 409:
            return None
        raise
