"""The org's Account fields as fields of a CRM, and raw values from all over it. Judges nothing.

Types: https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor

from icp_sync.crm.salesforce import soql
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import RETRIEVE, Client, Json
from icp_sync.crm.salesforce.columns import ID, UNREADABLE, columns
from icp_sync.crm.salesforce.ids import ACCOUNT, long_id, number, numbered
from icp_sync.crm.salesforce.reads.opportunities import OPEN, PSEUDO, WON, Opportunities
from icp_sync.errors import RequestError
from icp_sync.ports import CrmField, FieldKind

PLACES = 10
"""Stretches of ids a sample is taken from: what was imported together resembles each other."""

NAMES = 200
"""Fields asked for at once, so that a reply of 2,000 accounts stays within some megabytes."""

AT_ONCE = 500

_KINDS: Mapping[str, FieldKind] = {
    **dict.fromkeys(
        ("string", "textarea", "phone", "url", "email", "combobox", "encryptedstring"), FieldKind.TEXT
    ),
    **dict.fromkeys(("int", "double", "percent", "long"), FieldKind.NUMBER),
    "currency": FieldKind.MONEY,
    **dict.fromkeys(("date", "datetime"), FieldKind.DATE),
    "picklist": FieldKind.CHOICE,
    "multipicklist": FieldKind.CHOICES,
    "boolean": FieldKind.YES_NO,
}


COUNTED = tuple(
    CrmField(name=name, label=label, kind=FieldKind.NUMBER, type="count")
    for name, label in ((OPEN, "Open opportunities"), (WON, "Won opportunities"))
)
"""What is no field of Account and can be mapped like one."""


def fields(client: Client, catalogue: Catalogue, opportunities: Opportunities) -> tuple[CrmField, ...]:
    """Every field we may see, and the counts of opportunities where we may see those. What was deleted is not
    shown by Salesforce, so none is archived."""
    counted = COUNTED if opportunities.tally(_ids(client, "", 1)) is not None else ()
    return (*(_field(entry) for entry in catalogue.definitions().values()), *counted)


def _field(entry: Json) -> CrmField:
    type = str(entry.get("type") or "")
    found = entry.get("picklistValues")
    values = [
        str(one.get("value") or "")
        for one in (found if isinstance(found, list) else [])
        if isinstance(one, dict) and one.get("active")
    ]
    return CrmField(
        name=str(entry["name"]),
        label=str(entry.get("label") or ""),
        kind=_KINDS.get(type, FieldKind.OTHER),
        type=type,
        options=tuple(filter(None, values)),
        separator=";" if type == "multipicklist" else "",
    )


def sample(
    client: Client,
    catalogue: Catalogue,
    opportunities: Opportunities,
    executor: Executor,
    properties: Sequence[str],
    limit: int,
) -> list[Mapping[str, str | None]]:
    """Raw values of at most `limit` accounts, by id; properties the org does not show are absent."""
    ids = _spread(client, limit)
    names = [name for name in dict.fromkeys(properties) if _readable(catalogue, name)]
    rows: dict[str, dict[str, str | None]] = {}
    asked = [
        (ids[at : at + AT_ONCE], names[first : first + NAMES])
        for at in range(0, len(ids), AT_ONCE)
        for first in range(0, max(1, len(names)), NAMES)
    ]
    for found in executor.map(lambda batch: _values(client, catalogue, *batch), asked):
        for id, values in found.items():
            rows.setdefault(id, {}).update(values)
    if counted := [name for name in PSEUDO if name in properties]:
        for id, tally in (opportunities.tally(list(rows)) or {}).items():
            rows[id].update({name: tally.values[name] for name in counted})
    return [rows[id] for id in ids if id in rows]


def _readable(catalogue: Catalogue, name: str) -> bool:
    definition = catalogue.definition(name)
    return definition is not None and definition.get("type") not in UNREADABLE


def _values(
    client: Client, catalogue: Catalogue, ids: Sequence[str], names: Sequence[str]
) -> dict[str, dict[str, str | None]]:
    """Values of at most 2,000 accounts by id, of the names that are still there."""
    while True:
        shown = columns(catalogue, names)
        try:
            records = client.retrieve(ids[:RETRIEVE], shown.names)
            break
        except RequestError as error:
            if not catalogue.refused(error, shown.names):
                raise
    held = {id: shown.of_json(record) for id, record in zip(ids, records, strict=True) if record is not None}
    return {id: {name: values[name] for name in names if name in values} for id, values in held.items()}


def _spread(client: Client, limit: int) -> list[str]:
    """Ids from evenly spaced places; small orgs are taken from the beginning on."""
    if limit < 1:
        return []
    first = _ids(client, "", max(limit, RETRIEVE))
    if len(first) <= limit:
        return first
    if len(first) < RETRIEVE:
        return [first[len(first) * place // limit] for place in range(limit)]
    found: set[str] = set()
    starts = list(_starts(client, first[0]))
    for place, start in enumerate(starts):
        share = limit * (place + 1) // PLACES - limit * place // PLACES
        found.update(_ids(client, start, share) if share else ())
    for id in first:
        if len(found) >= limit:
            break
        found.add(id)
    return sorted(found)[:limit]


def _starts(client: Client, first: str) -> Iterator[str]:
    """Ids, which need not exist, from the first account's to the last one's."""
    last = _ids(client, "", 1, order=f"{ID} DESC")
    if not last:
        return
    lowest, highest = number(first), number(last[0])
    step = max(1, (highest - lowest) // PLACES)
    yield from (numbered(ACCOUNT, lowest + place * step) for place in range(PLACES))


def _ids(client: Client, start: str, limit: int, *, order: str = ID) -> list[str]:
    statement = soql.select(
        (ID,), "Account", [f"{ID} >= {soql.literal(start)}" if start else ""], order=order, limit=limit
    )
    rows = [row for page in client.query(statement) for row in page]
    return [id for row in rows if (id := long_id(str(row.get(ID) or "")))]
