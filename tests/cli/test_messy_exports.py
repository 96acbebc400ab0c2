"""`learn`, `profile backtest` and `score` on exports as people have them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.conftest import command

ACCOUNTS = "Account ID,Account Name,Industry,Employees,Annual Revenue\n" + "".join(
    f"{n},Shop {n},{industry},{employees},1000\n"
    for n, (industry, employees) in enumerate(
        [("Technology", "2.345"), ("Healthcare", "12"), ("Education", "n/a")] * 2
    )
)
DEALS = "Account ID,Stage,Close Date\n" + "".join(
    f"{n},Closed {'Won' if n % 2 else 'Lost'},{45900 + n}\n" for n in range(6)
)
PROFILE = str(Path(__file__).parents[2] / "config" / "profiles" / "b2b-saas-mid-market.yaml")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("accounts.csv").write_text(ACCOUNTS, encoding="utf-8")
    Path("deals.csv").write_text(DEALS, encoding="utf-8")


@pytest.mark.parametrize("asked", [("learn",), ("profile", "backtest", PROFILE)])
def test_what_was_not_read_and_is_not_known_comes_before_anything_else(asked: tuple[str, ...]) -> None:
    result = command(*asked, "--accounts", "accounts.csv", "--deals", "deals.csv", "--json")
    told = json.loads(result.stdout)["cohorts"]
    assert (told["cases"], told["cohorts"]["churned"], told["churn_told"]) == (6, None, False)
    assert told["known"]["industry"] == pytest.approx(1 / 3)
    assert told["known"]["sector"] == pytest.approx(2 / 3)
    notes = "\n".join(told["notes"])
    for said in (
        "No row says when its facts were recorded: all 6",
        "nothing says which customers left",
        "column 'Employees': '2.345' is read as 2345",
        "Industry: 2 cells nobody can read, such as 'Technology'",
        "Employees: 2 cells nobody can read, such as 'n/a'",
        "Annual Revenue: 6 amounts in no currency that is said",
    ):
        assert said in notes


def test_a_file_named_twice_is_refused_with_what_to_type_next() -> None:
    result = command("learn", "--accounts", "accounts.csv", "--deals", "accounts.csv")
    assert result.exit_code == 2
    assert "--deals accounts.csv: is the file that --accounts names" in result.stderr
    assert "next: icp-sync learn --accounts FILE.csv --deals FILE.csv" in result.stderr


def test_scoring_reads_the_same_and_says_how() -> None:
    asked = ["score", "accounts.csv", "--profile", PROFILE]
    assert "Column 'Employees': '2.345' is read as 2345, by the other cells." in command(*asked).stdout
    told = json.loads(command(*asked, "--out", "again.csv", "--json").stdout)
    assert told["thousands"] == {"Employees": "2.345"}
    assert {one["column"]: one["cells"] for one in told["unreadable"]} == {"Industry": 2, "Employees": 2}
