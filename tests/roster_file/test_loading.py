"""Which files are read, what their digest tells, and tables that follow their files."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE
from icp_sync.domain.profile import Route, Target
from icp_sync.domain.roster import NO_TABLES
from icp_sync.errors import ConfigError
from icp_sync.roster_file import LiveTables, load_tables, table_names
from tests.roster_file.conftest import PROFILE, problems_of


def test_only_the_files_that_routes_name_are_read(load, tmp_path):
    (tmp_path / "unused.csv").write_text("nonsense")
    assert set(load().territories) == {"territories.csv"}
    assert table_names([PROFILE]).named == ("strategic.csv",)
    nothing = replace(PROFILE, routes=(Route(target=Target(lane="nurture")),))
    assert load(nothing) == NO_TABLES


@pytest.mark.parametrize("name", ["../secrets.csv", "/etc/passwd", "a/b.csv", "..", "a\\b.csv", "C:x.csv"])
def test_a_table_outside_the_folder_is_refused(tmp_path, name):
    profile = replace(PROFILE, routes=(Route(target=Target(lane="sales", territory=name)),))
    with pytest.raises(ConfigError, match="named by its file name alone"):
        load_tables(tmp_path, [profile], types=CATALOGUE, currency="USD")


def test_a_file_that_is_not_there_is_named(tmp_path):
    with pytest.raises(ConfigError) as caught:
        load_tables(tmp_path, [PROFILE], types=CATALOGUE, currency="USD")
    assert [problem.what for problem in caught.value.problems] == ["there is no such file"] * 2
    assert caught.value.next_step == "icp-sync routes check"


def test_the_digest_changes_with_any_byte_of_any_table(load):
    before = load().digest
    assert load().digest == before
    assert load(strategic="domain,owner\nacme.com,eve@example.com\n").digest != before
    assert load(absences="email,from\na@example.com,2026-01-01\n").digest != before


def test_a_pool_must_be_known_to_every_profile_that_uses_the_table(load, tmp_path):
    load(territories="territory,pool\nEMEA,emea\n")
    other = replace(PROFILE, name="q", pools={})
    with pytest.raises(ConfigError, match="unknown pool 'emea'"):
        load_tables(tmp_path, [PROFILE, other], types=CATALOGUE, currency="USD")


def test_a_workbook_saved_under_the_name_of_a_table_is_named_as_one(load):
    assert "Excel workbook" in problems_of(load, territories=b"PK\x03\x04rest")[0]


@pytest.fixture
def live(load, tmp_path):
    load()
    return LiveTables(tmp_path, [PROFILE], types=CATALOGUE, currency="USD")


def changed(path, text):
    """Write a file with a stamp of its own, however coarse the clock."""
    before = path.stat().st_mtime_ns
    path.write_text(text)
    os.utime(path, ns=(before + 1_000_000, before + 1_000_000))


def test_live_tables_are_read_again_only_when_a_file_changes(live, tmp_path):
    first = live.now()
    assert live.now() is first
    changed(tmp_path / "territories.csv", "territory,owner,country\nMX,ann@example.com,MX\n")
    second = live.now()
    assert second.territories["territories.csv"].rows[0].territory == "MX"
    assert second.digest != first.digest


def test_bad_tables_leave_the_last_good_ones_and_say_what_is_wrong(live, tmp_path):
    path = tmp_path / "territories.csv"
    first = live.now()
    changed(path, "territory,owner\nT,nobody\n")
    assert live.now() is first
    assert live.now() is first
    assert "'nobody' is not an email address" in str(live.problems[0])
    changed(path, "territory,owner\nT,ann@example.com\n")
    assert live.now().territories["territories.csv"].rows[0].territory == "T"
    assert live.problems == ()


def test_a_deleted_file_leaves_the_last_good_ones(live, tmp_path):
    first = live.now()
    (tmp_path / "territories.csv").unlink()
    assert live.now() is first
    assert live.problems[0].what == "there is no such file"


def test_tables_that_were_never_good_are_an_error(tmp_path):
    live = LiveTables(tmp_path, [PROFILE], types=CATALOGUE, currency="USD")
    with pytest.raises(ConfigError):
        live.now()


def test_absences_that_appear_later_are_found(live, tmp_path):
    assert live.now().absences == {}
    (tmp_path / "absences.csv").write_text("email,from\nann@example.com,2026-01-01\n")
    assert set(live.now().absences) == {"ann@example.com"}


def test_absences_that_disappear_are_not_taken_for_nobody_away(live, tmp_path):
    path = tmp_path / "absences.csv"
    path.write_text("email,from\nann@example.com,2026-01-01\n")
    away = live.now()
    path.unlink()
    assert live.now() is away
    assert live.now().absences.keys() == {"ann@example.com"}
    assert str(live.problems[0]) == (
        f"{path}: was there and is gone (put it back; its header alone says that nobody is away)"
    )
    changed(tmp_path / "territories.csv", "territory,owner\nT,ann@example.com\n")
    assert live.now() is away  # whatever else changes meanwhile
    path.write_text("email,from\n")
    assert live.now().absences == {}
    assert live.problems == ()


def test_tables_first_read_without_absences_miss_none(live, tmp_path):
    live.now()
    changed(tmp_path / "territories.csv", "territory,owner\nT,ann@example.com\n")
    assert live.now().territories["territories.csv"].rows[0].territory == "T"
    assert live.problems == ()


def test_an_owner_outside_the_pool_that_a_table_narrows_is_named(load, tmp_path):
    narrowing = replace(
        PROFILE, routes=(Route(target=Target(lane="sales", pool="emea", territory="territories.csv")),)
    )
    load(narrowing, territories="territory,owner,country\nDE,eva@example.com,DE\n")
    with pytest.raises(
        ConfigError, match=r"ann@example\.com is in none of the pools this table narrows: emea"
    ):
        load(narrowing)


_HEADS = ["territory", "owner", "pool", "weight", "cap", "priority", "effective_from", "country", "employees"]
_HEADS += ["domain", "id", "email", "from", "until", "reason", "revenue", "employees_min", "nonsense", ""]
_CELLS = [
    "T",
    "a@x.com",
    "emea",
    "1",
    "-1",
    "0",
    "1e999",
    "2026-01-01",
    "99999-01-01",
    "US;CA",
    "50-500",
    "<1M",
]
_CELLS += [
    "",
    "=A1",
    "@",
    "-",
    ">=",
    "acme.com",
    "\x00",
    "\ud83d".encode("utf-8", "replace").decode(),
    '"',
    "+",
]


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(_HEADS), min_size=1, max_size=6),
    st.lists(st.lists(st.sampled_from(_CELLS), max_size=6), max_size=4),
    st.sampled_from([",", ";", "\t"]),
    st.sampled_from(["utf-8", "utf-8-sig", "utf-16", "cp1252"]),
)
def test_whatever_a_file_holds_it_is_read_or_refused_and_never_worse(load, heads, rows, delimiter, encoding):
    text = "\n".join(delimiter.join(cells) for cells in (heads, *rows))
    data = text.encode(encoding, "replace")
    for name in ("territories", "strategic", "absences"):
        with suppress(ConfigError):
            load(**{name: data})


def test_a_pipe_in_place_of_a_table_is_refused_rather_than_waited_for(tmp_path):
    os.mkfifo(tmp_path / "absences.csv")
    with pytest.raises(ConfigError, match="a stream or a device"):
        load_tables(tmp_path, [replace(PROFILE, routes=())], types=CATALOGUE, currency="USD")
