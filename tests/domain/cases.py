"""Builders and strategies for facts, conditions and profiles: a tiny alphabet that collides often."""

from __future__ import annotations

from dataclasses import replace
from math import inf

from hypothesis import strategies as st

from icp_sync.domain.account import Account
from icp_sync.domain.conditions import All, AllOf, Any, AnyOf, Between, Condition, NoneOf, Not, Within
from icp_sync.domain.facts import FactValue, Interval, Members, Money, Signal, choice
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Member, Pool, Profile, Route, Target, Tiers
from icp_sync.domain.profile import TimingSignal as Timing
from icp_sync.domain.standing import FIELDS

NOW = 1_790_000_000.0
OWNERS = ("ada@example.com", "ben@example.com", "cyd@example.com")

words = st.sampled_from(["a", "b", "c"])
numbers = st.sampled_from([0.0, 10.0, 25.0, 50.0, 100.0, 500.0, 620.0, 750.0, 1e6])


def account(
    account_id: str = "1", *, live: dict[str, str] | None = None, owner: str = "", **facts: object
) -> Account:
    """`account(employees=(51, 200), industry="BANKING")`: one account as the CRM would give it."""
    fields = {name: "" for name, f in FIELDS.items() if not f.native} | {"owner": owner}
    return Account(
        id=account_id,
        name=f"Company {account_id}",
        signals=tuple(
            Signal(fact=name, value=value(name, v), source="crm:test", observed_at=NOW - DAY)
            for name, v in facts.items()
        ),
        live=fields | (live or {}),
        owner=owner,
        stamp=int(NOW * 1000) - 60_000,
        read_at=int(NOW * 1000),
    )


def value(name: str, given: object) -> FactValue:
    """A fact value from the shortest way to write it."""
    match given:
        case str():
            return choice(given)
        case set() | frozenset():
            return Members(frozenset(map(str, given)), name not in {"technologies", "open_roles"})
        case (low, high) if name in {"revenue", "funding_total"}:
            return Money(float(low), float(high), "USD")
        case (low, high):
            return Interval(float(low), float(high))
        case int() | float() if name in {"revenue", "funding_total"}:
            return Money(float(given), float(given), "USD")
        case int() | float():
            return Interval(float(given), float(given))
    raise AssertionError(f"no fact value in {given!r}")


def facts(**given: object) -> dict[str, FactValue]:
    return {name: value(name, v) for name, v in given.items()}


@st.composite
def intervals(draw: st.DrawFn) -> Interval:
    low, high = sorted((draw(numbers), draw(numbers)))
    return Interval(low, inf if draw(st.integers(0, 9)) == 0 else high)


@st.composite
def moneys(draw: st.DrawFn) -> Money:
    low, high = draw(intervals())
    return Money(low, high, draw(st.sampled_from(["USD", "USD", "EUR", "JPY", ""])))


@st.composite
def instants(draw: st.DrawFn) -> Interval:
    first, last = sorted(draw(st.integers(-40, 400)) * DAY for _ in range(2))
    return Interval(NOW - last, NOW - first)


members = st.builds(Members, st.frozensets(words, max_size=3), st.booleans())
BY_FACT: dict[str, st.SearchStrategy[FactValue]] = {
    "employees": intervals(),
    "revenue": moneys(),
    "industry": words.map(choice),
    "technologies": members,
    "last_funding_date": instants(),
    "founded": instants(),
}


@st.composite
def some_facts(draw: st.DrawFn) -> dict[str, FactValue]:
    chosen = draw(st.sets(st.sampled_from(sorted(BY_FACT))))
    return {name: draw(BY_FACT[name]) for name in sorted(chosen)}


@st.composite
def mostly_known(draw: st.DrawFn) -> dict[str, FactValue]:
    """Every fact but at most two: under these a tier is often firm."""
    absent = draw(st.sets(st.sampled_from(sorted(BY_FACT)), max_size=2))
    return {name: draw(strategy) for name, strategy in BY_FACT.items() if name not in absent}


@st.composite
def refined(draw: st.DrawFn, given: dict[str, FactValue]) -> dict[str, FactValue]:
    """Facts that say the same more precisely: unknown ones learned, ranges narrowed, sets extended."""
    finer: dict[str, FactValue] = {}
    for name, strategy in BY_FACT.items():
        old = given.get(name)
        if old is None:
            if draw(st.booleans()):
                finer[name] = draw(strategy)
        else:
            finer[name] = draw(_finer(old))
    return finer


