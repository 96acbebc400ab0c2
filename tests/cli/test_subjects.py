"""Accounts to judge by: from the journal and from a file, with what is asked of those above them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.cli.subjects import in_journal, in_table, parents_in
from icp_sync.domain.facts import Interval, choice, value_to_json
from icp_sync.journal import Journal
from icp_sync.tables.accounts import read_accounts
from tests.journal.journal_builders import Worker, settled

ASKED = frozenset({"group.employees", "parent.employees"})


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.sqlite", "main")
    yield journal
    journal.close()


def known(**facts: object) -> dict[str, object]:
    """The evidence of an evaluation on these facts."""
    stored = {
        name: [value_to_json(Interval(v, v) if isinstance(v, int) else choice(str(v))), "crm:x"]
        for name, v in facts.items()
    }
    return {"facts": stored, "version": 1}


def test_only_live_accounts_that_were_evaluated_are_there_by_id(journal: Journal) -> None:
    worker = Worker(journal)
    ids = [str(n) for n in range(1000, 2200)]
    worker.commit(*(settled(n, evidence=known(employees=5)) for n in ids), settled("1", evidence={}))
    worker.commit(gone={"1007": ""})
    found = [s.id for s in in_journal(journal, frozenset())]
    assert found == [n for n in ids if n != "1007"]
    assert journal.evaluable_account("1007") is None
    assert [row.id for row in journal.evaluable_of("1008.example")] == ["1008"]


def test_what_is_asked_of_parents_and_groups_comes_with_each(journal: Journal) -> None:
    Worker(journal).commit(
        settled("1", evidence=known(employees=9000)),
        settled("2", evidence=known(employees=300), parent="1"),
        settled("3", evidence=known(employees=40), parent="2"),
        settled("4", evidence=known(employees=7), parent="99"),
    )
    facts = {s.id: s.facts for s in in_journal(journal, ASKED)}
    assert facts["3"]["parent.employees"] == Interval(300, 300)
    assert facts["3"]["group.employees"] == Interval(9000, 9000)
    assert facts["1"]["group.employees"] == Interval(9000, 9000)  # who has nobody above is its own group
    assert "group.employees" not in facts["4"]  # its parent was never read


def test_the_population_is_derived_for_accounts_evaluated_before_it_was(journal: Journal) -> None:
    Worker(journal).commit(settled("1", evidence=known(lifecycle="customer")))
    [subject] = in_journal(journal, frozenset())
    assert subject.facts["population"] == choice("customer")


def test_rows_of_a_file_answer_for_their_group_unless_a_column_names_parents(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("Record ID,Company name,Number of Employees\n1,Acme,50\n,Nobody,7\n")
    first, second = in_table(read_accounts(path), ASKED)
    assert first.facts["group.employees"] == Interval(50, 50)
    assert (first.where, second.where) == ("1 (row 2)", "row 3")
    path.write_text("Record ID,Company name,Number of Employees,Parent Company ID\n1,Acme,50,2\n2,Top,9,\n")
    table = read_accounts(path)
    assert "group.employees" not in next(in_table(table, ASKED)).facts
    assert parents_in(table) == {"1": "2"}
