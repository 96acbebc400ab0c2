"""CSV files → a book: accounts, their deals, and what a joined file tells of their fate. No CRM is needed.

Knows files only; who belongs to which cohort is `cohorts`' business.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from icp_sync.domain.currency import worth
from icp_sync.domain.facts import CATALOGUE, Facts, FactType
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.cases import Book
from icp_sync.learning.cohorts import AsOf, Definitions, Sale, Subject, book_of
from icp_sync.learning.deal_file import sales_of
from icp_sync.learning.directory import Directory
from icp_sync.learning.joined_file import joined, next_step, with_own_names
from icp_sync.learning.joined_file import with_joined as with_joined
from icp_sync.learning.steadiness import OUTCOME_FACTS, STEADY
from icp_sync.learning.told_columns import Told, row_problems
from icp_sync.learning.told_map import Stated, stated
from icp_sync.learning.told_names import BEGUN, CURRENCY, DECIDED, OUTCOME, TOLD
from icp_sync.learning.told_rows import DATES, Row, Rows
from icp_sync.learning.wanting import counted
from icp_sync.tables.accounts import AccountTable, read_accounts
from icp_sync.tables.names import IGNORE
from icp_sync.tables.reading import Table

_NEXT = "icp-sync learn --accounts FILE.csv --deals FILE.csv"


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
    accounts, deals, _ = paths
    tables = [Table(path, encoding=encoding) if path else None for path in paths]
    own, sold, beside = tables
    said = stated(columns, accounts=own, deals=sold, joined=beside, types=types)
    table = _accounts(accounts, said, types=types, currency=currency, encoding=encoding)
    file = _File(table, said, definitions, currency, ended=deals is None)
    notes = file.notes()
    if beside is not None:
        notes += joined(file.rows, file.directory, beside, said.joined, definitions, currency)
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
        notes=notes,
    )
    return replace(book, notes=(*book.notes, *_late(book, file.rows)))


class _File:
    """The accounts of one file: their facts, and what it tells of their fate.

    ended: a column named like an outcome is one. Where deals say what became of an account, only one that is
    stated is.
    """

    def __init__(
        self, table: AccountTable, said: Stated, by: Definitions, currency: str, *, ended: bool
    ) -> None:
        names = with_own_names(TOLD, by)
        if not ended:
            names = {role: known for role, known in names.items() if role not in (OUTCOME, BEGUN, DECIDED)}
        told = Told(
            table.table,
            names,
            said.accounts,
            taken=[*said.facts, *_feeding(table)],
            dates=DATES,
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

    def notes(self) -> list[str]:
        told = self._reader.told
        return [*told.guessed(), *row_problems(self._table.table), *told.notes(), *self._reader.notes()]

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
                recorded=None if row.observed is None else _as_of(account.facts, row.observed),
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


def _as_of(facts: Facts, observed: float) -> Callable[[float], AsOf]:
    """What of a row's facts was known at an instant: all that was observed by then, else what hardly ever
    changes."""
    steady = {fact: value for fact, value in facts.items() if fact in STEADY}
    return lambda decided: AsOf(facts) if observed <= decided else AsOf(steady, recorded=False)


def _late(book: Book, rows: Mapping[str, Row]) -> list[str]:
    """A note on cases whose facts were recorded after they were decided."""
    late = sum(
        observed is not None and observed > case.decided
        for case in book.cases
        if (observed := rows[case.id].observed) is not None
    )
    if not late:
        return []
    said = "recorded after the decision: only facts that hardly ever change are kept"
    return [f"{counted(late, 'case')} {said}"]
