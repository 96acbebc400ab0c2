"""A reference file answers for the companies in its rows, and names the rows it cannot use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.facts import Members, Money, choice, number
from icp_sync.enrichers.csv_file import CsvFile
from icp_sync.errors import ConfigError
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable


def write(path: Path, text: str | bytes) -> str:
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return str(path)


def ask(enricher: CsvFile, domain: str) -> Answer:
    return enricher.answer([Request(account_id="1", domain=domain)])[0]


def facts(answer: Answer) -> Mapping[str, object]:
    assert isinstance(answer, Hit)
    return {signal.fact: signal.value for signal in answer.signals}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.csv"


def test_columns_named_like_facts_need_no_entry(path: Path) -> None:
    source = CsvFile(
        write(
            path,
            "domain,employees,revenue,Industry,notes\nwww.acme.com,51-200,$10M-$25M,COMPUTER_SOFTWARE,hi\n",
        ),
        name="mine",
    )
    assert source.facts == {"employees", "revenue", "industry", "sector"}
    answer = ask(source, "acme.com")
    assert facts(answer) == {
        "employees": number(51, 200),
        "revenue": Money(10e6, 25e6, "USD"),
        "industry": choice("COMPUTER_SOFTWARE"),
        "sector": choice("51"),
    }
    assert isinstance(answer, Hit)
    assert {signal.source for signal in answer.signals} == {"mine"}
    assert [signal.observed_at for signal in answer.signals] == [pytest.approx(path.stat().st_mtime)] * 4
    assert isinstance(ask(source, "other.com"), Miss)


def test_entries_map_other_columns_and_sets_may_be_complete(path: Path) -> None:
    source = CsvFile(
        write(path, 'Website;Stack;Umsatz\nhttps://acme.de/;"HubSpot,Slack";1,5 Mio\n'),
        key="Website",
        facts={
            "Stack": {"fact": "technologies", "separator": ",", "complete": True},
            "Umsatz": {"fact": "revenue", "currency": "EUR"},
        },
    )
    assert facts(ask(source, "acme.de")) == {
        "technologies": Members(frozenset({"hubspot", "slack"}), True),
        "revenue": Money(1.5e6, 1.5e6, "EUR"),
    }


@pytest.mark.parametrize(
    "data",
    [
        "\ufeffdomain\tcity\nacme.com\tKöln\n".encode(),
        "domain,city\r\nacme.com,Köln\r\n".encode("cp1252"),
        'domain|city\n"acme.com"|"Köln"'.encode(),
    ],
    ids=["byte-order mark and tabs", "windows-1252", "bars and quotes"],
)
def test_files_of_spreadsheets_are_read_as_they_come(path: Path, data: bytes) -> None:
    assert facts(ask(CsvFile(write(path, data)), "acme.com")) == {"city": choice("köln")}


def test_bad_rows_are_named_and_the_rest_goes_on(path: Path) -> None:
    source = CsvFile(
        write(
            path,
            "domain,employees\n"
            "acme.com,10\n"
            "not a domain,5\n"
            "gmail.com,5\n"
            "short.com\n"
            "\n"
            "odd.com,-5\n"
            "twice.com,1\n"
            "www.twice.com,2\n"
            "twice.com,3\n"
            "last.com,7\n",
        )
    )
    assert [(p.where.rpartition(":")[2], p.what) for p in source.problems] == [
        ("3", "'not a domain' does not identify a company"),
        ("4", "'gmail.com' does not identify a company"),
        ("5", "has 1 cells instead of 2"),
        ("7", "'-5' cannot be read as employees"),
        ("9", "twice.com stands in row 8 too"),
        ("10", "twice.com stands in row 8 too"),
    ]
    assert facts(ask(source, "acme.com")) == {"employees": number(10)}
    assert facts(ask(source, "last.com")) == {"employees": number(7)}
    assert isinstance(ask(source, "twice.com"), Miss)
    odd = ask(source, "odd.com")
    assert isinstance(odd, Hit)
    assert (odd.signals, odd.unread) == ((), {"employees": "-5"})


def test_a_changed_file_is_read_again(path: Path) -> None:
    source = CsvFile(write(path, "domain,employees\nacme.com,10\n"))
    write(path, "domain,employees\nacme.com,20\n")
    os.utime(path, ns=(1, 1_900_000_000_000_000_000))
    assert facts(ask(source, "acme.com")) == {"employees": number(20)}


def test_a_file_that_goes_away_is_unavailable_and_not_a_miss(path: Path) -> None:
    source = CsvFile(write(path, "domain,employees\nacme.com,10\n"))
    path.unlink()
    assert isinstance(ask(source, "acme.com"), Unavailable)
    write(path, "domain\nacme.com\n")
    assert isinstance(ask(source, "acme.com"), Unavailable)
    write(path, "domain,employees\nacme.com,30\n")
    assert facts(ask(source, "acme.com")) == {"employees": number(30)}


def test_every_problem_of_header_and_entries_is_named_at_once(path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        CsvFile(
            write(path, "web site,staff,staff\nacme.com,1,2\n"),
            key="website",
            facts={"staf": {"fact": "employees"}, "staff": {"fact": "employes"}},
        )
    said = [(p.what, p.hint) for p in caught.value.problems]
    assert said[0] == ("there is no column 'website'", "did you mean 'web site'?")
    assert said[1] == ("the column 'staff' stands twice in the header", "")
    assert said[2] == ("there is no column 'staf'", "did you mean 'staff'?")
    assert "'employes' is not a fact we know" in said[3][0]


@pytest.mark.parametrize("text", ["", "domain\nacme.com\n", "domain,shoe size\nacme.com,44\n"])
def test_a_file_that_feeds_no_fact_is_refused(path: Path, text: str) -> None:
    with pytest.raises(ConfigError):
        CsvFile(write(path, text))


def test_a_missing_file_is_a_configuration_problem(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        CsvFile(str(tmp_path / "nowhere.csv"))


@settings(max_examples=60)
@given(body=st.binary(max_size=300))
def test_no_bytes_after_the_header_make_it_stumble(
    tmp_path_factory: pytest.TempPathFactory, body: bytes
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.csv"
    source = CsvFile(write(path, b"domain,employees\n" + body + b"\n"))
    assert isinstance(ask(source, "acme.com"), Hit | Miss)


def test_connections_with_the_same_file_and_entries_hold_it_once(path: Path) -> None:
    write(path, "domain,employees\nacme.com,120\n")
    one, another = CsvFile(str(path)), CsvFile(str(path))
    assert one._current() is another._current()
    named = CsvFile(str(path), name="other")
    assert named._current() is not one._current(), "its signals name another source"
    write(path, "domain,employees\nacme.com,1300\n")
    assert ask(one, "acme.com") == ask(another, "acme.com")
    assert one._current() is another._current()
