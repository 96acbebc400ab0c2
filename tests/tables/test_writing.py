"""What is written can be read back, runs no formula, and is whole or not there."""

from __future__ import annotations

import csv
import subprocess
import sys
from io import StringIO
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.errors import ConfigError
from icp_sync.tables.writing import safe, whole, writer


@pytest.mark.parametrize(
    "cell",
    ["=1+1", "=HYPERLINK(\"http://x\")", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)",
     "\t=1", "\r=1", "  =1", "＝1", "-a"],
)  # fmt: skip
def test_a_cell_a_spreadsheet_would_run_becomes_text(cell: str) -> None:
    assert safe(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "-", "-5", "-1,200.50", "+49 (30) 123-456", "-3 %", "- 5", "a=b", " plain", "1e-5", "−5"]
)
def test_numbers_telephones_and_words_stay(cell: str) -> None:
    assert safe(cell) == cell


_cells = st.lists(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=10), min_size=2, max_size=6
)


@given(st.lists(_cells, max_size=5), st.sampled_from(",;\t|"))
def test_rows_come_back_as_they_were_made_safe(rows: list[list[str]], delimiter: str) -> None:
    stream = StringIO(newline="")
    out = writer(stream, ["a", "b"], delimiter=delimiter)
    for cells in rows:
        out.row(cells)
    read = list(csv.reader(StringIO(stream.getvalue(), newline=""), delimiter=delimiter))
    assert read[1:] == [[safe(cell) for cell in cells] for cells in rows]


def test_no_cell_begins_a_formula_whatever_it_holds() -> None:
    stream = StringIO(newline="")
    writer(stream, ["=a"]).row(["=b", None, 5, '=c"d'])
    assert stream.getvalue() == '\'=a\n\'=b,,5,"\'=c""d"\n'


def test_a_file_appears_only_when_all_of_it_is_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("before")

    def interrupted() -> None:
        with whole(path) as stream:
            stream.write("half")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]
    assert path.read_text() == "before"
    with whole(path) as stream:
        stream.write("all")
    assert path.read_bytes() == b"\xef\xbb\xbfall"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_what_a_killed_process_left_goes_when_the_file_is_next_written(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    program = (
        "import os, sys; from pathlib import Path; from icp_sync.tables.writing import whole\n"
        "with whole(Path(sys.argv[1])) as stream:\n stream.write('half'); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", program, str(path)], check=False).returncode == -9
    (left,) = tmp_path.iterdir()
    assert left.suffix == ".part"
    (tmp_path / ".other.csv.0123abcd.part").write_text("of another file")
    with whole(path) as stream:
        stream.write("all")
    assert sorted(p.name for p in tmp_path.iterdir()) == [".other.csv.0123abcd.part", "out.csv"]


def test_what_somebody_else_is_writing_just_now_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    with whole(path) as first:
        first.write("first")
        with whole(path) as second:
            second.write("second")
        assert path.read_text("utf-8-sig") == "second"
    assert path.read_text("utf-8-sig") == "first"
    assert [p.name for p in tmp_path.iterdir()] == ["out.csv"]


def test_a_link_stays_a_link_and_its_target_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "real.csv").write_text("before")
    (tmp_path / "link.csv").symlink_to(tmp_path / "real.csv")
    with whole(tmp_path / "link.csv") as stream:
        stream.write("all")
    assert (tmp_path / "link.csv").is_symlink()
    assert (tmp_path / "real.csv").read_bytes() == b"\xef\xbb\xbfall"


@pytest.mark.parametrize("where", [".", "missing/out.csv", "/dev/null"])
def test_a_place_that_cannot_be_replaced_is_refused(tmp_path: Path, where: str) -> None:
    with pytest.raises(ConfigError), whole(tmp_path / where):
        pass
