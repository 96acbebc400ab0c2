"""What in a portal is known to use properties of ours: calculations and lists. Workflows and reports are not
told of by HubSpot. Changes nothing."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping, Sequence

from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import LISTS, Json
from icp_sync.crm.hubspot.segments import properties_of
from icp_sync.ports import Step, StepKind


def calculations(definitions: Mapping[str, Json], ours: Sequence[str]) -> list[Step]:
    """The calculated properties among these whose formula names one of ours."""
    return [
        Step(kind=StepKind.DEPENDS, what=f"calculated property {name}", detail=f"it uses {', '.join(found)}")
        for name, entry in definitions.items()
        if name not in ours and (found := _named(str(entry.get("calculationFormula") or ""), ours))
    ]


def lists(client: Client, ours: Sequence[str], spare: Collection[str] = ()) -> list[Step]:
    """The lists that filter by our properties. spare: ids of lists that go too. Raises AuthError or
    RequestError for a missing scope."""
    return list(_lists(client, ours, spare))


def _lists(client: Client, ours: Sequence[str], spare: Collection[str]) -> Iterator[Step]:
    ids: list[str] = []
    offset, more = 0, True
    while more:
        page = client.lists(offset=offset)
        found = [entry for entry in _all(page, "lists") if entry.get("listId") is not None]
        ids.extend(id for entry in found if (id := str(entry["listId"])) not in spare)
        following = page.get("offset")
        more = bool(page.get("hasMore")) and bool(found)
        offset = following if isinstance(following, int) and following > offset else offset + len(found)
    for at in range(0, len(ids), LISTS):
        for entry in _all(client.list_filters(ids[at : at + LISTS]), "lists"):
            if used := sorted(set(properties_of(entry.get("filterBranch"))) & set(ours)):
                what = f"list {entry.get('name') or entry.get('listId')}"
                yield Step(kind=StepKind.DEPENDS, what=what, detail=f"it uses {', '.join(used)}")


def _named(formula: str, ours: Sequence[str]) -> list[str]:
    return [name for name in ours if re.search(rf"\b{re.escape(name)}\b", formula)] if formula else []


def _all(page: Json, key: str) -> list[Json]:
    found = page.get(key)
    return [entry for entry in found if isinstance(entry, dict)] if isinstance(found, list) else []
