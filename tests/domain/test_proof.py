"""An evaluation that was kept can be proved: made again it comes out the same, and anything altered shows."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.evaluation import carried, evaluate, overridden
from icp_sync.domain.facts import Known, Signal, number
from icp_sync.domain.override import Override
from icp_sync.domain.proof import differences, made_again, previous_of, proof_of
from icp_sync.domain.why import evidence_of
from tests.domain.cases import NOW, facts, profile_sets, profiles, some_facts
from tests.domain.test_evaluation import by_employees, previous_tiers

overrides = st.none() | st.builds(
    Override,
    tier=st.sampled_from(["A", "D", "Not ICP"]),
    since=st.just(NOW - 5),
    by=st.sampled_from(["", "app"]),
)


def kept(compiled, known, previous, override=None, version=3):
    """What the journal gives back of an evaluation: evidence and proof after a trip through JSON."""
    evaluation = overridden(evaluate(compiled, known, previous, NOW, version=version), override)
    winners = {
        name: Signal(fact=name, value=value, source="crm:x", observed_at=NOW) for name, value in known.items()
    }
    evidence = evidence_of(evaluation, Known(facts=known, winners=winners, losers={}, unread={}))
    return evaluation, *json.loads(json.dumps([evidence, proof_of(evaluation, previous)]))


@given(profile_sets(), some_facts(), previous_tiers, overrides)
@settings(max_examples=60, deadline=None)
def test_whatever_was_evaluated_is_proved_from_what_was_kept(profiles, known, previous, override):
    compiled = tuple(compile_profile(p) for p in profiles)
    evaluation, evidence, proof = kept(compiled, known, previous, override)
    again = made_again(compiled, evidence, proof, NOW, 3)
    assert differences(proof, again) == ()
    assert (again.tier, again.score, again.low, again.high) == (
        evaluation.tier,
        evaluation.score,
        evaluation.low,
        evaluation.high,
    )


@given(profile_sets(), some_facts(), previous_tiers)
@settings(max_examples=25, deadline=None)
def test_what_is_carried_on_from_the_proof_is_what_was_carried_on_then(profiles, known, previous):
    compiled = tuple(compile_profile(p) for p in profiles)
    evaluation, evidence, proof = kept(compiled, known, previous)
    again = made_again(compiled, evidence, proof, NOW, 3)
    assert carried(again, previous_of(proof), NOW, why="") == carried(evaluation, previous, NOW, why="")


def altered(change):
    compiled = (compile_profile(by_employees()),)
    _, evidence, proof = kept(compiled, facts(employees=150), None)
    change(evidence, proof)
    return differences(proof, made_again(compiled, evidence, proof, NOW, 3))


def test_an_altered_fact_shows():
    def smaller(evidence, proof):
        other = kept((compile_profile(by_employees()),), {"employees": number(60)}, None)[1]
        evidence["facts"]["employees"] = other["facts"]["employees"]

    assert {"tier", "score", "verdicts"} <= set(altered(smaller))


def test_an_altered_result_shows():
    assert altered(lambda evidence, proof: proof["result"].update(tier="C")) == ("tier",)
    assert altered(lambda evidence, proof: proof["result"].update(range=[1, 2])) == ("range",)


def test_a_verdict_that_moved_no_score_shows():
    profile = by_employees()
    criterion = profile.criteria[0]
    two = replace(profile, criteria=(criterion, replace(criterion, name="size again")))
    _, evidence, proof = kept((compile_profile(two),), facts(employees=150), None)
    again = made_again((compile_profile(profile),), evidence, proof, NOW, 3)
    assert differences(proof, again) == ("verdicts",)


@given(profiles(), some_facts())
@settings(max_examples=15, deadline=None)
def test_a_proof_is_small(profile, known):
    _, _, proof = kept((compile_profile(profile),), known, None)
    assert len(json.dumps(proof)) < 300
