"""Conditional requests for one record: If-Match and its kin. It looks at headers and a record, nothing else.

ETags exist for accounts only; dates count in whole seconds and compare with the last-modified date. A reply
of 304 has no body, one of 412 by a switch.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/intro_rest_conditional_requests.htm
"""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime
from email.utils import formatdate, parsedate_to_datetime

from icp_sync.simulator.clock import to_ms
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import NoAnswer, Refusal, error
from icp_sync.simulator.salesforce.sobject import SObject
from icp_sync.simulator.server import Reply
from icp_sync.simulator.store import Record

_RFC_1123 = re.compile(
    r"(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? (Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) \d{4} "
    r"\d\d:\d\d:\d\d (GMT|UTC|[A-Z]{3}|[+-]\d{4})"
)


def etag(record: Record) -> str:
    """A tag that changes with every change of the record."""
    state = f"{record.id} {record.modified} {sorted(record.props.items())}"
    return f'"{hashlib.sha256(state.encode(errors="replace")).hexdigest()[:32]}"'


def headers(sobject: SObject, record: Record) -> dict[str, str]:
    """What a reply that shows a record says of its state."""
    found = {"Last-Modified": formatdate(last_modified(record), usegmt=True)}
    return found | ({"ETag": etag(record)} if sobject is sobject.org.accounts else {})


def last_modified(record: Record) -> int:
    """The second a record was last modified in, epoch."""
    stamped = to_ms(record.props.get("LastModifiedDate", ""))
    return (record.created if stamped is None else stamped) // 1000


def hold(call: Call, sobject: SObject, record: Record) -> None:
    """Raises the refusal of a request whose conditions the record does not meet: 412, or 304 for a GET."""
    unchanged = 304 if call.request.method in ("GET", "HEAD") else 412
    if sobject is sobject.org.accounts:
        tag = etag(record)
        wanted, unwanted = call.header("If-Match"), call.header("If-None-Match")
        if wanted and not _names(wanted, tag):
            raise _unmet(call, 412)
        if unwanted and _names(unwanted, tag):
            raise _unmet(call, unchanged)
    at = last_modified(record)
    since = _second(call, "If-Modified-Since")
    if since is not None and at <= since:
        raise _unmet(call, unchanged)
    before = _second(call, "If-Unmodified-Since")
    if before is not None and at > before:
        raise _unmet(call, 412)


def _names(header: str, tag: str) -> bool:
    """Whether a header of tags names this one; a gateway may have marked it weak or compressed."""
    if header.strip() == "*":
        return True
    given = (part.strip().removeprefix("W/").replace("--gzip", "") for part in header.split(","))
    return any(one.strip('"') == tag.strip('"') for one in given)


def _second(call: Call, name: str) -> int | None:
    """A date header in epoch seconds; None where it is absent. Raises Refusal for what is no date."""
    text = call.header(name).strip()
    if not text:
        return None
    try:
        if not _RFC_1123.fullmatch(text):
            raise ValueError(text)
        moment: datetime = parsedate_to_datetime(text)
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, TypeError, OverflowError):
        raise Refusal(
            400, "INVALID_HEADER_VALUE", f"Invalid value for the {name} header: {text[:60]}"
        ) from None


def _unmet(call: Call, status: int) -> NoAnswer:
    if status == 412 and call.org.switches.precondition_body:
        said = error("PRECONDITION_FAILED", "A condition of the request is not met by the record")
        return NoAnswer(Reply(status=status, body=[said]))
    return NoAnswer(Reply(status=status))
