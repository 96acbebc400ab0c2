"""Who may be promoted: what ranks better than all it has to beat, by the lower end, on cases it never saw."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.facts import CATALOGUE, Interval, Members, choice
from icp_sync.domain.profile import Profile
from icp_sync.learning.card.scorecard import profile_of, scorecard
from icp_sync.learning.cases import Book, Case, Goal, Labelled
from icp_sync.learning.figures.ranking import auc
from icp_sync.learning.marks.attributes import find
from icp_sync.learning.marks.coded import Coded, coded
from icp_sync.learning.proof.backtest import judged
from icp_sync.learning.proof.challengers import challengers
from icp_sync.learning.proof.gate import LEAST_PROVED, Verdict, gate
from icp_sync.learning.proof.proving import Challengers, Split, prove, split
from icp_sync.learning.proof.rules import Rule, best_rule
from tests.learning.planted import TYPES, planted
from tests.learning.proved import HYPOTHESIS, IDLE, TRUE, book, cases, learned, middle, profile

LUCK = tuple(0.46 + 0.004 * turn for turn in range(20))
"""AUCs as profiles learned from shuffled labels reach them: up to 0.536."""


@cache
def parted(n: int = 2_000, seed: int = 0, effect: str = "planted") -> Split:
    found = cases(n, seed, effect)
    return split([profile(TRUE, learned(middle(found)))], book(found), Goal.WON)


def asked(learning: Sequence[Labelled]) -> Coded:
    return coded([case.facts for case, _ in learning], TYPES, currency="USD")


@cache
def rule_of(n: int = 2_000, seed: int = 0, effect: str = "planted") -> Rule | None:
    learning = parted(n, seed, effect).learning
    return best_rule(asked(learning), [good for _, good in learning], currency="USD")


def passing(
    text: str = TRUE,
    active: Sequence[Profile] = (),
    *,
    said: str = "",
    shuffled: Sequence[Sequence[float] | float] | None = LUCK,
    rounds: int = 200,
    seed: int = 0,
    effect: str = "planted",
    n: int = 2_000,
) -> Verdict:
    """The verdict on a profile learned from the first 60 % of the planted cases."""
    told = parted(n, seed, effect)
    made = profile(text, said or learned(middle(cases(n, seed, effect))))
    rule = rule_of(n, seed, effect)
    return gate([made], active, told.learning, told.proving, shuffled=shuffled, rule=rule, rounds=rounds)


def test_what_ranks_better_than_everything_it_has_to_beat_passes() -> None:
    verdict = passing(active=[profile(IDLE)])
    assert (verdict.passed, verdict.reasons, verdict.enough) == (True, (), "")
    active, rule, luck = verdict.comparisons
    assert active.against == "the active profile"
    assert rule.against.startswith("the best single field: ")
    assert luck.against == "20 profiles learned from shuffled labels (the 95th percentile)"
    assert all(
        one.beaten and one.difference is not None and one.difference.low > 0 for one in verdict.comparisons
    )


def test_where_no_profile_is_active_a_coin_has_to_be_beaten_and_that_is_said() -> None:
    coin = passing().comparisons[0]
    assert (coin.against, coin.auc) == ("tossing a coin, as no profile is active", 0.5)
    assert coin.beaten


def test_a_profile_never_beats_itself() -> None:
    made = profile(TRUE, learned(middle(cases())))
    verdict = passing(active=[made])
    assert not verdict.passed
    assert [one.beaten for one in verdict.comparisons] == [False, True, True]
    assert verdict.enough.startswith("No number of further cases would be enough for this profile")


def test_a_better_active_profile_keeps_its_place() -> None:
    verdict = passing(IDLE, active=[profile(TRUE)])
    assert not verdict.passed
    assert any("not shown to rank better than the active profile" in why for why in verdict.reasons)


@pytest.mark.parametrize("seed", range(4))
def test_noise_is_never_promoted(seed: int) -> None:
    verdict = passing(effect="none", seed=seed, n=700)
    assert not verdict.passed
    assert verdict.reasons
    assert verdict.enough


def few_facts(seed: int, effect: float) -> Book:
    """Five hundred companies with six of their facts, so that much is learned from them quickly."""
    names = ("employees", "revenue", "industry", "technologies", "country", "vc_backed")
    found = planted(500, seed, effect=effect, flipped=0.0, base=0.3).cases
    return book([replace(c, facts={name: c.facts[name] for name in names if name in c.facts}) for c in found])


def walked(whole: Book) -> Verdict:
    """Learned from the older cases, found or not, and judged on the newer ones."""
    until = middle(whole.cases)
    old = whole.labelled(Goal.WON, until=until)
    found, labels = asked(old), [good for _, good in old]
    card = scorecard(found, old, find(found, labels, [case.cohort for case, _ in old]), forced=True)
    assert card is not None
    made = replace(profile_of(card, currency="USD"), learned=profile(TRUE, learned(until)).learned)

    def opponents(cases: Split) -> Challengers:
        return challengers(cases, TYPES, currency="USD", asked=found)

    return prove([made], (), whole, Goal.WON, {}, challengers=opponents, rounds=200).verdict


@pytest.mark.parametrize("seed", range(5))
def test_what_the_whole_line_learns_from_noise_is_never_promoted(seed: int) -> None:
    assert not walked(few_facts(seed, 1.0)).passed


def test_what_the_whole_line_learns_from_planted_truth_is_promoted() -> None:
    assert walked(few_facts(1, 3.0)).passed


def test_a_profile_that_asks_for_the_outcome_has_nothing_from_it() -> None:
    asks = """
