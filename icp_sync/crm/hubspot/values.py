"""Values between HubSpot's wire and our canonical forms, and a raw company as an Account. Sends nothing
but what the roster of owners needs.

On the wire everything is a string: numbers with binary noise, datetimes as ISO 8601 or epoch ms, several
choices joined by ";", owners as ids, a cleared value as "" or null.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from icp_sync.crm.canonical import canonical_text, instant, type_of
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
_PLAIN = (str, type(None))
OWN_PROPERTIES = ("name", "domain", STAMP, OWNER, PARENT, MERGED)


class Facts(Protocol):
    """What a facts map offers: the properties it reads, and their values as signals."""

    @property
    def properties(self) -> tuple[str, ...]: ...

    def read(
        self, properties: Mapping[str, str | None], *, observed_at: float, account_currency: str
    ) -> tuple[tuple[Signal, ...], Mapping[str, str]]: ...


class NoSuchOwnerError(ValueError):
    """Nobody in the portal has this email."""


class Values:
    def __init__(self, roster: Roster, facts: Facts) -> None:
        self._roster = roster
        self._facts = facts

    def canonical(self, field: str, raw: str | None) -> str:
        """A property's value in canonical form; never raises for what HubSpot may hold."""
        kind = type_of(field)
        text = canonical_text(kind, raw)
        if kind is FieldType.OWNER and text.isdecimal():
            return self._roster.email(text)
        return text

    def wire(self, field: str, value: str) -> str:
        """A canonical value as HubSpot takes it; "" clears. Raises NoSuchOwnerError."""
        if type_of(field) is FieldType.OWNER:
            owner_id = self._roster.id(value)
            if owner_id is None:
                raise NoSuchOwnerError(f"nobody in this portal has the email {value}")
            return owner_id
        return value

    def account(self, record: Json, carried: Mapping[str, str], *, read_at: int, currency: str) -> Account:
        """A raw company, read when HubSpot's clock showed `read_at` (ms)."""
        raw = properties_of(record)
        names = record.get("names", raw)
        stamp = stamp_of(record)
        owner = self.canonical("owner", raw.get(OWNER))
        signals, unread = self._facts.read(raw, observed_at=read_at / 1000, account_currency=currency)
        return Account(
            id=str(record["id"]),
            name=(raw.get("name") or "").strip(),
            signals=signals,
            unread=unread,
            # A property the reply does not name is not there, which is not the same as blank. Most fields of
            # most companies are blank, and blank is "" in every canonical form.
            live={
                field: (owner if name == OWNER else self.canonical(field, text))
                if (text := raw.get(name))
                else ""
                for field, name in carried.items()
                if name in names
            },
            owner=owner,
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
    odd = {name: _text(value) for name, value in found.items() if type(value) not in _PLAIN}
    return {**found, **odd} if odd else found


def stamp_of(record: Json) -> int:
    """When the record was last modified, ms; 0 when HubSpot does not say."""
    found = record.get("properties")
    stamp = found.get(STAMP) if isinstance(found, dict) else None
    seconds = instant(str(stamp or record.get("updatedAt") or ""))
    return 0 if seconds is None else round(seconds * 1000)


def merged_ids(record: Json) -> frozenset[str]:
    """Ids of the companies merged into this one."""
    return frozenset((properties_of(record).get(MERGED) or "").split(";")) - {""}


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
