"""Which fields a read names, and what their values are as text. Knows describe's types, no account.

JSON types its values and prints an instant as 2026-11-22T10:00:07.000+0000; the CSV of the Bulk API has text
only, 2026-11-22T10:00:07.000Z, and large numbers as 1.0E7. Both give the same text here.
https://developer.salesforce.com/docs/atlas.en-us.api.meta/api/field_types.htm
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from icp_sync.crm.canonical import instant
from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.domain.standing import instant_text, number_text

ID, STAMP, OWNER, PARENT, NAME = "Id", "SystemModstamp", "OwnerId", "ParentId", "Name"
OWN = (ID, NAME, STAMP, OWNER, PARENT)
CURRENCY = "CurrencyIsoCode"
"""The currency of a record's amounts, in orgs with more than one ("Multiple Currencies", Salesforce Help)."""

UNREADABLE = frozenset(("address", "location", "base64", "complexvalue", "anyType"))
"""Types whose value is no single text; the Bulk API cannot select them at all."""

LONG = 255
"""Characters up to which a text is short. Salesforce's long texts may have 131,072."""

_TEXT_CACHE = 8_192


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One field of a read. keys: the names it was asked for by. text: its value as text, "" for none.
    long: how many characters people may have put into it, 0 where that is little."""

    name: str
    keys: tuple[str, ...]
    text: Callable[[object], str]
    long: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Columns:
    """The fields of a read, `Id` first. missing: what was asked for and is not shown to us."""

    every: tuple[Column, ...]
    missing: tuple[str, ...] = ()
    _blank: dict[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_blank", {key: "" for column in self.every for key in column.keys})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.every)

    @property
    def long(self) -> int:
        """Characters the long texts of one account may have together."""
        return sum(column.long for column in self.every)

    def only(self, *names: str) -> Columns:
        """These of the columns, in their order here."""
        return Columns(every=tuple(column for column in self.every if column.name in names))

    def of_json(self, record: Mapping[str, object]) -> dict[str, str]:
        """A record's values by the names they were asked for; what it does not name is not there."""
        held: dict[str, str] = {}
        for column in self.every:
            if column.name in record:
                value = record[column.name]
                text = "" if value is None else column.text(value)
                for key in column.keys:
                    held[key] = text
        return held

    def of_row(self, row: Sequence[str]) -> dict[str, str]:
        """The same of a CSV row that has these columns in this order."""
        held = self._blank.copy()
        for column, value in zip(self.every, row, strict=True):
            if value:
                text = column.text(value)
                for key in column.keys:
                    held[key] = text
        return held


def columns(catalogue: Catalogue, facts: Iterable[str]) -> Columns:
    """What the org shows of: the account itself, the fields of the facts map, and our outputs.

    A name may be in any case. What the org does not show is left out.
    """
    keys: dict[str, list[str]] = {}
    missing = []
    feeding = tuple(facts)
    ours = sorted(catalogue.carried().values())
    for asked in dict.fromkeys((*OWN, CURRENCY, *feeding, *ours)):
        definition = catalogue.definition(asked)
        if definition is not None and definition.get("type") not in UNREADABLE:
            keys.setdefault(str(definition["name"]), []).append(asked)
        elif asked in feeding:
            missing.append(asked)
    definitions = catalogue.definitions()
    every = tuple(
        Column(
            name=name,
            keys=tuple(asked),
            text=text_of(str(definitions.get(name, {}).get("type") or "string")),
            # What we write ourselves is short, however long its field is.
            long=0 if set(asked) <= set(ours) else _long(definitions.get(name, {})),
        )
        for name, asked in keys.items()
    )
    return Columns(every=every, missing=tuple(missing))


def _long(definition: Mapping[str, object]) -> int:
    length = definition.get("length")
    return length if isinstance(length, int) and length > LONG else 0


def text_of(kind: str) -> Callable[[object], str]:
    """How a value of a describe type becomes text."""
    return _TEXTS.get(kind, _plain)


def _plain(value: object) -> str:
    if not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value.replace("\r\n", "\n") if "\r" in value else value


@lru_cache(maxsize=_TEXT_CACHE)
def _number_text(text: str) -> str:
    try:
        return number_text(float(text))
    except (ValueError, OverflowError):  # no number, or infinite
        return text


def _number(value: object) -> str:
    return _number_text(value if isinstance(value, str) else str(value))


@lru_cache(maxsize=_TEXT_CACHE)
def _instant_text(text: str) -> str:
    seconds = instant(text)
    return text if seconds is None else instant_text(seconds)


def _instant(value: object) -> str:
    return _instant_text(str(value))


def _yes_no(value: object) -> str:
    return str(value).lower()


def _id(value: object) -> str:
    text = str(value)
    return long_id(text) or text


_TEXTS: Mapping[str, Callable[[object], str]] = {
    **dict.fromkeys(("int", "double", "currency", "percent"), _number),
    "datetime": _instant,
    "boolean": _yes_no,
    **dict.fromkeys(("id", "reference"), _id),
}
