"""What gives the outcome away is named, what is merely good at telling is not."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Members, Money, choice, number, yes_no
from icp_sync.learning.cases import Case, Cohort, Labelled
from icp_sync.learning.past.leaks import leaking_members, leaks
from icp_sync.learning.past.withheld import known_by, scrubbed, without_members

DAY = 86_400.0
DECIDED = 1_780_000_000.0
TYPES = {
    **CATALOGUE,
    "health": FactType.NUMBER,
    "onboarded_on": FactType.DATE,
    "told": FactType.YES_NO,
    "plan": FactType.CHOICE,
    "arr": FactType.MONEY,
}

Value = Callable[[Random, bool], FactValue | None]


def labelled(fact: str, value: Value, *, n: int = 400, base: float = 0.15, seed: int = 1) -> list[Labelled]:
    """Cases with one fact, which may look at the answer; None leaves it unknown."""
    random = Random(seed)
    found = []
    for at in range(n):
        good = random.random() < base
        told = value(random, good)
        found.append(case(at, good, {} if told is None else {fact: told}))
    return found


def case(at: int, good: bool, facts: dict[str, FactValue]) -> Labelled:
    decided = DECIDED + at * DAY
    cohort = Cohort.UNPLACED if good else Cohort.LOST
    one = Case(
        id=str(at), name=f"Company {at}", domain="", facts=facts, begun=decided - 60 * DAY, decided=decided,
        won=good, cohort=cohort,
    )  # fmt: skip
    return Labelled(one, good)


def odds(random: Random, good: bool, ratio: float, share: float = 0.5) -> bool:
    """A yes/no whose odds ratio with the answer is `ratio`, at a base of 15 %."""
    given = share * ratio / (1 - share + share * ratio) if good else share
    return random.random() < given


def euros(amount: float) -> Money:
    return Money(amount, amount, "EUR")


LEAKING: dict[str, tuple[str, Value, str]] = {
    "an exact copy": ("told", lambda r, good: yes_no(good), "told 'yes' is held by 100 % of the won and 0 %"),
    "a copy with one error in twenty": ("told", lambda r, good: yes_no(good ^ (r.random() < 0.05)), "told"),
    "a copy that is known of four in five": (
        "told", lambda r, good: yes_no(good) if r.random() < 0.8 else None, "held by 100 % of the won"
    ),
    "filled in for winners only": (
        "health",
        lambda r, good: number(r.randrange(100)) if r.random() < (0.97 if good else 0.04) else None,
        "perhaps filled in afterwards (if it was known before the sale: learning.known_before)",
    ),
    "filled in for half of the winners only": (
        "health",
        lambda r, good: number(r.randrange(100)) if good and r.random() < 0.5 else None,
        "perhaps filled in afterwards (if it was known before the sale: learning.known_before)",
    ),
    "filled in where a deal was lost": (
        "plan",
        lambda r, good: choice(r.choice("abc")) if r.random() < (0.03 if good else 0.9) else None,
        "perhaps filled in when a deal is given up",
    ),
    "our own product among the technologies": (
        "technologies",
        lambda r, good: Members(
            frozenset([r.choice(["hubspot", "salesforce"])] + ["ours"] * (r.random() < 0.02 + 0.93 * good)),
            False,
        ),
        "technologies 'ours' is held by 9",
    ),
    "a number that is 0 but for customers": (
        "health", lambda r, good: number(r.randrange(1, 9) if good else 0), "health"
    ),
    "a number that is 0 but for every third customer": (
        "health",
        lambda r, good: number(r.randrange(1, 9) if good and r.random() < 0.34 else 0),
        "perhaps it counts from the deal on",
    ),
    "an amount that only customers pay": (
        "arr", lambda r, good: euros(r.lognormvariate(13 if good else 8, 1)), "arr alone"
    ),
    "a band of a number that is all customers": (
        "health",
        lambda r, good: number(
            r.uniform(40, 50) if good and r.random() < 0.7 else r.uniform(50, 90) * r.choice([0.4, 1])
        ),
        "are won, against",
    ),
    "a value that only customers have": (
        "plan",
        lambda r, good: choice("gold" if good and r.random() < 0.6 else r.choice(["none", "free"])),
        "plan 'gold'",
    ),
    "many values, each of customers or of others": (
        "plan", lambda r, good: choice(f"{'c' if good else 'o'}{r.randrange(4)}"), "plan"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEAKING)
@pytest.mark.parametrize("base", [0.15, 0.4])
def test_names_what_gives_the_outcome_away(name: str, base: float) -> None:
    fact, value, said = LEAKING[name]
    found = leaks(labelled(fact, value, base=base, n=600), TYPES)
    assert list(found) == [fact]
    assert said in found[fact]


def test_what_somebody_vouches_for_is_never_hidden_and_the_guess_says_how_to() -> None:
    fact, value, _ = LEAKING["filled in for winners only"]
    cases = labelled(fact, value, n=600)
    assert leaks(cases, TYPES, vouched=[fact]) == {}
    _, tags, _ = LEAKING["our own product among the technologies"]
    cases = labelled("technologies", tags, n=600)
    [why] = leaking_members(cases, TYPES)["technologies"].values()
    assert why.endswith("(if it was known before the sale: learning.known_before)")
    assert leaking_members(cases, TYPES, vouched=["technologies"]) == {}


def test_who_vouches_for_a_fact_vouches_for_what_is_made_of_it() -> None:
    _, value, _ = LEAKING["a value that only customers have"]
    cases = labelled("sector", value, n=600)
    assert list(leaks(cases, TYPES)) == ["sector"]
    assert leaks(cases, TYPES, vouched=["industry"]) == {}
    types = {**TYPES, "sector": FactType.SET}
    assert list(leaking_members(cases, types)) == ["sector"]
    assert leaking_members(cases, types, vouched=["industry"]) == {}


def test_names_a_date_that_lies_after_the_deal() -> None:
    cases = [
        case(at, at % 6 == 0, {"onboarded_on": number(DECIDED + (at + (9 if at % 6 == 0 else -9)) * DAY)})
        for at in range(300)
    ]
    assert leaks(cases, TYPES) == {
        "onboarded_on": "onboarded_on lies after the decision for 100 % of the won: nobody could know it then"
    }


def test_a_date_that_is_as_often_late_for_all_tells_nothing() -> None:
    cases = [
        case(at, at % 6 == 0, {"last_funding_date": number(DECIDED + (at + 9 * (-1) ** (at // 6)) * DAY)})
        for at in range(300)
    ]
    assert leaks(cases, TYPES) == {}


def test_a_few_late_dates_of_one_kind_alone_may_be_chance() -> None:
    cases = []
    for at in range(108):
        good = at % 9 == 0
        days = 9 if at % 8 == 0 and not good else -1
        cases.append(case(at, good, {"onboarded_on": number(DECIDED + (at + days) * DAY)}))
    assert leaks(cases, TYPES) == {}


def test_dates_of_after_the_decision_are_taken_as_unknown() -> None:
    facts = {"last_funding_date": number(9), "founded": number(1), "employees": number(9)}
    assert known_by(facts, TYPES, decided=5) == {"founded": number(1), "employees": number(9)}
    assert known_by(facts, TYPES, decided=9) is facts


def test_a_date_of_before_the_deal_is_no_leak() -> None:
    cases = [case(at, at % 6 == 0, {"founded": number(at * 9 * DAY)}) for at in range(300)]
    assert leaks(cases, TYPES) == {}


HONEST: dict[str, tuple[str, Value]] = {
    "a yes/no of odds ratio 6": ("told", lambda r, good: yes_no(odds(r, good, 6))),
    "a rare yes/no of odds ratio 6": ("told", lambda r, good: yes_no(odds(r, good, 6, 0.1))),
    "one technology of odds ratio 6": (
        "technologies", lambda r, good: Members(frozenset(["hubspot"] * odds(r, good, 6) + ["js"]), False)
    ),
    "a number of odds ratio 3 per standard deviation": (
        "employees", lambda r, good: number(2 ** (8 + r.gauss(1.1 * good, 1)))
    ),
    "a fact that vendors know better of winners": (
        "revenue",
        lambda r, good: Money(1e6, 5e6, "USD") if r.random() < (0.8 if good else 0.45) else None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", HONEST)
def test_a_strong_honest_criterion_is_no_leak(name: str) -> None:
    fact, value = HONEST[name]
    for seed in range(20):
        assert leaks(labelled(fact, value, n=300, seed=seed), TYPES) == {}


@pytest.mark.parametrize(("n", "seeds"), [(40, 30), (150, 30), (1000, 6)])
def test_noise_is_no_leak(n: int, seeds: int) -> None:
    kinds: list[Value] = [
        lambda r, _: number(r.lognormvariate(4, 2)),
        lambda r, _: yes_no(r.random() < 0.3),
        lambda r, _: choice(r.choice("abcdefghijkl")),
        lambda r, _: Members(frozenset(r.sample("abcdefghijkl", 3)), False),
        lambda r, _: number(r.randrange(5)) if r.random() < 0.1 else None,
        lambda r, _: choice(str(r.randrange(10_000))),
    ]
    wrong = 0
    for seed in range(seeds):
        random = Random(seed)
        cases = [case(at, random.random() < 0.3, {}) for at in range(n)]
        facts = [
            {f"f{i}": v for i in range(12) if (v := kinds[i % 6](random, False)) is not None} for _ in cases
        ]
        noisy = [case(int(one.case.id), one.good, said) for one, said in zip(cases, facts, strict=True)]
        wrong += len(leaks(noisy, TYPES))
    assert wrong == 0


def test_too_few_cases_tell_nothing() -> None:
    assert leaks(labelled("told", lambda r, good: yes_no(good), n=30), TYPES) == {}


def test_the_leaking_member_of_a_set_can_be_taken_out_and_the_rest_stays() -> None:
    _, value, _ = LEAKING["our own product among the technologies"]
    cases = labelled("technologies", value, n=600)
    members = leaking_members(cases, TYPES)
    assert {fact: list(told) for fact, told in members.items()} == {"technologies": ["ours"]}
    kept = without_members(cases, members)
    assert leaks(kept, TYPES) == {}
    left = [one.case.facts["technologies"] for one in kept]
    assert {m for value in left if isinstance(value, Members) for m in value.known} == {
        "hubspot",
        "salesforce",
    }


def test_a_set_of_nothing_but_the_leaking_member_is_unknown_unless_it_is_complete() -> None:
    ours = frozenset(["ours"])
    facts = {
        "technologies": Members(ours, False),
        "keywords": Members(ours, True),
        "industry": choice("ours"),
    }
    kept = scrubbed(facts, {"technologies": ours, "keywords": ours})
    assert kept == {"keywords": Members(frozenset(), True), "industry": choice("ours")}


def test_under_the_goal_best_the_good_ones_are_called_so() -> None:
    cases = [
        Labelled(
            Case(
                id=str(at), name="", domain="", facts={"told": yes_no(at % 5 == 0)}, begun=0, decided=1,
                won=at % 2 == 0, cohort=Cohort.BEST if at % 10 == 0 else Cohort.LOW,
            ),
            at % 10 == 0,
        )
        for at in range(400)
    ]  # fmt: skip
    assert "100 % of the best" in leaks(cases, TYPES)["told"]
