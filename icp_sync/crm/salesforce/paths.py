"""What kind of call an address of Salesforce's is: a table, and nothing else.

Addresses are those of the REST API Developer Guide ("Reference"), the Bulk API 2.0 guide and the Metadata
API guide ("Deploying with REST"), below `/services/data/vXX.X/`.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from icp_sync.http import Endpoint

DATA = "/services/data/"
DAILY = "daily"
"""The one limit there is: calls in the last 24 hours, of everybody in the org together. Short calls have no
limit of rate (Salesforce Developer Limits and Allocations Quick Reference, "API Request Limits")."""

_COUNTED = (DAILY,)


def _read(name: str) -> Endpoint:
    return Endpoint(name=name, buckets=_COUNTED, idempotent=True)


def _write(name: str, *, bodiless: bool = False) -> Endpoint:
    return Endpoint(name=name, buckets=_COUNTED, bodiless=bodiless)


LOGIN = Endpoint(name="login", idempotent=True)
OWNER = _write("owner")
RESULTS = _read("bulk results")

# Absolute values, yet no write is sent twice on our own account: a person may edit between the two.
_ENDPOINTS: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile(r"^composite/sobjects/\w+$"), _read("retrieve")),
    ("PATCH", re.compile(r"^composite/sobjects$"), _write("update")),
    ("PATCH", re.compile(r"^sobjects/Account/\w+$"), OWNER),
    ("POST", re.compile(r"^sobjects/Task$"), _write("create task")),
    ("GET", re.compile(r"^query(All)?(/|$)"), _read("query")),
    ("GET", re.compile(r"^sobjects/\w+/describe$"), _read("describe")),
    ("GET", re.compile(r"^limits$"), _read("limits")),
    # A second job opened by mistake holds nothing, and is thrown away by Salesforce after a week.
    ("POST", re.compile(r"^jobs/(query|ingest)$"), _read("open job")),
    ("PUT", re.compile(r"^jobs/ingest/\w+/batches$"), _write("upload", bodiless=True)),
    ("PATCH", re.compile(r"^jobs/query/\w+$"), _read("abort job")),
    ("PATCH", re.compile(r"^jobs/ingest/\w+$"), _write("close job")),
    ("DELETE", re.compile(r"^jobs/"), _write("drop job")),
    ("GET", re.compile(r"^jobs/\w+/\w+$"), _read("job")),
    ("GET", re.compile(r"^jobs/"), RESULTS),
    ("POST", re.compile(r"^metadata/deployRequest$"), _write("deploy")),
    ("GET", re.compile(r"^metadata/deployRequest/"), _read("deploy status")),
    ("GET", re.compile(r"oauth2/userinfo$"), _read("userinfo")),
    ("GET", re.compile(r""), _read("read")),
)
_OTHER = _write("write")


def endpoint(method: str, path: str) -> Endpoint:
    """The kind of a call, by its method and its path with or without `/services/data/vXX.X/`."""
    resource = _below(urlsplit(path).path)
    for verb, pattern, kind in _ENDPOINTS:
        if verb == method.upper() and pattern.search(resource):
            return kind
    return _OTHER


def _below(path: str) -> str:
    if path.startswith(DATA):
        path = path.removeprefix(DATA).partition("/")[2]
    return path.strip("/")
