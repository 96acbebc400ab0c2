"""HubSpot's refusals in words we can act upon: who is refused, why, because of which property.

Sources: the "Error handling" and "Usage guidelines" pages of HubSpot's API documentation, and replies
recorded in public repositories where the pages are silent (three shapes of 429, problems listed as JSON
inside `message`). Sends nothing, and hands on no text that looks like a credential.
"""

from __future__ import annotations

import json
import random
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from icp_sync.errors import AuthError
from icp_sync.http import Dialect, Endpoint, Throttle, http_date
from icp_sync.observe import redact
from icp_sync.quota import DAILY, Quota

ROLLING_SECONDS = 10.0
PROBE_SECONDS = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Complaint:
    """One thing HubSpot refused. `ids`: the records, empty when it did not say which."""

    code: str
    message: str
    ids: frozenset[str] = frozenset()
    properties: frozenset[str] = frozenset()


class HubSpotDialect(Dialect):
    """`time_zone`: the account's IANA zone, whose midnight ends the day of the daily limit; "" unknown.
    `heard`: the Retry-After of the last 429s in seconds, None for one that had none."""

    def __init__(self) -> None:
        self.time_zone = ""
        self.heard: deque[float | None] = deque(maxlen=20)

    def throttled(self, endpoint: Endpoint, body: object, retry_after: float | None) -> Throttle:
        self.heard.append(retry_after)
        said = body if isinstance(body, dict) else {}
        policy = f"{said.get('policyName', '')} {said.get('message', '')}".upper()
        if "DAILY" in policy:
            seconds = retry_after or self._until_midnight(datetime.now(UTC))
            return Throttle(seconds=seconds, reason="the daily limit of calls is used up", everything=True)
        # A rolling window is free again when its oldest call is as old as the window is long.
        window = 1.0 if "search" in endpoint.buckets else ROLLING_SECONDS
        seconds = retry_after if retry_after is not None else window
        jitter = random.uniform(0, 0.1 * window)  # noqa: S311  spreads workers, guards nothing
        return Throttle(seconds=seconds + jitter, reason="too many requests")

    def forbidden(self, endpoint: Endpoint, body: object) -> Exception:
        scopes = missing_scopes(body)
        if scopes:
            return AuthError(
                f"{endpoint.name}: the token lacks a scope, one of: {', '.join(scopes)}",
                next_step="add the scope to the Service Key (or private app) in HubSpot, then icp-sync check",
            )
        return AuthError(
            f"{endpoint.name}: HubSpot forbids this call"
            + (f": {redact(said)}" if (said := self.message(body)) else ""),
            next_step="icp-sync check",
        )

    def observed(self, endpoint: Endpoint, headers: Mapping[str, str], quota: Quota) -> None:
        # Search replies carry no such headers by documentation, and others' where they were recorded.
        if "burst" not in endpoint.buckets:
            return
        self._observed_day(headers, quota)
        if headers.get("X-HubSpot-RateLimit-Interval-Milliseconds") == "10000":
            quota.observe(
                "burst",
                limit=_whole(headers.get("X-HubSpot-RateLimit-Max")),
                remaining=_whole(headers.get("X-HubSpot-RateLimit-Remaining")),
            )

    def _observed_day(self, headers: Mapping[str, str], quota: Quota) -> None:
        """The calls of the day, of every app of the account together; absent where the token is an app's."""
        limit = _whole(headers.get("X-HubSpot-RateLimit-Daily"))
        left = _whole(headers.get("X-HubSpot-RateLimit-Daily-Remaining"))
        if limit and left is not None:
            quota.observe(
                DAILY, limit=limit, remaining=left, resets_in=self.day_left(http_date(headers.get("Date")))
            )

    def day_left(self, at: float | None) -> float | None:
        """Seconds from an instant of HubSpot's clock to the end of its day, None where nobody knows."""
        if at is None or not self.time_zone:
            return None
        return self._until_midnight(datetime.fromtimestamp(at, UTC))

    def _until_midnight(self, now: datetime) -> float:
        try:
            local = now.astimezone(ZoneInfo(self.time_zone)) if self.time_zone else None
        except (KeyError, ValueError, OSError):
            local = None
        if local is None:
            return PROBE_SECONDS
        midnight = (local + timedelta(days=1)).replace(hour=0, minute=0, second=5, microsecond=0, fold=0)
        # In UTC: times of one zone are subtracted as its clocks show them, an hour wrong when these change.
        return max(60.0, (midnight.astimezone(UTC) - now).total_seconds())


