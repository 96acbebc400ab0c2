"""Which records of an object were changed or deleted in a time span.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getupdated.htm
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_getdeleted.htm
"""

from __future__ import annotations

from icp_sync.simulator.clock import to_ms
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal
from icp_sync.simulator.salesforce.routes import Route
from icp_sync.simulator.salesforce.schema import instant_text
from icp_sync.simulator.salesforce.sobject import PURGED_AFTER, SObject
from icp_sync.simulator.server import Reply

OLDEST = 30 * 86_400_000
MOST_IDS = 600_000
MINUTE = 60_000


def updated(call: Call) -> Reply:
    """The ids of live records stamped in the span, and how far the answer can be complete."""
    sobject = call.sobject(call.rest[0])
    start, end = _span(call, OLDEST)
    ids = [
        sobject.id_of(record)
        for record in sobject.rows(call.user, stamped=(start, end))
        if start <= record.modified <= end
    ]
    _countable(len(ids))
    return Reply(body={"ids": ids, "latestDateCovered": instant_text(_covered(sobject, end))})


def deleted(call: Call) -> Reply:
    """What was deleted in the span and is not purged."""
    sobject = call.sobject(call.rest[0])
    start, end = _span(call, PURGED_AFTER)
    found = [
        {"id": sobject.id_of(record), "deletedDate": instant_text(record.archived_at)}
        for record in sobject.rows(call.user, deleted=True)
        if record.archived_at is not None and start <= record.archived_at <= end
    ]
    _countable(len(found))
    return Reply(
        body={
            "deletedRecords": found,
            "earliestDateAvailable": instant_text(call.org.clock.now_ms() - PURGED_AFTER),
            "latestDateCovered": instant_text(_covered(sobject, end)),
        }
    )


def _span(call: Call, oldest: int) -> tuple[int, int]:
    """Start and end in ms, seconds cut off. Raises Refusal."""
    given = []
    for name in ("start", "end"):
        # A plus sign of an offset that was not encoded arrives as a blank.
        at = to_ms(call.request.one(name).replace(" ", "+"))
        if at is None or "T" not in call.request.one(name):
            raise Refusal(
                400, "MALFORMED_QUERY", f"{name}: an ISO 8601 date and time with an offset is needed"
            )
        given.append(at - at % MINUTE)
    start, end = given
    if end - start < MINUTE:
        raise Refusal(400, "INVALID_REPLICATION_DATE", "startDate must be at least one minute before endDate")
    if start < call.org.clock.now_ms() - oldest:
        days = oldest // 86_400_000
        message = f"startDate cannot be more than {days} days ago"
        raise Refusal(400, "INVALID_REPLICATION_DATE", message)
    return start, end


def _covered(sobject: SObject, end: int) -> int:
    """Up to when all is known: no transaction that began before is still open."""
    store = sobject.store
    open_since = [record.modified for number, record in store.records.items() if sobject.locked(number)]
    return min([end, sobject.org.clock.now_ms(), *open_since])


def _countable(number: int) -> None:
    if number > MOST_IDS:
        raise Refusal(400, "EXCEEDED_ID_LIMIT", f"the result has more than {MOST_IDS} ids")


ROUTES = (
    Route(method="GET", pattern="sobjects/*/updated", run=updated),
    Route(method="GET", pattern="sobjects/*/deleted", run=deleted),
)
