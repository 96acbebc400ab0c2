"""How a query would be run, which `query?explain=…` tells without running it. Runs nothing.

The plans come best first. An index is one of SystemModstamp, Id, Name or an owner; whether a filter on
LastModifiedDate may use one is a switch.
https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query_performance_feedback.htm
"""

from __future__ import annotations

from collections.abc import Iterator

from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.soql.tree import And, Comparison, Condition, Query

Json = dict[str, object]
_INDEXED = ("systemmodstamp", "id", "name", "ownerid", "createddate")
_SCANNED, _LOOKED_UP = 1.3, 0.4


def explained(call: Call, query: Query) -> Json:
    """The plans of a query. Raises Refusal for an object there is not."""
    sobject = call.sobject(query.sobject)
    rows = sum(1 for _ in sobject.rows(call.user))
    indexed = (*_INDEXED, "lastmodifieddate") if call.org.switches.last_modified_indexed else _INDEXED
    filtered = list(_filtered(query.where))
    unindexed = [name for name in filtered if name.lower() not in indexed]
    notes: list[Json] = [
        {
            "description": "Not considering filter for optimization because unindexed",
            "fields": [name],
            "tableEnumOrId": sobject.name,
        }
        for name in [*unindexed, "IsDeleted"]
    ]
    shared: Json = {"notes": notes, "sobjectCardinality": rows, "sobjectType": sobject.name}
    plans: list[Json] = [
        {
            "cardinality": 1,
            "fields": [name],
            "leadingOperationType": "Index",
            "relativeCost": _LOOKED_UP,
            **shared,
        }
        for name in filtered
        if name.lower() in indexed
    ]
    scan: Json = {"cardinality": rows, "fields": [], "leadingOperationType": "TableScan"}
    return {"plans": [*plans, {**scan, "relativeCost": _SCANNED, **shared}]}


def _filtered(where: Condition | None) -> Iterator[str]:
    """The fields of the object itself that every record must pass."""
    for part in where.parts if isinstance(where, And) else (where,):
        if isinstance(part, Comparison) and len(part.path.names) == 1:
            yield part.path.names[0]
