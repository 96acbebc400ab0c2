"""Batches: read, create, update, upsert, archive, with their partial failures.

https://developers.hubspot.com/docs/api-reference/crm-companies-v3/guide#batch
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot import writing
from icp_sync.simulator.hubspot.call import Call, strings, text_of, token_of, values_of
from icp_sync.simulator.hubspot.documents import document, view
from icp_sync.simulator.hubspot.errors import (
    Json,
    Refusal,
    batch_error,
    error,
    invalid,
    missing_objects,
    property_errors,
    wrong_type,
)
from icp_sync.simulator.hubspot.objects import by_unique, record_id
from icp_sync.simulator.hubspot.portal import SINGULAR
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

MOST = 100
MOST_WITH_HISTORY = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Input:
    """One input of a batch."""

    id: str
    id_property: str
    trace: str
    given: Mapping[str, str]


Checked = tuple[Input, Record | None, dict[str, str], list[Json]]


def read(call: Call) -> Reply:
    """Up to 100 records (50 with history); one error entry names all that are missing."""
    body = call.json()
    history = strings(body, "propertiesWithHistory")
    inputs = _inputs(body, MOST_WITH_HISTORY if history else MOST, history=bool(history))
    shown = view(call.portal, strings(body, "properties"), history)
    named = str(body.get("idProperty") or "")
    found: dict[int, Record] = {}
    missing = []
    unique = by_unique(call, named, {i.id for i in inputs}) if named not in ("", "hs_object_id") else None
    for item in inputs:
        record = unique.get(item.id) if unique is not None else _readable(call, item.id)
        if record is None:
            missing.append(item.id)
        else:
            found[record.id] = record
    errors = [missing_objects(missing, (), SINGULAR[call.portal.kind].upper())] if missing else []
    return reply(call, [document(call.portal, r, shown) for r in found.values()], errors)


def update(call: Call) -> Reply:
    """Write up to 100 records. Merged-away ids are dropped in silence, unknown ones named in a 207.

    One invalid value refuses the whole batch, unless the portal answers 207 and every input has a trace id.
    """
    inputs = _inputs(call.json(), MOST)
    _no_duplicates(inputs)
    checks, missing = _targets(call, inputs)
    errors, good = _refused(call, checks, partial=call.portal.switches.update_validation_207)
    if missing:
        errors.append(missing_objects([i.id for i in missing], [i.trace for i in missing if i.trace]))
    results = []
    for _, record, kept, _ in good:
        if record is not None:
            writing.update(call, record, kept)
            results.append(writing.written(call.portal, record, kept))
    return reply(call, results, errors)


def create(call: Call) -> Reply:
    inputs = _inputs(call.json(), MOST)
    checks: list[Checked] = [(i, None, *writing.check(call, i.given, None)) for i in inputs]
    errors, good = _refused(call, checks, partial=True)
    results = []
    for _, _, kept, _ in good:
        record = writing.create(call, kept)
        results.append(writing.written(call.portal, record, kept))
    return reply(call, results, errors, status=201)


def upsert(call: Call) -> Reply:
    """Update or create by a unique property; `new` says which it was."""
    inputs = _inputs(call.json(), MOST)
    _no_duplicates(inputs)
    checks: list[Checked] = []
    missing = []
    for item in inputs:
        if item.id_property in ("", "hs_object_id"):
            record = call.portal.store.get(record_id(item.id))
            if record is None:
                missing.append(item)
                continue
            given = item.given
        else:
            record = by_unique(call, item.id_property, {item.id}).get(item.id)
            given = {item.id_property: item.id, **item.given}
        checks.append((item, record, *writing.check(call, given, record)))
    errors, good = _refused(call, checks, partial=True)
    if missing:
        errors.append(missing_objects([i.id for i in missing], [i.trace for i in missing if i.trace]))
    results = []
    for _, found, kept, _ in good:
        if found is not None:
            writing.update(call, found, kept)
        record = found or writing.create(call, kept)
        results.append(writing.written(call.portal, record, kept) | {"new": found is None})
    return reply(call, results, errors)


def archive(call: Call) -> Reply:
    """204 whatever the ids are."""
    for item in _inputs(call.json(), MOST):
        record = call.portal.store.get(record_id(item.id))
        if record is not None:
            call.portal.archive(record)
    return Reply(status=204)


def split_in_half(body: Json) -> tuple[Json, list[Json]]:
    """For the mixed fault: the batch without every second input, and an error entry for each left out."""
    inputs = body.get("inputs")
    if not isinstance(inputs, list):
        return body, []
    errors = []
    for item in inputs[1::2]:
        if isinstance(item, dict):
            context: Json = {"ids": [str(item.get("id", ""))]}
            if "objectWriteTraceId" in item:
                context["objectWriteTraceId"] = [str(item["objectWriteTraceId"])]
            errors.append(batch_error("INTERNAL_ERROR", "There was a problem with this input.", context))
    return {**body, "inputs": inputs[::2]}, errors


def _inputs(body: Json, most: int, *, history: bool = False) -> list[Input]:
    given = body.get("inputs")
    if not isinstance(given, list):
        raise wrong_type("java.util.ArrayList<com.hubspot.BatchInput$Json>", token_of(given))
    if len(given) > most:
        if history:
            raise invalid(
                "The maximum number of inputs supported in a batch request for property histories is 50"
            )
        raise invalid(
            f"The maximum number of inputs supported in a batch is {most}. "
            "Please reduce the number of items and try again"
        )
    return [_input(item) for item in given]


def _input(item: object) -> Input:
    if not isinstance(item, dict):
        raise wrong_type(
            "com.hubspot.inbounddb.publicobject.core.v2.SimplePublicObjectBatchInput$Json", token_of(item)
        )
    return Input(
        id=text_of(item.get("id")),
        id_property=text_of(item.get("idProperty")),
        trace=text_of(item.get("objectWriteTraceId")),
        given=values_of(item.get("properties") or {}),
    )


def _no_duplicates(inputs: Sequence[Input]) -> None:
    twice = [key for key, n in Counter(i.id for i in inputs).items() if n > 1]
    if twice:
        message = f"Duplicate IDs found in batch input: [{', '.join(twice)}]. IDs must be unique"
        raise Refusal(400, error(message, category="VALIDATION_ERROR", context={"ids": twice}))


def _readable(call: Call, key: str) -> Record | None:
    portal = call.portal
    if call.archived:
        record = portal.store.records.get(record_id(key))
        return record if record is not None and record.id in portal.store.archived else None
    if portal.switches.batch_read_follows_merges:
        return portal.store.survivor(record_id(key))
    return portal.store.get(record_id(key))


def _targets(call: Call, inputs: Sequence[Input]) -> tuple[list[Checked], list[Input]]:
    """Each input with its record and its problems, and the inputs whose record does not exist."""
    checks: list[Checked] = []
    missing = []
    for item in inputs:
        if item.id_property in ("", "hs_object_id"):
            record = call.portal.store.records.get(record_id(item.id))
        else:
            record = by_unique(call, item.id_property, {item.id}).get(item.id)
        if record is None or (record.archived_at is not None and record.merged_into is None):
            missing.append(item)
            record = None
        kept, problems = writing.check(call, item.given, record)
        if record is None and not problems:
            continue
        if record is not None and record.merged_into is not None:
            record = None  # no result and no error
        checks.append((item, record, kept, problems))
    return checks, missing


def _refused(call: Call, checks: Sequence[Checked], *, partial: bool) -> tuple[list[Json], list[Checked]]:
    """Error entries for invalid inputs and the good ones. Raises Refusal when the batch fails as a whole."""
    bad = [check for check in checks if check[3]]
    if not bad:
        return [], list(checks)
    traces = [check[0].trace for check in checks]
    if not partial or not all(traces) or len(set(traces)) < len(traces):
        raise Refusal(400, property_errors([problem for check in bad for problem in check[3]]))
    errors = []
    for item, _, _, problems in bad:
        body = property_errors(problems)
        context: Json = {"objectWriteTraceId": [item.trace]}
        if item.id:
            context["ids"] = [item.id]
        errors.append(batch_error("VALIDATION_ERROR", str(body["message"]), context, errors=body["errors"]))
    return errors, [check for check in checks if not check[3]]


def reply(call: Call, results: list[Json], errors: list[Json], status: int = 200) -> Reply:
    """What became of a batch. Partial failures are a 207, or a 200 with errors where the switches say so."""
    portal = call.portal
    if portal.switches.shuffle:
        portal.random.shuffle(results)
    now = iso(portal.clock.now_ms())
    body: Json = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    if errors:
        body |= {"numErrors": len(errors), "errors": errors}
        status = 200 if call.version == "2026-09" and not portal.switches.dated_batch_207 else 207
    return Reply(status=status, body=body)
