"""Values between Salesforce's wire and our canonical forms, and a record as an Account. Sends nothing but
what the catalogue and the roster need.

On the wire numbers and booleans are typed, instants have whole seconds, several choices are joined by ";",
users are ids, and null clears ("Primitive Data Types", SOAP API Developer Guide). No account is without an
owner: whose accounts count as unowned is the connection's to say.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from icp_sync.crm.canonical import READERS, YES_NO, instant, type_of
from icp_sync.crm.roster import Roster
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.columns import CURRENCY, ID, NAME, OWNER, PARENT, STAMP
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.crm.salesforce.reads.opportunities import Tally
from icp_sync.crm.windows import stamp_is_old
from icp_sync.domain.account import Account
from icp_sync.domain.facts import Signal
from icp_sync.domain.standing import FieldType, instant_text

STAMP_UNIT = 1_000
"""Of SystemModstamp, ms: SOQL compares whole seconds."""

OPEN_MS = 900_000
"""How long after its stamp a change may be committed: a record is stamped when it is saved and shows when its
transaction ends, which synchronous code, API calls and jobs have up to ten minutes for ("Execution Governors
and Limits", Apex Developer Guide). Until then another change of the same second may follow."""

JsonValue = str | int | float | bool | None


class Facts(Protocol):
    """What a facts map offers: the properties it reads, and their values as signals."""

    @property
    def properties(self) -> tuple[str, ...]: ...

    def read(
        self, properties: Mapping[str, str | None], *, observed_at: float, account_currency: str
    ) -> tuple[tuple[Signal, ...], Mapping[str, str]]: ...


_Carried = tuple[str, str, Callable[[str], str]]
"""An output, its field, and how that is read."""


class UnfitError(ValueError):
    """A value its field cannot hold. The message names neither the account nor the field."""


class NoSuchOwnerError(UnfitError):
    """Nobody in the org has this email."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Raw:
    """A record as text. values: by the names they were asked for, "" blank. stamp: ms, also of what counts
    as part of the account. read_at: the CRM's clock when it was asked, ms."""

    values: Mapping[str, str]
    stamp: int
    read_at: int


def raw_of(values: Mapping[str, str], tally: Tally | None, read_at: int) -> Raw:
    """A record and what its Opportunities say, None where that is not known."""
    own = stamp_of(values)
    if tally is None:
        return Raw(values=values, stamp=own, read_at=read_at)
    return Raw(values={**values, **tally.values}, stamp=max(own, tally.stamp), read_at=read_at)


class Values:
    """vacant_owners: emails or ids of the users whose accounts nobody owns, the first one the user who is
    given an account that nobody shall own."""

    def __init__(
        self,
        roster: Roster,
        facts: Facts,
        catalogue: Catalogue,
        *,
        vacant_owners: Collection[str] | Callable[[], Collection[str]] = (),
    ) -> None:
        self._roster = roster
        self._facts = facts
        self._catalogue = catalogue
        self._vacant_owners = vacant_owners
        self._vacant: tuple[int, tuple[str, ...]] = (-1, ())  # as of which reading of the users
        self._lock = threading.Lock()

    def canonical(self, field: str, raw: object) -> str:
        """A field's value, JSON or text, in canonical form; never raises for what Salesforce may hold."""
        text = _text(raw)
        return self._reader(field)(text) if text else ""

    def _reader(self, field: str) -> Callable[[str], str]:
        kind = type_of(field)
        return READERS[kind] if kind is not FieldType.OWNER else partial(self._owner, field)

    def _owner(self, field: str, raw: str) -> str:
        # Ids are case-sensitive, so the text before it was lowered counts; "#id" is how we name a stranger.
        user_id = long_id(raw.strip().removeprefix("#"))
        if not user_id:
            return READERS[FieldType.OWNER](raw)
        return "" if field == "owner" and self.is_vacant(user_id) else self._roster.email(user_id)

    def is_vacant(self, user_id: str) -> bool:
        """Whether accounts of this user count as nobody's."""
        return user_id in self._vacant_ids()

    def wire(self, field: str, value: str) -> JsonValue:
        """A canonical value as Salesforce takes it; "" clears. Raises UnfitError for what does not fit."""
        if type_of(field) is FieldType.OWNER:
            return self._owner_id(field, value)
        definition = self._catalogue.definition(self._catalogue.properties.get(field, "")) or {}
        kind = str(definition.get("type") or _WIRE_TYPES.get(type_of(field), "string"))
        if kind == "boolean":
            return _yes_no(value)  # a checkbox is never null
        if not value:
            return None
        if kind in ("int", "double", "currency", "percent"):
            return _number(value, whole=kind == "int")
        if kind in ("datetime", "date"):
            return _instant(value, whole_days=kind == "date")
        length = definition.get("length")
        if isinstance(length, int) and 0 < length < len(value) and kind in ("string", "textarea"):
            raise UnfitError(f"{len(value)} characters where {length} fit")
        return value

    def accounts(self, records: Iterable[Raw], carried: Mapping[str, str], *, currency: str) -> list[Account]:
        """Accounts of records. currency: of the org, where a record has none of its own."""
        fields = [(field, name, self._reader(field)) for field, name in carried.items()]
        return [self._account(raw, fields, currency) for raw in records]

    def _account(self, raw: Raw, fields: Iterable[_Carried], currency: str) -> Account:
        held = raw.values
        signals, unread = self._facts.read(
            held, observed_at=raw.read_at / 1000, account_currency=held.get(CURRENCY) or currency
        )
        # A field the reply does not name is not there, which is not the same as blank. Most fields of
        # most accounts are blank, and blank is "" in every canonical form.
        live: dict[str, str] = {}
        for field, name, read in fields:
            if (text := held.get(name)) is not None:
                live[field] = read(text) if text else ""
        return Account(
            id=held[ID],
            name=held.get(NAME, "").strip(),
            signals=signals,
            unread=unread,
            live=live,
            owner=self.canonical("owner", held.get(OWNER)),
            parent=held.get(PARENT, ""),
            stamp=raw.stamp,
            read_at=raw.read_at,
            stamp_is_old=stamp_is_old(raw.stamp, raw.read_at, STAMP_UNIT, OPEN_MS),
        )

    def _owner_id(self, field: str, value: str) -> str | None:
        if not value and field == "owner":
            vacant = next(iter(self._vacant_ids()), "")
            if not vacant:
                raise UnfitError(
                    "an account of Salesforce has an owner; `vacant_owners` names nobody to give it to"
                )
            return vacant
        if value.startswith("#") and not long_id(value[1:]):
            raise NoSuchOwnerError(f"{value[1:]} is no id of a user")
        user_id = self._roster.id(value)
        if user_id is None:
            raise NoSuchOwnerError(f"nobody in this org has the email {value}")
        return user_id or None

    def _vacant_ids(self) -> tuple[str, ...]:
        """The users named as vacant, in the order named."""
        version = self._roster.version()
        known = self._vacant
        if known[0] == version:
            return known[1]
        with self._lock:
            named = self._vacant_owners
            asked = [one.strip().removeprefix("#") for one in (named() if callable(named) else named)]
            ids = [[long_id(one)] if long_id(one) else sorted(self._roster.all_ids(one)) for one in asked]
            self._vacant = version, tuple(dict.fromkeys(user_id for some in ids for user_id in some))
            return self._vacant[1]


def stamp_of(held: Mapping[str, str]) -> int:
    """When the record itself was last modified, ms; 0 when Salesforce does not say."""
    seconds = instant(held.get(STAMP, ""))
    return 0 if seconds is None else round(seconds * 1000)


def _text(raw: object) -> str | None:
    if raw is None or isinstance(raw, str):
        return raw
    return str(raw).lower() if isinstance(raw, bool) else str(raw)


def _yes_no(value: str) -> bool:
    if value and value not in YES_NO:
        raise UnfitError(f"{value[:80]!r} is neither true nor false")
    return value == "true"


def _number(value: str, *, whole: bool) -> int | float:
    try:
        number = float(value)
    except ValueError:
        raise UnfitError(f"{value[:80]!r} is no number") from None
    if not math.isfinite(number):
        raise UnfitError(f"{value[:80]!r} is no number")
    if number == int(number):
        return int(number)
    if whole:
        raise UnfitError(f"{value[:80]!r} is no whole number")
    return number


def _instant(value: str, *, whole_days: bool) -> str:
    seconds = instant(value)
    if seconds is None:
        raise UnfitError(f"{value[:80]!r} is no instant")
    return instant_text(seconds)[:10] if whole_days else instant_text(seconds)


_WIRE_TYPES: Mapping[FieldType, str] = {
    FieldType.NUMBER: "double",
    FieldType.DATETIME: "datetime",
    FieldType.YES_NO: "boolean",
}
