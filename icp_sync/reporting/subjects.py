"""Accounts as the journal last evaluated them, or as the rows of a CSV file give them. Reads only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from icp_sync.domain.account import Kin, Previous
    from icp_sync.domain.facts import Facts, FactValue
    from icp_sync.journal import Journal
    from icp_sync.journal.reports import Evaluable
    from icp_sync.journal.told import Told
    from icp_sync.tables.accounts import AccountTable

PAGE = 3600
PARENT_COLUMNS = frozenset(
    ("parentaccountid", "parentid", "parentcompanyid", "parentrecordid", "hsparentcompanyid")
)
"""Columns of parents' ids, letters alone: Salesforce's ParentId and its report label, HubSpot's property."""


class Subject(NamedTuple):
    """One account with what is known of it. row: in the CSV file, 0 in the journal.

    domain: registrable, "" for none. previous: what the journal remembers of its last evaluation.
    """

    id: str
    name: str
    domain: str
    owner: str
    facts: Facts
    row: int = 0
    parent: str = ""
    group: str = ""
    previous: Previous | None = None

    @property
    def where(self) -> str:
        """Its id, with the row where there is one: "17 (row 3)"."""
        row = f"row {self.row}"
        return f"{self.id} ({row})" if self.row and self.id != row else self.id

    @property
    def country(self) -> str:
        """ISO 3166-1, "" when unknown."""
        from icp_sync.domain.facts import Members

        value = self.facts.get("country")
        return min(value.known, default="") if isinstance(value, Members) else ""


def in_journal(
    journal: Journal, asked: frozenset[str], told: Told | None = None, span: tuple[str, str] = ("", "")
) -> Iterator[Subject]:
    """Every live account that was evaluated, by id. asked: facts of parents and groups to come with it.

    told: how what is stored is read, None for all of it. span: after this id and up to that, "" for no end.
    """
    last, until = span
    while page := journal.evaluable_page(last, PAGE, until):
        last = page[-1].id
        yield from stored(journal, page, asked, told)


def stored(
    journal: Journal, rows: Iterable[Evaluable], asked: frozenset[str], told: Told | None = None
) -> Iterator[Subject]:
    """These rows of the journal, with what is asked of those above them as it was last known."""
    from icp_sync.domain.populations import population_of
    from icp_sync.journal import Relative
    from icp_sync.journal.told import EVERYTHING

    rows, told = tuple(rows), told or EVERYTHING
    members = [Relative(row.id, row.parent, row.domain, row.owner) for row in rows if asked]
    families = journal.kin(members, asked=asked) if asked else {}
    for id, name, domain, owner, parent, group, evidence, previous in rows:
        facts = told.facts(evidence)
        if "population" not in facts and (population := population_of(facts)) is not None:
            facts["population"] = population  # evaluated before populations were known
        if id in families:
            _add_kin(facts, families[id], asked)
        yield Subject(id, name, domain, owner, facts, 0, parent, group, told.previous(previous))


def _add_kin(facts: dict[str, FactValue], family: Kin, asked: frozenset[str]) -> None:
    """What is asked of the parent and the group; who has none above answers with its own."""
    if family.problem:
        return
    for name in asked:
        level, _, fact = name.partition(".")
        signal = family.signals.get(name)
        if not family.above(level)[0]:
            if fact in facts:
                facts[name] = facts[fact]
        elif signal is not None:
            facts[name] = signal.value


def in_table(table: AccountTable, asked: frozenset[str]) -> Iterator[Subject]:
    """Every row. Where no column names parents, each company is its own group."""
    alone = not _parent_columns(table)
    for row in table:
        facts = dict(row.facts)
        if alone:
            own = ((name, facts.get(name.partition(".")[2])) for name in asked)
            facts |= {name: value for name, value in own if value is not None}
        yield Subject(id=row.id, name=row.name, domain=row.domain, owner=row.owner, facts=facts, row=row.row)


def _parent_columns(table: AccountTable) -> list[int]:
    from icp_sync.tables.names import squeezed

    return [at for at, name in enumerate(table.table.header) if squeezed(name) in PARENT_COLUMNS]


def parents_in(table: AccountTable) -> dict[str, str]:
    """Id → its parent's id, where a column says so."""
    named, ids = _parent_columns(table), table.columns.roles.get("id", ())
    if not named or not ids:
        return {}
    found = ((cells[ids[0]].strip(), cells[named[0]].strip()) for _, cells, wrong in table.table if not wrong)
    return {one: parent for one, parent in found if one and parent}
