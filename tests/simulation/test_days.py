"""Some weeks of seeded days; what once went wrong; and that the oracle would notice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from icp_sync.domain.plan import Write
from icp_sync.ports import Editor, Stream
from tests.simulation import SEEDS
from tests.simulation.days import simulate
from tests.simulation.office import Office
from tests.simulation.oracle import Shape, Truth, fit
from tests.simulation.referee import BrokenPromise

KEPT = [tuple(map(int, line.split())) for line in SEEDS.read_text().splitlines() if line[:1].isdigit()]
GOOD = Truth(size=100.0, trade="SOFTWARE")
POOR = Truth(size=100.0, trade="RETAIL")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    made = Office(tmp_path)
    yield made
    made.close()


def at_rest(office: Office) -> None:
    office.rest()
    office.judge()


@pytest.mark.parametrize(
    ("database", "seed", "days", "accounts"),
    [("sqlite", 1, 20, 12), ("postgresql", 21, 14, 12), *(("sqlite", *kept) for kept in KEPT)],
)
def test_nothing_is_lost_or_overwritten_in_these_days(
    database: str, seed: int, days: int, accounts: int
) -> None:
    told = simulate(seed, days, accounts, database)
    assert told.days == days
    assert told.writes > accounts
    assert all(told.happened[what] for what in ("typed", "crashes", "undone", "overridden", "imports"))


def test_a_seed_tells_the_same_story_twice() -> None:
    assert simulate(5, 3, 8) == simulate(5, 3, 8)


def test_a_typed_tier_stays_out_of_scope_whatever_the_override_says(office: Office) -> None:
    """The override replaces a typed tier by itself, never by nothing."""
    company = office.create(Truth(size=100.0, trade="SOFTWARE", prospect=False))
    office.roll_out()
    office.type_over(company, "tier", Random(1), Editor.PERSON)
    typed = office.crm.account(company.id).live["tier"]
    at_rest(office)
    office.override(company, "C" if typed != "C" else "D")
    at_rest(office)
    assert office.crm.account(company.id).live["tier"] == typed
    office.change(company, prospect=True)
    at_rest(office)
    assert office.crm.account(company.id).live["tier"] == company.override


# Tests of the tests: each of these breaks something, and it must be noticed


def test_it_notices_a_value_that_was_never_written(office: Office) -> None:
    company = office.create(GOOD)
    office.roll_out()
    office.change(company, trade="RETAIL")
    with pytest.raises(BrokenPromise, match="tier is 'A', must be 'B'"):
        office.judge()


def test_it_notices_that_somebody_was_overwritten(office: Office) -> None:
    company = office.create(GOOD)
    office.roll_out()
    at_rest(office)
    office.world.editors = {"": 0.0}  # every edit is taken back at once
    office.type_over(company, "lane", Random(1), Editor.PERSON)
    office.pass_time(60)
    with pytest.raises(BrokenPromise, match="which somebody holds"):
        office.cycle(Stream.POLL)


def test_it_notices_that_an_undo_did_not_last(office: Office) -> None:
    company = office.create(GOOD)
    office.roll_out()
    at_rest(office)
    office.undo(next(iter(office.runs)))
    at_rest(office)
    assert company.undone["tier"] == ""
    office.crm.edit(company.id, live={"tier": "A"})
    with pytest.raises(BrokenPromise, match="an undo left it at ''"):
        office.judge()


def test_it_notices_an_edit_that_was_not_given_back(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    company = office.create(GOOD)

    def somebody_types(_: Write) -> None:
        office.type_over(company, "lane", Random(1), Editor.APP)

    office.referee.between = somebody_types
    office.roll_out()
    monkeypatch.setattr("icp_sync.sync.settle.with_edits", lambda drafts, memory, *_: memory)
    office.rest()
    with pytest.raises(BrokenPromise, match="lane is 'sales', somebody holds it"):
        office.judge()


def test_it_notices_a_guard_that_lets_everything_pass(office: Office) -> None:
    for _ in range(8):
        office.create(GOOD)
    office.roll_out()
    at_rest(office)
    office.world.limits = type(office.world.limits)(floor=100)
    for company in list(office.companies.values()):
        office.change(company, trade="RETAIL")
    office.pass_time(60)
    with pytest.raises(BrokenPromise, match="downgrades landed within a day"):
        office.cycle(Stream.POLL)


def test_it_notices_loads_that_are_not_what_a_recount_gives(office: Office) -> None:
    company = office.create(GOOD)
    office.roll_out()
    office.rest(sweep=True)
    office.judge(swept=True)
    office.assign(company, "carl@example.com")
    with pytest.raises(BrokenPromise, match="a recount gives"):
        office.judge(swept=True)


@pytest.mark.parametrize(
    ("truth", "score", "low", "high", "tier"),
    [
        (GOOD, 100, 100, 100, "A"),
        (POOR, 60, 60, 60, "B"),
        (Truth(size=663.0, trade="SOFTWARE"), 61, 60, 61, "B"),
        (Truth(size=(20.0, 100.0), trade="SOFTWARE"), 70, 40, 100, "Needs data"),
        (Truth(trade="RETAIL"), 30, 0, 60, "Needs data"),
        (Truth(size=100.0), 80, 60, 100, "A"),
    ],
)
def test_the_oracle_agrees_with_a_sum_done_by_hand(
    truth: Truth, score: int, low: int, high: int, tier: str
) -> None:
    found = fit(truth, Shape(version=1))
    assert (found.score, found.low, found.high, found.tier) == (score, low, high, tier)
