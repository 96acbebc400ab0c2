"""The simulation is deterministic, breaks no limit, and asks the CRM exactly what the engine asks."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.scale.costs import Assumed, Costs, OfCrm, Work
from tests.scale.crms import HubSpot
from tests.scale.engine import Process, Shared, Time
from tests.scale.measuring import Line, enough, line, table, verdict
from tests.scale.portal import split, spread
from tests.scale.reality import modelled, real
from tests.scale.scenarios import SCENARIOS, Scenario, agency, run

WORK = Work(cpu=0.0015, database=0.0004, transactions=0.03, commits=0.02, statements=0.06, wal=12_000)
EMPTY = Work(cpu=0.02, database=0.007, transactions=27, commits=25, statements=48, wal=3_000)
OF = OfCrm(cycle=EMPTY, written=WORK, again=WORK, bulk=WORK)
SLOT = Work(cpu=0.0006, database=0.0002, transactions=1, commits=1, statements=2, wal=700)
COSTS = Costs(
    hubspot=OF, salesforce=OF, slot=SLOT, due=EMPTY, kept=11_000, process=100, connection=0.1, filling=75
)
SMALL = Scenario(name="small", crm="hubspot", sizes=agency(12, smallest=500, largest=4_000))


def simulated(scenario: Scenario, workers: int) -> Line:
    return line(run(scenario, workers, COSTS, Assumed()), COSTS)


def test_the_same_seed_gives_the_same_figures() -> None:
    assert simulated(SMALL, 2) == simulated(SMALL, 2)
    assert simulated(replace(SMALL, seed=2), 2) != simulated(SMALL, 2)


@pytest.mark.parametrize("workers", [1, 4])
def test_no_window_of_any_portal_ever_has_more_calls_than_its_crm_allows(workers: int) -> None:
    found = simulated(SMALL, workers)
    assert found.ended
    assert found.breaches == 0


def test_what_is_at_its_limit_is_named_and_more_of_it_helps() -> None:
    slow = replace(COSTS, hubspot=replace(OF, written=replace(WORK, cpu=0.05), again=replace(WORK, cpu=0.05)))
    lines = [line(run(SMALL, n, slow, Assumed()), slow) for n in (1, 2)]
    assert lines[0].limit == "the processors of the workers"
    assert (lines[1].hours or 0) < 0.7 * (lines[0].hours or 0)
    assert "more would still help" in verdict(lines)


def test_a_day_that_is_used_up_is_waited_for() -> None:
    portal = Scenario(name="large", crm="hubspot", sizes=(100_000,), follows=False, paced=False)
    starved = Assumed(latency=0.01)
    found = line(run(replace(portal, day=1_500), 4, COSTS, starved), COSTS)
    assert found.limit == "the share of the day's calls that backfills may use"
    assert (found.hours or 0) > 24


def test_every_account_is_filled_though_a_worker_dies() -> None:
    whole = run(SMALL, 2, COSTS, Assumed())
    less = run(replace(SMALL, dies=306.0), 2, COSTS, Assumed())
    assert [p.read for p in less.portals] == list(SMALL.sizes) == [p.read for p in whole.portals]
    assert any("a lease to end" in one.waits.seconds for one in less.fillings)
    assert not any("a lease to end" in one.waits.seconds for one in whole.fillings)


def test_it_asks_for_exactly_what_the_engine_asks_for() -> None:
    seen = real(1_050, portals=1)
    said = modelled(1_050, seen.changed, COSTS, Assumed(), portals=1)
    assert said.calls == seen.calls


def test_costs_are_kept_and_read_as_they_were(tmp_path: Path) -> None:
    COSTS.save(tmp_path / "costs.json")
    assert Costs.load(tmp_path / "costs.json") == COSTS
    (tmp_path / "other.json").write_text('{"hubspot": 1}')
    with pytest.raises(ValueError, match="holds no costs"):
        Costs.load(tmp_path / "other.json")


def test_a_shared_processor_gives_everybody_an_equal_part() -> None:
    time = Time()
    processor = Shared(time, 1.0)
    ended: list[tuple[str, float]] = []

    def task(name: str, after: float, seconds: float) -> Process:
        yield after
        yield processor.use(seconds)
        ended.append((name, round(time.now, 6)))

    last = [time.start(task("long", 0.0, 3.0)), time.start(task("short", 1.0, 1.0))]
    assert all(time.run(gate, 100.0) for gate in last)
    assert ended == [("short", 3.0), ("long", 4.0)]
    assert processor.worked == pytest.approx(4.0)


def test_pages_and_searches_are_spread_without_losing_one() -> None:
    pages = split(130, 2_500, 1_000)
    assert [accounts for accounts, _ in pages] == [1_000, 1_000, 500]
    assert sum(people for _, people in pages) == 130
    calls = list(HubSpot().searching(2_500))
    assert sum(one.number for some in spread(calls, 3) for one in some) == sum(one.number for one in calls)


def test_the_table_has_a_line_for_each_run_and_names_each_scenario_once() -> None:
    lines = [simulated(SMALL, n) for n in (1, 2)]
    text = "\n".join(table(lines))
    assert text.count("small (") == 1
    assert len(text.splitlines()) == 4
    assert enough(lines) in lines
    assert len({one.name for one in SCENARIOS}) == len(SCENARIOS)