def missing_scopes(body: object) -> tuple[str, ...]:
    """The granular scopes a 403 asks for, in HubSpot's order."""
    found = [
        scope
        for error in _objects(body, "errors")
        for scope in _texts(_get(error, "context", "requiredGranularScopes"))
    ]
    return tuple(dict.fromkeys(found))


def usage(body: object) -> tuple[str, ...]:
    """What HubSpot says uses a property it does not archive: "workflow 4625147345"; none where it only says
    how many places there are."""
    found = (
        (_texts(_get(error, "context", "parentType")), _texts(_get(error, "context", "parentName")))
        for error in _objects(body, "errors")
    )
    return tuple(
        f"{' '.join(kind).replace('_', ' ').lower()} {' '.join(name)}".strip() for kind, name in found if name
    )


def complaints(body: object) -> tuple[Complaint, ...]:
    """Everything one error body or 207 body complains of, most specific first known.

    `errors[]` may list fewer problems than the JSON inside `message`, and older bodies have none; both
    are read. A body that says nothing of use gives one complaint with its category and message.
    """
    listed = [_complaint(error) for error in _objects(body, "errors")]
    told = [*listed, *_embedded(_text(_get(body, "message")))]
    if told:
        return tuple(told)
    if isinstance(body, dict) and (body.get("status") == "error" or "message" in body):
        return (_complaint(body),)
    return ()


def named_properties(found: Iterable[Complaint]) -> frozenset[str]:
    return frozenset().union(*(complaint.properties for complaint in found))


def summary(found: Iterable[Complaint]) -> tuple[str, str]:
    """A code and one sentence for all these complaints."""
    told = list(found)
    codes = list(dict.fromkeys(complaint.code for complaint in told if complaint.code))
    sentences = dict.fromkeys(complaint.message for complaint in told if complaint.message)
    named = ", ".join(sorted(named_properties(told)))
    message = "; ".join(sentences)[:400]
    if named and not all(name in message for name in named.split(", ")):
        message = f"{named}: {message}"
    return (codes[0] if codes else "REFUSED"), message


def _complaint(error: object) -> Complaint:
    message = _text(_get(error, "message"))
    embedded = list(_embedded(message))
    ids = {
        *_texts(_get(error, "context", "ids")),
        *_texts(_get(error, "context", "objectWriteTraceId")),
        *_texts(_get(error, "context", "fromObjectId")),  # of an association
    }
    names = {
        *_texts(_get(error, "context", "propertyName")),
        *_texts(_get(error, "context", "name")),
        *_texts(_get(error, "name")),
        *(name for inner in embedded for name in inner.properties),
    }
    code = _text(_get(error, "code")) or _text(_get(error, "error"))
    if not code and embedded:
        code, message = embedded[0].code, "; ".join(inner.message for inner in embedded)
    category = _text(_get(error, "subCategory")) or _text(_get(error, "category"))
    return Complaint(
        code=code or category,
        message=message,
        ids=frozenset(ids),
        properties=frozenset(names),
    )


def _embedded(message: str) -> Iterator[Complaint]:
    """`Property values were not valid: [{…}, …]`: the list inside the sentence."""
    start = message.find("[{")
    if start < 0:
        return
    try:
        inner, _ = json.JSONDecoder().raw_decode(message[start:])
    except ValueError:
        return
    for problem in inner:
        if isinstance(problem, dict):
            name = _text(problem.get("name"))
            yield Complaint(
                code=_text(problem.get("error")),
                message=_text(problem.get("message")),
                properties=frozenset({name} - {""}),
            )


def _get(data: Any, *keys: str) -> object:
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _objects(body: object, key: str) -> list[object]:
    found = _get(body, key)
    return found if isinstance(found, list) else []


def _text(value: object) -> str:
    return redact(value) if isinstance(value, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    if isinstance(value, str | int):
        return (redact(str(value)),)
    return tuple(redact(str(item)) for item in value) if isinstance(value, list) else ()


def _whole(text: str | None) -> int | None:
    return int(text) if text and text.isdecimal() else None
