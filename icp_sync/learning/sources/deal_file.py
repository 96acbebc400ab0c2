"""A CSV export of deals → sales of known accounts, and what of it could not be used."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from icp_sync.domain.facts import Money
from icp_sync.errors import ConfigError, Problem
from icp_sync.learning.past.sales import Sale
from icp_sync.learning.past.wanting import counted
from icp_sync.learning.sources.directory import RUINED_HINT, Directory, Unmatched
from icp_sync.learning.sources.told_columns import Told, row_problems
from icp_sync.learning.sources.told_names import DEAL, DEAL_DATES, DEALS, Said, stage_of
from icp_sync.tables.reading import Table

_LISTED = 20
_NEXT = 'icp-sync learn … --map "COLUMN=deal:{}"'
_EXPORT = "icp-sync learn --accounts FILE.csv --deals FILE.csv"


def sales_of(
    path: Path, directory: Directory, *, stated: Mapping[str, str], currency: str, encoding: str = ""
) -> tuple[list[Sale], list[str]]:
    """The sales in a file, in its order, and notes on what was left out.

    stated: column → one of `told_names.DEALS`. currency: of amounts that do not say theirs. Raises
    ConfigError for a file that does not hold deals of these accounts.
    """
    told = Told(Table(path, encoding=encoding), DEALS, stated, dates=DEAL_DATES, numbers=("amount",))
    _check(told)
    sales: list[Sale] = []
    strangers, unknown, rows = Unmatched(), Counter[str](), 0
    for row, cells in told:
        rows += 1
        meant = told.text("account", cells), told.text("domain", cells), told.text("company", cells)
        account = directory.find(*meant)
        if not account:
            strangers.add(*meant)
            continue
        end = _end(told, row, cells)
        if end is None:
            unknown[told.text("stage", cells)[:40] or "(nothing)"] += 1
            continue
        sales.append(_sale(told, row, cells, account, end, currency))
    said = [*row_problems(told.table), *told.notes()]
    if strangers.count == rows:
        raise ConfigError([_nobodys(told, strangers, rows)], next_step=_NEXT.format("account"))
    _check_dates(told, sales)
    if strangers.count:
        deals = f"{strangers.count:,} of {counted(rows, 'deal')}"
        why = f"; {RUINED_HINT}" if strangers.ruined else ""
        said.append(f"{path}: {deals} left out, of no account, or of several: {strangers.listed}{why}")
    if unknown:
        listed = ", ".join(f"'{stage}' ({n:,})" for stage, n in unknown.most_common(_LISTED))
        said.append(
            f"{path}: {counted(sum(unknown.values()), 'deal')} left out, since nothing says whether open, "
            f"won or lost: stages {listed}; export the columns Is Closed and Is Closed Won"
        )
    return sales, said


def _check(told: Told) -> None:
    """A file of deals says whose they are, and which of them were won."""
    path, missing = str(told.table.path), []
    problems = told.table.twice()
    if not told.has("account", "domain", "company"):
        what = f"no column says whose deal it is: {_header(told)}"
        hint = '--map "COLUMN=deal:account" (or deal:domain, deal:company)'
        missing.append("account")
        problems.append(Problem(where=path, what=what, hint=hint))
    if not told.has("won", "stage"):
        what = f"no column says which deals were won: {_header(told)}"
        hint = '--map "COLUMN=deal:stage", or "COLUMN=deal:won" for a column of yes and no'
        missing.append("stage")
        problems.append(Problem(where=path, what=what, hint=hint))
    if not problems and next(iter(told), None) is None:
        hint = "export the deals again, those that were won and those that were lost"
        problems.append(Problem(where=path, what="has a header and no rows", hint=hint))
    if problems:
        next_step = " ".join(["icp-sync learn …", *(f'--map "COLUMN=deal:{role}"' for role in missing)])
        raise ConfigError(problems, next_step=next_step if missing else _EXPORT)


def _check_dates(told: Told, sales: Sequence[Sale]) -> None:
    """Cells that say when a deal closed, and cannot be read, are no deals without a date: nothing may be
    decided today for want of one."""
    dated = any(sale.created is not None or sale.closed is not None for sale in sales)
    for role in DEAL_DATES[: 1 if dated else None]:
        if problem := told.dateless(role, as_role=f"{DEAL}{role}"):
            form = ":dmy" if ":dmy" in problem.hint else ""
            raise ConfigError([problem], next_step=_NEXT.format(f"{role}{form}"))


def _end(told: Told, row: int, cells: Sequence[str]) -> Said | None:
    """Won, lost or open; by the flags, then by the stage where its name leaves no doubt, else None."""
    won, lost = told.yes("won", row, cells), told.yes("lost", row, cells)
    closed, stage = told.yes("closed", row, cells), stage_of(told.text("stage", cells))
    if won or lost:
        return Said.WON if won else Said.LOST
    if closed is False:
        return Said.OPEN
    if closed and won is False:
        return Said.LOST
    if won is False and stage is Said.WON:
        return None
    return None if closed and stage is Said.OPEN else stage


def _sale(told: Told, row: int, cells: Sequence[str], account: str, end: Said, currency: str) -> Sale:
    """A row as a sale. Where it says when it closed and nobody can read that, no other date stands in."""
    amount = told.money("amount", row, cells, told.code("currency", cells, currency))
    exact = isinstance(amount, Money) and amount.low == amount.high
    closed = None if end is Said.OPEN else told.day("close_date", row, cells)
    unread = closed is None and end is not Said.OPEN and told.says("close_date", cells)
    return Sale(
        account_id=account,
        id=told.text("id", cells) or f"row {row}",
        created=None if unread else told.day("create_date", row, cells),
        closed=closed,
        won=end is Said.WON,
        open=end is Said.OPEN,
        amount=amount.low if isinstance(amount, Money) and exact else None,
        currency=amount.currency if isinstance(amount, Money) else "",
    )


def _nobodys(told: Told, strangers: Unmatched, rows: int) -> Problem:
    what = f"none of its deals ({rows:,}) is of an account that is here: {strangers.listed}"
    asked = [f"'{told.column(role)}'" for role in ("account", "domain", "company") if told.has(role)]
    hint = RUINED_HINT if strangers.ruined else f"compared by {', '.join(asked)}"
    return Problem(where=str(told.table.path), what=what, hint=hint)


def _header(told: Told) -> str:
    return ", ".join(name[:40] for name in told.table.header[:_LISTED] if name)
