"""The watch over a real journal: told once when something begins, once when it ends, never for noise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
import structlog

from icp_sync.domain.facts import Facts, choice, number
from icp_sync.journal import Journal, Watched
from icp_sync.learning.definitions import Definitions
from icp_sync.learning.drift.finding import State
from icp_sync.learning.drift.look import Watching
from icp_sync.learning.drift.reviewing import Event
from icp_sync.learning.drift.watch import due, report_of
from tests.learning.shop import DAY, NOW, PROFILE, Shop, found

TRADES = ("RETAIL", "LOGISTICS", "BANKING", "MINING")


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    opened = Shop.open(tmp_path)
    yield opened
    opened.journal.close()


def companies(n: int, seed: int = 1, trades: tuple[str, ...] = TRADES) -> dict[str, tuple[str, Facts]]:
    random = Random(seed)
    return {
        f"{i:05d}": (
            random.choice("ABCD"),
            {
                "industry": choice(random.choice(trades)),
                "employees": number(random.choice((5, 20, 80, 300, 2_000))),
                "country": choice(random.choice(("US", "DE", "FR"))),
            },
        )
        for i in range(n)
    }


def sold_to(
    accounts: dict[str, tuple[str, Facts]], rate: float, *, seed: int = 2, at: float = NOW - 30 * DAY
) -> list[tuple[str, str, str, bool, float]]:
    random = Random(seed)
    return [(f"d{a}", a, tier, random.random() < rate, at) for a, (tier, _) in accounts.items()]


def test_the_first_look_after_the_roll_out_keeps_a_baseline_and_finds_nothing(shop: Shop) -> None:
    shop.settle(companies(400))
    report = shop.look()
    assert report.baseline_at == NOW
    assert {one.state for one in report.findings} <= {State.OK, State.FEW}
    assert shop.alerts() == []
    kept = shop.journal.watched()
    assert kept is not None
    assert kept.version == 1
    assert report_of(kept).findings == report.findings


def test_a_shift_is_told_once_while_it_lasts_and_once_when_it_ends(shop: Shop) -> None:
    usual = companies(400)
    shop.settle(usual)
    shop.look()
    with structlog.testing.capture_logs() as logs:
        shop.settle(companies(400, trades=("MINING", "MINING", "MINING", "RETAIL")))
        for _ in range(5):
            shop.now += DAY
            report = shop.look()
        assert found(report, "inputs/industry").state is State.ALERT
        assert shop.raised == ["inputs/industry"]
        assert shop.alerts() == ["drift inputs/industry"]
        shop.settle(usual)
        for _ in range(5):
            shop.now += DAY
            shop.look()
    assert shop.ended == ["inputs/industry"]
    assert shop.alerts() == []
    said = [entry["event"] for entry in logs if entry.get("finding")]
    assert said == ["the profile drifts", "the profile drifts no more"]


def test_a_segment_outside_that_wins_more_is_told_with_its_accounts_and_the_next_command(shop: Shop) -> None:
    everybody = companies(800)
    shop.settle(everybody)
    outside = {
        a: one for a, one in everybody.items() if one[0] in "CD" and one[1]["industry"] == choice("LOGISTICS")
    }
    others = {a: one for a, one in everybody.items() if a not in outside}
    shop.sell([*sold_to(others, 0.2), *sold_to(outside, 0.7)])
    report = shop.look()
    one = found(report, "outside-wins/industry=logistics")
    assert one.state is State.ALERT
    assert set(one.accounts) == set(outside)
    assert shop.raised == ["tiers-win", one.name]  # and not for the countries and sizes those companies have
    assert f'icp-sync drift --accounts "{one.name}"' in shop.journal.alerts()[0].text
    assert found(report, "tiers-win").behind > one.behind * 0.7


def test_what_customers_buy_again_is_not_won_again(shop: Shop) -> None:
    everybody = companies(800)
    shop.settle(everybody)
    old = NOW - 400 * DAY
    shop.sell((f"old{a}", a, tier, True, old) for a, (tier, _) in everybody.items() if tier in "CD")
    shop.sell((f"new{a}", a, tier, tier in "CD", NOW - DAY) for a, (tier, _) in everybody.items())
    report = shop.look()
    assert found(report, "outside-wins").state is State.FEW
    assert found(report, "tiers-win").figures["against_n"] == 0
    assert found(report, "tiers-win").figures["companies"] == sum(t in "AB" for t, _ in everybody.values())


LEARNED = (
    PROFILE
    + """
