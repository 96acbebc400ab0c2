"""A CSV file beside the accounts that tells of their fate: churn, value, renewals, NPS, or an outcome."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.definitions import OUTCOMES
from icp_sync.learning.past.cohorts import Definitions, Subject
from icp_sync.learning.past.wanting import counted
from icp_sync.learning.sources.directory import RUINED_HINT, Directory, Unmatched
from icp_sync.learning.sources.told_columns import Told, row_problems
from icp_sync.learning.sources.told_names import CURRENCY, DATES, DOMAIN, ID, JOINED, NAME, TOLD
from icp_sync.learning.sources.told_rows import NUMBERS, Row, Rows
from icp_sync.tables.names import NAMES
from icp_sync.tables.reading import Table

_KEYS: Mapping[str, Sequence[str]] = {key: NAMES[key] for key in (ID, DOMAIN, NAME, CURRENCY)}
_NEXT = 'icp-sync learn … --join FILE.csv --map "COLUMN=join:{}"'


class Joined(NamedTuple):
    """What is to be said of a joined file, and which keys of `definitions.OUTCOMES` it has a place for."""

    notes: list[str]
    telling: frozenset[str]


def with_joined(
    path: Path, subjects: Sequence[Subject], definitions: Definitions, *, currency: str = ""
) -> tuple[list[Subject], Joined]:
    """These accounts with what a joined file tells of their fate, and what is to be said of it.

    Whatever the definitions name a fact for, and the file has a column called so, is read as well. Raises
    ConfigError for a file that cannot be used.
    """
    rows = {subject.id: Row(told=dict(subject.told)) for subject in subjects}
    with next_step(_NEXT.format("id")):
        told = joined(rows, Directory(subjects), Table(path), {}, definitions, currency)
    found = [replace(s, told=rows[s.id].told, placed=s.placed or rows[s.id].placed) for s in subjects]
    return found, told


def joined(
    rows: Mapping[str, Row],
    directory: Directory,
    table: Table,
    said: Mapping[str, str],
    by: Definitions,
    currency: str,
) -> Joined:
    """Add what a joined file tells to the rows of the accounts it means."""
    told = Told(table, with_own_names({**_KEYS, **JOINED}, by), said, dates=DATES, numbers=NUMBERS)
    _check(told)
    reader, unmatched, twice, seen = Rows(told, currency=currency), Unmatched(), 0, set[str]()
    for row, cells in told:
        meant = told.text(ID, cells), told.text(DOMAIN, cells), told.text(NAME, cells)
        account = directory.find(*meant)
        if not account:
            unmatched.add(*meant)
        elif account in seen:
            twice += 1
        else:
            seen.add(account)
            rows[account].join(reader.read(row, cells))
    if not seen:
        what = f"none of its rows ({unmatched.count:,}) is of an account that is here: {unmatched.listed}"
        hint = RUINED_HINT if unmatched.ruined else ""
        raise ConfigError(
            [Problem(where=str(table.path), what=what, hint=hint)], next_step=_NEXT.format("id")
        )
    notes = [*row_problems(table), *told.notes(), *reader.notes()]
    if unmatched.count:
        rows_of = counted(unmatched.count, "row")
        notes.append(f"{table.path}: {rows_of} left out, of no account, or of several: {unmatched.listed}")
    if twice:
        notes.append(f"{table.path}: {counted(twice, 'row')} left out, of an account that a row above is of")
    return Joined(notes, reader.telling)


def _check(told: Told) -> None:
    path, problems, missing = str(told.table.path), told.table.twice(), []
    if not told.has(ID, DOMAIN, NAME):
        hint = '--map "COLUMN=join:id" (or join:domain, join:name)'
        missing.append("id")
        problems.append(Problem(where=path, what="no column says which account a row is about", hint=hint))
    if not told.has(*TOLD):
        what = "no column tells of churn, value, renewals, NPS or an outcome, so it adds nothing"
        hint = "--map " + ", ".join(f'"COLUMN=join:{key}"' for key in OUTCOMES)
        missing.append("churned_on")
        problems.append(Problem(where=path, what=what, hint=hint))
    if not problems and next(iter(told), None) is None:
        problems.append(Problem(where=path, what="has a header and no rows"))
    if problems:
        mapped = " ".join(f'--map "COLUMN=join:{role}"' for role in missing)
        raise ConfigError(problems, next_step=f"icp-sync learn … --join FILE.csv {mapped}".rstrip())


def with_own_names(names: Mapping[str, Sequence[str]], by: Definitions) -> dict[str, Sequence[str]]:
    """The known names of columns, after those that the definitions use."""
    own = {key: fact for fact, key in by.outcomes.items()}
    return {role: (own[role], *known) if role in own else tuple(known) for role, known in names.items()}


@contextmanager
def next_step(step: str) -> Iterator[None]:
    """What to type next, for errors that do not say it."""
    try:
        yield
    except ConfigError as error:
        if error.next_step:
            raise
        raise ConfigError(error.problems, next_step=step) from error
