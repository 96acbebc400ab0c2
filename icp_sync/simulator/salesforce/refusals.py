"""Answers that a fault pretends, and what else can go wrong on Salesforce only.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from math import ceil

from icp_sync.simulator.faults import KINDS as SHARED
from icp_sync.simulator.faults import Rule
from icp_sync.simulator.gateways import gateway, page
from icp_sync.simulator.salesforce import errors
from icp_sync.simulator.salesforce.errors import Refusal, row_error
from icp_sync.simulator.server import Reply, Request

LOCKED = "unable to obtain exclusive access to this record"
KINDS: Mapping[str, str] = {
    **SHARED,
    "401_session": "the session is over for good; a new login brings another",
    "401_html": "a 401 whose body is a page",
    "401_object": "a 401 whose body is an object, not a list",
    "request_limit": "the day's requests are claimed to be used up, nothing was done",
    "concurrent_limit": "too many long requests at once are claimed, nothing was done",
    "unable_to_lock_row": "every row that would be written is claimed to be locked, nothing was done",
    "html_200": "status 200 with a page for people, nothing was done",
    "invalid_locator": "the query's locator is claimed to be unknown",
    "query_timeout": "the query is claimed to have taken too long",
    "maintenance": "the org is being maintained",
    "short_csv": "the second half of a CSV's lines is missing, and nothing says so",
    "truncated_csv": "a CSV ends in the middle of a row, and nothing says so",
}
CONCURRENT = "ConcurrentRequests (Concurrent API Requests) Limit exceeded."


def pretended(rule: Rule, request: Request) -> Reply | None:
    """The answer of a fault that does not carry out the request; None for those that do."""
    kind = rule.kind
    if kind in _REFUSALS:
        status, code, message = _REFUSALS[kind]
        return Refusal(status, code, message).reply
    match kind:
        case "429_retry_after":
            reply = page(429, "429 Too Many Requests")
            reply.headers["Retry-After"] = str(ceil(rule.wait(1.0)))
            return reply
        case "412":
            return Reply(status=412)
        case "401_html":
            return page(401, "401 Unauthorized")
        case "401_object":
            body = {"error": "invalid_session", "error_description": "Session expired or invalid"}
            return Reply(status=401, body=body)
        case "html_200":
            return page(200, "Login | Salesforce")
        case "empty_200":
            return Reply(body=b"")
        case "empty_results":
            return Reply(body=_nothing(request))
        case "error_200":
            return Reply(body=[errors.error("UNKNOWN_EXCEPTION", "An unexpected error occurred.")])
        case "unable_to_lock_row" | "423":
            return _all_locked(request)
    return gateway(kind)


_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "429": (403, "REQUEST_LIMIT_EXCEEDED", CONCURRENT),
    "concurrent_limit": (403, "REQUEST_LIMIT_EXCEEDED", CONCURRENT),
    "429_daily": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "request_limit": (403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded."),
    "401": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "401_expired": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "401_session": (401, "INVALID_SESSION_ID", "Session expired or invalid"),
    "403": (403, "API_DISABLED_FOR_ORG", "API is not enabled for this Organization or Partner"),
    "404": (404, "NOT_FOUND", "The requested resource does not exist"),
    "409": (409, "CONFLICT", "The request conflicts with the resource's state"),
    "477": (503, "SERVER_UNAVAILABLE", "Your organization is being migrated"),
    "maintenance": (503, "SERVER_UNAVAILABLE", "This org is unavailable during maintenance"),
    "500": (500, "UNKNOWN_EXCEPTION", "An unexpected error occurred. Please include this ErrorId"),
    "invalid_locator": (400, "INVALID_QUERY_LOCATOR", "invalid query locator"),
    "query_timeout": (400, "QUERY_TIMEOUT", "Your query request was running for too long."),
}


def rows_of(request: Request) -> list[object] | None:
    """The records of a collection that is to be written; None for any other request."""
    writes = request.method in ("POST", "PATCH") and request.path.rstrip("/").lower().endswith(
        "composite/sobjects"
    )
    if not writes:
        return None
    try:
        body = json.loads(request.body)
    except ValueError:
        return None
    records = body.get("records") if isinstance(body, dict) else None
    return records if isinstance(records, list) else None


def locked_row() -> dict[str, object]:
    return {"success": False, "errors": [row_error("UNABLE_TO_LOCK_ROW", LOCKED)]}


def short_csv(reply: Reply) -> Reply:
    """Take the second half of the lines away, as a proxy that gave up in the middle does."""
    text = _csv(reply)
    if text:
        lines = text.splitlines(keepends=True)
        reply.body = b"".join(lines[: max(1, len(lines) // 2)])
    return reply


def truncated_csv(reply: Reply) -> Reply:
    """End the body at half its length, within a row: what is left of that row may still read as one."""
    text = _csv(reply)
    cut = len(text) // 2
    while cut > 1 and any(end in text[cut - 1 : cut + 1] for end in (b"\r", b"\n")):
        cut -= 1
    if text:
        reply.body = text[:cut]
    return reply


def _csv(reply: Reply) -> bytes:
    """The body of a reply that is CSV; nothing for any other."""
    told = reply.headers.get("Content-Type", "").startswith("text/csv")
    return reply.body if told and isinstance(reply.body, bytes) else b""


SHORTENED: Mapping[str, Callable[[Reply], Reply]] = {"short_csv": short_csv, "truncated_csv": truncated_csv}
"""Faults that carry the request out and take a part of the answer away."""


def _all_locked(request: Request) -> Reply:
    rows = rows_of(request)
    if rows is None:
        return Refusal(400, "UNABLE_TO_LOCK_ROW", LOCKED).reply
    return Reply(body=[locked_row() for _ in rows])


def _nothing(request: Request) -> object:
    if "composite/sobjects" in request.path.lower():
        return []
    return {"totalSize": 0, "done": True, "records": []}
