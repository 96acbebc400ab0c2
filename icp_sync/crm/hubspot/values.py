"""Values between HubSpot's wire and our canonical forms, and a raw company as an Account. Sends nothing
but what the roster of owners needs.

On the wire everything is a string: numbers with binary noise, datetimes as ISO 8601 or epoch ms, several
choices joined by ";", owners as ids, a cleared value as "" or null.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Protocol

from icp_sync.crm.canonical import READERS, instant, type_of
from icp_sync.crm.hubspot.records import Json
from icp_sync.crm.roster import Roster
from icp_sync.crm.windows import stamp_is_old
from icp_sync.domain.account import Account
from icp_sync.domain.facts import Signal
from icp_sync.domain.standing import FieldType

STAMP = "hs_lastmodifieddate"
OWNER = "hubspot_owner_id"
PARENT = "hs_parent_company_id"
MERGED = "hs_merged_object_ids"
_PLAIN = frozenset((str, type(None)))
_NONE: frozenset[str] = frozenset()
OWN_PROPERTIES = ("name", "domain", STAMP, OWNER, PARENT, MERGED)


class Facts(Protocol):
    """What a facts map offers: the properties it reads, and their values as signals."""

    @property
    def properties(self) -> tuple[str, ...]: ...

    def read(
        self, properties: Mapping[str, str | None], *, observed_at: float, account_currency: str
    ) -> tuple[tuple[Signal, ...], Mapping[str, str]]: ...


_Carried = tuple[str, str, Callable[[str], str]]
"""An output, its property, and how that is read."""


class NoSuchOwnerError(ValueError):
    """Nobody in the portal has this email."""


class Values:
    def __init__(self, roster: Roster, facts: Facts) -> None:
        self._roster = roster
        self._facts = facts
        self._readers = {**READERS, FieldType.OWNER: self._owner}

    def canonical(self, field: str, raw: str | None) -> str:
        """A property's value in canonical form; never raises for what HubSpot may hold."""
        return self._readers[type_of(field)](raw) if raw else ""

    def _owner(self, raw: str) -> str:
        text = READERS[FieldType.OWNER](raw)
        return self._roster.email(text) if text.isdecimal() else text

    def wire(self, field: str, value: str) -> str:
        """A canonical value as HubSpot takes it; "" clears. Raises NoSuchOwnerError."""
        if type_of(field) is FieldType.OWNER:
            owner_id = self._roster.id(value)
            if owner_id is None:
                raise NoSuchOwnerError(f"nobody in this portal has the email {value}")
            return owner_id
        return value

    def accounts(
        self, records: Iterable[tuple[Json, int]], carried: Mapping[str, str], *, currency: str
    ) -> list[Account]:
        """Raw companies, each with what HubSpot's clock showed when it was read (ms)."""
        fields = [(field, name, self._readers[type_of(field)]) for field, name in carried.items()]
        return [self._account(record, fields, read_at, currency) for record, read_at in records]

    def _account(self, record: Json, fields: Iterable[_Carried], read_at: int, currency: str) -> Account:
        raw = properties_of(record)
        stamp = stamp_of(record)
        signals, unread = self._facts.read(raw, observed_at=read_at / 1000, account_currency=currency)
        # A property the reply does not name is not there, which is not the same as blank. Most fields of
        # most companies are blank, and blank is "" in every canonical form.
        live: dict[str, str] = {}
        for field, name, read in fields:
            if text := raw.get(name):
                live[field] = read(text)
            elif name in raw:
                live[field] = ""
        return Account(
            id=str(record["id"]),
            name=(raw.get("name") or "").strip(),
            signals=signals,
            unread=unread,
            live=live,
            owner=self.canonical("owner", raw.get(OWNER)),
            parent=raw.get(PARENT) or "",
            stamp=stamp,
            read_at=read_at,
            stamp_is_old=stamp_is_old(stamp, read_at),
        )


def properties_of(record: Json) -> dict[str, str | None]:
    """A record's properties; whatever is neither text nor null is put as text."""
    found = record.get("properties")
    if not isinstance(found, dict):
        return {}
    if _PLAIN.issuperset(map(type, found.values())):
        return found
    return {name: value if type(value) in _PLAIN else _text(value) for name, value in found.items()}


def stamp_of(record: Json) -> int:
    """When the record was last modified, ms; 0 when HubSpot does not say."""
    found = record.get("properties")
    stamp = found.get(STAMP) if isinstance(found, dict) else None
    seconds = instant(str(stamp or record.get("updatedAt") or ""))
    return 0 if seconds is None else round(seconds * 1000)


def merged_ids(record: Json) -> frozenset[str]:
    """Ids of the companies merged into this one."""
    found = record.get("properties")
    held = found.get(MERGED) if isinstance(found, dict) else None
    return _NONE if held is None else frozenset(_text(held).split(";")) - {""}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
