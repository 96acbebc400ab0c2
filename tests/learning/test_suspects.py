"""What tells so well that the sale may have caused it is suspected, not hidden; honest criteria are not."""

from __future__ import annotations

import tomllib
from random import Random

import pytest

from icp_sync.domain.facts import FactValue, Members, choice, number
from icp_sync.learning.cases import Labelled
from icp_sync.learning.past.leaks import leaks
from icp_sync.learning.past.suspects import asked_by, suspected_of, suspects
from icp_sync.learning.past.vouching import NOBODY, Vouching
from icp_sync.profile_file import parse
from tests.learning.planted import TYPES as PLANTED
from tests.learning.planted import planted
from tests.learning.test_leaks import TYPES, Value, euros, labelled

TAGS = ("hubspot", "salesforce", "shopify", "segment", "stripe", "zendesk", "aws", "gcp")


def some(random: Random, share: float) -> frozenset[str]:
    return frozenset(tag for tag in TAGS if random.random() < share)


def tagged(random: Random, good: bool) -> FactValue:
    ours = {"our pixel"} if random.random() < (0.6 if good else 0.05) else set()
    return Members(some(random, 0.3) | ours | {"js"}, False)


SUSPECT: dict[str, tuple[str, Value, str]] = {
    "a tag of ours on sixty and on five of a hundred": ("technologies", tagged, "'technologies: our pixel'"),
    "a rare tag that is mostly on customers": (
        "technologies",
        lambda r, good: Members(
            frozenset(["js", "ours"] if r.random() < (0.3 if good else 0.015) else ["js"]), False
        ),
        "'technologies: ours' holds for 3",
    ),
    "a segment that customer success assigns": (
        "plan",
        lambda r, good: choice(
            r.choice(["tech touch", "high touch"]) if r.random() < 0.1 + 0.5 * good else "none"
        ) if good or r.random() < 0.5 else None,
        "'plan: none'",
    ),
    "users of a portal": (
        "health", lambda r, good: number(r.randint(1, 40) if r.random() < (0.5 if good else 0.04) else 0),
        "could the sale have caused this?",
    ),
    "an industry nobody cared about once it was lost": (
        "industry",
        lambda r, good: choice("OTHER" if not good and r.random() < 0.5 else r.choice(["RETAIL", "BANKING"])),
        "'industry: other' holds for 0% of the won",
    ),
    "a deeper look at customers": (
        "technologies", lambda r, good: Members(some(r, 0.4 if good else 0.22) | {"js"}, False),
        "technologies lists",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SUSPECT)
def test_names_what_the_sale_may_have_caused_and_hides_none_of_it(name: str) -> None:
    fact, value, said = SUSPECT[name]
    cases = labelled(fact, value, n=1_000)
    assert leaks(cases, TYPES) == {}
    found = suspects(cases, TYPES)
    assert list(found) == [fact]
    assert said in found[fact]
    assert found[fact].endswith(": could the sale have caused this?")


def test_what_somebody_vouches_for_is_neither_suspected_nor_hidden() -> None:
    fact, value, _ = SUSPECT["users of a portal"]
    assert suspects(labelled(fact, value, n=1_000), TYPES, vouched=[fact]) == {}


def test_who_vouches_for_a_fact_vouches_for_what_is_made_of_it() -> None:
    _, value, _ = SUSPECT["an industry nobody cared about once it was lost"]
    cases = labelled("sector", value, n=1_000)
    assert list(suspects(cases, TYPES)) == ["sector"]
    assert suspects(cases, TYPES, vouched=["industry"]) == {}
    assert list(suspects(cases, TYPES, vouched=["group.industry"])) == ["sector"]


def test_the_line_for_the_settings_keeps_what_is_vouched_for_already_and_says_where_it_goes() -> None:
    said = Vouching("emea", frozenset({"ownership"})).line(["sector", "industry"])
    head, _, section = said.removesuffix(" in the settings").partition(" under ")
    pasted = tomllib.loads(f"{section}\n{head}\n")
    learning = pasted["connections"]["emea"]["learning"]
    assert learning == {"known_before": ["industry", "ownership"]}
    bare = NOBODY.line(["industry"])
    assert bare.startswith('known_before = ["industry"] under [connections.main.learning]')
    assert bare.endswith("(there is no file yet: icp-sync init)")


def test_amounts_are_cut_in_the_currency_that_is_named() -> None:
    cases = labelled("arr", lambda r, good: euros(9e5 if r.random() < 0.05 + 0.6 * good else 1e4), n=1_000)
    words = [suspects(cases, TYPES, currency=currency)["arr"] for currency in ("EUR", "USD")]
    assert "EUR" in words[0]
    assert "USD" in words[1]


@pytest.mark.parametrize("effect", ["planted", "none"])
def test_honest_criteria_and_noise_are_not_suspected(effect: str) -> None:
    for seed in range(5):
        found = planted(800, seed, effect=effect)
        cases = [Labelled(case, good) for case, good in zip(found.cases, found.labels, strict=True)]
        assert suspects(cases, PLANTED) == {}


def test_a_set_with_one_honest_member_is_no_deeper_look() -> None:
    def honest(random: Random, good: bool) -> FactValue:
        hubspot = {"hubspot"} if random.random() < (0.55 if good else 0.33) else set()
        return Members((some(random, 0.2) - {"hubspot"}) | hubspot | {"js"}, False)

    for seed in range(10):
        assert suspects(labelled("technologies", honest, n=1_000, seed=seed), TYPES) == {}


def test_too_few_cases_suspect_nothing() -> None:
    fact, value, _ = SUSPECT["users of a portal"]
    assert suspects(labelled(fact, value, n=30), TYPES) == {}


def test_a_profile_is_told_only_of_the_suspects_it_asks_about() -> None:
    profile = parse(
        """
profile: asking
currency: USD
criteria: [{name: Country, layer: firmographic, fact: country, any_of: [US], weight: 1}]
flags:
  - {name: Retail, when: {fact: industry, any_of: [RETAIL]}, effect: exclude}
""",
        "asking.yaml",
    )
    assert asked_by(profile) == ("country", "industry")
    assert suspected_of(profile, {"industry": "why", "employees": "why not"}) == {"industry": "why"}
