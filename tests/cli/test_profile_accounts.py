"""`profile accounts`: the target list and the audiences, as CSV that no spreadsheet runs."""

from __future__ import annotations

import csv
from io import StringIO
from pathlib import Path

import pytest

from tests.cli.conftest import Place
from tests.cli.exported import PROFILE, ROWS, Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export.made(tmp_path)


def rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(StringIO(text)))


def listed(export: Export, *arguments: str) -> list[dict[str, str]]:
    return rows(export.run("profile", "accounts", export.profile(), *arguments, "--out", "-").stdout)


def test_the_list_is_by_tier_then_score_with_everything_about_it(export: Export) -> None:
    found = listed(export)
    assert [r["tier"] for r in found] == sorted(r["tier"] for r in found)
    first = next(r for r in found if r["id"] == "1")
    assert (first["name"], first["domain"], first["country"]) == ("Acme Inc", "acme.com", "US")
    assert (first["score"], first["at least"], first["at most"]) == ("100", "100", "100")
    assert (first["certainty"], first["owner"]) == ("firm", "ada@example.com")
    assert first["reasons"].startswith("A, score 100, firm: Right size (+60).")
    assert {"2", "9", "10"}.isdisjoint(r["id"] for r in found)  # Not ICP, out of scope, Needs data


def test_tiers_and_lanes_narrow_the_list(export: Export) -> None:
    assert [r["id"] for r in listed(export, "--tier", "c")] == ["3"]
    assert [r["id"] for r in listed(export, "--tier", "Needs data")] == ["10"]
    assert [r["id"] for r in listed(export, "--lane", "success")] == ["5"]
    told = export.json("profile", "accounts", export.profile(), "--lane", "success")
    assert told["left_out"]["lane nurture"] > 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--tier", "E"), "neither a tier nor a state"),
        (("--lane", "fast"), "is no lane"),
        (("--audience", "suppress", "--tier", "A"), "does not depend on tiers"),
        (("--audience", "include", "--lane", "sales"), "an audience has no lanes"),
        (("--out", "-", "--json"), "standard output is for the JSON document"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    export: Export, arguments: tuple[str, ...], said: str
) -> None:
    result = export.run("profile", "accounts", export.profile(), *arguments, code=2)
    assert said in " ".join(result.stderr.split())


def test_who_to_advertise_to_is_good_unflagged_and_no_customer(export: Export) -> None:
    found = listed(export, "--audience", "include")
    assert [list(r.values()) for r in found] == [
        ["Acme Inc", "acme.com", "US"],
        ["'=1+1", "evil.com", "US"],
    ]
    told = export.json("profile", "accounts", export.profile(), "--audience", "include")
    assert told["left_out"]["no domain"] == 1
    assert told["left_out"]["the same domain again"] == 1
    assert told["listed"] == 2


def test_who_to_keep_out_is_not_icp_customer_or_partner(export: Export) -> None:
    found = listed(export, "--audience", "suppress")
    assert list(found[0]) == ["name", "domain", "country"]
    assert [r["domain"] for r in found] == ["agency.com", "kunde.de", "friend.com"]


def test_a_domain_somebody_of_is_kept_out_is_in_no_audience(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS.replace("5,Kunde,kunde.de", "5,Kunde,acme.com"))
    assert [r["domain"] for r in listed(export, "--audience", "include")] == ["evil.com"]
    assert "acme.com" in [r["domain"] for r in listed(export, "--audience", "suppress")]


def test_a_file_is_written_whole_or_not_at_all(export: Export) -> None:
    out = export.folder / "targets.csv"
    shown = export.run("profile", "accounts", export.profile(), "--out", str(out)).stdout
    assert f"written to {out}" in " ".join(shown.split())
    assert len(rows(out.read_text(encoding="utf-8-sig"))) == 7
    before = out.read_text()
    export.run("profile", "accounts", "nowhere.yaml", "--out", str(out), code=2)
    assert out.read_text() == before
    result = export.run("profile", "accounts", export.profile(), "--out", str(export.folder), code=2)
    assert "directory" in result.stderr
    assert sorted(p.name for p in export.folder.iterdir()) == ["accounts.csv", "profile.yaml", "targets.csv"]


def test_the_file_it_reads_is_never_overwritten(export: Export) -> None:
    result = export.run("profile", "accounts", export.profile(), "--out", export.csv, code=2)
    assert "would overwrite" in result.stderr


def test_people_see_the_best_and_why_others_are_not_there(export: Export) -> None:
    shown = export.run("profile", "accounts", export.profile()).stdout
    assert "7 of 10 accounts" in " ".join(shown.split())
    assert "left out, Not ICP: 1" in shown
    assert "left out, out of scope: 1" in shown


def test_on_standard_output_the_counts_are_beside_it(export: Export) -> None:
    result = export.run("profile", "accounts", export.profile(), "--out", "-")
    assert "7 of 10 accounts" in result.stderr
    assert len(rows(result.stdout)) == 7


def test_a_territory_table_that_is_not_there_leaves_the_route_its_lane(export: Export) -> None:
    route = "routes:\n  - {when: {tier: [A]}, to: {territory: west.csv, lane: sales}}\n"
    routed = export.profile(PROFILE + route)
    result = export.run("profile", "accounts", routed, "--lane", "sales", "--out", "-")
    assert "without the tables" in result.stderr
    assert {r["id"] for r in rows(result.stdout)} == {"1", "4", "6", "7", "8"}


def test_the_journal_gives_the_accounts_the_crm_shows(settled: Place) -> None:
    told = settled.json("profile", "accounts", "--tier", "A")
    assert {r["id"] for r in told["rows"]} == {c["id"] for c in settled.companies(icp_tier="A")}
