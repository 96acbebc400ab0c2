"""What we may do with accounts, tried on a few from all over the org. Changes nothing.

UserRecordAccess, Object Reference: at most 200 records of one user in a query.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from icp_sync.crm.salesforce import ids
from icp_sync.crm.salesforce.access import asked
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.soql import among, select

SAMPLE = 200
PLACES = 10
"""Stretches of ids the sample comes from: what was imported together is shared alike."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of `asked` sampled accounts, how many we may read, edit and transfer."""

    asked: int
    read: int
    edit: int
    transfer: int


def reach(client: Client, user: str) -> Reach | None:
    """What this user may do with a sample of the accounts it sees; None where that cannot be asked."""
    sampled = sample(client)
    if not sampled:
        return Reach(asked=0, read=0, edit=0, transfer=0)
    rights = ("HasReadAccess", "HasEditAccess", "HasTransferAccess")
    where = [f"UserId = '{user}'", among("RecordId", sampled)]
    rows = asked(client, select(["RecordId", *rights], "UserRecordAccess", where))
    if not rows:
        return None
    read, edit, transfer = (sum(bool(row.get(right)) for row in rows) for right in rights)
    # An account without a row was deleted meanwhile.
    return Reach(asked=len(rows), read=read, edit=edit, transfer=transfer)


def sample(client: Client) -> list[str]:
    """At most 200 ids of accounts we see, from evenly spaced places, the same ones each time."""
    first, last = _edge(client, "Id"), _edge(client, "Id DESC")
    if not first or not last:
        return []
    found: set[str] = set()
    for start in _starts(first, last):
        found.update(_listed(client, [f"Id >= '{start}'"], SAMPLE // PLACES))
    if len(found) < SAMPLE:  # a small org, or one whose ids lie close together
        found.update(_listed(client, [], SAMPLE))
    return sorted(found)[:SAMPLE]


def _edge(client: Client, order: str) -> str:
    rows = asked(client, select(["Id"], "Account", order=order, limit=1))
    return ids.account_id(str(rows[0].get("Id"))) if rows else ""


def _listed(client: Client, where: list[str], limit: int) -> list[str]:
    rows = asked(client, select(["Id"], "Account", where, order="Id", limit=limit))
    return [str(row["Id"]) for row in rows or []]


def _starts(first: str, last: str) -> Iterator[str]:
    """Ids, mostly of nothing, where the places between these two begin."""
    low, high = ids.number(first), ids.number(last)
    for place in range(PLACES):
        yield ids.numbered(ids.ACCOUNT, low + (high - low) * place // PLACES)
