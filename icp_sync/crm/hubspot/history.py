"""Who gave a company's properties the values they had, from HubSpot's property history.

HubSpot keeps at most the last twenty versions of a company's property, shows them newest first, and takes
fifty companies a call ("propertiesWithHistory" in the guide to the CRM's objects API). A version names its
source by kind and id; an app's id stands there, and nothing tells an app its own. So we know ourselves by
what we did: a version that is the value we sent, from the instant HubSpot confirmed, was written by us, and
whoever has its source is us. The newest seal of an account says the same across restarts, because nobody
but an installation of ours writes one. An integration that shares our credentials cannot be told from us.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass

from icp_sync.crm.canonical import instant
from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.client import Client
from icp_sync.crm.hubspot.records import HISTORY_BATCH, Json, results
from icp_sync.crm.hubspot.values import Values, properties_of
from icp_sync.ports import Edit, Editor, Edits

SEAL = "seal"

BY: Mapping[str, Editor] = {
    **dict.fromkeys(
        ("CRM_UI", "CRM_UI_BULK_ACTION", "CONTACTS_WEB", "MOBILE_IOS", "MOBILE_ANDROID"), Editor.PERSON
    ),
    **dict.fromkeys(("AUTOMATION_PLATFORM", "WORKFLOWS", "AUTOMATION_JOURNEY"), Editor.WORKFLOW),
    **dict.fromkeys(("IMPORT", "BATCH_IMPORT"), Editor.IMPORT),
    **dict.fromkeys(("INTEGRATION", "INTEGRATIONS_PLATFORM", "API"), Editor.APP),
    # HubSpot's own programs.
    **dict.fromkeys(("CALCULATED", "DATA_ENRICHMENT", "INTERNAL_PROCESSING"), Editor.APP),
}
"""sourceType → class. Any other, a merge among them, is UNKNOWN: its value may be anybody's."""

PROGRAMS = frozenset({"INTEGRATION", "INTEGRATIONS_PLATFORM", "API"})
"""Source types under which a program with a key of its own, like us, may appear."""

SAME_WRITE_MS = 2_000
KEPT = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One value of a property as HubSpot tells of it. at: ms."""

    value: str
    at: int
    type: str
    id: str
    who: str

    @property
    def source(self) -> tuple[str, str]:
        return self.type, self.id


_Read = tuple[str, Mapping[str, tuple[Version, ...]], Mapping[str, str | None]]
"""A record's id, its past, and what it shows: all that is kept of a reply until the others have come."""


class Hands:
    """Whose hand a version shows; told of our own writes. Holds the last few of them until we are known."""

    def __init__(self) -> None:
        self._us: set[tuple[str, str]] = set()
        self._wrote: OrderedDict[str, tuple[Mapping[str, str], int]] = OrderedDict()
        self._lock = threading.Lock()

    def wrote(self, account: str, values: Mapping[str, str], at: int) -> None:
        """HubSpot confirmed these wire values (by property) on an account, from an instant (ms) on."""
        with self._lock:
            self._wrote[account] = values, at
            self._wrote.move_to_end(account)
            while len(self._wrote) > KEPT:
                self._wrote.popitem(last=False)

    def learn(
        self, account: str, past: Mapping[str, Sequence[Version]], seal: str
    ) -> frozenset[tuple[str, str]]:
        """The sources that are us on this account. seal: the property that holds it, "" for none."""
        with self._lock:
            values, at = self._wrote.get(account, ({}, 0))
            for name, versions in past.items():
                for version in versions:
                    same = values.get(name) == version.value and abs(version.at - at) <= SAME_WRITE_MS
                    if same and version.type in PROGRAMS and version.id:
                        self._us.add(version.source)
            newest = next((version for version in past.get(seal, ()) if version.value), None)
            sealed = {newest.source} if newest and newest.type in PROGRAMS and newest.id else set()
            return frozenset(self._us | sealed)


def edits(
    client: Client,
    catalogue: Catalogue,
    values: Values,
    executor: Executor,
    hands: Hands,
    ids: Iterable[str],
    fields: Sequence[str],
) -> Edits:
    """See `Crm.history`. A property whose newest version is not the value the company shows is left out: its
    history lags, so what stands before the newest cannot be trusted to be all."""
    asked = list(dict.fromkeys(ids))
    carried = catalogue.carried()
    names = {field: carried[field] for field in fields if field in carried}
    if not names or not asked:
        return {}
    seal = carried.get(SEAL, "")
    wanted = list(dict.fromkeys([*names.values(), *([seal] if seal else [])]))

    def read(some: Sequence[str]) -> list[_Read]:
        found = results(client.companies.batch_read(some, wanted, history=wanted))
        return [
            (str(record["id"]), past, properties_of(record))
            for record in found
            if (past := _past(record)) is not None
        ]

    told: dict[str, dict[str, tuple[Edit, ...]]] = {}
    batches = [asked[at : at + HISTORY_BATCH] for at in range(0, len(asked), HISTORY_BATCH)]
    for batch, records in zip(batches, executor.map(read, batches), strict=True):
        for id, past, shown in records:
            if id not in batch:
                continue
            us = hands.learn(id, past, seal)
            told[id] = {
                field: found
                for field, name in names.items()
                if name in past
                and (found := _told(values, field, past[name], shown.get(name), us)) is not None
            }
    return told


def _told(
    values: Values,
    field: str,
    versions: Sequence[Version],
    shown: str | None,
    us: frozenset[tuple[str, str]],
) -> tuple[Edit, ...] | None:
    """A field's past, None where HubSpot does not tell of it yet."""
    newest = versions[0].value if versions else ""
    if values.canonical(field, newest) != values.canonical(field, shown):
        return None
    return tuple(
        Edit(
            value=values.canonical(field, version.value),
            at=version.at,
            by=Editor.OURS if version.source in us else BY.get(version.type, Editor.UNKNOWN),
            who=version.who,
        )
        for version in versions
    )


def _past(record: Json) -> Mapping[str, tuple[Version, ...]] | None:
    """Property → versions, newest first and otherwise in HubSpot's order; without those that cannot be read
    whole. None for a record without a history."""
    found = record.get("propertiesWithHistory")
    if not isinstance(found, dict):
        return None
    past = {}
    for name, listed in found.items():
        versions = list(_versions(listed if isinstance(listed, list) else [None]))
        if None not in versions:
            past[name] = tuple(sorted((v for v in versions if v), key=lambda v: v.at, reverse=True))
    return past


def _versions(listed: Sequence[object]) -> Iterator[Version | None]:
    for entry in listed:
        at = instant(str(entry.get("timestamp") or "")) if isinstance(entry, dict) else None
        if not isinstance(entry, dict) or at is None:
            yield None
            continue
        value, user = entry.get("value"), entry.get("updatedByUserId")
        label = entry.get("sourceLabel")
        source = str(entry.get("sourceId") or "")
        yield Version(
            value="" if value is None else str(value),
            at=round(at * 1000),
            type=str(entry.get("sourceType") or ""),
            id=source,
            who=str(label) if label else f"userId:{user}" if user is not None else source,
        )
