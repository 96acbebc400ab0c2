"""Which accounts of a book a small list means: a column of ids, domains or names, header or not."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from icp_sync.domain.facts import Facts, Members
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.cases import Book
from icp_sync.learning.sources.directory import Directory, Unmatched
from icp_sync.tables.names import meaning
from icp_sync.tables.reading import Table

_TELLING = ("id", "domain", "name")


class Known(NamedTuple):
    """An account as a list may name it."""

    id: str
    name: str
    domain: str


def known(book: Book) -> dict[str, Known]:
    """Every account of a book by id, with the name and domain it is known by."""
    cases = {case.id: case for case in book.cases}
    found = {}
    for account_id, facts in book.crowd.items():
        case = cases.get(account_id)
        name, domain = (case.name, case.domain) if case else ("", "")
        found[account_id] = Known(account_id, name or _one(facts, "name"), domain or _one(facts, "domain"))
    return found


def named(path: Path, book: Book) -> tuple[list[str], list[str]]:
    """The ids of the accounts a CSV file names, in its order, each once; and notes on what it names besides.

    The columns of ids, domains and names are found by their names; without any, the first column holds
    whichever it is, and its first row counts too if it is no header. Raises ConfigError for a file that
    cannot be used or names no account of the book.
    """
    directory, table = Directory(known(book).values()), Table(path)
    places = {role: at for at, column in enumerate(table.header) if (role := _role(column)) in _TELLING}
    rows = [_told(cells, places) for _, cells, wrong in table if not wrong]
    first = _told(table.header, {})
    if not places and directory.find(*first):
        rows.insert(0, first)
    found, unmatched = dict[str, None](), Unmatched()
    for told in rows:
        if account_id := directory.find(*told):
            found[account_id] = None
        elif any(told):
            unmatched.add(*told)
    if not found:
        what = f"names none of the {len(book.crowd):,} accounts: {unmatched.listed or 'it has no rows'}"
        hint = "a column of record ids, domains or names, one customer a row"
        raise ConfigError([Problem(where=str(path), what=what, hint=hint)])
    rows_mean = "1 row means" if unmatched.count == 1 else f"{unmatched.count:,} rows mean"
    notes = [f"{path}: {rows_mean} no account, or several: {unmatched.listed}"]
    return list(found), notes if unmatched.count else []


def _told(cells: Sequence[str], places: dict[str, int]) -> tuple[str, str, str]:
    """What a row says of id, domain and name; without places, its first cell may be any of them."""
    if not places:
        first = " ".join(cells[0].split()) if cells else ""
        return first, first if "." in first else "", first
    told = [" ".join(cells[places[role]].split()) if role in places else "" for role in _TELLING]
    return told[0], told[1], told[2]


def _role(column: str) -> str:
    found = meaning(column)
    return found[0] if found else ""


def _one(facts: Facts, fact: str) -> str:
    value = facts.get(fact)
    return min(value.known, default="") if isinstance(value, Members) else ""
