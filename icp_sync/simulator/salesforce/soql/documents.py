"""Records as a query's answer shows them, and records that stay as they were while a client pages on.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/resources_query.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from icp_sync.simulator.salesforce.org import SObject
from icp_sync.simulator.salesforce.schema import FieldDef
from icp_sync.simulator.salesforce.soql.binding import Place, Step
from icp_sync.simulator.salesforce.soql.values import parent_of
from icp_sync.simulator.store import Record

Json = dict[str, object]
Shower = Callable[[Record], Json]


def shower(sobject: SObject, columns: Sequence[Place], root: str) -> Shower:
    """How to show a record of an object. root: /services/data/vXX.X."""
    return _shower(sobject, [(column.steps, column.field) for column in columns], root)


def _shower(sobject: SObject, columns: list[tuple[tuple[Step, ...], FieldDef]], root: str) -> Shower:
    parts: dict[str, FieldDef | tuple[Step, Shower]] = {}
    for steps, field in columns:
        if not steps:
            parts[field.name] = field
            continue
        name = steps[0].field.relationship
        if name not in parts:
            inner = [(s[1:], f) for s, f in columns if s and s[0].field.relationship == name]
            parts[name] = (steps[0], _shower(steps[0].parent, inner, root))
    return lambda record: _shown(sobject, record, parts, root)


def _shown(
    sobject: SObject, record: Record, parts: dict[str, FieldDef | tuple[Step, Shower]], root: str
) -> Json:
    url = f"{root}/sobjects/{sobject.name}/{sobject.id_of(record)}"
    shown: Json = {"attributes": {"type": sobject.name, "url": url}}
    for name, part in parts.items():
        if isinstance(part, FieldDef):
            shown[name] = sobject.value(record, part)
            continue
        step, show = part
        parent = parent_of(step, record)
        shown[name] = None if parent is None else show(parent)
    return shown


def frozen(records: Iterable[Record]) -> list[Record]:
    """Copies that later writes do not change. A record's values are replaced, so they need no copy."""
    return [_copy(record) for record in records]


def _copy(record: Record) -> Record:
    copy = Record(record.id, record.created, record.props, record.origin)
    copy.modified = record.modified
    copy.archived_at = record.archived_at
    copy.merged_into = record.merged_into
    return copy
