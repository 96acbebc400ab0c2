"""Who is advertised to and who is kept out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from icp_sync.domain.audience import Audience, audience_of
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.evaluation import evaluate
from icp_sync.domain.profile import Criterion, Effect, Flag, Profile
from tests.domain.cases import NOW, facts, profile_sets, some_facts

PROFILE = Profile(
    name="p",
    currency="USD",
    criteria=(
        Criterion(name="Size", layer="firmographic", when=Between(fact="employees", low=50), weight=1),
    ),
    flags=(
        Flag(name="Agency", when=AnyOf(fact="industry", values=frozenset("b")), effect=Effect.EXCLUDE),
        Flag(name="Odd", when=AnyOf(fact="industry", values=frozenset("c")), effect=Effect.MARK),
    ),
)
ELSEWHERE = replace(PROFILE, score_scope=AnyOf(fact="country", values=frozenset({"US"})))


def audience(profile=PROFILE, **known):
    some = facts(**known)
    return audience_of(evaluate([compile_profile(profile)], some, None, NOW), some, ("A", "B"))


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        ({"employees": 60, "industry": "a"}, Audience.INCLUDE),
        ({"employees": 6, "industry": "a"}, None),  # D is not worth it, and not to be kept out either
        ({"employees": 60, "industry": "b"}, Audience.SUPPRESS),
        ({"employees": 60, "industry": "c"}, None),
        ({"employees": 60, "industry": "a", "population": "customer"}, Audience.SUPPRESS),
        ({"employees": 6, "industry": "a", "population": "competitor"}, Audience.SUPPRESS),
        ({"employees": 60, "industry": "a", "population": "prospect"}, Audience.INCLUDE),
        ({"employees": 60, "industry": "a", "population": "former"}, Audience.INCLUDE),
    ],
)
def test_fit_flags_and_what_a_company_is_to_us_decide(known, wanted):
    assert audience(**known) is wanted


def test_out_of_scope_is_in_no_audience_but_a_customer_is_kept_out_even_there():
    assert audience(ELSEWHERE, employees=60, industry="a", country="DE") is None
    customer = audience(ELSEWHERE, employees=60, industry="a", country="DE", population="customer")
    assert customer is Audience.SUPPRESS


@given(profile_sets(), some_facts())
@settings(max_examples=40, deadline=None)
def test_nobody_is_advertised_to_who_has_a_flag_or_does_not_fit(profiles, known):
    evaluation = evaluate([compile_profile(p) for p in profiles], known, None, NOW)
    if audience_of(evaluation, known, ("A", "B")) is Audience.INCLUDE:
        assert evaluation.in_scope
        assert evaluation.tier in ("A", "B")
        assert evaluation.shown.flags_true == ()
