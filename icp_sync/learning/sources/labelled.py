"""CSV files → a book: accounts, their deals, and what a joined file tells of their fate. No CRM is needed.

Knows files only; who belongs to which cohort is `cohorts`' business.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from icp_sync.domain.currency import worth
from icp_sync.domain.facts import CATALOGUE, FactType, Money
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.cases import Book
from icp_sync.learning.past.cohorts import Definitions, Sale, Subject, book_of
from icp_sync.learning.past.steadiness import OUTCOME_FACTS
from icp_sync.learning.past.wanting import counted
from icp_sync.learning.sources.deal_file import sales_of
from icp_sync.learning.sources.directory import RUINED_HINT, Directory, ruined
from icp_sync.learning.sources.joined_file import joined, next_step, with_own_names
from icp_sync.learning.sources.joined_file import with_joined as with_joined
from icp_sync.learning.sources.observed import as_of, in_time, observed_notes
from icp_sync.learning.sources.told_columns import Told, row_problems, thousands_note
from icp_sync.learning.sources.told_map import Stated, stated
from icp_sync.learning.sources.told_names import (
    BEGUN,
    CURRENCY,
    DATES,
    DECIDED,
    OUTCOME,
    PARENT,
    PARENTS,
    TOLD,
)
from icp_sync.learning.sources.told_rows import NUMBERS, Row, Rows
from icp_sync.learning.sources.unread import Unread
from icp_sync.tables.accounts import AccountTable, read_accounts
from icp_sync.tables.names import IGNORE
from icp_sync.tables.reading import Table

_NEXT = "icp-sync learn --accounts FILE.csv --deals FILE.csv"
PLAIN_MONEY = "Amounts without a currency could be in any; --currency USD says which they are in"


def book_from_files(
    accounts: Path,
    deals: Path | None,
    join: Path | None,
    definitions: Definitions,
    *,
    columns: Mapping[str, str] | None = None,
    types: Mapping[str, FactType] = CATALOGUE,
    currency: str = "",
    now: float,
    encoding: str = "",
) -> Book:
    """The cases of some CSV exports.

    deals: without it the accounts, or the joined file, say their outcome in a column of their own. join:
    more of the accounts' fate, by id, domain or name. columns: column → fact or role, as `--map` says (see
    `told_map.stated`). currency: ISO 4217 of amounts that do not say theirs. now: UTC epoch seconds. Raises
    ConfigError, with every problem of a file, for one that cannot be used.
    """
    if currency and worth(currency) is None:
        problem = Problem(
            where=f"--currency '{currency[:20]}'", what="is no currency", hint="such as EUR or USD"
        )
        raise ConfigError([problem], next_step=f"{_NEXT} --currency USD")
    with next_step(_NEXT):
        return _book(
            (accounts, deals, join),
            definitions,
            columns=columns or {},
            types=types,
            currency=currency,
            now=now,
            encoding=encoding,
        )


def _book(
    paths: tuple[Path, Path | None, Path | None],
    definitions: Definitions,
    *,
    columns: Mapping[str, str],
    types: Mapping[str, FactType],
    currency: str,
    now: float,
    encoding: str,
) -> Book:
    accounts, deals, join = paths
    _refuse_twice(accounts, deals, join)
    tables = [Table(path, encoding=encoding) if path else None for path in paths]
    own, sold, beside = tables
    said = stated(columns, accounts=own, deals=sold, joined=beside, types=types)
    table = _accounts(accounts, said, types=types, currency=currency, encoding=encoding)
    file = _File(table, said, definitions, currency, ended=deals is None)
    notes, telling = file.notes(), file.telling
    if beside is not None:
        more_told = joined(file.rows, file.directory, beside, said.joined, definitions, currency)
        notes, telling = [*notes, *more_told.notes], telling | more_told.telling
    if deals is None:
        sales = file.outcomes()
    else:
        sales, more = sales_of(deals, file.directory, stated=said.deals, currency=currency, encoding=encoding)
        notes += more
        if any(row.said for row in file.rows.values()):
            notes.append(f"{deals} decides what became of an account, not the column of outcomes")
    book = book_of(
        file.subjects(),
        sales,
        definitions,
        now=now,
        types={**table.columns.types, **types},
        currency=currency,
        left_out={fact: why for fact, why in OUTCOME_FACTS.items() if fact in file.fed},
        telling=telling,
        notes=[*file.gaps(), *notes],
    )
    cases, later = in_time(book, file.rows)
    return replace(book, cases=cases, notes=(*observed_notes(book, file.rows), *later, *book.notes))


def _refuse_twice(accounts: Path, deals: Path | None, join: Path | None) -> None:
    """One file has one meaning."""
    problems, seen = [], [("--accounts", accounts)]
    for option, path in (("--deals", deals), ("--join", join)):
        if path is None:
            continue
        first = next((said for said, other in seen if _same(path, other)), "")
        if first:
            what = f"is the file that {first} names"
            problems.append(
                Problem(where=f"{option} {path}", what=what, hint=f"name another, or leave {option} out")
            )
        seen.append((option, path))
    if problems:
        raise ConfigError(problems, next_step=_NEXT)


def _same(path: Path, other: Path) -> bool:
    try:
        return path.samefile(other)
    except OSError:
        return path == other


class _File:
    """The accounts of one file: their facts, and what it tells of their fate.

    ended: a column named like an outcome is one. Where deals say what became of an account, only one that is
    stated is.
    """

    def __init__(
        self, table: AccountTable, said: Stated, by: Definitions, currency: str, *, ended: bool
    ) -> None:
        names = with_own_names(TOLD, by) | {PARENT: PARENTS}
        if not ended:
            names = {role: known for role, known in names.items() if role not in (OUTCOME, BEGUN, DECIDED)}
        told = Told(
            table.table,
            names,
            said.accounts,
            taken=[*said.facts, *_feeding(table)],
            dates=DATES,
            numbers=NUMBERS,
            also={CURRENCY: table.columns.roles.get(CURRENCY, ())},
        )
        self._reader = Rows(told, currency=currency)
        read = {row: self._reader.read(row, cells) for row, cells in told}
        self._table, self.accounts = table, list(table)
        self.directory = Directory(self.accounts)
        self.rows: dict[str, Row] = {}
        for account in self.accounts:
            self.rows.setdefault(account.id, read.get(account.row) or Row())
        self.fed = frozenset(table.columns.facts) | frozenset(
            fact for account in self.accounts for fact in account.facts
        )
        if not self.accounts:
            raise ConfigError([Problem(where=str(table.table.path), what="there is no account in it")])
        self._refuse_ruined()

    def _refuse_ruined(self) -> None:
        """Ids that a spreadsheet cut short until several accounts had the same."""
        known = {account.id for account in self.accounts if ruined(account.id)}
        rows = sum(account.id in known for account in self.accounts)
        if rows > len(known):
            example = next(account for account in self.accounts if account.id in known)
            what = f"{rows:,} rows share {counted(len(known), 'record id')}, such as '{example.id}'"
            where = f"{self._table.table.path}:{example.row}"
            raise ConfigError([Problem(where=where, what=what, hint=RUINED_HINT)], next_step=_NEXT)

    @property
    def telling(self) -> frozenset[str]:
        """Which keys of a fate there is a column for."""
        return self._reader.telling

    def notes(self) -> list[str]:
        told = self._reader.told
        return [*told.guessed(), *row_problems(self._table.table), *told.notes(), *self._reader.notes()]

    def gaps(self) -> Iterable[str]:
        """What of the facts could not be read, or was read as it need not be meant."""
        path = str(self._table.table.path)
        for column, cell in self._table.columns.thousands.items():
            yield thousands_note(path, column, cell)
        unread = Unread()
        for account in self.accounts:
            unread.see(account.unread)
        names = {source.fact: source.property for source in reversed(self._table.sources)}
        yield from unread.sentences(names, "cell")
        for fact, column in names.items():
            values = (account.facts.get(fact) for account in self.accounts)
            plain = sum(isinstance(value, Money) and not value.currency for value in values)
            if plain:
                yield f"{column}: {counted(plain, 'amount')} in no currency that is said. {PLAIN_MONEY}"

    def outcomes(self) -> list[Sale]:
        """What became of each account, as a column says. Raises ConfigError when nothing says it."""
        sales = [row.sale(account_id) for account_id, row in self.rows.items() if row.said]
        if not sales:
            what = "nothing says what became of these accounts: there is no file of deals and no outcome"
            hint = 'export deals and name them with --deals, or --map "COLUMN=outcome"'
            problem = Problem(where=str(self._table.table.path), what=what, hint=hint)
            raise ConfigError([problem], next_step=_NEXT)
        return sales

    def subjects(self) -> Iterable[Subject]:
        for account in self.accounts:
            row = self.rows[account.id]
            yield Subject(
                id=account.id,
                name=account.name,
                domain=account.domain,
                facts=account.facts,
                told=row.told,
                placed=row.placed,
                parent=row.parent,
                recorded=None if row.observed is None else as_of(account.facts, row.observed),
            )


def _accounts(
    path: Path,
    said: Stated,
    *,
    types: Mapping[str, FactType],
    currency: str,
    encoding: str,
) -> AccountTable:
    """The accounts' facts; columns that are stated to tell of their fate feed none."""
    columns = {**said.facts, **dict.fromkeys(said.accounts, IGNORE)}
    return read_accounts(path, columns=columns, types=types, currency=currency, encoding=encoding)


def _feeding(table: AccountTable) -> list[str]:
    return [source.property for source in table.sources]
