"""Replies about associations: which records each record is tied to, and which have none for certain.

A record without any is told by an error entry NO_ASSOCIATIONS_FOUND in a 207 ("Associations v4", HubSpot's
API documentation). Knows no kind of record, and sends nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from icp_sync.crm.hubspot.records import Json, next_after
from icp_sync.crm.hubspot.replies import complaints

AT_ONCE = 1_000
NOBODY = ("crm.associations.NO_ASSOCIATIONS_FOUND", "OBJECT_NOT_FOUND")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ties:
    """A page of what `id` is tied to, in HubSpot's order. `types` are HubSpot's type ids of each tie.

    after: the cursor of the next page, "" on the last.
    """

    id: str
    to: tuple[str, ...]
    types: tuple[frozenset[int], ...]
    after: str


def ties(page: Json) -> Iterator[Ties]:
    """Every result of a reply that can be read."""
    found = page.get("results")
    for result in found if isinstance(found, list) else []:
        origin = result.get("from") if isinstance(result, dict) else None
        if not isinstance(origin, dict) or origin.get("id") is None:
            continue
        to = result.get("to")
        entries = [
            entry
            for entry in (to if isinstance(to, list) else [])
            if isinstance(entry, dict) and entry.get("toObjectId") is not None
        ]
        yield Ties(
            id=str(origin["id"]),
            to=tuple(str(entry["toObjectId"]) for entry in entries),
            types=tuple(map(_types, entries)),
            after=next_after(result),
        )


def without(page: Json, untold: Sequence[str], *, told: bool) -> set[str]:
    """Which of the records without a result have no tie for certain.

    Those an error says so of; and, in a reply that speaks of others, those it passes over in silence.
    told: whether the reply has results.
    """
    nobody: set[str] = set()
    failed: set[str] = set()
    vague = False
    for complaint in complaints(page):
        (nobody if complaint.code in NOBODY else failed).update(complaint.ids)
        vague |= not complaint.ids
    if (told or nobody) and not vague:
        nobody |= set(untold) - failed
    return nobody & set(untold)


def _types(entry: Json) -> frozenset[int]:
    given = entry.get("associationTypes")
    ids = (one.get("typeId") for one in (given if isinstance(given, list) else []) if isinstance(one, dict))
    return frozenset(id for id in ids if isinstance(id, int))
