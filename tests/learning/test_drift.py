"""Findings on deals and customers: what is planted is found, what is noise or few is not."""

from __future__ import annotations

from collections import deque
from math import inf
from random import Random

import pytest

from icp_sync.domain.facts import Members, Money, choice, number
from icp_sync.learning.drift import (
    LEAST,
    Customer,
    Finding,
    Sold,
    State,
    churn,
    outside_wins,
    retention,
    state_of,
)
from icp_sync.learning.segments import left_when, segments_of

DAY = 86_400.0


def deals(tier: str, won: int, n: int, *, name: str = "x") -> list[Sold]:
    return [Sold(account=f"{name}-{tier}-{i}", tier=tier, won=i < won) for i in range(n)]


def of(*sold: Sold, segment: str) -> dict[str, tuple[str, ...]]:
    return {one.account: (segment,) for one in sold}


def only(findings: list[Finding]) -> Finding:
    (one,) = findings
    return one


def test_a_segment_outside_that_wins_more_than_the_profile_is_an_alert_with_its_accounts() -> None:
    inside, outside = deals("A", 40, 200), deals("D", 60, 100)
    one = only(outside_wins([*inside, *outside], of(*outside, segment="industry=logistics")))
    assert (one.name, one.state) == ("outside-wins/industry=logistics", State.ALERT)
    assert one.sentence.startswith("industry=logistics wins 60% of 100")
    assert float(one.figures["low"]) > 0.2
    assert one.behind == 100
    assert one.accounts[:60] == tuple(sold.account for sold in outside if sold.won)


def test_a_segment_that_wins_as_much_as_the_profile_is_none() -> None:
    inside, outside = deals("A", 40, 200), deals("D", 22, 100)
    one = only(outside_wins([*inside, *outside], of(*outside, segment="industry=logistics")))
    assert (one.name, one.state) == ("outside-wins", State.OK)
    assert "20% of 200" in one.sentence


def test_a_segment_inside_the_profile_is_not_compared_with_itself() -> None:
    inside = [*deals("A", 5, 100), *deals("B", 90, 100)]
    one = only(outside_wins(inside, of(*inside[100:], segment="industry=logistics")))
    assert one.state is State.FEW


@pytest.mark.parametrize(("inside", "outside"), [(LEAST - 1, 100), (100, LEAST - 1), (0, 0)])
def test_few_deals_are_too_few_to_tell_however_they_look(inside: int, outside: int) -> None:
    sold, other = deals("A", 0, inside), deals("C", outside, outside)
    one = only(outside_wins([*sold, *other], of(*other, segment="country=DE")))
    assert one.state is State.FEW
    assert one.sentence.startswith("Too few to tell")
    assert str(LEAST) in one.sentence
    assert one.behind == 0


def test_what_is_remarkable_alone_is_not_among_many_segments() -> None:
    inside, planted = deals("A", 40, 200), deals("D", 22, 50)
    alone = outside_wins([*inside, *planted], of(*planted, segment="s=planted"))
    assert alone[0].state is State.ALERT
    crowd = [one for i in range(200) for one in deals("D", 8, LEAST + 10, name=f"s{i}")]
    segments = {one.account: (f"s={one.account.partition('-')[0]}",) for one in crowd}
    among = outside_wins([*inside, *planted, *crowd], segments | of(*planted, segment="s=planted"))
    assert all(one.state is not State.ALERT for one in among)


def test_an_alert_lasts_until_it_is_no_longer_likely() -> None:
    assert state_of(strong=False, weak=True, stands=False) is State.WATCH
    assert state_of(strong=False, weak=True, stands=True) is State.ALERT
    assert state_of(strong=False, weak=False, stands=True) is State.OK


def customers(tier: str, left: int, n: int, *, name: str = "x", since: float = 0.0) -> list[Customer]:
    return [
        Customer(account=f"{name}-{tier}-{i}", tier=tier, since=since, left=since + DAY if i < left else None)
        for i in range(n)
    ]


def test_churn_that_gathers_in_a_segment_of_the_profile_is_an_alert() -> None:
    staying, leaving = customers("A", 10, 200), customers("B", 30, 60)
    segments = {one.account: ("country=FR",) for one in leaving}
    one = only(churn([*staying, *leaving], segments))
    assert (one.name, one.state) == ("churn/country=FR", State.ALERT)
    assert one.behind == 30
    assert "50% of 60" in one.sentence


def test_churn_outside_the_profile_is_not_the_profiles() -> None:
    staying, leaving = customers("A", 10, 200), customers("D", 60, 60)
    segments = {one.account: ("country=FR",) for one in (*leaving, *staying[::4])}
    assert only(churn([*staying, *leaving], segments)).state is State.OK


