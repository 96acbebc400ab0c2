"""Several requests in one: composite, whose parts may refer to earlier ones, and composite/batch.

A part inherits the session and nothing else of the outer request's headers; whether it may bring headers of
its own is a switch, because the guides only say that it may for composite.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_composite.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_composite_batch.htm
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from email.message import Message
from urllib.parse import parse_qsl, unquote, urlsplit

from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Json, Refusal, bad_json, error
from icp_sync.simulator.salesforce.rollback import Savepoint
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.server import Reply, Request

MOST = 25
ROLLED_BACK = "The transaction was rolled back since another operation in the same transaction failed."
_REFERENCE = re.compile(r"@\{([A-Za-z]\w*)((?:\.\w+|\[\d+\])*)\}")
_STEP = re.compile(r"\.(\w+)|\[(\d+)\]")
_VERSIONED = re.compile(r"/?(?:services/data/)?(v\d+\.0)/(.*)", re.IGNORECASE | re.DOTALL)


def composite(call: Call) -> Reply:
    """Up to 25 parts, one after the other. A part that fails does not stop the others, unless allOrNone."""
    body = call.json()
    parts = _parts(body, "compositeRequest")
    names = [str(part.get("referenceId", "")) for part in parts]
    for name in names:
        if not re.fullmatch(r"[A-Za-z]\w*", name) or names.count(name) > 1:
            raise Refusal(400, "INVALID_INPUT", f"Invalid or repeated reference id: {name[:40]}")
    savepoint = Savepoint(call.org) if body.get("allOrNone") is True else None
    answers: dict[str, object] = {}
    results: list[Json] = []
    for name, part in zip(names, parts, strict=True):
        reply = _answer(call, part, "body", answers)
        if savepoint is not None and reply.status >= 400:
            savepoint.restore()
            return Reply(body={"compositeResponse": _rolled_back(names, name, reply)})
        answers[name] = reply.body
        results.append(
            {
                "body": _payload(reply),
                "httpHeaders": reply.headers,
                "httpStatusCode": reply.status,
                "referenceId": name,
            }
        )
    return Reply(body={"compositeResponse": results})


def _rolled_back(names: Sequence[str], failed: str, reply: Reply) -> list[Json]:
    """The answers of a request that stands or falls as a whole and fell over one part."""
    other = Refusal(400, "PROCESSING_HALTED", ROLLED_BACK).reply
    return [
        {
            "body": _payload(reply if name == failed else other),
            "httpHeaders": {},
            "httpStatusCode": reply.status if name == failed else 400,
            "referenceId": name,
        }
        for name in names
    ]


def batch(call: Call) -> Reply:
    """Up to 25 independent parts; with haltOnError those after a failure are not done."""
    body = call.json()
    results: list[Json] = []
    failed = False
    for part in _parts(body, "batchRequests"):
        if failed and body.get("haltOnError") is True:
            halted = error("BATCH_PROCESSING_HALTED", "Batch processing halted per request")
            results.append({"statusCode": 412, "result": [halted]})
            continue
        reply = _answer(call, part, "richInput", {})
        failed = failed or reply.status >= 400
        results.append({"statusCode": reply.status, "result": _payload(reply)})
    return Reply(body={"hasErrors": failed, "results": results})


def _parts(body: Json, name: str) -> list[Mapping[str, object]]:
    parts = body.get(name)
    if not isinstance(parts, list) or not all(isinstance(part, Mapping) for part in parts):
        raise bad_json(f"{name} must be a list of objects")
    if not 1 <= len(parts) <= MOST:
        raise Refusal(400, "LIMIT_EXCEEDED", f"{name} takes from 1 to {MOST} requests, was {len(parts)}")
    return list(parts)


def _answer(call: Call, part: Mapping[str, object], key: str, answers: Mapping[str, object]) -> Reply:
    """What one part comes to, as if it had been sent by itself."""
    from icp_sync.simulator.salesforce.endpoints import ENDPOINTS  # this module's are among them

    try:
        method = str(part.get("method", "")).upper()
        target = urlsplit(str(_filled(part.get("url", ""), answers)))
        located = _VERSIONED.fullmatch(target.path)
        if located is None:
            raise Refusal(
                400, "INVALID_INPUT", f"The url of a request is not of this API: {target.path[:80]}"
            )
        version, path = located[1].lower().removeprefix("v"), located[2]
        given = part.get(key)
        request = Request(
            method=method,
            path=f"/services/data/v{version}/{path}",
            query=tuple(parse_qsl(target.query, keep_blank_values=True)),
            headers=_headers(call, part),
            body=b"" if given is None else json.dumps(_filled(given, answers)).encode(),
        )
        found = ENDPOINTS.find(method, [unquote(one) for one in path.split("/") if one])
        if found.route is None or found.route.pattern.startswith("jobs/"):
            raise found.refusal or Refusal(400, "INVALID_INPUT", "Such a request cannot be part of another")
        inner = Call(org=call.org, request=request, session=call.session, version=version, rest=found.rest)
        return found.route.run(inner)
    except Refusal as refusal:
        return refusal.reply


def _headers(call: Call, part: Mapping[str, object]) -> Message:
    headers = Message()
    headers["Authorization"] = call.header("Authorization")
    headers["Content-Type"] = "application/json"
    own = part.get("httpHeaders")
    if call.org.switches.composite_headers and isinstance(own, Mapping):
        for name, value in own.items():
            if str(name).lower() not in ("accept", "authorization", "content-type"):
                headers[str(name)] = str(value)
    return headers


def _filled(value: object, answers: Mapping[str, object]) -> object:
    """A value with `@{name.field}` replaced by what an earlier part answered. Raises Refusal."""
    if isinstance(value, Mapping):
        return {name: _filled(one, answers) for name, one in value.items()}
    if isinstance(value, list):
        return [_filled(one, answers) for one in value]
    if not isinstance(value, str):
        return value
    return _REFERENCE.sub(lambda found: _referred(found[1], found[2], answers), value)


def _referred(name: str, steps: str, answers: Mapping[str, object]) -> str:
    at = answers.get(name)
    for word, place in _STEP.findall(steps):
        if word and isinstance(at, Mapping):
            at = at.get(word)
        elif place and isinstance(at, list) and int(place) < len(at):
            at = at[int(place)]
        else:
            at = None
    if at is None or isinstance(at, Mapping | list):
        message = f"Invalid reference specified. No value for {name}{steps} found"
        raise Refusal(400, "PROCESSING_HALTED", message)
    return str(at)


def _payload(reply: Reply) -> object:
    """A part's body as it stands in the outer answer, where nothing but JSON can stand."""
    return reply.body.decode("utf-8", errors="replace") if isinstance(reply.body, bytes) else reply.body


ROUTES = (
    Route(method="POST", pattern="composite", run=composite),
    Route(method="POST", pattern="composite/batch", run=batch),
)
