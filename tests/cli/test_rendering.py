"""What a report looks like: on a narrow terminal, without one, and as JSON."""

from __future__ import annotations

import io
import json
from math import inf, nan

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from icp_sync.cli.history import _show_runs
from icp_sync.cli.rendering import Screen, document
from icp_sync.reporting.text import ago, amount, clean, counted, day, instant, short, span

ROWS = [("1", "Müller & Söhne [red]GmbH[/red]", "A"), ("22", "東京電力 " + "long " * 30, "Needs data")]


def on_terminal(width: int) -> str:
    out = io.StringIO()
    console = Console(file=out, width=width, force_terminal=True, color_system=None, markup=False)
    screen = Screen(console)
    screen.heading("Accounts")
    screen.table(["id", "name", "tier"], ROWS, right=(0,))
    screen.say("x " * 200)
    return out.getvalue()


@pytest.mark.parametrize("width", [80, 40, 200])
def test_a_terminal_is_never_overrun_and_nothing_is_cut(width: int) -> None:
    from rich.cells import cell_len

    shown = on_terminal(width)
    assert max(cell_len(line) for line in shown.splitlines()) <= width
    assert shown.count("long") == 30


def test_what_people_copy_is_never_broken_over_two_lines() -> None:
    out = io.StringIO()
    run = "20261122-095451-ab12"
    console = Console(file=out, width=80, force_terminal=True, color_system=None, markup=False)
    rows = [(run, "backfill", "2026-11-22 09:54 UTC", "finished", "1,800", "291", "", "a note " * 8)]
    heads = ["run", "what", "began", "outcome", "read", "wrote on", "would write", ""]
    Screen(console).table(heads, rows, right=(4, 5, 6), whole=(0,))
    assert run in out.getvalue()
    assert "291" in out.getvalue()


def test_without_a_terminal_a_row_is_one_line_without_colour_or_boxes(
    capsys: pytest.CaptureFixture[str],
) -> None:
    Screen.here().table(["id", "name", "tier"], ROWS, right=(0,))
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    assert lines[1].startswith(" 1  Müller & Söhne [red]GmbH[/red]")
    assert all(line == line.rstrip() for line in lines)
    assert not any(set(line) & set("─│┃━\x1b") for line in lines)


def test_markup_in_a_name_is_shown_as_it_is() -> None:
    assert "[red]GmbH[/red]" in on_terminal(100)


@given(st.text())
def test_no_text_steers_the_terminal(text: str) -> None:
    cleaned = clean(text)
    assert len(cleaned) == len(text)
    assert all(c.isprintable() or not c.isascii() for c in cleaned)
    assert not set(cleaned) & set("\x1b\x9b\r\n\u202e\u2066")


@settings(max_examples=40)
@given(st.recursive(st.none() | st.booleans() | st.floats() | st.text(), lambda s: st.lists(s)))
def test_whatever_is_reported_is_one_valid_json_document(value: object) -> None:
    out = io.StringIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.stdout", out)
        document({"value": value})
    json.loads(out.getvalue(), parse_constant=lambda name: pytest.fail(f"{name} is not JSON"))
    out.getvalue().encode()


def test_numbers_json_cannot_hold_become_null(capsys: pytest.CaptureFixture[str]) -> None:
    document([inf, -inf, nan, 1.5])
    assert json.loads(capsys.readouterr().out) == [None, None, None, 1.5]


def test_words_for_people() -> None:
    assert counted(1, "account") == "1 account"
    assert counted(1800, "account") == "1,800 accounts"
    assert counted(0, "property", "properties") == "0 properties"
    assert instant(0.0) == "1970-01-01 00:00 UTC"
    assert instant(None) == "never"
    assert instant(1e300) == "far away"
    assert day(86_400.0) == "1970-01-02"
    assert [span(s) for s in (-1, 42, 300, 8000, 864_000)] == ["0 s", "42 s", "5 min", "2 h", "10 d"]
    assert ago(None) == "never"
    assert ago(10.0, now=20.0) == "10 s ago"
    assert [amount(a) for a in (12.0, 0.5, 1234.0)] == ["12", "0.50", "1,234"]
    assert short("a\nb  c" + "d" * 50, 8) == "a b cdd…"


def test_an_undo_names_its_run_on_a_line_of_its_own_on_a_terminal() -> None:
    run = {"id": "20261122-095452-ab13", "kind": "undo", "started_at": 0.0, "ended_at": 1.0, "dry": False}
    more = {"outcome": "finished", "undoes": "20261122-095451-ab12", "note": "too early, says Ada " * 3}
    out = io.StringIO()
    console = Console(file=out, width=80, force_terminal=True, color_system=None, markup=False)
    _show_runs(Screen(console), [{**run, **more, "restored": 1_800, "read": 1_800}])
    lines = [line.rstrip() for line in out.getvalue().splitlines()]
    assert "20261122-095452-ab13 undoes 20261122-095451-ab12" in lines
    assert ["20261122-095452-ab13", "undo"] in [line.split()[:2] for line in lines]
