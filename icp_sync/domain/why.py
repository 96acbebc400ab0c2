"""Why a tier changed: DATA (which fact, from which source), PROFILE (which criterion), ENGINE, or OVERRIDE
(people decided, or what they decided has ended).

Works from the evidence of the last evaluation, kept as plain JSON in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icp_sync.domain.account import Previous
from icp_sync.domain.compile import Compiled
from icp_sync.domain.evaluation import ENGINE, Evaluation, evaluate, overridden
from icp_sync.domain.facts import FactValue, Known, value_from_json, value_to_json
from icp_sync.domain.override import override_from_json, override_to_json
from icp_sync.domain.ownership import editor_text
from icp_sync.domain.spelling import date_text, fact_text, spoken_value


def evidence_of(evaluation: Evaluation, known: Known) -> dict[str, object]:
    """What to remember of an evaluation: engine, profile version, scope, points, facts with sources, and the
    override in force."""
    evidence: dict[str, object] = {}
    if evaluation.override:
        evidence["override"] = override_to_json(evaluation.override)
    if evaluation.override_note:
        evidence["override_note"] = evaluation.override_note
    winners = known.winners
    evidence["engine"] = ENGINE
    evidence["version"] = evaluation.profile_version
    evidence["in_scope"] = evaluation.in_scope
    evidence["points"] = points_of(evaluation)
    evidence["facts"] = {
        name: [value_to_json(value), winners[name].source] for name, value in known.facts.items()
    }
    return evidence


def sources_of_evidence(evidence: Mapping[str, object]) -> dict[str, str]:
    """Who said each fact, read back from the evidence."""
    stored = evidence.get("facts")
    return {n: str(v[1]) for n, v in stored.items()} if isinstance(stored, dict) else {}


def as_overridden(evaluation: Evaluation, evidence: Mapping[str, object]) -> Evaluation:
    """What the profiles say, with the override that was in force when this evidence was kept."""
    note = evidence.get("override_note", "")
    return overridden(evaluation, override_from_json(evidence.get("override")), str(note))


def facts_of_evidence(evidence: Mapping[str, object]) -> dict[str, FactValue]:
    """The facts an evaluation was made on, read back from its evidence."""
    stored = evidence.get("facts")
    return {n: value_from_json(v[0]) for n, v in stored.items()} if isinstance(stored, dict) else {}


def why_changed(
    previous: Previous | None,
    evidence: Mapping[str, object],
    evaluation: Evaluation,
    known: Known,
    compiled: Sequence[Compiled],
    now: float,
) -> str:
    """One sentence when the tier differs from the previous one, else ""."""
    if previous is None or previous.tier == evaluation.tier:
        return ""
    moved = f"Changed {date_text(now)} from {previous.tier}"
    if evaluation.override:
        return f"{moved}: OVERRIDE by {editor_text(evaluation.override.by)}."
    if previous.model_tier:
        return f"{moved}: OVERRIDE ended."
    if not evidence:
        return f"{moved}."  # a lost journal knows no cause
    before = facts_of_evidence(evidence)
    changed = [name for name in {**before, **known.facts} if before.get(name) != known.facts.get(name)]
    another = evidence.get("engine") != ENGINE
    if another or previous.profile_version != evaluation.profile_version:
        alone = evaluate(compiled, before, previous, now, version=evaluation.profile_version)
        if alone.tier == evaluation.tier or not changed:
            return f"{moved}: {f'ENGINE {ENGINE}' if another else _profile(evaluation, evidence)}."
    fact = _fact(changed, before, known, evaluation, compiled, now)
    if not fact:
        fact = "the score stayed there" if previous.pending_tier == evaluation.raw_tier else "time passed"
    return f"{moved}: DATA {fact}."


def _fact(
    changed: Sequence[str],
    before: Mapping[str, FactValue],
    known: Known,
    evaluation: Evaluation,
    compiled: Sequence[Compiled],
    now: float,
) -> str:
    """The changed facts that moved most when put back, "" when nothing they do moves anything: the one that
    turns the tier, else the three that together do, those behind gates and most points first."""

    def effect(name: str) -> tuple[bool, int]:
        facts = dict(known.facts)
        if name in before:
            facts[name] = before[name]
        else:
            facts.pop(name, None)
        back = evaluate(compiled, facts, None, now)
        return back.tier != evaluation.tier, _moved(back, evaluation)

    effects = {name: effect(name) for name in sorted(changed)}
    ranked = sorted(effects, key=lambda name: effects[name], reverse=True)
    moving = [name for name in ranked if effects[name] != (False, 0)]
    if not moving or (len(moving) > 1 and not effects[moving[0]][0]):
        back = evaluate(compiled, before, None, now)
        if (back.tier, back.score) == (evaluation.tier, evaluation.score) and not moving:
            return ""
        if back.tier != evaluation.tier or not moving:
            named = (moving or ranked)[:3]
            return " and ".join(
                f"{fact_text(n)} ({known.winners[n].source})" if n in known.winners else fact_text(n)
                for n in named
            )
    name = moving[0]
    value = known.facts.get(name)
    if value is None:
        return f"{fact_text(name)} no longer known"
    return f"{fact_text(name)} {spoken_value(name, value)} ({known.winners[name].source})"


GATE = 100
"""Points that a gate or an excluding flag is worth when it is weighed what moved an account."""


def _moved(back: Evaluation, evaluation: Evaluation) -> int:
    """How far two evaluations are apart: points given or denied, and gates and flags that differ."""
    was, now = points_of(back), points_of(evaluation)
    points = 0
    for name in {**was, **now}:
        (got, of), (then, of_then) = now.get(name, (0, 0)), was.get(name, (0, 0))
        points += max(abs(got - then), abs((of - got) - (of_then - then)))
    if back.shown.profile.name != evaluation.shown.profile.name:
        return points + GATE
    verdicts = zip(_verdicts(back), _verdicts(evaluation), strict=True)
    return points + GATE * sum(one != other for one, other in verdicts)


def _verdicts(evaluation: Evaluation) -> list[tuple[float, float]]:
    """What its gates and its flags answer."""
    shown, profile = evaluation.shown, evaluation.shown.profile
    gates = [shown.criterion(at) for at, one in enumerate(profile.criteria) if one.required]
    return gates + [shown.flag(at) for at in range(len(profile.flags))]


def _profile(evaluation: Evaluation, evidence: Mapping[str, object]) -> str:
    """The profile, and the criterion whose points it moved most; none when only bands, gates or flags did."""
    shown, before = evaluation.shown, evidence.get("points")
    named = f"PROFILE {shown.profile.name} v{evaluation.profile_version}"
    if not isinstance(before, dict):
        return named
    now = points_of(evaluation)

    def moved(name: str) -> int:
        """Points it gives or denies, whichever changed more."""
        was_got, was_of = before.get(name, (0, 0))
        got, of = now.get(name, (0, 0))
        return max(abs(got - int(was_got)), abs((of - got) - (int(was_of) - int(was_got))))

    name = max(sorted({**before, **now}), key=moved, default="")
    return f"{named}, {name}" if name and moved(name) else named


def points_of(evaluation: Evaluation) -> dict[str, tuple[int, int]]:
    """(earned, possible) points of each weighted criterion of the shown profile."""
    shown = evaluation.shown
    pairs = zip(shown.profile.criteria, shown.points, strict=True)
    return {criterion.name: (got, of) for criterion, (got, of) in pairs if of}
