"""Industries in the words of Salesforce's list are read as its connector reads them."""

from __future__ import annotations

from pathlib import Path

from icp_sync.domain.facts import choice
from icp_sync.normalize.salesforce_fields import INDUSTRIES, SALESFORCE_DEFAULTS
from icp_sync.tables.accounts import TableAccount, read_accounts


def read(tmp_path: Path, *industries: str) -> list[TableAccount]:
    path = tmp_path / "accounts.csv"
    rows = "".join(f'{n},"{cell}"\n' for n, cell in enumerate(industries))
    path.write_text(f"Account ID,Industry\n{rows}", encoding="utf-8")
    return list(read_accounts(path))


def test_a_column_of_the_picklist_says_what_the_connector_says_of_it(tmp_path: Path) -> None:
    by_connector = []
    for label in INDUSTRIES:
        signals, _ = SALESFORCE_DEFAULTS.read({"Industry": label}, observed_at=0.0, account_currency="")
        by_connector.append(next((s.value for s in signals if s.fact == "industry"), None))
    assert [one.facts.get("industry") for one in read(tmp_path, *INDUSTRIES)] == by_connector
    assert choice("HOSPITAL_HEALTH_CARE") in by_connector


def test_a_label_of_several_industries_tells_the_sector_where_that_is_certain(tmp_path: Path) -> None:
    education, technology, other = read(tmp_path, "Education", "Technology", "Other")
    assert (education.facts.get("sector"), education.facts.get("industry")) == (choice("61"), None)
    assert (technology.facts, technology.unread) == ({}, {"industry": "Technology"})
    assert (other.facts, other.unread) == ({}, {})


def test_a_column_in_the_words_of_hubspot_stays_in_them(tmp_path: Path) -> None:
    software, technology = read(tmp_path, "COMPUTER_SOFTWARE", "Technology")
    assert software.facts["industry"] == choice("COMPUTER_SOFTWARE")
    assert (technology.facts, technology.unread) == ({}, {"industry": "Technology"})
    assert read(tmp_path, "Computer Software", "Internet", "Finance")[2].unread == {"industry": "Finance"}


def test_words_an_org_added_are_read_beside_its_picklist(tmp_path: Path) -> None:
    added = read(tmp_path, "Healthcare", "Finance", "Computer Software")[2]
    assert added.facts["industry"] == choice("COMPUTER_SOFTWARE")
