"""What the API says of itself: versions, resources, the org's limits.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_versions.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_limits.htm
"""

from __future__ import annotations

from icp_sync.simulator.salesforce import founding
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.server import Reply

OLDEST, NEWEST = 31, 68
_SEASONS = ("Spring", "Summer", "Winter")
_RESOURCES = ("tooling", "metadata", "query", "queryAll", "sobjects", "composite", "jobs", "limits")


def versions() -> Reply:
    """The versions there are; asked without a session."""
    return Reply(
        body=[
            {"label": _label(number), "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
            for number in range(OLDEST, NEWEST + 1)
        ]
    )


def _label(number: int) -> str:
    """Three releases a year; version 31 was Summer '14, and Winter '15 came in 2014."""
    year, season = divmod(number - 30, 3)
    return f"{_SEASONS[season]} '{14 + year + (season == 2)}"


def resources(call: Call) -> Reply:
    names = sorted(_RESOURCES)
    body: dict[str, object] = {name: f"{call.root}/{name}" for name in names}
    base = f"http://{call.header('Host')}"
    return Reply(body=body | {"identity": f"{base}/id/{call.org.id}/{call.user.id}"})


def limits(call: Call) -> Reply:
    """The org's limits and what remains; the requests of the day trail what really happened."""
    org = call.org
    now = org.clock.now()
    most = org.limits.most
    body = {
        "DailyApiRequests": _limit(most, most - org.limits.shown(now)),
        "DailyBulkApiBatches": _limit(15_000),
        "DailyBulkV2QueryFileStorageMB": _limit(976_562),
        "DailyBulkV2QueryJobs": _limit(10_000),
        "DailyAsyncApexExecutions": _limit(250_000),
        "ConcurrentAsyncGetReportInstances": _limit(200),
        "DataStorageMB": _limit(1_024, 900),
        "FileStorageMB": _limit(1_024, 1_000),
        "HourlyTimeBasedWorkflow": _limit(1_000),
        "MassEmail": _limit(5_000),
        "SingleEmail": _limit(5_000),
    }
    return Reply(body=body)


def organization(call: Call) -> Reply:
    """The org in a few words, its currency among them.

    https://developer.salesforce.com/docs/atlas.en-us.chatterapi.meta/chatterapi/connect_responses_organization.htm
    """
    org = call.org
    features = {
        "defaultCurrencyIsoCode": org.currency,
        "multiCurrency": org.switches.multi_currency,
        "chatter": True,
        "trending": False,
    }
    settings = {"canFollow": False, "hasAccessToInternalOrg": True, "userId": call.user.id}
    body = {
        "accessTimeout": int(org.switches.session_seconds // 60),
        "features": features,
        "name": founding.ORG_NAME,
        "orgId": org.id,
        "userSettings": settings,
    }
    return Reply(body=body)


def _limit(most: int, left: int | None = None) -> dict[str, int]:
    return {"Max": most, "Remaining": most if left is None else max(0, left)}


ROUTES = (
    Route(method="GET", pattern="", run=resources, label="resources"),
    Route(method="GET", pattern="limits", run=limits),
    Route(method="GET", pattern="connect/organization", run=organization),
)
