"""`duplicates`: groups, conflicts, circles of parents; and that nothing is merged."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from icp_sync.journal import Journal, Settled
from tests.cli.conftest import Place
from tests.cli.exported import ROWS, Export


@pytest.fixture
def export(tmp_path: Path) -> Export:
    return Export.made(tmp_path)


def test_a_shared_domain_with_other_owners_is_a_conflict(export: Export) -> None:
    told = export.json("duplicates", "--profile", export.profile())
    assert (told["groups"], told["conflicting"], told["merged"]) == (1, 1, 0)
    [group] = told["duplicates"]
    assert (group["by"], group["key"], group["conflicts"]) == ("domain", "acme.com", ["owners"])
    assert [r["id"] for r in group["records"]] == ["1", "4"]
    shown = export.run("duplicates", "--profile", export.profile()).stdout
    assert "Nothing was merged" in shown
    assert "1 group of possible duplicates" in " ".join(shown.split())


def test_other_tiers_conflict_when_there_is_a_profile(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS.replace("ACME.com,150", "ACME.com,9"))
    told = export.json("duplicates", "--profile", export.profile())
    assert told["duplicates"][0]["conflicts"] == ["tiers", "owners"]


def test_without_a_profile_owners_are_still_compared(export: Export, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(export.folder)
    assert "Tiers were not compared" in export.run("duplicates").stdout


def test_a_shared_host_and_free_mail_make_nobody_a_duplicate(tmp_path: Path) -> None:
    hosts = (
        "gmail.com",
        "gmail.com",
        "one.github.io",
        "two.github.io",
        "facebook.com/one",
        "facebook.com/two",
    )
    rows = "".join(f"{20 + n},N{n},{host},,,,,,,\n" for n, host in enumerate(hosts))
    export = Export.made(tmp_path, rows=ROWS + rows)
    assert export.json("duplicates")["groups"] == 1


def test_one_id_in_two_rows_is_named_with_both(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS + "3,Other,other.com,9,France,,,,,\n")
    told = export.json("duplicates", "--profile", export.profile())
    group = next(g for g in told["duplicates"] if g["by"] == "id")
    assert [r["row"] for r in group["records"]] == [4, 12]


def test_one_name_in_one_country_is_a_group(tmp_path: Path) -> None:
    export = Export.made(tmp_path, rows=ROWS + "11,The BIG Company,big.io,9,United States,,,,,\n")
    told = export.json("duplicates")
    assert ("name", "big, US") in [(g["by"], g["key"]) for g in told["duplicates"]]


def test_every_record_of_every_group_is_in_the_file(export: Export) -> None:
    out = export.folder / "twins.csv"
    export.run("duplicates", "--out", str(out))
    rows = list(csv.DictReader(out.open(encoding="utf-8-sig")))
    assert [(r["group"], r["id"], r["conflict"]) for r in rows] == [
        ("1", "1", "owners"),
        ("1", "4", "owners"),
    ]
    assert export.run("duplicates", "--out", str(out)).exit_code == 0
    assert "would overwrite" in export.run("duplicates", "--out", export.csv, code=2).stderr
    out.write_text("group,mine\n")
    assert "with other columns" in export.run("duplicates", "--out", str(out), code=2).stderr


def test_a_files_parents_are_compared_too(export: Export) -> None:
    lines = Path(export.csv).read_text().splitlines()
    parents = {"1": "4", "2": "3", "3": "2"}
    marked = [f"{line},{parents.get(line.split(',')[0], '')}" for line in lines[1:]]
    Path(export.csv).write_text("\n".join([f"{lines[0]},Parent Account ID", *marked]))
    told = export.json("duplicates")
    assert told["parent_circles"] == [["2", "3"]]
    [group] = told["duplicates"]
    assert (group["look_at_first"], group["because"]) == ("4", "parent of another")


def test_the_journals_circles_of_parents_are_named_with_their_chain(place: Place) -> None:
    place.run("profile", "activate")
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    lease = journal.lease("poll", holder="me", now=1.0)
    assert lease is not None
    accounts = [
        Settled(account_id=one, name=f"N{one}", parent=parent, evidence={"facts": {}, "version": 1})
        for one, parent in {"1": "2", "2": "3", "3": "1", "4": "3"}.items()
    ]
    journal.commit(accounts, gone={}, position=None, stream="poll", lease=lease, run="r", now=2.0)
    journal.close()
    assert place.json("duplicates")["parent_circles"] == [["1", "2", "3"]]
    assert "parents in a circle: 1 → 2 → 3 → 1" in " ".join(place.run("duplicates").stdout.split())
