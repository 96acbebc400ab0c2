"""Where to cut all companies into ranges of ids: search counts them. Reads no company.

A search tells how many match besides the first of them, also where it would show no more than 10,000.
https://developers.hubspot.com/docs/api-reference/search/guide
"""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.crm.cutting import Look, cut_evenly
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.discovery import Filter
from icp_sync.crm.hubspot.records import results
from icp_sync.errors import NoCallsLeftError, RequestError, UnavailableError
from icp_sync.observe import log

_log = log("hubspot")


def cuts(client: Client, parts: int, after: str) -> tuple[str, ...]:
    """See `ports.Crm.cuts`. One search where the ids are few, at most six or so for each cut."""
    start = after or "0"
    if not start.isdecimal() or parts < 2:
        return ()
    low = int(start)

    def look(at: int, upwards: bool) -> Look:
        if not upwards:
            below, greatest = _counted(client, [_id("GT", low), _id("LTE", at)], "DESCENDING")
            return Look(below=below, beside=greatest)
        above, least = _counted(client, [_id("GT", at)], "ASCENDING")
        return Look(below=total - above, beside=least)

    try:
        total, high = _counted(client, [_id("GT", low)], "DESCENDING")
        return tuple(map(str, cut_evenly(parts, low, high, total, look))) if high else ()
    except NoCallsLeftError:
        raise  # it is asked again when there are some
    except (UnavailableError, RequestError) as error:
        _log.info("search does not tell where to cut, reading in one range", error=str(error))
        return ()


def _id(operator: str, value: int) -> Filter:
    return {"propertyName": "hs_object_id", "operator": operator, "value": str(value)}


def _counted(client: Client, filters: Sequence[Filter], direction: str) -> tuple[int, int | None]:
    """How many companies match, and the id of the first in this direction."""
    page = client.search(
        {
            "filterGroups": [{"filters": list(filters)}],
            "sorts": [{"propertyName": "hs_object_id", "direction": direction}],
            "properties": ["hs_object_id"],
            "limit": 1,
        }
    )
    total, ids = page.get("total"), [str(record["id"]) for record in results(page)]
    if not isinstance(total, int) or not all(id.isdecimal() for id in ids):
        raise UnavailableError("HubSpot's search does not say how many it found")
    return total, int(ids[0]) if ids else None
