"""What `--map` says, file by file: facts of the accounts, roles of accounts, deals and the joined file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.sources.told_columns import FORMS
from icp_sync.learning.sources.told_names import DATES, DEAL, DEAL_DATES, DEALS, JOIN, KEYS, TOLD_ROLES
from icp_sync.normalize.facts_config import suggestion
from icp_sync.tables.names import IGNORE
from icp_sync.tables.reading import Table

_NEXT = 'icp-sync learn --accounts FILE.csv --map "COLUMN=outcome"'
_OF_JOINED = (*KEYS, *TOLD_ROLES, IGNORE)
_DATES = frozenset((*DATES, *DEAL_DATES))
_MEANT = {"closed": "close_date", "created": "create_date"}
"""What is meant where a word is said to be a date."""


@dataclass(slots=True, kw_only=True)
class Stated:
    """Column → fact (for `tables.columns`), and column → role of each file."""

    facts: dict[str, str] = field(default_factory=dict)
    accounts: dict[str, str] = field(default_factory=dict)
    deals: dict[str, str] = field(default_factory=dict)
    joined: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _File:
    """One file, the option that names it, what its columns may be, and what was said of them so far."""

    table: Table | None
    option: str
    roles: Collection[str]
    into: dict[str, str]

    def problem(self, column: str, role: str, where: str) -> Problem | None:
        """What is wrong with saying this of a column."""
        if self.table is None:
            hint = f"name it with {self.option} FILE.csv"
            return Problem(where=where, what="speaks of a file that is not there", hint=hint)
        role, _, form = role.partition(":")
        if form and (form not in FORMS or role not in _DATES):
            hint = f"a date may end in {' or '.join(f':{known}' for known in FORMS)}: close_date:dmy"
            return Problem(where=where, what=f"'{role[:60]}' cannot be read as '{form[:60]}'", hint=hint)
        if role not in self.roles:
            hint = suggestion(role, self.roles) or f"it may be {', '.join(self.roles)}"
            return Problem(where=where, what=f"there is no '{role[:60]}' to be read", hint=hint)
        return None if column in self.table.header else self.table.missing(column, where=where)


def stated(
    columns: Mapping[str, str],
    *,
    accounts: Table | None,
    deals: Table | None,
    joined: Table | None,
    types: Iterable[str],
) -> Stated:
    """Sort what is stated by the file it speaks of. Raises ConfigError with every problem at once.

    "deal:amount" speaks of the deals, "join:value" of the joined file; a plain role or fact of the accounts,
    a plain role of the joined file where the accounts have no such column.
    """
    found, problems, known = Stated(), [], frozenset(types)
    own = _File(accounts, "--accounts", TOLD_ROLES, found.accounts)
    sold = _File(deals, "--deals", (*DEALS, IGNORE), found.deals)
    beside = _File(joined, "--join", _OF_JOINED, found.joined)
    for column, wish in columns.items():
        where = f"--map '{column[:100]}={wish[:100]}'"
        here = accounts is not None and column in accounts.header
        file, role = _speaks_of(_dated(wish), here, column, own, sold, beside)
        if file is None and here and (near := _misspelt(wish, known)):
            problems.append(Problem(where=where, what=f"there is no fact '{wish[:60]}'", hint=near))
        elif file is None:
            found.facts[column] = wish
        elif problem := file.problem(column, role, where):
            problems.append(problem)
        else:
            file.into[column] = role
    if problems:
        raise ConfigError(problems, next_step=_NEXT)
    return found


def _speaks_of(
    wish: str, here: bool, column: str, own: _File, sold: _File, beside: _File
) -> tuple[_File | None, str]:
    """The file a wish speaks of, None for a fact of the accounts, and what is wished."""
    if wish.startswith(DEAL):
        return sold, wish.removeprefix(DEAL).strip()
    if wish.startswith(JOIN):
        return beside, wish.removeprefix(JOIN).strip()
    role, _, form = wish.partition(":")
    plain = not form or (form in FORMS and role in _DATES)
    if (
        not here
        and beside.table is not None
        and column in beside.table.header
        and plain
        and role in _OF_JOINED
    ):
        return beside, wish
    return (own if plain and role in TOLD_ROLES else None), wish


def _dated(wish: str) -> str:
    """ "deal:closed:dmy" as "deal:close_date:dmy": what is read day first is a date."""
    role, _, form = wish.removeprefix(DEAL).partition(":")
    meant = _MEANT.get(role) if wish.startswith(DEAL) and form in FORMS else None
    return f"{DEAL}{meant}:{form}" if meant else wish


def _misspelt(wish: str, types: Collection[str]) -> str:
    """ "did you mean 'outcome'?" for what is no fact but nearly a role."""
    return "" if ":" in wish or wish in types else suggestion(wish, TOLD_ROLES)