learned: {goal: won, since: 2024-01-01, until: 2026-01-01, cases: 900, good: 180, expected: {A: 40%, B: 20%}}
"""
)


def test_a_learned_profile_is_held_to_what_it_foretold(shop: Shop) -> None:
    everybody = companies(800)
    shop.settle(everybody)
    shop.sell((f"d{a}", a, tier, int(a) % 8 == 0, NOW - 200 * DAY) for a, (tier, _) in everybody.items())
    assert not [one for one in shop.look().findings if one.kind == "foretold"]  # written by hand
    shop.profile = LEARNED  # the version that judged those deals, as a learned one would have
    hand_made = found(shop.look(), "foretold/shop")
    assert (hand_made.state, hand_made.figures["companies"]) == (State.FEW, 0)


def test_deals_that_a_learned_profile_judged_are_counted_under_it_and_when_they_are_old_enough(
    tmp_path: Path,
) -> None:
    shop = Shop.open(tmp_path, profile=LEARNED)
    everybody = companies(800)
    shop.settle(everybody)
    won = {a: int(a) % 8 == 0 for a in everybody}
    shop.sell((f"d{a}", a, tier, won[a], NOW - 200 * DAY) for a, (tier, _) in everybody.items())
    fresh = companies(900)
    shop.settle(fresh)
    shop.sell((f"f{a}", a, "A", True, NOW - DAY) for a in fresh if a not in everybody)
    shop.activate(LEARNED.replace("2028-01-01", "2028-02-01"))  # edited, and still the one that was learned
    one = found(shop.look(), "foretold/shop")
    in_a = [a for a, (tier, _) in everybody.items() if tier == "A"]
    assert one.state is State.ALERT
    assert one.figures["companies"] == len(in_a)
    assert set(one.accounts) == {a for a in in_a if not won[a]}
    assert "40% was foretold" in one.sentence
    shop.activate(LEARNED.replace("2026-01-01", "2026-06-01"))  # learned anew
    assert found(shop.look(), "foretold/shop").state is State.FEW
    shop.journal.close()


def test_deals_decided_too_long_ago_no_longer_count(shop: Shop) -> None:
    everybody = companies(800)
    shop.settle(everybody)
    old = NOW - 400 * DAY
    shop.sell([(f"d{a}", a, tier, tier in "CD", old) for a, (tier, _) in everybody.items()])
    assert found(shop.look(), "outside-wins").state is State.FEW


def test_customers_who_left_are_counted_by_the_fact_that_says_when(shop: Shop) -> None:
    everybody = companies(800)
    gone = {
        a: (tier, {**facts, "left_on": number(NOW - 100 * DAY)})
        if tier in "AB" and facts["country"] == choice("FR")
        else (tier, facts)
        for a, (tier, facts) in everybody.items()
    }
    shop.settle(gone)
    shop.sell(sold_to(everybody, 1.0, at=NOW - 380 * DAY))
    one = found(shop.look(), "churn/country=FR")
    assert one.state is State.ALERT
    assert one.behind == sum("left_on" in facts for _, facts in gone.values())


def test_without_a_fact_that_says_who_left_nothing_is_said_of_churn(shop: Shop) -> None:
    shop.definitions = Definitions()
    shop.settle(companies(300))
    shop.sell(sold_to(companies(300), 1.0))
    one = found(shop.look(), "churn")
    assert one.state is State.FEW
    assert "connections.main.learning.churned_on" in one.sentence


def test_a_new_profile_begins_a_baseline_of_its_own_once_it_is_rolled_out(shop: Shop) -> None:
    shop.settle(companies(300))
    shop.look()
    shop.settle(companies(300, trades=("MINING",)))
    shop.now += DAY
    shop.look()
    assert "drift inputs/industry" in shop.alerts()
    version = shop.activate(PROFILE.replace("weight: 10", "weight: 15"))
    shop.now += DAY
    report = shop.look()
    assert report.baseline_at is None
    assert "being rolled out, 0 of 300" in found(report, "inputs").sentence
    assert shop.alerts() == []
    shop.settle(companies(300, trades=("MINING",)), version=version)
    shop.now += DAY
    assert shop.look().baseline_at == shop.now
    assert shop.alerts() == []


def test_overrides_are_counted_by_the_tier_the_profile_gives(shop: Shop) -> None:
    everybody = companies(400)
    in_a = [a for a, (tier, _) in everybody.items() if tier == "A"]
    shop.settle(everybody, overridden=in_a[: len(in_a) // 2])
    one = found(shop.look(), "overrides/A")
    assert one.state is State.ALERT
    assert one.behind == len(in_a) // 2


def test_review_dates_and_declared_events_are_told_when_they_come_and_end_with_a_new_profile(
    shop: Shop,
) -> None:
    shop.settle(companies(150))
    shop.watching = Watching(events=(Event(on=date(2027, 2, 1), what="EU hosting"),))
    shop.look()
    assert shop.alerts() == []
    shop.now = NOW + 32 * DAY  # 2027-02-16
    shop.look()
    shop.look()
    assert shop.raised == ["event/2027-02-01/EU hosting"]
    shop.activate(PROFILE.replace("2028-01-01", "2027-03-01"))
    shop.look()
    assert shop.ended == ["event/2027-02-01/EU hosting"]
    assert found(shop.look(), "review/shop/minor").state is State.WATCH  # in two weeks
    shop.now = NOW + 60 * DAY
    shop.look()
    assert shop.alerts() == ["drift review/shop/minor"]


def test_noise_alerts_on_at_most_one_day_in_twenty(shop: Shop) -> None:
    """Deals, facts and overrides change every day without any pattern; a look each of 100 days."""
    random = Random(20)
    everybody = companies(200)
    names = list(everybody)
    shop.settle(everybody)
    shop.look()
    days = sold = 0
    for _ in range(100):
        shop.now += DAY
        renewed = companies(200, seed=random.randrange(10**9))
        some = {a: renewed[a] for a in random.sample(names, 10)}
        everybody |= some
        shop.settle(some, overridden=[a for a in some if random.random() < 0.02])
        buyers = random.choices(names, k=6)
        shop.sell(
            (f"n{sold + i}", a, everybody[a][0], random.random() < 0.25, shop.now - DAY)
            for i, a in enumerate(buyers)
        )
        sold += len(buyers)
        shop.look()
        days += bool(shop.alerts())
    assert days <= 5
    assert found(shop.look(), "outside-wins").state is not State.FEW


def test_an_alert_that_was_told_before_a_crash_is_not_told_again(shop: Shop) -> None:
    shop.settle(companies(300))
    shop.look()
    kept = shop.journal.watched()
    assert kept is not None
    shop.settle(companies(300, trades=("MINING",)))
    shop.now += DAY
    shop.look()
    shop.journal.keep_watch(kept)  # as if killed between the alert and what is kept
    shop.look()
    assert shop.raised == ["inputs/industry"]


def test_it_is_time_after_a_day_and_once_a_profile_is_rolled_out(shop: Shop) -> None:
    def is_due() -> bool:
        return due(shop.journal, every=DAY, now=shop.now)

    assert is_due()
    shop.look()
    assert not is_due()
    shop.settle(companies(50))
    assert is_due()  # a baseline can be had now
    shop.look()
    assert not is_due()
    shop.now += DAY
    assert is_due()


def test_a_forgotten_account_is_behind_nothing_any_more(shop: Shop) -> None:
    everybody = companies(400)
    shop.settle(everybody)
    shop.look()
    shop.settle(companies(400, trades=("MINING",)))
    shop.look()
    named = found(shop.look(), "inputs/industry").accounts
    shop.journal.forget(named[0], now=shop.now)
    kept = shop.journal.watched()
    assert kept is not None
    assert f"'{named[0]}'" not in str(kept.findings)
    assert found(report_of(kept), "inputs/industry").accounts == named[1:]


def test_a_value_no_database_takes_is_told_all_the_same(shop: Shop) -> None:
    everybody = companies(800)
    odd = {
        a: (tier, {**facts, "country": choice("x\x00\ud800" + 300 * "y")}) if tier == "C" else (tier, facts)
        for a, (tier, facts) in everybody.items()
    }
    shop.settle(odd)
    shop.sell([(f"d{a}", a, tier, tier == "C", NOW - DAY) for a, (tier, _) in odd.items()])
    shop.look()
    (name,) = [name for name in shop.raised if "country=x  y" in name]
    assert len(name) == 200
    shop.look()
    assert shop.raised.count(name) == 1


def test_what_is_kept_of_one_connection_is_not_another_ones(shop: Shop) -> None:
    other: Journal = shop.journal.for_connection("other")
    shop.journal.keep_watch(Watched(at=1.0, version=3, baseline={"n": 1}))
    assert other.watched() is None
    other.keep_watch(Watched(at=2.0))
    assert shop.journal.watched() == Watched(at=1.0, version=3, baseline={"n": 1})
