"""Takes an object's own name, or its alias, off the front of a query's paths."""

from __future__ import annotations

from dataclasses import replace

from icp_sync.simulator.salesforce.soql.tree import And, Condition, Not, Or, Path, Query


def without_alias(query: Query, alias: str) -> Query:
    """The same query with `a.Name` and `Account.Name` as `Name`, for `FROM Account a`."""
    names = {query.sobject.lower(), alias.lower()} - {""}

    def path(given: Path) -> Path:
        if len(given.names) > 1 and given.names[0].lower() in names:
            return Path(names=given.names[1:], at=given.at)
        return given

    def condition(given: Condition) -> Condition:
        if isinstance(given, And | Or):
            return replace(given, parts=tuple(map(condition, given.parts)))
        if isinstance(given, Not):
            return Not(part=condition(given.part))
        return replace(given, path=path(given.path))

    return replace(
        query,
        columns=tuple(replace(column, path=path(column.path)) for column in query.columns),
        where=condition(query.where) if query.where is not None else None,
        group=tuple(map(path, query.group)),
        order=tuple(replace(one, path=path(one.path)) for one in query.order),
    )
