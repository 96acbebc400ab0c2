"""How accounts are made up, against how they were: shifts are told; noise and few accounts are not."""

from __future__ import annotations

import json
from random import Random

import pytest

from icp_sync.domain.facts import Facts, Members, choice, number
from icp_sync.learning.drift.census import Bands, Census, bands_from
from icp_sync.learning.drift.finding import Finding, State
from icp_sync.learning.drift.shifts import compared

TRADES = ("RETAIL", "LOGISTICS", "BANKING")
NAMES = ("industry", "employees", "founded", "technologies")


def company(random: Random, trades: tuple[str, ...] = TRADES) -> dict[str, object]:
    return {
        "industry": choice(random.choice(trades)),
        "employees": number(random.choice((5, 20, 80, 300, 2_000))),
        "founded": number(random.uniform(0, 1e9)),
        "technologies": Members(frozenset(random.sample(("hubspot", "slack", "sap"), 2)), False),
    }


def counted(
    n: int,
    seed: int,
    *,
    bands: Census | None = None,
    tiers: str = "ABCD",
    trades: tuple[str, ...] = TRADES,
    without: tuple[str, ...] = (),
    overridden: float = 0.0,
) -> Census:
    random = Random(seed)
    everybody: list[Facts] = [
        {name: value for name, value in company(random, trades).items() if name not in without}  # type: ignore[misc]
        for _ in range(n)
    ]
    census = Census(bands=bands.bands if bands else bands_from(everybody, NAMES))
    for i, facts in enumerate(everybody):
        census.add(str(i), random.choice(tiers), facts, overridden=random.random() < overridden)
    return census


def told(findings: list[Finding]) -> dict[str, State]:
    return {one.name: one.state for one in findings}


def test_the_same_population_drawn_again_has_not_drifted() -> None:
    for seed in range(8):
        before = counted(600, seed)
        found = compared(before, counted(600, seed + 100, bands=before, overridden=0.02))
        assert told(found) == dict.fromkeys(("tier-shares", "inputs", "fill", "overrides"), State.OK)


def test_a_mix_of_trades_that_moved_is_an_alert_that_names_what_grew_and_who() -> None:
    before = counted(600, 1)
    found = compared(before, counted(600, 2, bands=before, trades=("RETAIL", "RETAIL", "RETAIL", "BANKING")))
    one = next(one for one in found if one.kind == "inputs")
    assert (one.name, one.state) == ("inputs/industry", State.ALERT)
    assert "retail +" in one.sentence.lower()
    assert one.behind == len(one.accounts) > 400


def test_values_nobody_had_before_count_as_anything_else() -> None:
    before = counted(400, 1)
    found = compared(before, counted(400, 2, bands=before, trades=("MINING",)))
    one = next(one for one in found if one.name == "inputs/industry")
    assert one.state is State.ALERT
    assert "anything else +100" in one.sentence


def test_tiers_whose_shares_moved_are_an_alert() -> None:
    before = counted(400, 1)
    one = compared(before, counted(400, 2, bands=before, tiers="AAAD"))[0]
    assert (one.name, one.state) == ("tier-shares", State.ALERT)
    assert "A 2" in one.sentence
    assert one.accounts


@pytest.mark.parametrize(("without", "state"), [(("industry",), State.ALERT), ((), State.OK)])
def test_a_fact_that_is_known_of_fewer_accounts_is_told(without: tuple[str, ...], state: State) -> None:
    before = counted(400, 1)
    found = {one.name: one for one in compared(before, counted(400, 2, bands=before, without=without))}
    name = "fill/industry" if without else "fill"
    assert found[name].state is state
    if without:
        assert found[name].behind == 400
        assert "0% of 400 accounts, of 100%" in found[name].sentence


def test_a_date_that_moves_on_is_no_shift_but_one_that_is_lost_is_told() -> None:
    before = counted(400, 1)
    later = Census(bands=before.bands)
    random = Random(3)
    for i in range(400):
        facts = company(random) | {"founded": number(5e9)}
        later.add(str(i), random.choice("ABCD"), facts)  # type: ignore[arg-type]
    assert "inputs/founded" not in told(compared(before, later))
    assert (
        told(compared(before, counted(400, 4, bands=before, without=("founded",))))["fill/founded"]
        is State.ALERT
    )


def test_few_accounts_are_too_few_to_tell_however_they_look() -> None:
    before = counted(99, 1)
    found = compared(before, counted(500, 2, bands=before, trades=("MINING",), tiers="D"))
    assert told(found)["tier-shares"] is State.FEW
    assert told(found)["inputs"] is State.FEW
    assert told(found)["fill"] is State.FEW
    few = counted(20, 3, overridden=1.0)
    assert told(compared(few, few))["overrides"] is State.FEW


def test_a_tier_that_people_override_often_is_an_alert() -> None:
    before = counted(400, 1)
    now = Census(bands=before.bands)
    for i in range(400):
        now.add(str(i), "AB"[i % 2], {}, overridden=i % 4 == 0)
    one = next(one for one in compared(before, now) if one.name == "overrides/A")
    assert one.state is State.ALERT
    assert "50% of 200" in one.sentence
    assert one.behind == 100
    assert "overrides/B" not in told(compared(before, now))


def test_an_alert_stays_while_it_is_worth_watching() -> None:
    before = counted(2_000, 1, tiers="AABBCCDD")
    now = counted(2_000, 2, bands=before, tiers="AAABBCDD")
    index = next(one for one in compared(before, now) if one.name == "tier-shares")
    assert 0.1 <= float(index.figures["index"]) < 0.25
    assert index.state is State.WATCH
    again = compared(before, now, {"tier-shares"})
    assert told(again)["tier-shares"] is State.ALERT


