"""A query tree to the records it selects, in order, as they are at that moment and as one user sees them.

Without ORDER BY records come in no useful order: the chunks a database would read are interleaved.
https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_orderby.htm
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

from icp_sync.simulator.salesforce.org import Org, User
from icp_sync.simulator.salesforce.record_access import RecordAccess
from icp_sync.simulator.salesforce.schema import Value
from icp_sync.simulator.salesforce.soql import access_query
from icp_sync.simulator.salesforce.soql.binding import Binder, Place
from icp_sync.simulator.salesforce.soql.conditions import predicate
from icp_sync.simulator.salesforce.soql.grouping import grouped
from icp_sync.simulator.salesforce.soql.narrowing import EVERYTHING, Scope, scope_of
from icp_sync.simulator.salesforce.soql.ordering import in_order, interleaved
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import Aggregate, Query
from icp_sync.simulator.salesforce.soql.values import NOT_FOR_FIELD, printer, reader
from icp_sync.simulator.store import Record


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """What a query selects: records with the columns to show of each, or groups, or only their number."""

    binder: Binder
    columns: tuple[Place, ...] = ()
    records: list[Record]
    groups: list[dict[str, Value]] | None = None
    counted: bool = False

    @property
    def total(self) -> int:
        return len(self.records) if self.groups is None else len(self.groups)


def select(org: Org, user: User, query: Query, *, deleted: bool = False) -> Selection:
    """Run a query. deleted: also records in the recycle bin. Raises SoqlError."""
    binder = Binder(org, user, query.sobject, query.at)
    if query.aggregated:
        columns, groups = grouped(binder, query, lambda: _matching(binder, query, deleted))
        return Selection(binder=binder, columns=columns, records=[], groups=groups)
    columns = _columns(binder, query)
    if not query.columns and query.order:
        raise SoqlError(MALFORMED, "COUNT() cannot be ordered", query.order[0].path.at)
    return Selection(
        binder=binder,
        columns=columns,
        records=list(_cut(_ordered(binder, query, deleted), query)),
        counted=not query.columns,
    )


def _columns(binder: Binder, query: Query) -> tuple[Place, ...]:
    places: dict[str, Place] = {}
    for column in query.columns:
        if column.alias:
            raise SoqlError(MALFORMED, "only aggregate expressions use field aliasing", column.path.at)
        place = binder.place(column.path)
        if place.path in places:
            raise SoqlError(MALFORMED, f"duplicate field selected: {place.path}", column.path.at)
        places[place.path] = place
    return tuple(places.values())


def _matching(
    binder: Binder, query: Query, deleted: bool, scope: Scope = EVERYTHING, *, inner: bool = False
) -> Iterator[Record]:
    """Records that pass the WHERE clause, by id."""
    if isinstance(binder.sobject, RecordAccess):
        rows = access_query.rows(binder, binder.sobject, query)
    else:
        rows = binder.sobject.rows(binder.user, deleted=deleted, above=scope.above, stamped=scope.stamped)
    if query.where is None:
        return rows
    join = _nested if inner else lambda query: _joined(binder, query)
    return filter(predicate(binder, query.where, join), rows)


def _ordered(binder: Binder, query: Query, deleted: bool) -> Iterable[Record]:
    orders = [(one, binder.sorted(one.path)) for one in query.order]
    by_id = bool(orders) and orders[0][1].path == "Id" and not orders[0][0].descending
    wanted = (query.limit or 0) + (query.offset or 0) if by_id and query.limit is not None else None
    scope = scope_of(binder.sobject, query.where, wanted)
    found = _matching(binder, query, deleted, scope)
    if by_id and not deleted:
        return found
    records = list(found)
    if not orders:
        return interleaved(records)
    for ordering, place in reversed(orders):
        records = in_order(records, reader(place), ordering)
    return records


def _cut(records: Iterable[Record], query: Query) -> Iterable[Record]:
    start = query.offset or 0
    return islice(records, start, None if query.limit is None else start + query.limit)


def _joined(binder: Binder, query: Query) -> frozenset[str]:
    """The ids a semi-join's inner query selects."""
    plain = query.limit is None and query.offset is None and not (query.order or query.group)
    if not plain or len(query.columns) != 1 or isinstance(query.columns[0], Aggregate):
        raise SoqlError(MALFORMED, "a semi join sub-select takes one field and only a WHERE clause", query.at)
    inner = Binder(binder.org, binder.user, query.sobject, query.at)
    if inner.sobject is binder.sobject:
        what = "The inner and outer selects should not be on the same object type"
        raise SoqlError(MALFORMED, what, query.at)
    place = inner.place(query.columns[0].path)
    if place.field.type not in ("id", "reference"):
        raise SoqlError(
            NOT_FOR_FIELD, f"'{place.path}' of a semi join must be an id or a reference", place.at
        )
    shown = printer(place)
    found = (shown(record) for record in _matching(inner, query, deleted=False, inner=True))
    return frozenset(one for one in found if isinstance(one, str))


def _nested(query: Query) -> frozenset[str]:
    raise SoqlError(MALFORMED, "Nesting of semi join sub-selects is not supported", query.at)
