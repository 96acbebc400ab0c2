"""`profile filter` works without settings, says what it leaves out, and refuses what it cannot read."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path

import pytest

from tests.cli.conftest import Place, command

FLAGSHIP = str(Path(__file__).parents[2] / "config" / "profiles" / "b2b-saas-mid-market.yaml")

SMALL = """
profile: small
currency: USD
scope:
  score: {fact: lifecycle, any_of: [prospect]}
criteria:
  - {name: Ten or more, layer: firmographic, fact: employees, at_least: 10, required: true}
  - {name: In touch, layer: buying, fact: contacts, at_least: 1, weight: 1}
flags:
  - {name: Quiet, when: {not: {fact: last_activity, within: 90d}}, effect: exclude}
  - {name: Agency, when: {fact: business_model, any_of: [agency]}, effect: exclude}
"""


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder without settings."""
    monkeypatch.chdir(tmp_path)


def small(tmp_path: Path) -> str:
    path = tmp_path / "small.yaml"
    path.write_text(SMALL, encoding="utf-8")
    return str(path)


def report(*arguments: str) -> dict[str, object]:
    result = command("profile", "filter", *arguments, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_english_is_a_sentence_a_clause(tmp_path):
    said = command("profile", "filter", small(tmp_path)).stdout
    assert "In scope: lifecycle is prospect, or this is not known." in said
    assert "Must have, Ten or more: employees at least 10, or this is not known." in said
    assert "Not, Agency: business model is agency. Who is not certainly so stays." in said
    assert len(report(small(tmp_path))["profiles"]["small"]) == 5


def test_hubspot_gets_a_search_body_and_a_way_to_click_it(tmp_path):
    result = command("profile", "filter", small(tmp_path), "--to", "hubspot")
    assert result.exit_code == 0
    body = json.loads(result.stdout.splitlines()[0])
    assert 0 < len(body["filterGroups"]) <= 5
    assert "By hand" in result.stdout
    assert "flag Agency" in result.stdout
    assert "no property of the CRM feeds business model" in result.stdout
    assert "ages are counted back from 20" in result.stdout


@pytest.mark.parametrize("to", ["hubspot", "soql", "sql"])
def test_the_flagship_names_its_omissions_in_every_language(to):
    found = report(FLAGSHIP, "--to", to)
    assert found["exact"] is False
    assert {"flag Services only", "flag EU-only residency"} <= {one["clause"] for one in found["left_out"]}
    assert all(one["reason"] and one["profile"] == "b2b-saas-mid-market" for one in found["left_out"])
    # On Salesforce whom somebody has bought from decides who is in scope, and that no filter counts.
    assert (found["filters"] > 0) is (to != "soql")
    assert found["everybody"] is (to == "soql")


def test_sql_runs_on_a_table_of_the_name_given(tmp_path):
    query = report(small(tmp_path), "--to", "sql", "--table", "crm.companies")["filter"]
    assert query.startswith('SELECT * FROM "crm"."companies" WHERE ')
    database = sqlite3.connect(":memory:")
    database.execute("ATTACH ':memory:' AS crm")
    database.execute(
        "CREATE TABLE crm.companies (numberofemployees NUMERIC, hs_employee_range TEXT, lifecyclestage TEXT, "
        "notes_last_updated TEXT, type TEXT)"
    )
    rows = [(5, None, "lead", None, None), (50, None, "lead", None, None), (50, None, "other", None, None)]
    database.executemany("INSERT INTO crm.companies VALUES (?, ?, ?, ?, ?)", rows)
    assert database.execute(query).fetchall() == [rows[1]]


def test_a_stated_field_makes_a_clause_exact(tmp_path):
    config = tmp_path / "icp-sync.toml"
    config.write_text(
        f"""
        [connections.main]
        token = "pat-na1-00000000-0000-0000-0000-000000000000"
        profiles = ["{small(tmp_path)}"]
        [[connections.main.facts]]
        property = "business_kind"
        fact = "business_model"
        [[connections.main.facts]]
        property = "hs_employee_range"
        ignore = true
        """
    )
    unsaid = report("--config", str(config), "--to", "sql")
    assert "how business_kind is stored is not known" in {one["reason"] for one in unsaid["left_out"]}
    said = report("--config", str(config), "--to", "sql", "--field", "business_kind=choice:Agency,SaaS")
    assert said["exact"] is True, said["left_out"]


def test_a_connections_enrichers_are_named_as_other_sources(place: Place):
    found = place.json("profile", "filter", "--to", "hubspot")
    assert any("may also come from public_companies" in one["reason"] for one in found["left_out"])


def test_a_profile_nothing_of_which_can_be_asked_says_it_is_everybody(tmp_path):
    path = tmp_path / "vague.yaml"
    path.write_text(
        "profile: vague\ncurrency: USD\ncriteria:\n"
        "  - {name: Hires, layer: operational, fact: open_roles, any_of: [sdr], required: true}\n"
        "  - {name: In touch, layer: buying, fact: contacts, at_least: 1, weight: 1}\n",
        encoding="utf-8",
    )
    shown = command("profile", "filter", str(path), "--to", "hubspot")
    assert shown.exit_code == 0
    assert "This is every account" in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--field", "nonsense"], "must be a property and its form"),
        (["--field", "a=blob"], "one of number, date, datetime"),
        (["--currency", "dollars"], "code of three letters"),
        (["--to", "klingon"], "klingon"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path, arguments, said):
    result = command("profile", "filter", small(tmp_path), "--to", "hubspot", *arguments)
    assert result.exit_code == 2
    assert said in result.output


def test_a_profile_with_mistakes_is_refused_with_all_of_them(tmp_path):
    path = tmp_path / "broken.yaml"
    path.write_text("profile: broken\ncurrency: dollars\ncriteria: 3\n", encoding="utf-8")
    result = command("profile", "filter", str(path))
    assert result.exit_code == 2
    assert "error: 2 problems" in result.output
