"""Owners of the portal: ids on the wire, lower-case emails everywhere else."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import Json, next_after, results
from icp_sync.crm.roster import Roster
from icp_sync.domain.account import Owner
from icp_sync.errors import UnavailableError


def roster(client: Client, clock: Callable[[], float] = time.monotonic) -> Roster:
    """The portal's owners; of several with one email an active one wins it."""

    def everybody() -> list[Owner]:
        entries = [*_read(client, archived=True), *_read(client, archived=False)]
        owners = {owner.id: owner for owner in map(_owner, entries)}
        return sorted(owners.values(), key=lambda owner: (owner.active, owner.id))

    return Roster(everybody, clock=clock)


def _read(client: Client, *, archived: bool) -> Iterator[Json]:
    after = ""
    while True:
        page = client.owners(after=after, archived=archived)
        found = results(page)
        yield from ({**entry, "archived": archived} for entry in found)
        following = next_after(page)
        if not following:
            return
        if following == after or not found:
            raise UnavailableError("HubSpot's list of owners does not advance")
        after = following


def _owner(entry: Json) -> Owner:
    name = " ".join(str(entry[key]) for key in ("firstName", "lastName") if entry.get(key))
    return Owner(
        id=str(entry["id"]),
        email=str(entry.get("email") or "").strip().lower(),
        name=name,
        active=not entry.get("archived"),
    )
