"""Fields of a CRM, or columns of a file, with what a sample of accounts holds in them.

Sample values are shortened, and what looks like an email address or a phone number is never shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from icp_sync.ports import CrmField, FieldKind
from icp_sync.reporting.text import short

if TYPE_CHECKING:
    from icp_sync.normalize.facts_map import FactSource

SHOWN = 3
LONGEST = 20
HIDDEN_EMAIL, HIDDEN_PHONE = "(email)", "(phone)"

_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,255}")
_DIGITS = re.compile(r"\d")
_DIAL = re.compile(r"(?<![\w.])\+?\(?\d[\d\s().\-/]{5,}\d(?![\w.])")
_INSTANT = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:")
_ABOUT_PHONES = re.compile(r"phone|mobile|cell|\bfax\b|telefon|\btel\b|whatsapp", re.IGNORECASE)
_FEWEST_DIGITS = 7  # of a phone number worth the name
_BARE = 9  # digits in a row that may be one; amounts in fields of numbers are not asked
_FIGURES = frozenset((FieldKind.NUMBER, FieldKind.MONEY, FieldKind.DATE))


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One field with its sample. texts: the values that are not blank. of: accounts in the sample.

    there: whether any account named it at all; a field that is defined and not there may not be read.
    """

    field: CrmField
    texts: tuple[str, ...]
    of: int
    there: bool = True

    @property
    def filled(self) -> float | None:
        """Share of the sample that holds something, None without a sample."""
        return len(self.texts) / self.of if self.of and self.there else None

    @property
    def examples(self) -> tuple[str, ...]:
        """Up to three different values, the most frequent first, fit to be shown."""
        counts: dict[str, int] = {}
        for text in self.texts:
            counts[text] = counts.get(text, 0) + 1
        often = sorted(counts, key=lambda text: (-counts[text], text))[: SHOWN * 4]
        return tuple(dict.fromkeys(shown(text, self.field) for text in often))[:SHOWN]


def measured(fields: Iterable[CrmField], rows: Sequence[Mapping[str, str | None]]) -> list[Measured]:
    """Each field with its values in the rows."""
    found = []
    for field in fields:
        texts = tuple(text for row in rows if (text := (row.get(field.name) or "").strip()))
        there = not rows or any(field.name in row for row in rows)
        found.append(Measured(field=field, texts=texts, of=len(rows), there=there))
    return found


def shown(text: str, field: CrmField) -> str:
    """A value shortened, without what could reach a person."""
    if _EMAIL.search(text):
        return HIDDEN_EMAIL
    if _ABOUT_PHONES.search(f"{field.name} {field.label}".replace("_", " ")) and _DIGITS.search(text):
        return HIDDEN_PHONE
    if field.kind not in _FIGURES and _is_phone(text):
        return HIDDEN_PHONE
    if _INSTANT.match(text):
        return text[:10]  # the day tells enough
    return short(text, LONGEST)


def _is_phone(text: str) -> bool:
    from icp_sync.normalize.dates import instant
    from icp_sync.normalize.sizes import headcount

    for found in _DIAL.finditer(text):
        said = found.group().strip()
        digits = len(_DIGITS.findall(said))
        if digits < _FEWEST_DIGITS or (said.isdigit() and digits < _BARE):
            continue
        if said.isdigit() or said.startswith("+") or (instant(said) is None and headcount(said) is None):
            return True
    return False


def matching(fields: Sequence[CrmField], pattern: str) -> list[CrmField]:
    """The fields whose name or label fits: a glob, or a part of it; any case."""
    wanted = pattern.casefold()
    wanted = wanted if any(c in wanted for c in "*?[") else f"*{wanted}*"
    return [f for f in fields if any(fnmatchcase(text.casefold(), wanted) for text in (f.name, f.label))]


def of_file(
    path: Path, limit: int
) -> tuple[list[CrmField], list[Mapping[str, str | None]], tuple[FactSource, ...]]:
    """The columns of a CSV file, rows from all over it (the same each time), and what columns feed already.

    Raises ConfigError when it is no table.
    """
    from icp_sync.errors import ConfigError
    from icp_sync.tables.columns import columns_of
    from icp_sync.tables.reading import Table

    table = Table(path)
    if twice := table.twice():
        raise ConfigError(twice)
    rows = [dict(zip(table.header, cells, strict=True)) for cells in _some(table, limit)]
    try:
        sources = columns_of(table).sources
    except ConfigError:  # no column says by its name what it is; that is what the proposals are for
        sources = ()
    fields = [
        CrmField(name=name, label="", kind=FieldKind.TEXT, type="text") for name in table.header if name
    ]
    return fields, [*rows], sources


def _some(table: Iterable[tuple[int, list[str], str]], limit: int) -> Iterator[list[str]]:
    """Every row with the same chance, in the file's order."""
    random = Random(0)  # noqa: S311 - the same rows each time
    kept: list[tuple[int, list[str]]] = []
    good = (cells for _, cells, wrong in table if not wrong)
    for number, cells in enumerate(good):
        if len(kept) < limit:
            kept.append((number, cells))
        elif (place := random.randrange(number + 1)) < limit:
            kept[place] = (number, cells)
    yield from (cells for _, cells in sorted(kept))