@st.composite
def _finer(draw: st.DrawFn, old: FactValue) -> FactValue:
    if isinstance(old, Members):
        if old.complete:
            return old
        return Members(old.known | draw(st.frozensets(words, max_size=2)), draw(st.booleans()))
    inside = [x for x in (0.0, 10.0, 25.0, 50.0, 100.0, 500.0, 620.0, 750.0, 1e6) if old.low <= x <= old.high]
    ends = sorted((draw(st.sampled_from([old.low, *inside])), draw(st.sampled_from([*inside, old.high]))))
    if isinstance(old, Interval):
        return Interval(*ends)
    currency = old.currency or draw(st.sampled_from(["", "USD", "EUR", "JPY"]))
    return Money(ends[0], ends[1], currency)


@st.composite
def bands(draw: st.DrawFn, *, fact: str, taper: bool = True) -> Between:
    low, high = sorted((draw(numbers), draw(numbers)))
    return Between(
        fact=fact,
        low=draw(st.sampled_from([low, -inf])),
        high=draw(st.sampled_from([high, inf])),
        taper=draw(st.sampled_from([0.0, 0.5])) if taper else 0.0,
        money=fact == "revenue",
    )


def leaf_conditions(*, crisp: bool = False) -> st.SearchStrategy[Condition]:
    some = st.frozensets(words, min_size=1, max_size=2)
    sets = st.sampled_from(["industry", "technologies"])
    return st.one_of(
        bands(fact="employees", taper=not crisp),
        bands(fact="revenue", taper=not crisp),
        st.builds(AnyOf, fact=sets, values=some),
        st.builds(NoneOf, fact=sets, values=some),
        st.builds(AllOf, fact=sets, values=some),
        st.builds(Within, fact=st.just("founded"), seconds=st.sampled_from([90 * DAY, 365 * DAY])),
    )


def conditions(*, crisp: bool = False) -> st.SearchStrategy[Condition]:
    return st.recursive(
        leaf_conditions(crisp=crisp),
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map(lambda p: All(parts=tuple(p))),
            st.lists(inner, min_size=1, max_size=3).map(lambda p: Any(parts=tuple(p))),
            inner.map(lambda p: Not(part=p)),
        ),
        max_leaves=3,
    )


@st.composite
def profiles(draw: st.DrawFn, name: str = "p") -> Profile:
    weighted = draw(
        st.lists(st.tuples(conditions(), st.sampled_from([1.0, 7.0, 20.0])), min_size=1, max_size=4)
    )
    gates = draw(st.lists(leaf_conditions(crisp=True), max_size=2))
    flags = draw(
        st.lists(
            st.tuples(conditions(crisp=True), st.sampled_from(list(Effect)), st.sampled_from("BCD")),
            max_size=3,
        )
    )
    return Profile(
        name=name,
        currency="USD",
        criteria=tuple(
            Criterion(
                name=f"criterion {i}",
                layer="firmographic",
                when=when,
                weight=weight,
                unknown=draw(st.sampled_from([0.0, 0.5, 1.0])),
            )
            for i, (when, weight) in enumerate(weighted)
        )
        + tuple(
            Criterion(name=f"gate {i}", layer="technographic", when=when, required=True)
            for i, when in enumerate(gates)
        ),
        timing=(
            Timing(
                name="raised",
                when=Within(fact="last_funding_date", seconds=180 * DAY, half_life=90 * DAY),
                weight=40,
            ),
            Timing(name="young", when=Within(fact="founded", seconds=365 * DAY), weight=10),
        ),
        flags=tuple(
            Flag(name=f"flag {i}", when=when, effect=effect, cap=cap if effect is Effect.CAP else "")
            for i, (when, effect, cap) in enumerate(flags)
        ),
        routes=(
            Route(target=Target(lane="sales", pool="team"), tiers=("A", "B")),
            Route(target=Target(lane="nurture")),
        ),
        pools={
            "team": Pool(
                name="team",
                members=tuple(Member(email=e, weight=w) for e, w in zip(OWNERS, (1, 2, 3), strict=True)),
            )
        },
        tiers=Tiers(dwell=7 * DAY),
    )


def profile_sets() -> st.SearchStrategy[tuple[Profile, ...]]:
    return st.lists(profiles(), min_size=1, max_size=2).map(
        lambda ps: tuple(replace(p, name=f"p{i}") for i, p in enumerate(ps))
    )
