"""Aggregate queries: COUNT, COUNT_DISTINCT, MAX, MIN, SUM and AVG, over everything or by group.

https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_agg_functions.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from icp_sync.simulator.salesforce.schema import NUMBERS, Value
from icp_sync.simulator.salesforce.soql.binding import Binder, Place
from icp_sync.simulator.salesforce.soql.ordering import in_order
from icp_sync.simulator.salesforce.soql.tokens import MALFORMED, SoqlError
from icp_sync.simulator.salesforce.soql.tree import Aggregate, Query
from icp_sync.simulator.salesforce.soql.values import Reader, printer, reader
from icp_sync.simulator.store import Record

Figure = Callable[[list[Record]], Value]
Groups = list[dict[str, Value]]


def grouped(
    binder: Binder, query: Query, matching: Callable[[], Iterable[Record]]
) -> tuple[tuple[Place, ...], Groups]:
    """The columns and one document per group. Raises SoqlError."""
    keys = [binder.grouped(path) for path in query.group]
    names, places, figures = _figures(binder, query, {key.path for key in keys})
    readers = [reader(key) for key in keys]
    groups: dict[tuple[object, ...], list[Record]] = {} if keys else {(): []}
    for record in matching():
        groups.setdefault(tuple(read(record) for read in readers), []).append(record)
    ordered = _ordered(binder, query, keys, groups)
    start = query.offset or 0
    kept = ordered[start : None if query.limit is None else start + query.limit]
    rows = [{name: figure(rows) for name, figure in zip(names, figures, strict=True)} for rows in kept]
    return tuple(places), rows


def _figures(binder: Binder, query: Query, keys: set[str]) -> tuple[list[str], list[Place], list[Figure]]:
    names: list[str] = []
    places: list[Place] = []
    figures: list[Figure] = []
    unnamed = 0
    for column in query.columns:
        place = binder.place(column.path)
        if isinstance(column, Aggregate):
            name, figure = column.alias or f"expr{unnamed}", _figure(binder, column, place)
            unnamed += not column.alias
        else:
            if place.path not in keys:
                what = f"Field must be grouped or aggregated: {place.path}"
                raise SoqlError(MALFORMED, what, column.path.at)
            name, figure = column.alias or place.field.name, _first(place)
        if name in names:
            raise SoqlError(MALFORMED, f"duplicate alias: {name}", column.path.at)
        names.append(name)
        places.append(place)
        figures.append(figure)
    return names, places, figures


def _first(place: Place) -> Figure:
    shown = printer(place)
    return lambda rows: shown(rows[0])


def _figure(binder: Binder, column: Aggregate, place: Place) -> Figure:
    read, at = reader(place), column.path.at
    summed = column.function in ("SUM", "AVG")
    if not place.field.filterable or (summed and place.field.type not in NUMBERS):
        what = f"field {place.path} does not support aggregate operator {column.function}"
        raise SoqlError(MALFORMED, what, at)
    if column.function == "COUNT":
        return lambda rows: sum(read(row) is not None for row in rows)
    if column.function == "COUNT_DISTINCT":
        return lambda rows: len({read(row) for row in rows} - {None})
    if summed:
        return _summed(read, mean=column.function == "AVG")
    if place.field.type in ("boolean", "multipicklist"):
        what = f"field {place.path} does not support aggregate operator {column.function}"
        raise SoqlError(MALFORMED, what, at)
    return _extreme(read, place, min if column.function == "MIN" else max)


def _summed(read: Reader, *, mean: bool) -> Figure:
    def figure(rows: list[Record]) -> Value:
        values = [float(value) for value in map(read, rows) if value is not None]
        if not values:
            return None
        return sum(values) / len(values) if mean else sum(values)

    return figure


def _extreme(read: Reader, place: Place, pick: Callable[..., Any]) -> Figure:
    shown = printer(place)

    def figure(rows: list[Record]) -> Value:
        filled = [row for row in rows if read(row) is not None]
        return shown(pick(filled, key=read)) if filled else None

    return figure


def _ordered(
    binder: Binder, query: Query, keys: list[Place], groups: dict[tuple[object, ...], list[Record]]
) -> list[list[Record]]:
    """Groups in the order asked for, which can only be by what they are grouped by."""
    found = list(groups.items())
    paths = [key.path for key in keys]
    for ordering in reversed(query.order):
        place = binder.sorted(ordering.path)
        if place.path not in paths:
            raise SoqlError(MALFORMED, f"Ordered field must be grouped: {place.path}", ordering.path.at)
        found = in_order(found, partial(_part, paths.index(place.path)), ordering)
    return [rows for _, rows in found]


def _part(at: int, group: tuple[tuple[object, ...], list[Record]]) -> object:
    return group[0][at]
