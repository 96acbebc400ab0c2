"""A profile's own examples, each judged on what is known of that company."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.domain.profile import Profile
    from icp_sync.reporting.subjects import Subject

PASSED, FAILED, MISSING, AMBIGUOUS = "pass", "FAIL", "not found", "ambiguous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """One example. got: the evaluation in words; why: what stands between it and what was expected.

    accounts: id (and row) of every account with the domain.
    """

    domain: str
    profile: str
    expected: str
    result: str
    got: str = ""
    why: tuple[str, ...] = ()
    accounts: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "domain": self.domain,
            "profile": self.profile,
            "expected": self.expected,
            "result": self.result,
            "got": self.got,
            "why": list(self.why),
            "accounts": list(self.accounts),
        }


def judge(profiles: Sequence[Profile], accounts: Mapping[str, Sequence[Subject]], now: float) -> list[Tried]:
    """Every example of every profile under all of them. accounts: registrable domain → who has it."""
    from icp_sync.domain.compile import compile_profile

    compiled = [compile_profile(p) for p in profiles]
    return [
        _judge_one(domain, profile.name, expected, accounts.get(domain, ()), compiled, now)
        for profile in profiles
        for domain, expected in profile.examples.items()
    ]


def _judge_one(
    domain: str,
    profile: str,
    expected: str,
    found: Sequence[Subject],
    compiled: Sequence[Compiled],
    now: float,
) -> Tried:
    """One example. Companies that share a domain must all have the same tier, and are named anyway."""
    from icp_sync.domain.evaluation import evaluate
    from icp_sync.domain.expectation import obstacles, said_as
    from icp_sync.domain.movement import standing

    evaluations = [evaluate(compiled, subject.facts, None, now) for subject in found]
    tiers = {standing(e) for e in evaluations}
    names = tuple(subject.where for subject in found)
    why: tuple[str, ...] = ()
    several = (f"the domain is on {len(found)} accounts: {', '.join(names)}",) if len(found) > 1 else ()
    if not found:
        result, got, why = MISSING, "", ("no account has this domain",)
    elif len(tiers) > 1:
        got = ", ".join(f"{n}: {said_as(e)}" for n, e in zip(names, evaluations, strict=True))
        result, why = AMBIGUOUS, ("they differ, so the example says nothing",)
    else:
        got = said_as(evaluations[0])
        result = PASSED if tiers == {expected} else FAILED
        why = tuple(obstacles(evaluations[0], found[0].facts, expected))
    return Tried(
        domain=domain,
        profile=profile,
        expected=expected,
        result=result,
        got=got,
        why=several + why,
        accounts=names,
    )
