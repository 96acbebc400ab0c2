"""What a write of one record goes through, single or in a batch: validation, rules, effects, counting."""

from __future__ import annotations

from collections.abc import Mapping

from icp_sync.simulator.hubspot.call import Call
from icp_sync.simulator.hubspot.catalogue import DEFAULTS
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.errors import Json, Refusal, problem, property_errors
from icp_sync.simulator.hubspot.portal import DEALS, Portal
from icp_sync.simulator.hubspot.standard import LIFECYCLE
from icp_sync.simulator.hubspot.validation import forward_only, validate
from icp_sync.simulator.store import Record

STAGES = tuple(value for value, _ in LIFECYCLE[:7])
STRICT_VERSION = "2026-09"


def check(call: Call, given: Mapping[str, str], record: Record | None) -> tuple[dict[str, str], list[Json]]:
    """The values as they would be kept, and every problem. `record` is None for a create."""
    portal = call.portal
    held = record.props if record is not None else {}
    kept, problems = validate(given, held, portal.catalogue, portal.owner_ids, portal.account.id)
    if call.version == STRICT_VERSION:
        problems += _rules(portal, {**held, **kept}, kept, creating=record is None)
    if "lifecyclestage" in kept:
        kept["lifecyclestage"] = forward_only(STAGES, held.get("lifecyclestage", ""), kept["lifecyclestage"])
    return kept, problems


def checked(call: Call, given: Mapping[str, str], record: Record | None) -> dict[str, str]:
    """The values as they would be kept. Raises Refusal with every problem."""
    kept, problems = check(call, given, record)
    if problems:
        raise Refusal(400, property_errors(problems))
    return kept


def create(call: Call, kept: Mapping[str, str]) -> Record:
    portal = call.portal
    portal.meter.records_written += 1
    portal.meter.values_written += len(kept)
    return portal.store.create(portal.effects(None, kept), call.token.source)


def update(call: Call, record: Record, kept: Mapping[str, str]) -> None:
    """Write, and count. A write that changes nothing is counted as a noop too."""
    portal = call.portal
    portal.meter.records_written += 1
    portal.meter.values_written += len(kept)
    if not portal.store.write(record, portal.effects(record, kept), call.token.source):
        portal.meter.noop_writes += 1
    if portal.kind == DEALS:
        portal.sales.follow(record)


def written(portal: Portal, record: Record, kept: Mapping[str, str]) -> Json:
    """The answer to a write: what was written and the default properties, nothing else."""
    return document(portal, record, view(portal, (*DEFAULTS, *kept)))


def _rules(
    portal: Portal, after: Mapping[str, str], kept: Mapping[str, str], *, creating: bool
) -> list[Json]:
    """Rules an admin set up in the portal, enforced on all writes from 2026-09 on.

    https://developers.hubspot.com/changelog/crm-api-write-validation-enforcement
    """
    found = []
    switches = portal.switches
    if creating:
        for name in switches.creator_required:
            if not after.get(name):
                message = f'Property "{name}" is required to create this record'
                found.append(problem(name, "MISSING_REQUIRED_PROPERTY", message, portal.account.id))
    for rule in switches.conditional_required:
        when, require = rule.get("when"), rule.get("require")
        if not isinstance(when, dict) or not isinstance(require, list):
            continue
        trigger = str(when.get("property"))
        if after.get(trigger, "") != str(when.get("value")):
            continue
        if not (switches.conditional_on_any_write or {trigger, *map(str, require)} & set(kept)):
            continue
        for name in map(str, require):
            if not after.get(name):
                message = f'Property "{name}" is required when "{trigger}" is "{after[trigger]}"'
                code = "MISSING_CONDITIONAL_REQUIRED_PROPERTY"
                found.append(problem(name, code, message, portal.account.id))
    return found
