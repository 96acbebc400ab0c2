"""An evaluation as it is kept for later, and the proof that it was right: made again, it comes out the same.

Kept beside an evaluation are the previous one it was calmed by and what it came to. With its facts and its
profiles that is all an evaluation depends on. Plain JSON; knows no journal.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields
from hashlib import blake2b

from icp_sync.domain.account import Previous
from icp_sync.domain.compile import Compiled
from icp_sync.domain.evaluation import Evaluation, evaluate
from icp_sync.domain.why import as_overridden, facts_of_evidence

_UNTOLD = frozenset({"why", "routed_owner", "routed_at", "routed_why"})
"""What no evaluation looks at."""
_DEFAULTS = {f.name: f.default for f in fields(Previous) if f.name not in _UNTOLD}
_DIGITS = 9
"""Decimals of a credit that are compared: machines differ in the last bits of a power."""


def proof_of(evaluation: Evaluation, previous: Previous | None) -> dict[str, object]:
    """What to keep beside an evaluation: what it was calmed by, and what it came to."""
    before = {
        name: value
        for name, default in _DEFAULTS.items()
        if previous is not None and (value := getattr(previous, name)) != default
    }
    return {"before": before or None, "result": result_of(evaluation)}


def result_of(evaluation: Evaluation) -> dict[str, object]:
    """What an evaluation came to: tier, score, range, and a digest of every verdict of every profile."""
    verdicts = [
        [a.profile.name, [round(float(credit), _DIGITS) + 0.0 for credit in a.answers]]
        for a in evaluation.assessments
    ]
    return {
        "tier": evaluation.tier,
        "raw_tier": evaluation.raw_tier,
        "firm": evaluation.firm,
        "score": evaluation.score,
        "range": [evaluation.low, evaluation.high],
        "in_scope": evaluation.in_scope,
        "verdicts": blake2b(json.dumps(verdicts).encode(), digest_size=12).hexdigest(),
    }


def previous_of(proof: Mapping[str, object]) -> Previous | None:
    """What the evaluation was calmed by; None for a first one."""
    kept = proof.get("before")
    if not isinstance(kept, Mapping) or "tier" not in kept:
        return None
    return Previous(**{name: value for name, value in kept.items() if name in _DEFAULTS})


def made_again(
    compiled: Sequence[Compiled],
    evidence: Mapping[str, object],
    proof: Mapping[str, object],
    at: float,
    version: int,
) -> Evaluation:
    """The evaluation once more: same facts, same previous one, same instant, same profiles."""
    facts = facts_of_evidence(evidence)
    return as_overridden(evaluate(compiled, facts, previous_of(proof), at, version=version), evidence)


def differences(proof: Mapping[str, object], evaluation: Evaluation) -> tuple[str, ...]:
    """In what a repeated evaluation differs from the one kept: names such as "tier" or "verdicts"."""
    kept = proof.get("result")
    kept = kept if isinstance(kept, Mapping) else {}
    return tuple(name for name, value in result_of(evaluation).items() if kept.get(name) != value)
