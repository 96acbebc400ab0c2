"""The lists of a portal (HubSpot calls them segments in places): definitions, who is in each, names and ids.

Knows portals and filters, not requests. One that was deleted can be restored, and leaves its name to others.
https://developers.hubspot.com/docs/api-reference/crm-lists-v3/guide
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from icp_sync.simulator.clock import iso
from icp_sync.simulator.hubspot import list_filters
from icp_sync.simulator.hubspot.errors import Json, invalid

if TYPE_CHECKING:
    from icp_sync.simulator.hubspot.portal import Portal

TYPES = ("MANUAL", "DYNAMIC", "SNAPSHOT")
ACTIVE: Mapping[str, int] = {"free": 10, "pro": 1_500}
"""Plan → how many active lists it allows ("Lists | Frequently asked questions", HubSpot's knowledge base)."""
USER = "73074756"


@dataclass(slots=True, kw_only=True)
class Segment:
    """One list. kind: of its records. branch: what it filters by, None for one filled by hand.

    before: what it filtered by until `ready_at` (ms); None: it was empty. fixed: the members of one that does
    not follow its filter.
    """

    id: str
    name: str
    kind: str
    type_id: str
    processing: str
    branch: Json | None
    created: int
    updated: int
    filtered: int
    ready_at: int
    before: Json | None = None
    fixed: tuple[int, ...] = ()
    version: int = 1
    deleted_at: int | None = None


@dataclass(slots=True)
class Segments:
    """All lists of a portal, in order of their ids."""

    all: dict[str, Segment] = field(default_factory=dict)
    last: int = 10

    def live(self) -> list[Segment]:
        return [one for one in self.all.values() if one.deleted_at is None]

    def get(self, id: str) -> Segment | None:
        """A list that is not deleted."""
        found = self.all.get(id)
        return found if found is not None and found.deleted_at is None else None

    def named(self, name: str, kind: str = "") -> Segment | None:
        """The list of that name, whatever the case of its letters; of any kind of records without `kind`."""
        same = (one for one in self.live() if one.name.lower() == name.lower() and kind in ("", one.kind))
        return next(same, None)


def make(portal: Portal, name: str, processing: str, branch: object, *, checked: bool = True) -> Segment:
    """A new list of the portal's kind of records. checked: by name and plan. Raises Refusal."""
    lists = portal.lists
    kept = None if processing == "MANUAL" else list_filters.normal(branch, portal)
    if checked:
        free_name(portal, name)
        _within_plan(portal, processing)
    now = portal.clock.now_ms()
    lists.last += 1
    made = Segment(
        id=str(lists.last),
        name=name,
        kind=portal.kind,
        type_id=type_id(portal),
        processing=processing,
        branch=kept,
        created=now,
        updated=now,
        filtered=now,
        ready_at=_ready(portal, now),
    )
    if processing == "SNAPSHOT":
        made.fixed = tuple(_matching(portal, kept))
    lists.all[made.id] = made
    return made


def refilter(portal: Portal, segment: Segment, branch: object) -> None:
    """Another filter; until it is processed, the members are those of the old one. Raises Refusal."""
    if segment.processing != "DYNAMIC":
        raise invalid(f"List {segment.id} is not an active list: its filters cannot be changed.")
    seen = portal.seen[segment.kind]
    kept = list_filters.normal(branch, seen)
    now = portal.clock.now_ms()
    segment.before = segment.branch if now >= segment.ready_at else segment.before
    segment.branch, segment.filtered, segment.updated = kept, now, now
    segment.version += 1
    segment.ready_at = _ready(portal, now)


def rename(portal: Portal, segment: Segment, name: str) -> None:
    """Raises Refusal for a name that is taken."""
    if name.lower() != segment.name.lower():
        free_name(portal, name)
    segment.name, segment.updated = name, portal.clock.now_ms()


def free_name(portal: Portal, name: str) -> None:
    """Raises Refusal for a name another list has, whatever records it is of."""
    if not name.strip():
        raise invalid("List name must not be blank.")
    if portal.lists.named(name) is not None:
        raise invalid(
            f"List names must be unique. There is already a list with the name {name}.",
            subCategory="ILS.DUPLICATE_LIST_NAMES",
        )


def members(portal: Portal, segment: Segment) -> list[int]:
    """The ids of its records, ascending."""
    if segment.processing == "SNAPSHOT":
        live = portal.seen[segment.kind].store
        return [id for id in segment.fixed if live.get(id) is not None]
    processed = portal.clock.now_ms() >= segment.ready_at
    return _matching(portal.seen[segment.kind], segment.branch if processed else segment.before)


def users(portal: Portal, name: str) -> list[Segment]:
    """The lists that filter by a property of the portal's kind of records."""
    wanted = (portal.kind, name)
    return [
        one
        for one in portal.lists.live()
        if one.branch is not None and wanted in list_filters.properties(one.branch, one.kind)
    ]


def shown(portal: Portal, segment: Segment, *, filters: bool = False) -> Json:
    """A list as the API tells of it."""
    processed = portal.clock.now_ms() >= segment.ready_at
    told: Json = {
        "listId": segment.id,
        "listVersion": segment.version,
        "createdAt": iso(segment.created),
        "updatedAt": iso(segment.updated),
        "filtersUpdatedAt": iso(segment.filtered),
        "processingStatus": "COMPLETE" if processed else "PROCESSING",
        "createdById": USER,
        "updatedById": USER,
        "processingType": segment.processing,
        "objectTypeId": segment.type_id,
        "name": segment.name,
        "listPermissions": {"teamsWithEditAccess": [], "usersWithEditAccess": []},
        "membershipSettings": {"membershipTeamId": None, "includeUnassigned": None},
    }
    if segment.deleted_at is not None:
        told["deletedAt"] = iso(segment.deleted_at)
    if filters and segment.branch is not None:
        told["filterBranch"] = deepcopy(segment.branch)
    return told


def type_id(portal: Portal) -> str:
    return list_filters.TYPE_IDS[portal.kind]


def _matching(portal: Portal, branch: Json | None) -> list[int]:
    if branch is None:
        return []
    test = list_filters.test_of(branch, portal)
    found = (portal.store.get(id) for id in sorted(portal.store.live))
    return [record.id for record in found if record is not None and test(record)]


def _within_plan(portal: Portal, processing: str) -> None:
    allowed = portal.switches.active_lists
    if allowed is None:
        allowed = ACTIVE.get(portal.limits.plan)
    active = sum(one.processing == "DYNAMIC" for one in portal.lists.live())
    if processing == "DYNAMIC" and allowed is not None and active >= allowed:
        raise invalid(
            f"You have reached the limit of {allowed} active lists for this account. Delete lists you no "
            "longer need, or upgrade your subscription.",
            subCategory="ILS.LIST_LIMIT_REACHED",
            context={"limit": [str(allowed)]},
        )


def _ready(portal: Portal, now: int) -> int:
    return now + round(portal.switches.list_lag * 1000)
