"""Any file that people call CSV is read row by row, or refused with the reason."""

from __future__ import annotations

import csv
import os
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.errors import ConfigError
from icp_sync.tables.reading import MOST_COLUMNS, Table


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "accounts.csv"


def table(path: Path, data: str | bytes, **options: str) -> Table:
    path.write_bytes(data.encode() if isinstance(data, str) else data)
    return Table(path, **options)


def rows(read: Table) -> list[list[str]]:
    return [cells for _, cells, wrong in read if not wrong]


def problems(read: Table) -> list[tuple[str, str]]:
    return [(p.where.rpartition(":")[2], p.what) for p in read.problems.kept]


TEXT = 'name,city\r\nKöln AG,Köln\r\n"a, b",São Paulo\r\n'


@pytest.mark.parametrize(
    "data",
    [
        TEXT.encode(),
        b"\xef\xbb\xbf" + TEXT.encode(),
        TEXT.encode("cp1252"),
        TEXT.encode("utf-16"),
        TEXT.encode("utf-16-le"),
        TEXT.encode("utf-16-be"),
        b"\xff\xfe\x00\x00" + TEXT.encode("utf-32-le"),
        TEXT.replace("\r\n", "\r").encode(),
        TEXT.replace("\r\n", "\n").encode(),
        TEXT.replace(",", ";").replace('"a; b"', '"a, b"').encode(),
        TEXT.replace(",", "\t").replace('"a\t b"', "a, b").encode(),
        TEXT.replace(",", "|").replace('"a| b"', "a, b").encode(),
        ("sep=;\r\n" + TEXT.replace(",", ";").replace('"a; b"', '"a, b"')).encode(),
        ("\r\n\r\n" + TEXT).encode(),
        TEXT.replace("\r\n", ",,\r\n").encode(),
    ],
    ids=[
        "utf-8", "byte-order mark", "windows-1252", "utf-16", "utf-16 le", "utf-16 be",
        "utf-32", "CR", "LF", "semicolons", "tabs", "bars", "sep=", "blank lines first", "trailing commas",
    ],
)  # fmt: skip
def test_the_same_table_is_read_however_it_was_saved(path: Path, data: bytes) -> None:
    read = table(path, data)
    assert read.header[:2] == ("name", "city")
    assert [cells[:2] for cells in rows(read)] == [["Köln AG", "Köln"], ["a, b", "São Paulo"]]
    assert problems(read) == []


def test_a_stated_encoding_is_used(path: Path) -> None:
    read = table(path, "name,city\nТест,Москва\n".encode("cp1251"), encoding="cp1251")
    assert rows(read) == [["Тест", "Москва"]]


def test_lines_in_another_encoding_are_read_and_named(path: Path) -> None:
    read = table(path, "name,city\nä,Köln\n".encode() + "ö,Zürich\n".encode("cp1252") + "ü,Bonn\n".encode())
    assert rows(read) == [["ä", "Köln"], ["ö", "Zürich"], ["ü", "Bonn"]]
    assert problems(read) == [("3", "is in Windows-1252, rows before it in UTF-8")]


def test_bytes_that_mean_nothing_and_nul_bytes_are_named(path: Path) -> None:
    read = table(path, b"name,city\nK\xf6ln,x\nA\x81B,x\nc\x00d,x\n")
    assert rows(read) == [["Köln", "x"], ["A\ufffdB", "x"], ["cd", "x"]]
    assert problems(read) == [
        ("3", "holds bytes that are no letters in Windows-1252"),
        ("4", "holds NUL bytes, which are left out"),
    ]


def test_rows_of_the_wrong_width_are_given_with_the_reason(path: Path) -> None:
    read = table(path, 'a,b\n1,2\n3\n\n4,5,6\n"x\ny",7\n')
    assert [(number, cells, wrong) for number, cells, wrong in read] == [
        (2, ["1", "2"], ""),
        (3, ["3"], "has 1 cells instead of 2"),
        (5, ["4", "5", "6"], "has 3 cells instead of 2"),
        (6, ["x\ny", "7"], ""),
    ]
    assert problems(read) == [("3", "has 1 cells instead of 2"), ("5", "has 3 cells instead of 2")]


def test_a_quote_nobody_closes_costs_one_row_and_not_the_rest(path: Path) -> None:
    body = "".join(f"c{n},{n}\n" for n in range(40_000))
    read = table(path, f'name,employees\nfirst,1\n"open,2\n{body}')
    found = rows(read)
    assert (found[0], found[1], found[-1]) == (["first", "1"], ['"open', "2"], ["c39999", "39999"])
    assert len(found) == 40_002


def test_iterating_again_reads_again(path: Path) -> None:
    read = table(path, "a,b\n1,2\n3\n")
    assert [len(list(read)), len(list(read)), read.problems.total] == [2, 2, 1]


def test_problems_are_all_counted_and_a_thousand_kept(path: Path) -> None:
    read = table(path, "a,b\n" + "x\n" * 1_500)
    assert rows(read) == []
    assert (read.problems.total, len(read.problems.kept)) == (1_500, 1_000)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"", "is empty"),
        (b"\n\n\n", "is empty"),
        (b"PK\x03\x04" + bytes(300), "is an Excel workbook"),
        (b"\xd0\xcf\x11\xe0" + bytes(300), "is an old Excel workbook"),
        (b"\x1f\x8b\x08\x00", "is compressed"),
        (b"%PDF-1.7\n", "is a PDF"),
        (bytes(range(256)) * 4, "is not a text file"),
        (b"a," * (MOST_COLUMNS + 3) + b"a\n1\n", f"has {MOST_COLUMNS + 4:,} columns"),
        (b"ab," * 999_999 + b"ab\n1\n", "has 1,000,000 columns"),
    ],
)
def test_what_is_no_table_is_refused_with_the_reason(path: Path, data: bytes, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        table(path, data)


def test_a_folder_and_a_missing_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is a directory"):
        Table(tmp_path)
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        Table(tmp_path / "nowhere.csv")


_cell = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=12)


@given(st.lists(st.lists(_cell, min_size=3, max_size=3), max_size=12))
def test_what_a_csv_writer_wrote_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, body: list[list[str]]
) -> None:
    stream = StringIO()
    csv.writer(stream).writerows([["a", "b", "c"], *body])
    read = table(tmp_path_factory.getbasetemp() / "back.csv", stream.getvalue())
    if read.delimiter == ",":
        assert rows(read) == [cells for cells in body if any(map(str.strip, cells))]


@given(st.binary(max_size=400))
def test_no_bytes_make_it_stumble(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    try:
        read = table(tmp_path_factory.getbasetemp() / "any.csv", data)
    except ConfigError:
        return
    named = {number for number, _, wrong in read if wrong}
    assert named <= {int(p.where.rpartition(":")[2]) for p in read.problems.kept}


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(ConfigError, match="is a stream"):
        Table(tmp_path / "pipe.csv")


def test_an_encoding_the_file_is_not_in_is_named(path: Path) -> None:
    path.write_bytes(b"domain,employees\nacme.com,5\n")
    with pytest.raises(ConfigError, match="is not in UTF-16"):
        list(Table(path, encoding="utf-16"))
