"""The portal's company properties as fields of a CRM, and raw values from all over it. Judges nothing.

Types: "Properties" in HubSpot's API documentation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from itertools import islice

from icp_sync.crm.hubspot import discovery
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import BATCH, Json, next_after, results
from icp_sync.crm.hubspot.values import STAMP, properties_of
from icp_sync.crm.windows import id_order
from icp_sync.ports import CrmField, FieldKind

PLACES = 10
"""Stretches of ids a sample is taken from: what was imported together resembles each other."""

NAMES = 250
"""Properties asked for at once; a thousand of a hundred companies would be a reply of many megabytes."""

_KINDS: Mapping[str, FieldKind] = {
    "string": FieldKind.TEXT,
    "phone_number": FieldKind.TEXT,
    "number": FieldKind.NUMBER,
    "date": FieldKind.DATE,
    "datetime": FieldKind.DATE,
    "enumeration": FieldKind.CHOICE,
    "bool": FieldKind.YES_NO,
}


def fields(client: Client) -> tuple[CrmField, ...]:
    """Every property the token may see, the archived among them; those in use come first."""
    found = [
        *client.properties(),
        *({**entry, "archived": True} for entry in client.properties(archived=True)),
    ]
    return tuple(_field(entry) for entry in found if entry.get("name"))


def _field(entry: Json) -> CrmField:
    kind, widget = str(entry.get("type") or ""), str(entry.get("fieldType") or "")
    options = entry.get("options")
    values = [
        str(option.get("value") or "")
        for option in (options if isinstance(options, list) else [])
        if isinstance(option, dict)
    ]
    several = kind == "enumeration" and widget == "checkbox"
    return CrmField(
        name=str(entry["name"]),
        label=str(entry.get("label") or ""),
        kind=_kind(entry, kind, widget),
        type=f"{kind}/{widget}" if widget and widget not in (kind, "text") else kind,
        options=() if kind == "bool" else tuple(filter(None, values)),
        separator=";" if several else "",
        archived=bool(entry.get("archived")),
    )


def _kind(entry: Json, kind: str, widget: str) -> FieldKind:
    if widget == "file" or entry.get("externalOptions"):  # options kept elsewhere are links to other records
        return FieldKind.OTHER
    if kind == "enumeration" and widget in ("checkbox", "booleancheckbox"):
        return FieldKind.CHOICES if widget == "checkbox" else FieldKind.YES_NO
    if kind == "number" and (entry.get("showCurrencySymbol") or entry.get("numberDisplayHint") == "currency"):
        return FieldKind.MONEY
    return _KINDS.get(kind, FieldKind.OTHER)


def sample(
    client: Client, executor: Executor, properties: Sequence[str], limit: int
) -> list[Mapping[str, str | None]]:
    """Raw values of at most `limit` companies, by id; properties a reply does not name are absent."""
    ids = _spread(client, limit)
    names = list(dict.fromkeys(properties))
    rows: dict[str, dict[str, str | None]] = {}
    asked = [
        (ids[at : at + BATCH], names[first : first + NAMES])
        for at in range(0, len(ids), BATCH)
        for first in range(0, len(names), NAMES)
    ]
    replies = executor.map(lambda batch: client.batch_read(*batch), asked)
    for (_, wanted), page in zip(asked, replies, strict=True):
        for record in results(page):
            held = properties_of(record)
            rows.setdefault(str(record["id"]), {}).update({n: held[n] for n in wanted if n in held})
    return [rows[id] for id in ids if id in rows]


def _spread(client: Client, limit: int) -> list[str]:
    """Ids from evenly spaced places; small portals are taken from the beginning on."""
    page = client.list_page([STAMP])
    first = _ids(page)
    if not next_after(page) or limit <= PLACES:
        return first[:limit]
    found: set[str] = set()
    for place, start in enumerate(_starts(client, first[0])):
        share = limit * (place + 1) // PLACES - limit * place // PLACES
        found.update(islice(_ids(client.list_page([STAMP], after=start)), share))
    for listed in discovery.listing(client, [STAMP], ""):
        if len(found) >= limit:
            break
        found.update(islice((id for id in listed.stamps if id not in found), limit - len(found)))
    return sorted(found, key=id_order)[:limit]


def _starts(client: Client, first: str) -> Iterator[str]:
    newest = results(
        client.search(
            {
                "sorts": [{"propertyName": "hs_object_id", "direction": "DESCENDING"}],
                "properties": [],
                "limit": 1,
            }
        )
    )
    last = str(newest[0]["id"]) if newest else ""
    if not first.isdecimal() or not last.isdecimal():
        return
    step = max(1, (int(last) - int(first)) // PLACES)
    yield from (str(int(first) + place * step) for place in range(PLACES))


def _ids(page: Json) -> list[str]:
    return [str(record["id"]) for record in results(page)]
