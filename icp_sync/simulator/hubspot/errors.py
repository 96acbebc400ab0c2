"""The bodies HubSpot refuses with, as recorded from real portals and its documentation. Nothing decides here.

https://developers.hubspot.com/docs/api-reference/error-handling
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from uuid import uuid4

from icp_sync.simulator.server import Reply

Json = dict[str, object]

SCOPES_PAGE = "https://developers.hubspot.com/scopes"
NO_CREDENTIALS = (
    "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more "
    "details at https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
EXPIRED = (
    "The OAuth token used to make this call expired. See "
    "https://developers.hubspot.com/docs/methods/auth/oauth-overview"
)
NO_SCOPES = (
    "This app hasn't been granted all required scopes to make this call. "
    f"Read more about required scopes here: {SCOPES_PAGE}."
)


class Refusal(Exception):
    """The API refuses a request with this reply."""

    def __init__(self, status: int, body: object, headers: dict[str, str] | None = None) -> None:
        super().__init__(status)
        self.reply = Reply(status=status, body=body, headers=headers or {})


def correlation_id() -> str:
    return str(uuid4())


def error(message: str, *, category: str | None = None, **more: object) -> Json:
    body: Json = {"status": "error", "message": message, "correlationId": correlation_id(), **more}
    if category is not None:
        body["category"] = category
    return body


def invalid(message: str, **more: object) -> Refusal:
    return Refusal(400, error(message, category="VALIDATION_ERROR", **more))


def bad_json(what: str, column: int = 9) -> Refusal:
    """What Jackson says of a body of the wrong shape. It carries no category."""
    return Refusal(400, error(f"Invalid input JSON on line 1, column {column}: {what}"))


def wrong_type(kind: str, token: str) -> Refusal:
    return bad_json(f"Cannot deserialize value of type `{kind}` from {token}")


def not_found(message: str = "resource not found") -> Refusal:
    return Refusal(404, error(message, category="OBJECT_NOT_FOUND"))


def method_not_allowed() -> Refusal:
    return Refusal(405, error("HTTP 405 Method Not Allowed"))


def unauthenticated(*, expired: bool = False) -> Refusal:
    if expired:
        return Refusal(401, error(EXPIRED, category="EXPIRED_AUTHENTICATION"))
    return Refusal(401, error(NO_CREDENTIALS, category="INVALID_AUTHENTICATION"))


def missing_scopes(scopes: Sequence[str]) -> Refusal:
    reason = {
        "message": "One or more of the following scopes are required.",
        "context": {"requiredGranularScopes": list(scopes)},
    }
    links = {"scopes": SCOPES_PAGE}
    return Refusal(403, error(NO_SCOPES, category="MISSING_SCOPES", errors=[reason], links=links))


def rate_limited(policy: str) -> Json:
    """The three shapes of a 429: daily and burst name their policy, search does not."""
    if policy == "SECONDLY":
        return error("You have reached your secondly limit.", category="RATE_LIMITS")
    limit = "daily" if policy == "DAILY" else "ten_secondly_rolling"
    return {
        "status": "error",
        "message": f"You have reached your {limit} limit.",
        "errorType": "RATE_LIMIT",
        "correlationId": correlation_id(),
        "policyName": policy,
        "requestId": correlation_id(),
    }


def problem(name: str, code: str, message: str, portal: int) -> Json:
    """One invalid value, as it stands in the list embedded in the message."""
    return {
        "isValid": False,
        "message": message,
        "error": code,
        "name": name,
        "localizedErrorMessage": message,
        "portalId": portal,
    }


def property_errors(problems: Sequence[Json]) -> Json:
    """The body of a refused write. `errors` lists fewer entries than the message, as it does in life."""
    listed = [
        {"message": p["message"], "code": p["error"], "context": {"propertyName": [p["name"]]}}
        for p in problems[:3]
    ]
    text = json.dumps(list(problems), separators=(",", ":"), ensure_ascii=False)
    return error(f"Property values were not valid: {text}", category="VALIDATION_ERROR", errors=listed)


def batch_error(category: str, message: str, context: Json, **more: object) -> Json:
    """One entry of `errors` in a 207."""
    return {"status": "error", "category": category, "message": message, "context": context, **more}


def missing_objects(ids: Sequence[str], traces: Sequence[str], kind: str = "COMPANY") -> Json:
    """One entry for all ids of a batch that do not exist."""
    context: Json = {"ids": list(ids)}
    if traces:
        context["objectWriteTraceId"] = list(traces)
    message = (
        f"Could not get some {kind} objects, they may be deleted or not exist. Check that ids are valid."
    )
    return batch_error("OBJECT_NOT_FOUND", message, context)