def test_a_segment_that_is_nearly_all_of_the_profile_is_compared_with_nobody() -> None:
    one = only(churn(all_ := customers("A", 90, 100), {one.account: ("country=FR",) for one in all_}))
    assert one.state is State.FEW


def test_tier_a_that_keeps_fewer_than_c_is_an_alert_and_as_many_is_worth_watching() -> None:
    now, stayed = 400 * DAY, 365 * DAY
    worse = retention([*customers("A", 40, 100), *customers("C", 10, 100)], now=now, stayed=stayed)
    assert worse.state is State.ALERT
    assert worse.behind == 40
    same = retention([*customers("A", 10, 100), *customers("C", 10, 100)], now=now, stayed=stayed)
    assert same.state is State.WATCH
    better = retention([*customers("A", 10, 100), *customers("C", 40, 100)], now=now, stayed=stayed)
    assert better.state is State.OK
    assert "A keeps 90% of 100; C keeps 60% of 100" in better.sentence


def test_customers_won_lately_have_not_stayed_and_have_not_left() -> None:
    old, new = customers("A", 0, 100), customers("A", 100, 100, name="new", since=300 * DAY)
    others = customers("C", 0, 100)
    one = retention([*old, *new, *others], now=400 * DAY, stayed=365 * DAY)
    assert one.figures["A customers"] == 100
    assert one.figures["A kept"] == 1.0


def test_few_customers_are_too_few_to_tell() -> None:
    one = retention([*customers("A", 29, 29), *customers("C", 0, 500)], now=400 * DAY, stayed=DAY)
    assert one.state is State.FEW


def test_a_company_belongs_to_the_segments_its_facts_are_certain_of() -> None:
    facts = {
        "industry": choice("COMPUTER_SOFTWARE"),
        "employees": number(51, 120),
        "technologies": Members(frozenset({"hubspot", "slack"}), False),
    }
    names = ("industry", "employees", "technologies", "country")
    assert segments_of(facts, names) == (
        "industry=computer software",
        "employees=50 to below 200",
        "technologies=hubspot",
        "technologies=slack",
    )
    assert segments_of({"employees": number(40, 60)}, names) == ()
    assert segments_of({"revenue": Money(2e6, 3e6, "USD")}, ("revenue",)) == (
        "revenue=USD 1M to below USD 5M",
    )
    assert segments_of({"revenue": Money(2e6, 3e6, "")}, ("revenue",)) == ()


def test_a_customer_left_on_a_day_that_has_come_or_by_a_plain_yes_or_when_worth_nothing() -> None:
    assert left_when(number(5 * DAY), None, 9 * DAY) == 5 * DAY
    assert left_when(number(10 * DAY), None, 9 * DAY) is None
    assert left_when(choice("yes"), None, 0.0) == -inf
    assert left_when(choice("no"), None, 0.0) is None
    assert left_when(None, Money(0.0, 0.0, "USD"), 0.0) == -inf
    assert left_when(None, Money(0.0, 5.0, "USD"), 0.0) is None


def test_noise_alerts_on_at_most_one_day_in_twenty() -> None:
    """Outcomes independent of tier and segment; 100 days in a row look at a year of deals, three times."""
    days = sum(_noisy_days(seed) for seed in range(3))
    assert days <= 0.05 * 300


def _noisy_days(seed: int) -> int:
    random = Random(seed)
    everybody = [str(i) for i in range(2_000)]
    tier = {account: random.choice("AABBCCDD") for account in everybody}
    segments = {
        account: (f"industry={random.randrange(12)}", f"country={random.randrange(5)}")
        for account in everybody
    }
    window: deque[tuple[int, Sold]] = deque()
    won: dict[str, tuple[int, int]] = {}
    standing: set[str] = set()
    days = 0
    for day in range(-365, 100):
        for account in random.choices(everybody, k=4):
            window.append((day, Sold(account=account, tier=tier[account], won=random.random() < 0.25)))
            if window[-1][1].won:
                won.setdefault(account, (day, random.randrange(1, 3_000)))
        while window[0][0] < day - 365:
            window.popleft()
        if day < 0:
            continue
        there = [
            Customer(
                account=account,
                tier=tier[account],
                since=since * DAY,
                left=(since + after) * DAY if since + after <= day else None,
            )
            for account, (since, after) in won.items()
        ]
        found = [
            *outside_wins([sold for _, sold in window], segments, standing),
            *churn(there, segments, standing),
            retention(there, now=day * DAY, stayed=180 * DAY, standing=standing),
        ]
        standing = {one.name for one in found if one.state is State.ALERT}
        days += bool(standing)
    return days