def test_what_has_become_few_ends_no_alert() -> None:
    before, now = counted(400, 1), counted(99, 2)
    now.bands = before.bands
    standing = {"tier-shares", "inputs/industry", "overrides/A"}
    assert told(compared(before, now, standing))["inputs/industry"] is State.ALERT
    assert told(compared(before, now, standing))["tier-shares"] is State.ALERT
    assert told(compared(before, now))["tier-shares"] is State.FEW
    none = Census(bands=before.bands)
    assert State.ALERT not in told(compared(before, none, standing)).values()


def test_a_tier_that_has_become_small_keeps_the_alert_on_its_overrides() -> None:
    now = Census(bands={})
    for i in range(20):
        now.add(str(i), "A", {}, overridden=i < 10)
    assert told(compared(now, now, {"overrides/A"}))["overrides/A"] is State.ALERT
    assert told(compared(now, now))["overrides"] is State.FEW


def test_bands_of_a_handful_of_accounts_are_no_shift_and_a_value_that_takes_over_is() -> None:
    def spread(common: int, trades: int) -> Census:
        census = Census(bands=bands)
        for i in range(common + 22):
            trade = "RETAIL" if i >= 22 else f"T{i % trades}"
            census.add(str(i), "A", {"industry": choice(trade)})
        return census

    sample: list[Facts] = [{"industry": choice("RETAIL")}] * 80
    bands = bands_from([*sample, *[{"industry": choice(f"T{i % 11}")} for i in range(22)]], ["industry"])
    before = spread(80, trades=11)  # two accounts of each of eleven trades; then about six of four
    assert told(compared(before, spread(80, trades=4)))["inputs"] is State.OK
    assert told(compared(before, spread(900, trades=11)))["inputs/industry"] is State.ALERT


def test_shares_of_a_set_are_shares_of_accounts_however_much_each_lists() -> None:
    stack = Members(frozenset(f"t{i}" for i in range(10)), False)
    one = Members(frozenset({"slack"}), False)

    def having(n: int) -> Census:
        census = Census(bands=bands)
        for i in range(120):
            census.add(str(i), "A", {"technologies": stack if i < n else one})
        return census

    bands = bands_from([{"technologies": stack}, {"technologies": one}], ["technologies"])
    assert told(compared(having(10), having(19)))["inputs"] is State.OK
    (one,) = (one for one in compared(having(10), having(60)) if one.name == "inputs/technologies")
    assert one.state is State.ALERT
    assert "+42 points, slack -42" in one.sentence
    assert one.behind == 60


@pytest.mark.parametrize("seed", range(3))
def test_days_of_noise_raise_nothing_and_a_lasting_shift_is_raised_once(seed: int) -> None:
    """200 days on which 1 % of 150 accounts go and others come, as before or of another making."""
    noise = _days(seed)
    assert noise[0] <= 0.05 * 200
    days, raised = _days(seed, trade=0.8, without=0.5, overridden=0.6)
    assert days > 50
    assert {name.partition("/")[0] for name in raised} == {"inputs", "fill", "overrides"}
    assert len(raised) == len(set(raised))


def _days(
    seed: int, *, trade: float = 0.0, without: float = 0.1, overridden: float = 0.02
) -> tuple[int, list[str]]:
    """Days with an alert, and what was raised. trade: share of newcomers in one trade of six."""
    random = Random(seed)
    tiers = ("A", "B", "B", "C", "C", "D", "Needs data")

    def newcomer(trade: float, without: float, overridden: float) -> tuple[str, Facts, bool]:
        facts = dict(company(random, ("RETAIL", "RETAIL", "LOGISTICS", "BANKING", "MINING", "FARMING")))
        if random.random() < trade:
            facts["industry"] = choice("FARMING")
        if random.random() < without:
            del facts["employees"]
        return random.choice(tiers), facts, random.random() < overridden  # type: ignore[return-value]

    everybody = [newcomer(0.0, 0.1, 0.02) for _ in range(150)]
    bands = bands_from([facts for _, facts, _ in everybody], NAMES)

    def census() -> Census:
        made = Census(bands=bands)
        for i, (tier, facts, changed) in enumerate(everybody):
            made.add(str(i), tier, facts, overridden=changed)
        return made

    before, standing = census(), set[str]()
    days, raised = 0, list[str]()
    for _ in range(200):
        for i in range(150):
            if random.random() < 0.01:
                everybody[i] = newcomer(trade, without, overridden)
        alerts = {one.name for one in compared(before, census(), standing) if one.state is State.ALERT}
        raised += alerts - standing
        days += bool(alerts)
        standing = alerts
    return days, raised


def test_a_baseline_read_back_compares_as_it_did() -> None:
    before = counted(300, 1)
    kept = Census.from_json(json.loads(json.dumps(before.to_json())))
    assert kept.to_json() == before.to_json()
    now = counted(300, 2, bands=kept, trades=("RETAIL",))
    assert compared(kept, now) == compared(before, now)


def test_a_range_across_an_edge_counts_nowhere() -> None:
    bands = Bands(
        kind=bands_from([{"employees": number(5)}] * 50, ["employees"])["employees"].kind, edges=(50.0, 500.0)
    )
    assert bands.places(number(40, 60), "USD") == ()
    assert bands.places(number(60, 90), "USD") == (1,)
    assert bands.places(number(500), "USD") == (2,)
