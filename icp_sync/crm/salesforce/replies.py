"""Salesforce's refusals in words we can act upon: what is wrong, with which field, and who can mend it.

Sources: the REST API Developer Guide ("Status Codes and Error Responses", "Limit Info Header") and the
SOAP API Developer Guide ("API Fault Element", StatusCode). A request's refusal is a list of objects with
`errorCode`, a row's has `statusCode`, a login's is one object with `error`; gateways in between send HTML.
Sends nothing, and hands on no text that looks like a credential.
"""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from icp_sync.crm.salesforce.paths import DAILY, OWNER
from icp_sync.errors import AuthError, RequestError
from icp_sync.http import Dialect, Endpoint, Throttle
from icp_sync.observe import redact
from icp_sync.quota import Quota

DAILY_SECONDS = 300.0
CONCURRENT_SECONDS = 20.0

Kind = Literal["transient", "permanent", "permission", "gone", "quota"]

_KINDS: Mapping[str, Kind] = {
    **dict.fromkeys(
        (
            "UNABLE_TO_LOCK_ROW",
            "SERVER_UNAVAILABLE",
            "UNKNOWN_EXCEPTION",
            "QUERY_TIMEOUT",
            "REQUEST_RUNNING_TOO_LONG",
            "PROCESSING_HALTED",
            "ALL_OR_NONE_OPERATION_ROLLED_BACK",
        ),
        "transient",
    ),
    **dict.fromkeys(
        (
            "INSUFFICIENT_ACCESS",
            "INSUFFICIENT_ACCESS_OR_READONLY",
            "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY",
            "INVALID_FIELD_FOR_INSERT_UPDATE",
            "TRANSFER_REQUIRES_READ",
            "API_DISABLED_FOR_ORG",
            "API_CURRENTLY_DISABLED",
        ),
        "permission",
    ),
    **dict.fromkeys(("ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"), "gone"),
    "REQUEST_LIMIT_EXCEEDED": "quota",
}

