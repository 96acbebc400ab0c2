"""Owners, pipelines of deals, and account information.

https://developers.hubspot.com/docs/api-reference/crm-owners-v3/guide
https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/guide
https://developers.hubspot.com/docs/api-reference/account-account-info-v3/guide
"""

from __future__ import annotations

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot import pipelines
from icp_sync.simulator.hubspot.call import Call, Json
from icp_sync.simulator.hubspot.errors import invalid, not_found
from icp_sync.simulator.server import Reply


def list_owners(call: Call) -> Reply:
    """Active owners, or those who left with `archived=true`; paged by an opaque cursor."""
    email, after = call.request.one("email").lower(), call.request.one("after")
    limit = call.count(100, 500)
    found = [o for o in call.portal.owners if o.archived == call.archived and email in ("", o.email)]
    if after and not (after.isascii() and after.isdigit()):
        raise invalid(f"Invalid paging cursor: {after[:40]}")
    start = int(after[:9]) if after else 0
    body: Json = {"results": [owner.as_json() for owner in found[start : start + limit]]}
    if start + limit < len(found):
        link = f"https://api.hubapi.com{call.request.path}?limit={limit}&after={start + limit}"
        body["paging"] = {"next": {"after": str(start + limit), "link": link}}
    return Reply(body=body)


def read_owner(call: Call) -> Reply:
    """One owner by id, or by user id with `idProperty=userId`."""
    by_user = call.request.one("idProperty") == "userId"
    for owner in call.portal.owners:
        if call.rest[0] == (str(owner.user_id) if by_user else owner.id) and owner.archived == call.archived:
            return Reply(body=owner.as_json())
    raise not_found()


def list_pipelines(call: Call) -> Reply:
    """Every pipeline of deals, unpaged."""
    return Reply(body={"results": pipelines.as_json()})


def details(call: Call) -> Reply:
    account = call.portal.account
    zone = ZoneInfo(account.time_zone)
    shift = datetime.fromtimestamp(call.portal.clock.now(), UTC).astimezone(zone).utcoffset()
    seconds = int(shift.total_seconds()) if shift is not None else 0
    sign, minutes = "-" if seconds < 0 else "+", abs(seconds) // 60
    body: Json = {
        "portalId": account.id,
        "accountType": account.type,
        "timeZone": account.time_zone,
        "companyCurrency": account.currency,
        "additionalCurrencies": list(account.further_currencies),
        "utcOffset": f"{sign}{minutes // 60:02d}:{minutes % 60:02d}",
        "utcOffsetMilliseconds": seconds * 1000,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": account.hosting,
    }
    return Reply(body=body)


def daily_usage(call: Call) -> Reply:
    """How many requests of the day are used, and when the day ends."""
    portal = call.portal
    now = portal.clock.now()
    usage: Json = {
        "name": "private-apps-api-calls-daily",
        "usageLimit": portal.limits.allowance.daily,
        "currentUsage": portal.limits.used_today,
        "collectedAt": iso(int(now * 1000)),
        "fetchStatus": "SUCCESS",
        "resetsAt": iso(int(portal.limits.resets_at(now) * 1000)),
    }
    return Reply(body={"results": [usage]})
