"""What an account may still become, and which unknown facts decide it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AllOf, AnyOf, Between, Condition, NoneOf, Present, at_level
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Interval, Members, Money, choice
from icp_sync.domain.facts import number as exactly
from icp_sync.domain.looking import ALL_AT_ONCE, RARELY
from icp_sync.domain.outlook import SETTLED, Outlook, Outlooks, Past
from icp_sync.domain.profile import DAY, Criterion, Effect, Flag, Profile, Route, Target
from icp_sync.domain.roster import NO_TABLES, Tables, Territories, TerritoryRow
from tests.domain.cases import NOW, OWNERS, facts, profile_sets, some_facts

ADA, BEN, _ = OWNERS
SOFTWARE = AnyOf(fact="industry", values=frozenset({"SOFTWARE"}))
SIZE = Between(fact="employees", low=50, high=500)
PUBLIC = AnyOf(fact="ownership", values=frozenset({"public"}))
PROSPECT = {"population": choice("prospect")}
GOOD = facts(employees=100, industry="SOFTWARE")
LANES = (Route(target=Target(lane="sales"), tiers=("A", "B")), Route(target=Target(lane="nurture")))


def criterion(when: Condition, weight: float = 50.0) -> Criterion:
    return Criterion(name=str(when), layer="firmographic", when=when, weight=weight)


def gate(when: Condition) -> Criterion:
    return Criterion(name=f"must {when}", layer="firmographic", when=when, required=True)


def flag(when: Condition, effect: Effect = Effect.MARK, cap: str = "") -> Flag:
    return Flag(name=f"flag {when}", when=when, effect=effect, cap=cap)


def profile(
    *criteria: Criterion,
    name: str = "p",
    currency: str = "USD",
    flags: Iterable[Flag] = (),
    routes: tuple[Route, ...] = LANES,
    score_scope: Condition | None = None,
    route_scope: Condition | None = None,
) -> Profile:
    return Profile(
        name=name,
        currency=currency,
        criteria=criteria or (criterion(SIZE, 60), criterion(SOFTWARE, 40)),
        flags=tuple(flags),
        routes=routes,
        score_scope=score_scope,
        route_scope=route_scope,
    )


def outlooks(
    *profiles: Profile, tables: Tables = NO_TABLES, types: Mapping[str, FactType] = CATALOGUE
) -> Outlooks:
    return Outlooks([compile_profile(p) for p in profiles], types, tables)


def look(
    at: Outlooks,
    known: Facts,
    *open_facts: str,
    whole: bool = False,
    owned: bool = False,
    now: float = NOW,
    past: Past = Past(),  # noqa: B008  frozen
) -> Outlook:
    fills = dict.fromkeys(open_facts, whole)
    return at.of({**PROSPECT, **known}, fills, account_id="1", owned=owned, now=now, past=past)


def pivotal(*args: object, **named: object) -> set[str]:
    return set(look(*args, **named).chances)  # type: ignore[arg-type]


# Which facts decide


def test_a_fact_that_moves_the_tier_decides_and_one_nobody_asks_about_does_not():
    seen = look(outlooks(profile()), facts(industry="SOFTWARE"), "employees", "web_visits")
    assert seen.chances == {"employees": 1.0}
    assert set(seen.tiers) >= {"A", "C"}


def test_a_fact_too_light_to_move_the_tier_decides_nothing():
    light = profile(criterion(SIZE, 96), criterion(SOFTWARE, 4))
    assert pivotal(outlooks(light), facts(employees=100), "industry") == set()
    assert pivotal(outlooks(light), facts(), "industry", "employees") == {"employees"}


def test_two_facts_that_move_the_tier_only_together_both_decide_in_a_share():
    three = profile(criterion(SIZE, 50), criterion(SOFTWARE, 25), criterion(PUBLIC, 25))
    chances = look(outlooks(three), facts(employees=100), "industry", "ownership").chances
    assert set(chances) == {"industry", "ownership"}
    gated = look(outlooks(profile(gate(SIZE), criterion(SOFTWARE))), {}, "employees", "industry").chances
    assert gated == {"employees": 1.0, "industry": 2 / 3}, "who is too small is it in any industry"


def test_a_fact_known_exactly_or_whole_is_not_looked_for():
    at = outlooks(profile())
    assert look(at, facts(employees=100, industry="SOFTWARE"), "employees", "industry") == Outlook(
        tiers=("A",), alike=look(at, facts(employees=100, industry="SOFTWARE"), "employees", "industry").alike
    )


def test_a_range_that_straddles_a_bound_decides_and_one_inside_it_does_not():
    at = outlooks(profile())
    assert pivotal(at, facts(industry="SOFTWARE", employees=(10, 100)), "employees") == {"employees"}
    assert pivotal(at, facts(industry="SOFTWARE", employees=(60, 100)), "employees") == set()


def test_what_lies_on_a_bound_alone_decides():
    sole = profile(criterion(SOFTWARE), flags=[flag(Between(fact="employees", low=1, high=1))])
    assert pivotal(outlooks(sole), facts(industry="SOFTWARE"), "employees") == {"employees"}


def test_an_exclusion_named_last_of_many_questions_decides():
    light = [criterion(AnyOf(fact="industry", values=frozenset({f"A{n}"})), 1) for n in range(9)]
    barred = flag(AnyOf(fact="industry", values=frozenset({"GAMBLING"})), Effect.EXCLUDE)
    at = outlooks(profile(criterion(SIZE, 95), *light, flags=[barred]))
    assert pivotal(at, facts(employees=100), "industry") == {"industry"}
    tapered = [replace(SIZE, low=low, high=2 * low, taper=0.4) for low in (40.0, 60.0, 90.0)]
    giant = flag(Between(fact="employees", low=5_000), Effect.EXCLUDE)
    at = outlooks(profile(criterion(SOFTWARE, 97), *(criterion(t, 1) for t in tapered), flags=[giant]))
    assert pivotal(at, facts(industry="SOFTWARE"), "employees") == {"employees"}


def test_a_taper_decides_where_only_its_middle_does():
    tapered = profile(criterion(replace(SIZE, taper=0.5), 60), criterion(SOFTWARE, 40))
    ends = look(outlooks(tapered), facts(industry="SOFTWARE", employees=(50, 500)), "employees")
    assert ends.chances == {}
    assert pivotal(outlooks(tapered), facts(industry="SOFTWARE", employees=(30, 50)), "employees")


def test_a_cap_decides_only_where_the_tier_is_above_it():
    at = outlooks(profile(flags=[flag(PUBLIC, Effect.CAP, "C")]))
    good, poor = facts(employees=100, industry="SOFTWARE"), facts(employees=9_000, industry="SOFTWARE")
    assert set(look(at, good, "ownership").tiers) == {"A", "C"}
    capped_anyway = look(at, poor, "ownership")
    assert "ownership" in capped_anyway.chances, "the flag shows all the same"
    assert len(capped_anyway.tiers) == 1


def test_whose_gate_has_failed_is_settled_at_once_however_much_is_open():
    many = [criterion(Between(fact=f, low=1.0)) for f in ("employees", "contacts", "children", "open_jobs")]
    many += [criterion(Between(fact="web_visits", low=float(n), high=2.0 * n)) for n in range(1, 9)]
    at = outlooks(profile(gate(SOFTWARE), *many))
    open_facts = ("employees", "contacts", "children", "open_jobs", "web_visits")
    assert look(at, facts(industry="RETAIL"), *open_facts) is SETTLED
    assert pivotal(at, facts(industry="SOFTWARE"), *open_facts)


def test_whose_gate_has_failed_may_still_leave_the_scope():
    scope = NoneOf(fact="country", values=frozenset({"US"}))
    at = outlooks(profile(gate(SOFTWARE), criterion(SIZE), score_scope=scope))
    assert pivotal(at, facts(industry="RETAIL"), "country", "employees") == {"country"}
    assert pivotal(at, facts(industry="RETAIL", country="FR"), "country", "employees") == set()


def test_nothing_is_looked_for_where_nothing_can_be_told():
    assert look(outlooks(profile()), facts()) is SETTLED
    assert look(outlooks(profile()), facts(), "news") is SETTLED


def test_whether_a_fact_is_known_at_all_decides_where_a_route_asks_that():
    asked = (Route(target=Target(lane="sales"), when=Present(fact="contacts")), LANES[1])
    assert pivotal(outlooks(profile(routes=asked)), GOOD, "contacts") == {"contacts"}


# Sets and money


def test_none_of_is_answered_by_a_whole_set_or_by_a_hit():
    clean = profile(criterion(SIZE, 50), criterion(NoneOf(fact="technologies", values=frozenset({"x"})), 50))
    at, known = outlooks(clean), facts(employees=100)
    assert set(look(at, known, "technologies", whole=True).tiers) >= {"A", "C"}
    held: dict[str, FactValue] = {**known, "technologies": Members(frozenset({"x"}), False)}
    assert pivotal(at, held, "technologies", whole=True) == set()


def test_all_of_is_met_only_by_members_told_together():
    both = AllOf(fact="technologies", values=frozenset({"a", "b"}))
    at = outlooks(profile(criterion(SIZE, 50), criterion(both, 50)))
    assert pivotal(at, facts(employees=100), "technologies") == {"technologies"}


@pytest.mark.parametrize("currency", ["USD", "EUR"])
def test_money_in_another_currency_decides_while_its_band_allows(currency: str):
    rich = Between(fact="revenue", low=1e7, money=True)
    at = outlooks(profile(criterion(SIZE, 60), criterion(rich, 40), currency="EUR"))
    known: dict[str, FactValue] = {**facts(employees=100), "revenue": Money(9e6, 1.2e7, currency)}
    assert pivotal(at, known, "revenue") == {"revenue"}
    assert pivotal(at, {**known, "revenue": Money(5e7, 6e7, "EUR")}, "revenue") == set()


def test_two_profiles_in_two_currencies_are_both_asked():
    def rich(name: str, currency: str) -> Profile:
        return profile(criterion(Between(fact="revenue", low=1e6, money=True)), name=name, currency=currency)

    seen = look(outlooks(rich("one", "USD"), rich("two", "JPY")), facts(), "revenue")
    assert seen.chances == {"revenue": 1.0}
    assert seen.tiers[0] == "A"


# Scopes, profiles, people


def test_what_takes_an_account_out_of_scope_decides():
    at = outlooks(profile(score_scope=NoneOf(fact="country", values=frozenset({"US"}))))
    known = facts(employees=100, industry="SOFTWARE")
    seen = look(at, known, "country")
    assert seen.chances == {"country": 1.0}
    assert "out of scope" in seen.tiers


def test_the_scope_of_routes_decides_who_may_be_given_an_owner():
    owners = (Route(target=Target(lane="sales", owner=ADA)),)
    at = outlooks(profile(routes=owners, route_scope=NoneOf(fact="country", values=frozenset({"US"}))))
    known = facts(employees=100, industry="SOFTWARE")
    assert pivotal(at, known, "country") == {"country"}
    assert pivotal(at, known, "country", owned=True) == set()


def test_of_two_profiles_the_better_one_counts():
    other = profile(criterion(PUBLIC), name="other")
    at = outlooks(profile(), other)
    known = facts(employees=100, industry="SOFTWARE", ownership="private")
    assert pivotal(at, known, "employees") == set()
    assert pivotal(at, facts(employees=9_000, industry="RETAIL"), "ownership") == {"ownership"}


def test_the_profile_shown_before_stays_shown_while_it_is_near():
    def weighed(name: str, size: float, contacts: float, flags: Iterable[Flag] = ()) -> Profile:
        rest = criterion(SOFTWARE, 100 - size - contacts)
        known_there = criterion(Between(fact="contacts", low=5), contacts)
        return profile(criterion(SIZE, size), known_there, rest, name=name, flags=flags)

    at = outlooks(weighed("one", 86, 4, [flag(PUBLIC)]), weighed("two", 88, 2))
    known = facts(employees=100, contacts=1)
    assert pivotal(at, known, "ownership") == set(), "profile two is shown, which asks nothing of it"
    assert pivotal(at, known, "ownership", past=Past(previous="one")) == {"ownership"}


def test_where_people_decided_the_tier_only_flags_and_routes_are_looked_at():
    people = Past(decided="A")
    public = (Route(target=Target(lane="sales"), when=PUBLIC, tiers=("A",)), *LANES[1:])
    at = outlooks(profile(routes=public, flags=[flag(AnyOf(fact="country", values=frozenset({"US"})))]))
    open_facts = ("employees", "ownership", "country")
    seen = look(at, facts(industry="SOFTWARE"), *open_facts, past=people)
    assert (set(seen.chances), seen.tiers) == ({"ownership", "country"}, ("A",))
    assert look(at, facts(), *open_facts, past=Past(decided="Not ICP")) is SETTLED


# Routes and tables


def territories(*rows: tuple[str, str, str], start: float = -1e18) -> Tables:
    """Territory, country and owner of each row."""
    made = tuple(
        TerritoryRow(
            line=n,
            territory=territory,
            wants=(AnyOf(fact="country", values=frozenset({country})),),
            owner=owner,
            start=start,
        )
        for n, (territory, country, owner) in enumerate(rows, start=2)
    )
    return Tables(territories={"emea": Territories("emea", made, "USD")})


BY_TABLE = Route(target=Target(lane="sales", territory="emea"), tiers=("A", "B"))


def test_the_territory_decides_who_owns_it_unless_somebody_does():
    at = outlooks(
        profile(routes=(BY_TABLE, Route(target=Target(lane="sales")))),
        tables=territories(("North", "SE", ADA), ("South", "IT", BEN)),
    )
    assert pivotal(at, GOOD, "country") == {"country"}
    assert pivotal(at, GOOD, "country", owned=True) == set(), "whoever owns it stays, and the lane is one"


@pytest.mark.parametrize("owned", [False, True])
def test_a_table_without_a_row_for_the_account_leaves_the_later_routes_to_decide(owned: bool):
    public = Route(target=Target(lane="research"), when=PUBLIC)
    at = outlooks(profile(routes=(BY_TABLE, public, LANES[1])), tables=territories(("North", "SE", ADA)))
    assert pivotal(at, {**GOOD, "country": choice("FR")}, "ownership", owned=owned) == {"ownership"}
    assert pivotal(at, {**GOOD, "country": choice("SE")}, "ownership", owned=owned) == set()
    assert pivotal(at, {**GOOD, "ownership": choice("private")}, "country", owned=owned) == {"country"}


def test_rows_that_come_into_force_are_seen_by_who_looked_before():
    at = outlooks(
        profile(routes=(BY_TABLE, Route(target=Target(lane="sales")))),
        tables=territories(("North", "SE", ADA), ("South", "IT", BEN), start=NOW + DAY),
    )
    assert pivotal(at, GOOD, "country") == set()
    assert pivotal(at, GOOD, "country", now=NOW + DAY) == {"country"}


def test_the_fact_that_names_an_owner_decides():
    types = {**CATALOGUE, "am_email": FactType.CHOICE}
    named = Route(target=Target(lane="sales", named_fact="am_email"), tiers=("A", "B"))
    at = outlooks(profile(routes=(named, LANES[1])), types=types)
    assert pivotal(at, GOOD, "am_email") == {"am_email"}
    assert "am_email" in at.facts
    ours, theirs = ({**PROSPECT, **GOOD, "am_email": choice(email)} for email in (ADA, BEN))
    assert at.outcome(ours, "1", False, NOW) != at.outcome(theirs, "1", False, NOW)


# What the population is made of


def relation(*members: str) -> dict[str, FactValue]:
    return {"population": Members(frozenset(members), True)}


def test_what_the_population_is_made_of_decides_where_it_is_asked_about():
    customer = flag(AnyOf(fact="population", values=frozenset({"customer"})), Effect.EXCLUDE)
    at = outlooks(profile(flags=[customer]))
    for fact in ("lifecycle", "account_type", "won_deals"):
        seen = at.of(GOOD, {fact: False}, account_id="1", owned=False, now=NOW)
        assert seen.chances == {fact: 1.0}
        assert "Not ICP" in seen.tiers


def test_what_the_population_is_made_of_is_not_looked_for_once_the_relationship_is_known():
    at = outlooks(profile(flags=[flag(AnyOf(fact="population", values=frozenset({"customer"})))]))
    known = {**GOOD, "lifecycle": Members(frozenset({"prospect"}), True), **relation("prospect")}
    assert at.of(known, {"account_type": False}, account_id="1", owned=False, now=NOW) is SETTLED


def test_customers_matter_to_routes_that_are_not_for_them():
    at = outlooks(profile())
    seen = at.of(GOOD, {"account_type": False}, account_id="1", owned=True, now=NOW)
    assert seen.chances == {"account_type": 1.0}


def test_a_population_is_made_anew_of_what_is_told():
    at = outlooks(profile(flags=[flag(AnyOf(fact="population", values=frozenset({"customer"})))]))
    known = {**GOOD, "won_deals": exactly(0), "population": Members(frozenset({"prospect"}), False)}
    told = {**at.stated(known), "account_type": choice("Customer - Direct")}
    assert at.outcome(told, "1", True, NOW) != at.outcome(known, "1", True, NOW)
    stated = {**GOOD, **relation("partner")}
    assert at.stated(stated) == stated, "what a source states itself stays"


# Families


def test_who_has_no_parent_answers_for_its_group_with_its_own_facts():
    at = outlooks(profile(criterion(at_level(SIZE, "group"), 60), criterion(SOFTWARE, 40)))
    known, alone = facts(industry="SOFTWARE"), Past(alone=frozenset({"parent", "group"}))
    assert pivotal(at, known, "employees", past=alone) == {"employees"}
    assert pivotal(at, known, "employees") == set(), "a group above it has a size of its own"
    assert pivotal(at, known, "group.employees") == {"group.employees"}
    assert at.asked(alone.alone) >= {"employees", "industry"}
    assert at.outcome({**PROSPECT, **known, "employees": exactly(100)}, "1", False, NOW, alone) != at.outcome(
        {**PROSPECT, **known, "employees": exactly(9_000)}, "1", False, NOW, alone
    )


def test_a_fact_and_its_group_s_move_together_where_they_are_one():
    small = Between(fact="employees", high=49)
    two = profile(criterion(at_level(SIZE, "group"), 50), criterion(small, 50))
    at = outlooks(two)
    alone = look(at, facts(), "employees", past=Past(alone=frozenset({"parent", "group"})))
    assert alone.tiers == ("C", "D", "Needs data"), "nobody is in the band and below it at once"
    assert "A" in look(at, facts(), "employees", "group.employees").tiers


# Few combinations and many


def test_of_many_combinations_a_sample_is_drawn_and_no_fact_is_written_off():
    asked = ("employees", "contacts", "children", "open_jobs", "web_visits", "won_deals")
    bands = [Between(fact=fact, low=10, high=99, taper=0.5) for fact in asked]
    at = outlooks(profile(*(criterion(band, 10) for band in bands), criterion(SOFTWARE, 0.01)))
    assert 4 ** len(asked) > ALL_AT_ONCE
    seen = look(at, facts(), *asked, "industry")
    assert seen.chances.keys() == {*asked, "industry"}
    assert all(seen.chances[fact] > RARELY for fact in asked)
    assert look(at, facts(), *asked, "industry") is seen, "accounts whose questions stand alike share it"


def test_a_sample_sees_the_one_value_of_many_that_excludes():
    light = [criterion(AnyOf(fact="industry", values=frozenset({f"A{n:02}"})), 0.01) for n in range(34)]
    barred = flag(AnyOf(fact="industry", values=frozenset({"GAMBLING"})), Effect.EXCLUDE)
    at = outlooks(profile(criterion(SIZE, 99), *light, criterion(PUBLIC, 0.1), flags=[barred]))
    seen = look(at, facts(), "industry", "employees", "ownership")
    assert "Not ICP" in seen.tiers
    assert seen.chances["industry"] > RARELY


# Whatever is asked


EXACT: dict[str, st.SearchStrategy[FactValue]] = {
    "employees": st.sampled_from([0.0, 5.0, 10.0, 25.0, 30.0, 50.0, 100.0, 500.0, 620.0, 1e6, 1e7]).map(
        exactly
    ),
    "revenue": st.sampled_from([0.0, 5.0, 10.0, 50.0, 70.0, 500.0, 620.0, 1e6]).map(
        lambda n: Money(n, n, "USD")
    ),
    "industry": st.sampled_from(["a", "b", "c", "z"]).map(choice),
    "technologies": st.frozensets(st.sampled_from(["a", "b", "c", "z"])).map(lambda m: Members(m, True)),
    "founded": st.integers(-10, 500).map(lambda n: Interval(NOW - n * DAY, NOW - n * DAY)),
}


def untapered(condition: Condition) -> Condition:
    if isinstance(condition, Between):
        return replace(condition, taper=0.0)
    if hasattr(condition, "parts"):
        return replace(condition, parts=tuple(map(untapered, condition.parts)))
    return replace(condition, part=untapered(condition.part)) if hasattr(condition, "part") else condition


def crisp(one: Profile) -> Profile:
    return replace(one, criteria=tuple(replace(c, when=untapered(c.when)) for c in one.criteria))


@settings(max_examples=60, deadline=None)
@given(profiles=profile_sets(), known=some_facts(), data=st.data())
def test_a_fact_that_is_not_named_never_changes_the_outcome_whatever_it_turns_out_to_be(
    profiles: tuple[Profile, ...], known: dict[str, FactValue], data: st.DataObject
):
    """All combinations are looked at, of any two facts nobody knows yet."""
    at = outlooks(*map(crisp, profiles))
    unknown = sorted(EXACT.keys() - known.keys())
    assume(unknown)
    open_facts = data.draw(st.lists(st.sampled_from(unknown), unique=True, min_size=1, max_size=2))
    past = Past(previous=data.draw(st.sampled_from(["", "p0", "p1"])))
    base = {**PROSPECT, **known}
    fills = dict.fromkeys(open_facts, True)
    seen = at.of(base, fills, account_id="1", owned=False, now=NOW, past=past)
    told = {fact: data.draw(EXACT[fact], label=fact) for fact in open_facts if data.draw(st.booleans())}
    idle = [fact for fact in open_facts if fact not in seen.chances]
    for fact in idle:
        others = {name: value for name, value in told.items() if name != fact}
        before = at.outcome({**base, **others}, "1", False, NOW, past)
        after = at.outcome({**base, **others, fact: data.draw(EXACT[fact])}, "1", False, NOW, past)
        assert after == before
        if seen is not SETTLED:
            assert before[0] in seen.tiers