_RIGHTS: Mapping[str, str] = {
    "INSUFFICIENT_ACCESS_OR_READONLY": "the integration user may not edit this record, or it is locked",
    "INSUFFICIENT_ACCESS": "the integration user lacks a right on this record",
    "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY": "the integration user may not see a record this one "
    "refers to",
    "INVALID_FIELD_FOR_INSERT_UPDATE": "the integration user may not edit the field (field-level security)",
    "TRANSFER_REQUIRES_READ": "the new owner may not read accounts",
}
_COLUMN = re.compile(r"[Nn]o such column '([\w.]+)'")
_SESSION = re.compile(r"00D[A-Za-z0-9]{12,15}![\w.]+")  # an org's id and the secret after it
_USAGE = re.compile(r"(?:^|[;,\s])api-usage=(\d+)/(\d+)")
_LIMITS_OF_CODE = re.compile(r"System\.LimitException|CPU time limit|Too many (?:SOQL|DML)", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing Salesforce refused. `fields`: API names, empty when it did not say which."""

    code: str
    message: str
    fields: frozenset[str] = frozenset()


class SalesforceDialect(Dialect):
    """`limit_seconds`: how long to leave an org alone whose calls of the day are used up. It sends no
    Retry-After, and its window moves on by the minute."""

    def __init__(self, *, limit_seconds: float = DAILY_SECONDS) -> None:
        self._limit_seconds = limit_seconds

    def stale(self, status: int, text: str) -> bool:
        # The identity service answers an old token with 403 and these words, everything else with 401.
        return status == 401 or (status == 403 and "Bad_OAuth_Token" in text)

    def credentials(self, name: str) -> str:
        who = f" of connection {name}" if name else ""
        return f"check the credentials{who} and the External Client App's policies in Setup"

    def forbidden(self, endpoint: Endpoint, body: object) -> Exception | Throttle:
        found = complaints(body)
        code, said = summary(found)
        if any(kind_of(one.code) == "quota" for one in found):
            return self._used_up(said)
        what = f"{endpoint.name}: HTTP 403" + (f", {code}: {said}" if found else "")
        if endpoint.name == OWNER.name and found:
            return RequestError(what, status=403, body=body)  # of this record, not of the credentials
        return AuthError(what, next_step="check the integration user's permission sets, then icp-sync check")

    def throttled(self, endpoint: Endpoint, body: object, retry_after: float | None) -> Throttle:
        return Throttle(seconds=retry_after or CONCURRENT_SECONDS, reason="too many requests")

    def message(self, body: object) -> str:
        found = complaints(body)
        code, said = summary(found)
        return f"{code}: {said}" if found else super().message(body)

    def observed(self, endpoint: Endpoint, headers: Mapping[str, str], quota: Quota) -> None:
        """`Sforce-Limit-Info: api-usage=18/5000`: the calls of the last 24 hours and the org's limit."""
        found = _USAGE.search(headers.get("Sforce-Limit-Info", ""))
        if found:
            used, limit = int(found[1]), int(found[2])
            quota.observe(DAILY, limit=limit, remaining=max(0, limit - used))

    def _used_up(self, said: str) -> Throttle:
        spread = random.uniform(1.0, 1.2)  # noqa: S311  spreads workers, guards nothing
        if "concurrent" in said.lower():
            reason = "too many long calls at once"
            return Throttle(seconds=CONCURRENT_SECONDS * spread, reason=reason)
        reason = "the org's limit of calls in 24 hours is used up"
        return Throttle(seconds=self._limit_seconds * spread, reason=reason, everything=True)


def codes(error: RequestError) -> list[Complaint]:
    """Everything a refused request complains of."""
    return list(complaints(error.body))


def complaints(body: object) -> tuple[Complaint, ...]:
    """Everything an error body, or the `errors` of a row, complains of; () where it is none."""
    listed = body if isinstance(body, list) else [body]
    return tuple(_complaint(one) for one in listed if isinstance(one, dict) and _code(one))


def kind_of(code: str) -> Kind:
    """What to do about a code; one we do not know is permanent, until its record or the org changes."""
    return _KINDS.get(code, "permanent")


def kind(found: Sequence[Complaint]) -> Kind:
    """What to do about all of these together: what another try cannot mend outweighs what it can.

    Rows whose triggers ran into the limits of Apex are transient: those count for a whole chunk, and fewer
    rows may pass. An unknown key is the record's own, unless a field is named.
    """
    kinds = {_kind(one) for one in found}
    order: tuple[Kind, ...] = ("gone", "permanent", "permission", "quota", "transient")
    return next((kind for kind in order if kind in kinds), "permanent")


def summary(found: Iterable[Complaint]) -> tuple[str, str]:
    """A code and one sentence for all these complaints, with the fields and the right that is missing."""
    told = list(found)
    sentences = list(dict.fromkeys(_sentence(one) for one in told))
    return (told[0].code if told else "REFUSED"), "; ".join(filter(None, sentences))[:600]


def named_fields(found: Iterable[Complaint]) -> frozenset[str]:
    return frozenset().union(*(one.fields for one in found))


def _kind(one: Complaint) -> Kind:
    if _LIMITS_OF_CODE.search(one.message):
        return "transient"
    if one.code == "INVALID_CROSS_REFERENCE_KEY" and one.fields - {"Id", "id"}:
        return "permanent"
    return kind_of(one.code)


def _sentence(one: Complaint) -> str:
    unnamed = ", ".join(sorted(field for field in one.fields if field not in one.message))
    said = f"{unnamed}: {one.message}" if unnamed else one.message
    right = _RIGHTS.get(one.code, "")
    return f"{said} ({right})" if right and said else said or right


def _complaint(one: Mapping[str, object]) -> Complaint:
    message = _text(one.get("message")) or _text(one.get("error_description"))
    listed = one.get("fields")
    fields = {_text(name) for name in listed} if isinstance(listed, list) else set()
    return Complaint(
        code=_code(one), message=message, fields=frozenset(fields | set(_COLUMN.findall(message))) - {""}
    )


def _code(one: Mapping[str, object]) -> str:
    return next(
        (text for key in ("errorCode", "statusCode", "error") if (text := _text(one.get(key)))),
        "",
    )


def _text(value: object) -> str:
    return _SESSION.sub("[redacted]", redact(value))[:1000] if isinstance(value, str) else ""