profile: knowing
currency: USD
criteria: [{name: Customer, layer: buying, fact: lifecycle, any_of: [customer], weight: 1}]
"""
    became = {True: choice("customer"), False: choice("lead")}
    told = [replace(case, facts={**case.facts, "lifecycle": became[case.won]}) for case in cases()]
    made, knowing = profile(TRUE, learned(middle(told))), profile(asks)
    hidden, shown = (
        prove([made], [knowing], book(told), Goal.WON, facts, challengers=lambda _: (None, LUCK), rounds=50)
        for facts in ({"lifecycle": "it moves when a deal is won"}, {})
    )
    assert (hidden.verdict.comparisons[0].auc, hidden.verdict.comparisons[0].beaten) == (0.5, True)
    assert (shown.verdict.comparisons[0].auc or 0.0) > 0.9
    assert not shown.verdict.passed


def test_luck_is_beaten_by_the_lower_end_and_not_by_the_middle() -> None:
    own = passing().auc
    assert own is not None
    below, between = own.low - 0.005, (own.low + own.value) / 2
    assert passing(shuffled=[below] * 20).passed
    verdict = passing(shuffled=[between] * 20)
    assert not verdict.passed
    assert not verdict.comparisons[2].beaten
    assert passing(shuffled=[*[below] * 19, 0.99]).comparisons[2].beaten is False
    assert "more cases decided since then to prove it on" in verdict.enough


def test_profiles_of_shuffled_labels_come_as_ranks_or_as_what_they_reach() -> None:
    told = parted()
    ranks = [one.rank for one in judged([profile(IDLE)], told.proving)]
    reached = auc(ranks, [good for _, good in told.proving])
    assert reached is not None
    by_ranks, by_value = (passing(shuffled=[one] * 20).comparisons[2] for one in (ranks, reached))
    assert by_ranks == by_value
    assert by_ranks.auc == pytest.approx(reached)


@pytest.mark.parametrize("none", [None, []])
def test_without_profiles_of_shuffled_labels_chance_is_not_ruled_out(none: list[float] | None) -> None:
    verdict = passing(shuffled=none)
    assert not verdict.passed
    assert "so chance is not ruled out" in verdict.reasons[0]
    assert verdict.enough


def test_too_few_cases_decide_nothing_and_how_many_would_is_said() -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())))
    few = told.proving[:30]
    good = sum(label for _, label in few)
    assert good < LEAST_PROVED
    verdict = gate([made], (), told.learning[:90], few, shuffled=LUCK, rule=rule_of(), rounds=100)
    assert not verdict.passed
    assert any(
        why.startswith(f"only {good} good and {30 - good} other cases to prove it on")
        for why in verdict.reasons
    )
    assert any("cases to learn from; at least 30 of each" in why for why in verdict.reasons)
    assert "more cases to learn from" in verdict.enough
    assert "at this base rate of" in verdict.enough


@pytest.mark.parametrize("only", [True, False])
def test_cases_of_one_kind_prove_nothing_whatever_they_are(only: bool) -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())))
    alike = [one for one in told.proving if one.good is only]
    for proving in (alike, []):
        verdict = gate([made], [profile(IDLE)], told.learning, proving, shuffled=LUCK, rule=rule_of())
        assert (verdict.passed, verdict.auc) == (False, None)
        assert all(not one.beaten for one in verdict.comparisons)
        assert verdict.enough


def test_a_hypothesis_is_not_promoted_however_well_it_ranks() -> None:
    verdict = passing(said=HYPOTHESIS)
    assert all(one.beaten for one in verdict.comparisons)
    assert not verdict.passed
    assert verdict.reasons == ("planted is a hypothesis, unproven: it was drafted from a few customers",)
    assert "icp-sync learn" in verdict.enough


def test_what_was_written_by_hand_is_not_proven_by_outcomes_its_writer_may_have_known() -> None:
    told = parted()
    verdict = gate(
        [profile(TRUE)], (), told.learning, told.proving, shuffled=LUCK, rule=rule_of(), rounds=100
    )
    assert not verdict.passed
    assert "perhaps knowing these outcomes" in verdict.reasons[0]


def test_cases_learned_from_change_nothing_but_their_number() -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())))
    turned = [Labelled(case, not good) for case, good in told.learning]
    one, other = (
        gate([made], (), learning, told.proving, shuffled=LUCK, rule=rule_of(), rounds=100)
        for learning in (told.learning, turned)
    )
    assert one == other


def test_so_many_more_cases_of_the_same_kind_as_it_says_would_be_enough() -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())))
    proving = told.proving[:220]
    verdict = gate([made], (), told.learning, proving, shuffled=[0.66] * 20, rule=rule_of(), rounds=300)
    assert not verdict.passed
    more = int(verdict.enough.split(" more cases decided since")[0].rsplit(" ", 1)[1].replace(",", ""))
    again = [*proving] * ceil(1.5 * (1 + more / len(proving)))
    assert gate([made], (), told.learning, again, shuffled=[0.66] * 20, rule=rule_of(), rounds=300).passed


def made_case(number: int, good: bool, size: float | None) -> Labelled:
    facts = {} if size is None else {"employees": Interval(size, size)}
    case = Case(id=str(number), name="", domain="", facts=facts, begun=0.0, decided=1e9, won=good)
    return Labelled(case, good)


@given(
    st.lists(st.tuples(st.booleans(), st.sampled_from([None, 5.0, 80.0, 700.0])), min_size=40, max_size=120)
)
def test_a_rule_ranks_the_cases_it_was_learned_from_as_it_says(
    drawn: list[tuple[bool, float | None]],
) -> None:
    told = [made_case(i, good, size) for i, (good, size) in enumerate(drawn)]
    labels = [good for _, good in told]
    found = coded([case.facts for case, _ in told], CATALOGUE, currency="USD")
    rule = best_rule(found, labels, currency="USD")
    if rule is None:
        assert not any(column.questions for column in found.columns) or len(set(labels)) == 1
        return
    reached = auc(rule.ranks(told), labels)
    assert reached == pytest.approx(rule.auc)
    assert rule.auc >= 0.5 - 1e-9


def test_a_rule_may_be_that_something_is_not_so_and_an_unknown_stays_between() -> None:
    told = [made_case(i, i % 4 == 0, 700.0) for i in range(200)]
    told += [made_case(i, i % 4 != 0, 5.0) for i in range(200, 400)]
    labels = [good for _, good in told]
    rule = best_rule(coded([c.facts for c, _ in told], CATALOGUE, currency="USD"), labels, currency="USD")
    assert rule is not None
    assert rule.fact == "employees"
    [unknown] = rule.ranks([made_case(0, True, None)])
    small, large = rule.ranks([made_case(0, True, 5.0), made_case(0, True, 700.0)])
    assert large < unknown < small


def test_the_rule_is_the_planted_fact_that_tells_most() -> None:
    rule = rule_of()
    assert rule is not None
    assert rule.fact in ("revenue", "employees", "industry")
    by_rule = auc(rule.ranks(parted().proving), [good for _, good in parted().proving])
    assert by_rule is not None
    assert by_rule > 0.53


def test_there_is_no_rule_without_both_kinds_or_without_a_question() -> None:
    learning = parted().learning
    found = asked(learning)
    assert best_rule(found, [True] * len(learning), currency="USD") is None
    assert best_rule(replace(found, columns=()), [good for _, good in learning], currency="USD") is None


def test_a_set_that_lists_is_a_rule_and_one_that_does_not_stays_open() -> None:
    told = [
        Labelled(
            Case(
                id=str(i),
                name="",
                domain="",
                facts={"technologies": Members(frozenset({"hubspot"} if i % 2 else {"sap"}), False)},
                begun=0.0,
                decided=1e9,
                won=i % 2 == 1,
            ),
            i % 2 == 1,
        )
        for i in range(100)
    ]
    labels = [good for _, good in told]
    rule = best_rule(coded([c.facts for c, _ in told], CATALOGUE, currency="USD"), labels, currency="USD")
    assert rule is not None
    assert rule.auc == auc(rule.ranks(told), labels) == 1.0


def sized(n: int, rates: dict[float, float]) -> list[Labelled]:
    """So many companies of each size, of which that share is good."""
    return [made_case(at, at % 100 < 100 * rate, size) for size, rate in rates.items() for at in range(n)]


def test_the_best_field_is_ranked_by_all_its_bands_and_not_by_one_cut() -> None:
    told = sized(200, {5.0: 0.1, 80.0: 0.3, 700.0: 0.6})
    labels = [good for _, good in told]
    rule = best_rule(coded([c.facts for c, _ in told], CATALOGUE, currency="USD"), labels, currency="USD")
    assert rule is not None
    small, middling, large, across = rule.ranks(
        [
            *(made_case(0, True, size) for size in (5.0, 80.0, 700.0)),
            made_case(0, True, None)._replace(
                case=replace(made_case(0, True, 0.0).case, facts={"employees": Interval(60.0, 700.0)})
            ),
        ]
    )
    assert small < middling < across < large
    one_cut = auc([case.facts["employees"] != Interval(5.0, 5.0) for case, _ in told], labels)
    assert one_cut is not None
    assert rule.auc > one_cut


def test_two_cuts_of_one_field_do_not_beat_that_field() -> None:
    text = """
