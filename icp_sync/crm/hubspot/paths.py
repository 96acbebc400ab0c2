"""Which address a call has in each version of HubSpot's API, and what kind of call it is. Pure tables.

The official client writes `/crm/v3/…`. Those paths lose support in September 2027 ("Legacy APIs" in
HubSpot's developer changelog); dated versions have the same bodies under other paths.
"""

from __future__ import annotations

import re
from typing import Literal, get_args

from icp_sync.http import Endpoint

Version = Literal["v3", "2026-03", "2026-09"]
VERSIONS: tuple[str, ...] = get_args(Version)

DEFAULT_VERSION: Version = "2026-03"
"""The newest version that does not refuse our fields because of rules about other people's: 2026-09
enforces a portal's conditionally required properties on every write ("CRM API write validation
enforcement", developer changelog). Supported until about September 2027; switching is one setting."""

_REWRITES = (
    (re.compile(r"^/crm/v3/(objects|properties|limits|pipelines)/"), r"/crm/\1/{version}/"),
    (re.compile(r"^/crm/v4/(associations)/"), r"/crm/\1/{version}/"),
    (re.compile(r"^/crm/v3/(owners|lists)/?"), r"/crm/\1/{version}/"),
    (re.compile(r"^/account-info/v3/"), r"/account-info/{version}/"),
)

ACCOUNT = "/account-info/v3/details"
DAILY_USAGE = "/account-info/v3/api-usage/daily/private-apps"
PROPERTY_LIMITS = "/crm/v3/limits/custom-properties"

# Search has a limit of its own, shared by every app of the account; the published OpenAPI exempts it
# from the ten-secondly one.
_ENDPOINTS: tuple[tuple[str, re.Pattern[str], Endpoint], ...] = (
    ("POST", re.compile(r"/lists/search$"), Endpoint(name="lists", buckets=("burst",), idempotent=True)),
    ("POST", re.compile(r"/search$"), Endpoint(name="search", buckets=("search",), idempotent=True)),
    (
        "POST",
        re.compile(r"/associations/deals/|/deals/batch/read$"),
        Endpoint(name="deals", buckets=("burst",), idempotent=True),
    ),
    (
        "POST",
        re.compile(r"/associations/companies/tasks/|/tasks/batch/read$"),
        Endpoint(name="tasks", buckets=("burst",), idempotent=True),
    ),
    ("POST", re.compile(r"/objects/tasks$"), Endpoint(name="create task", buckets=("burst",))),
    ("PATCH", re.compile(r"/objects/tasks/"), Endpoint(name="change task", buckets=("burst",))),
    # Exempt from the ten-secondly limit by the OpenAPI, limited to 100 in 10 s by the guide: counted.
    ("POST", re.compile(r"/associations/"), Endpoint(name="contacts", buckets=("burst",), idempotent=True)),
    (
        "POST",
        re.compile(r"/contacts/batch/read$"),
        Endpoint(name="contacts", buckets=("burst",), idempotent=True),
    ),
    ("POST", re.compile(r"/batch/read$"), Endpoint(name="batch read", buckets=("burst",), idempotent=True)),
    # Absolute values, yet not sent twice on our own account: a person may edit between the two.
    ("POST", re.compile(r"/batch/update$"), Endpoint(name="batch update", buckets=("burst",))),
    ("GET", re.compile(r"/owners"), Endpoint(name="owners", buckets=("burst",), idempotent=True)),
    ("GET", re.compile(r"/properties/"), Endpoint(name="properties", buckets=("burst",), idempotent=True)),
    ("GET", re.compile(r"/objects/companies$"), Endpoint(name="list", buckets=("burst",), idempotent=True)),
    (
        "GET",
        re.compile(r"/objects/deals|/pipelines/"),
        Endpoint(name="deals", buckets=("burst",), idempotent=True),
    ),
    ("GET", re.compile(r"/lists"), Endpoint(name="lists", buckets=("burst",), idempotent=True)),
    ("POST", re.compile(r"/lists/?$"), Endpoint(name="create list", buckets=("burst",))),
    ("PUT", re.compile(r"/lists/"), Endpoint(name="change list", buckets=("burst",), idempotent=True)),
    ("DELETE", re.compile(r"/lists/"), Endpoint(name="delete list", buckets=("burst",), idempotent=True)),
    ("GET", re.compile(r"/objects/"), Endpoint(name="read", buckets=("burst",), idempotent=True)),
    ("GET", re.compile(r""), Endpoint(name="account", buckets=("burst",), idempotent=True)),
    ("POST", re.compile(r"/properties/"), Endpoint(name="create property", buckets=("burst",))),
    ("PATCH", re.compile(r"/properties/"), Endpoint(name="change property", buckets=("burst",))),
    (
        "DELETE",
        re.compile(r"/properties/"),
        Endpoint(name="archive property", buckets=("burst",), idempotent=True),
    ),
)


def dated(path: str, version: str) -> str:
    """A v3 (associations: v4) path as `version` spells it."""
    if version == "v3":
        return path
    for pattern, template in _REWRITES:
        rewritten, found = pattern.subn(template.replace("{version}", version), path)
        if found:
            return rewritten.rstrip("/")
    return path


def endpoint(method: str, path: str) -> Endpoint:
    """The kind of a call, by its v3 path without the query."""
    for verb, pattern, kind in _ENDPOINTS:
        if verb == method and pattern.search(path):
            return kind
    return Endpoint(name="other", buckets=("burst",))
