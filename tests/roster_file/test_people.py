"""Named accounts and absences: one owner each, days as people write them, and every mistake with its row."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from math import inf

import pytest

from icp_sync.domain.profile import NamedList, Route, Target
from icp_sync.domain.roster import Absence
from tests.roster_file.conftest import PROFILE, problems_of


def at(year: int, month: int, day: int) -> float:
    return datetime(year, month, day, tzinfo=UTC).timestamp()


def test_a_named_account_is_a_registrable_domain_or_an_id(load):
    tables = load(
        strategic="Website,id,Owner,Notes\n"
        "https://www.acme.co.uk/en,,Ann@Example.com,ours since 2019\n"
        ",0017,bob@example.com,\n"
        "rival.com,#18,bob@example.com,\n"
    )
    assert tables.named["strategic.csv"].owners == {
        "acme.co.uk": "ann@example.com",
        "#0017": "bob@example.com",
        "rival.com": "bob@example.com",
        "#18": "bob@example.com",
    }


def test_a_list_of_the_profile_needs_no_file(load, tmp_path):
    listed = NamedList(name="board", owners={"acme.com": "ann@example.com"})
    profile = replace(
        PROFILE,
        named={"board": listed},
        routes=(Route(target=Target(lane="sales", named="board")),),
    )
    assert load(profile).named == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "domain,owner\nacme.com,a@example.com\nwww.acme.com,b@example.com\n",
            "strategic.csv:3: acme.com belongs to b@example.com here and to a@example.com in row 2",
        ),
        ("domain,owner\nacme,a@example.com\n", "strategic.csv:2: 'acme' is no domain of a company"),
        ("domain,owner\ngmail.com,a@example.com\n", "strategic.csv:2: gmail.com is shared by many"),
        ("domain,id,owner\n,,a@example.com\n", "strategic.csv:2: names no account"),
        ("domain,owner\nacme.com,\n", "strategic.csv:2: 'owner' is blank"),
        ("domain,owner\nacme.com,=A1\n", "strategic.csv:2: owner: '=A1' is not an email address"),
        (
            "domain,ownr\nacme.com,a@example.com\n",
            "strategic.csv:1: unknown column 'ownr' (did you mean 'owner'",
        ),
        ("owner\na@example.com\n", "strategic.csv:1: there is no column 'domain' or 'id'"),
        ("domain,owner\n", "strategic.csv: holds a header and no rows"),
    ],
)
def test_a_mistake_in_a_list_is_named_with_its_row_and_reason(load, text, said):
    found = problems_of(load, strategic=text)
    assert any(problem.startswith(said) for problem in found), found


def test_an_absence_lasts_until_the_day_of_return_or_further_notice(load):
    tables = load(
        absences="email,from,until,reason\n"
        "Ann@Example.com,2026-12-01,2027-01-04,leave\n"
        "bob@example.com,5 May 2026,,\n"
        "eve@example.com,2026-05-05,9999-12-31,left\n"
    )
    assert tables.absences == {
        "ann@example.com": (
            Absence(email="ann@example.com", start=at(2026, 12, 1), until=at(2027, 1, 4), reason="leave"),
        ),
        "bob@example.com": (Absence(email="bob@example.com", start=at(2026, 5, 5), until=inf),),
        "eve@example.com": (
            Absence(email="eve@example.com", start=at(2026, 5, 5), until=inf, reason="left"),
        ),
    }
    assert tables.away("ann@example.com", at(2027, 1, 4) - 1) is not None
    assert tables.away("ann@example.com", at(2027, 1, 4)) is None


def test_absences_that_touch_or_overlap_become_one(load):
    tables = load(
        absences="email,from,until,reason\n"
        "a@example.com,2026-03-10,2026-03-20,illness\n"
        "a@example.com,2026-03-01,2026-03-15,holiday\n"
        "a@example.com,2026-03-20,2026-03-25,holiday\n"
        "a@example.com,2026-04-01,2026-04-02,course\n"
    )
    one, other = tables.absences["a@example.com"]
    assert (one.start, one.until, one.reason) == (at(2026, 3, 1), at(2026, 3, 25), "holiday, illness")
    assert other.reason == "course"


def test_nobody_away_is_no_problem_and_no_file_is_none_either(load, tmp_path):
    assert load(absences="email,from,until,reason\n").absences == {}
    (tmp_path / "absences.csv").unlink()
    assert load().absences == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            "email,from,until\na@example.com,2026-05-02,2026-05-01\n",
            "absences.csv:2: from 2026-05-02 until 2026-05-01 is no time at all",
        ),
        ("email,from\na@example.com,\n", "absences.csv:2: 'from' is blank"),
        ("email,from\nbob,2026-05-02\n", "absences.csv:2: email: 'bob' is not an email address"),
        ("email,from,til\na@example.com,2026-05-02,\n", "absences.csv:1: unknown column 'til' (did you"),
        ("email,until\na@example.com,2026-05-02\n", "absences.csv:1: there is no column 'from'"),
        ("", "absences.csv: is empty"),
    ],
)
def test_a_mistake_in_absences_is_named_with_its_row_and_reason(load, text, said):
    found = problems_of(load, absences=text)
    assert any(problem.startswith(said) for problem in found), found