profile: sizes
currency: USD
criteria:
  - {name: Some, layer: firmographic, fact: employees, at_least: 80, weight: 40}
  - {name: Many, layer: firmographic, fact: employees, at_least: 700, weight: 60}
"""
    told = sized(300, {5.0: 0.1, 80.0: 0.3, 700.0: 0.6})
    labels = [good for _, good in told]
    rule = best_rule(coded([c.facts for c, _ in told], CATALOGUE, currency="USD"), labels, currency="USD")
    made = profile(text, learned(2e9))
    verdict = gate([made], (), told, told, shuffled=LUCK, rule=rule, rounds=100)
    assert verdict.comparisons[1].against == "the best single field: employees"
    assert [one.beaten for one in verdict.comparisons] == [True, False, True]


def test_the_active_profile_is_shown_what_only_the_cases_call_a_leak() -> None:
    """Blindfolded, it would lose its place to a worse profile."""
    told = book(cases())
    made, active = profile(IDLE, learned(middle(told.cases))), profile(TRUE)
    proving = parted().proving
    seen = auc([one.rank for one in judged([active], proving)], [good for _, good in proving])
    why = {"vc_backed": "vc_backed alone tells one from the other"}

    def judged_with(
        whole: Book, hidden: dict[str, str], withheld: dict[str, list[str]] | None = None
    ) -> Verdict:
        return prove(
            [made], [active], whole, Goal.WON, hidden,
            challengers=lambda _: (None, LUCK), withheld=withheld, rounds=50,
        ).verdict  # fmt: skip

    guessed, members = judged_with(told, why), judged_with(told, {}, {"technologies": ["hubspot"]})
    known = judged_with(replace(told, left_out=why), why)
    for verdict, fact in ((guessed, "vc_backed"), (members, "technologies")):
        against = verdict.comparisons[0]
        assert against.against == f"the active profile, which is shown {fact}"
        assert against.auc == seen
        assert f"the active profile asks about {fact}, which may give the outcome away" in verdict.reasons[-1]
        assert f'known_before = ["{fact}"] under [connections.main.learning]' in verdict.reasons[-1]
    assert known.comparisons[0].against == "the active profile"
    assert known.comparisons[0].auc != seen


def test_a_profile_that_asks_about_a_suspect_is_not_promoted_however_well_it_ranks() -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())))
    sides = ([made], (), told.learning, told.proving)
    odd = {"vc_backed": "it is odd: could the sale have caused this?"}
    verdict = gate(*sides, shuffled=LUCK, rule=rule_of(), suspected=odd, rounds=100)
    assert not verdict.passed
    assert verdict.reasons == (
        "planted asks about what may come from the sale: it is odd: could the sale have caused this?",
    )
    assert verdict.enough.startswith("Enough would be a profile that does not ask about it, or somebody's")
    assert verdict.vouch in verdict.enough
    assert verdict.vouch.startswith('known_before = ["vc_backed"] under [connections.main.learning]')
    assert not verdict.hopeless
    behind = gate(
        [made], [made], told.learning, told.proving, shuffled=LUCK, rule=rule_of(), suspected=odd, rounds=100
    )
    assert (behind.vouch, behind.hopeless) == ("", True)
    assert behind.enough.startswith("No number of further cases would be enough")
    assert "Beside that it takes a profile that does not ask about it" in behind.enough
    other = {"has_blog": "it is odd"}
    assert gate(*sides, shuffled=LUCK, rule=rule_of(), suspected=other, rounds=100).passed


def test_an_entry_whose_cases_are_not_found_again_proves_nothing() -> None:
    told = parted()
    made = profile(TRUE, learned(middle(cases())).replace("cases: 100", "cases: 1600"))
    verdict = gate([made], (), told.learning, told.proving, shuffled=LUCK, rule=rule_of(), rounds=100)
    assert verdict.reasons == (
        f"planted says it was learned from 1,600 cases before {made.learned and made.learned.until}, and "
        f"{len(told.learning):,} are found here",
    )
    assert "all the cases it was learned from" in verdict.enough


def test_an_edited_entry_is_hindsight_and_proves_nothing() -> None:
    made = profile(TRUE, learned(middle(cases())))
    assert made.learned is not None
    edited = replace(made, learned=replace(made.learned, until="2025-06-01"))
    told = split([edited], book(cases()), Goal.WON)
    assert told.hindsight
    verdict = gate([edited], (), told.learning, told.proving, shuffled=LUCK, rule=rule_of(), rounds=100)
    assert not verdict.passed
    assert verdict.reasons[0].startswith("the 'learned' entry of planted was edited")
    assert not split([made], book(cases()), Goal.WON).hindsight


def test_that_nothing_would_be_enough_is_said_only_where_the_whole_interval_says_so() -> None:
    told = parted()
    better = gate(
        [profile(IDLE, learned(middle(cases())))], [profile(TRUE)], told.learning, told.proving,
        shuffled=LUCK, rule=rule_of(), rounds=100,
    )  # fmt: skip
    worse = better.comparisons[0].difference
    assert worse is not None
    assert worse.high < 0
    assert better.enough.startswith("No number of further cases would be enough for this profile")
    own = passing().auc
    assert own is not None
    above = passing(shuffled=[(own.value + own.high) / 2] * 20)
    assert above.enough.startswith("It is not told from 20 profiles learned from shuffled labels")
    hardly = passing(shuffled=[own.value - 0.001] * 20)
    assert f"far more cases than the {len(parted().proving):,}" in hardly.enough
