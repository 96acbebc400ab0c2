"""What stands between an evaluation and the tier somebody expected, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import inf

from icp_sync.domain.evaluation import NEEDS_DATA, NOT_ICP, Evaluation
from icp_sync.domain.facts import FactValue
from icp_sync.domain.profile import Effect
from icp_sync.domain.words import clause, fact_text, failures, missing_facts, value_words

NAMED = 3
"""The most verdicts, and the most missing facts, that are named."""


def said_as(evaluation: Evaluation) -> str:
    """The tier with what else it could have been: "B (58–81), provisional"."""
    if not evaluation.in_scope:
        return "out of scope"
    low, high = evaluation.low, evaluation.high
    span = f" ({evaluation.score})" if low == high else f" ({low}–{high})"
    return f"{evaluation.tier}{span}" + ("" if evaluation.firm else ", provisional")


def obstacles(evaluation: Evaluation, facts: Mapping[str, FactValue], expected: str) -> list[str]:
    """Why the evaluation is not `expected`: the scope, gates and flags, else points; then missing facts.

    Empty when it is as expected.
    """
    if evaluation.in_scope and evaluation.tier == expected:
        return []
    if not evaluation.in_scope:
        return [_outside(evaluation)]
    said = list(_decides(evaluation, facts, expected))
    if not evaluation.firm and (missing := _missing(evaluation, facts)):
        said.append(f"missing: {missing}")
    return said


def _outside(evaluation: Evaluation) -> str:
    scope = evaluation.shown.profile.score_scope
    asked = f": it asks for {clause(scope)}" if scope is not None else ""
    return f"outside the scope of {evaluation.shown.profile.name}{asked}"


def _decides(evaluation: Evaluation, facts: Mapping[str, FactValue], expected: str) -> Iterator[str]:
    if evaluation.tier == NOT_ICP:
        for assessment in evaluation.assessments:
            prefix = f"{assessment.profile.name}: " if len(evaluation.assessments) > 1 else ""
            yield prefix + "; ".join(failures(assessment))
    elif evaluation.tier == NEEDS_DATA:
        least = evaluation.shown.profile.tiers.min_coverage
        yield f"{evaluation.coverage} % of the profile is known, below {100 * least:g} %"
    elif expected == NOT_ICP:
        yield "no gate is certainly unmet and no exclude flag certainly true"
        yield from _undecided(evaluation)
    elif expected == NEEDS_DATA:
        sure = "no missing fact can change the tier" if evaluation.firm else "that is enough for a tier"
        yield f"{evaluation.coverage} % of the profile is known, and {sure}"
    elif expected < evaluation.tier:
        yield from _too_low(evaluation, facts, expected)
    else:
        yield from _too_high(evaluation, expected)


def _undecided(evaluation: Evaluation) -> Iterator[str]:
    """Gates and exclude flags that nobody has answered."""
    shown = evaluation.shown
    for index, criterion in enumerate(shown.profile.criteria):
        if criterion.required and shown.criterion(index) == (0.0, 1.0):
            yield f"must-have {criterion.name} is unknown"
    for flag in shown.flags_unknown:
        if flag.effect is Effect.EXCLUDE:
            yield f"{flag.name} is unknown"


def _too_low(evaluation: Evaluation, facts: Mapping[str, FactValue], expected: str) -> Iterator[str]:
    """Caps that hold it down, else what it lost the most points by."""
    shown = evaluation.shown
    for flag in shown.flags_true:
        if flag.effect is Effect.CAP and flag.cap > expected:
            yield f"capped at {flag.cap} by {flag.name}"
    short = shown.profile.tiers.threshold(expected) - evaluation.score
    if short <= 0:
        if evaluation.pending_tier:
            yield f"the score gives {evaluation.pending_tier}, which has not lasted long enough yet"
        return
    yield f"{short} points short of {expected} ({shown.profile.tiers.threshold(expected)})"
    losses = [
        (of - got, value_words(criterion, facts, shown.profile.currency))
        for criterion, (got, of) in zip(shown.profile.criteria, shown.points, strict=True)
        if of > got
    ]
    for lost, words in sorted(losses, key=lambda item: -item[0])[:NAMED]:
        yield f"−{lost} {words}"


def _too_high(evaluation: Evaluation, expected: str) -> Iterator[str]:
    """What gave it the most points beyond the band expected."""
    shown = evaluation.shown
    above = shown.profile.tiers.threshold(chr(ord(expected) - 1))
    yield f"{evaluation.score - above + 1} points above {expected} (below {above})"
    gains = [
        (got, criterion.name)
        for criterion, (got, _) in zip(shown.profile.criteria, shown.points, strict=True)
        if got
    ]
    for got, name in sorted(gains, key=lambda item: -item[0])[:NAMED]:
        yield f"+{got} {name}"


def _missing(evaluation: Evaluation, facts: Mapping[str, FactValue]) -> str:
    said = []
    for name, points in missing_facts(evaluation, facts)[:NAMED]:
        said.append(
            f"{fact_text(name)} (decides)" if points == inf else f"{fact_text(name)} (up to {points:.0f})"
        )
    return ", ".join(said)
