"""What we may do with accounts, tried on a few from all over the org. Changes nothing.

UserRecordAccess, Object Reference: at most 200 records of one user in a query.
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_userrecordaccess.htm
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from icp_sync.crm.salesforce import ids
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning.access import asked, rows
from icp_sync.crm.salesforce.soql import among, literal, select

SAMPLE = 200
PLACE = 12
"""Neighbours asked for at each place: what was imported together is shared alike."""

PROBES = 80
"""Places tried at most. Ids of an org that was moved lie in stretches far apart, with nothing between."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Ids of accounts. `spread`: whether they come from all over the org, not just from its beginning."""

    ids: tuple[str, ...]
    spread: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """Of `asked` sampled accounts, how many we may read, edit and transfer. `spread`: as of the sample."""

    asked: int
    read: int
    edit: int
    transfer: int
    spread: bool = True


def reach(client: Client, user: str) -> Reach | None:
    """What this user may do with a sample of the accounts it sees; None where that cannot be asked."""
    sampled = sample(client)
    if not sampled.ids:
        return Reach(asked=0, read=0, edit=0, transfer=0)
    rights = ("HasReadAccess", "HasEditAccess", "HasTransferAccess")
    where = [f"UserId = {literal(user)}", among("RecordId", sampled.ids)]
    rows = asked(client, select(["RecordId", *rights], "UserRecordAccess", where))
    if not rows:
        return None
    read, edit, transfer = (sum(bool(row.get(right)) for row in rows) for right in rights)
    # An account without a row was deleted meanwhile.
    return Reach(asked=len(rows), read=read, edit=edit, transfer=transfer, spread=sampled.spread)


def sample(client: Client) -> Sample:
    """At most 200 accounts we see, the same ones each time; all of them where there are fewer.

    Stretches of ids are halved in turn, so that one which holds nothing costs few tries. Raises what a
    refused query raises: an account we may not ask for is not one there is not.
    """
    first = _listed(client, [], SAMPLE + 1)
    if len(first) <= SAMPLE:
        return Sample(ids=tuple(first), spread=True)
    end = ids.number(_listed(client, [], 1, order="Id DESC")[0])
    found = first[:PLACE]
    stretches = deque([(ids.number(found[-1]), end + 1)])
    for _ in range(PROBES):
        if not stretches or len(found) >= SAMPLE:
            break
        low, high = stretches.popleft()
        middle = (low + high + 1) // 2
        if middle <= low or middle >= high:
            continue
        place = _listed(client, [f"Id >= {literal(ids.numbered(ids.ACCOUNT, middle))}"], PLACE)
        place = [id for id in place if ids.number(id) < high]
        stretches.append((low, middle))
        if place:
            found += place
            stretches.append((ids.number(place[-1]), high))
    if len(found) < SAMPLE // 2:
        return Sample(ids=tuple(first[:SAMPLE]), spread=False)
    return Sample(ids=tuple(sorted(found[:SAMPLE])), spread=True)


def _listed(client: Client, where: list[str], limit: int, *, order: str = "Id") -> list[str]:
    found = rows(client, select(["Id"], "Account", where, order=order, limit=limit))
    return [id for row in found if (id := ids.account_id(str(row.get("Id"))))]
