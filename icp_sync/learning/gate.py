"""Whether a profile may be promoted: what it ranks on cases it never saw, against what it has to beat.

It has to beat the active profile, the best rule of one question, and what the same way of learning reaches
where there is nothing to learn; each by the lower end of an interval, not by its middle. Says what would be
enough where it may not. Changes nothing, and must not know how a profile is learned or activated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil
from statistics import quantiles

from icp_sync.domain.profile import Profile
from icp_sync.learning.backtest import judged
from icp_sync.learning.cases import Labelled
from icp_sync.learning.ranking import Estimate, auc, auc_difference, auc_estimate
from icp_sync.learning.roughly import roughly
from icp_sync.learning.rules import Rule

LEAST_LEARNED = 30
LEAST_PROVED = 15
"""So many good cases and so many others, below which nothing is decided."""
SHUFFLED_OF = 20
"""Of the profiles learned from shuffled labels all but one in so many must rank below our lower end."""
COIN = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """One opponent on the proving cases. auc: what it reaches, None where it could not be tried. difference:
    ours less theirs; beaten: its lower end is above nothing. said: the figures in words."""

    against: str
    auc: float | None
    difference: Estimate | None
    beaten: bool
    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """reasons: why not, each a sentence, none when passed. enough: one sentence on what would be enough, ""
    when passed. auc: what the profile reaches itself."""

    passed: bool
    auc: Estimate | None
    comparisons: tuple[Comparison, ...]
    reasons: tuple[str, ...]
    enough: str


def gate(
    profiles: Sequence[Profile],
    active: Sequence[Profile],
    learning: Sequence[Labelled],
    proving: Sequence[Labelled],
    *,
    shuffled: Sequence[Sequence[float] | float] | None,
    rule: Rule | None,
    rounds: int = 1000,
    seed: int = 0,
) -> Verdict:
    """Judge the profiles (one set, in file order) on the proving cases.

    active: the set in force, empty for none. learning: the cases they were learned from. shuffled: for each
    profile learned from shuffled labels what it ranks the proving cases, in their order, or its AUC there;
    None where nobody made any, and then chance is not ruled out. rule: the best of the learning cases.
    """
    ours = [one.rank for one in judged(profiles, proving)]
    good = [label for _, label in proving]
    own = auc_estimate(ours, good, rounds=rounds, seed=seed)
    theirs = [one.rank for one in judged(active, proving)] if active else None
    comparisons = (
        _against_ranks("the active profile", ours, theirs, good, own, rounds, seed),
        _against_ranks(
            _named(rule), ours, rule.ranks(proving) if rule is not None else None, good, own, rounds, seed
        ),
        _against_chance(own, shuffled, good),
    )
    reasons = (*_standing(profiles), *_few(learning, proving))
    lost = [one for one in comparisons if not one.beaten]
    reasons += tuple(f"{_beat(one)}: {one.said}" for one in lost)
    return Verdict(
        passed=not reasons,
        auc=own,
        comparisons=comparisons,
        reasons=reasons,
        enough=_enough(profiles, learning, proving, lost) if reasons else "",
    )


def _named(rule: Rule | None) -> str:
    return f"the best single rule: {rule.said}" if rule else "the best single rule"


def _beat(one: Comparison) -> str:
    return f"not shown to rank better than {one.against}"


def _against_ranks(
    against: str,
    ours: Sequence[float],
    theirs: Sequence[float] | None,
    good: Sequence[bool],
    own: Estimate | None,
    rounds: int,
    seed: int,
) -> Comparison:
    """Both drawn together, case by case. Without an opponent: a coin, which ranks nothing."""
    if theirs is None:
        missing = "no profile is active" if "active" in against else "no question can be asked of these cases"
        difference = own and Estimate(*(part - COIN for part in own))
        return _comparison(f"tossing a coin, as {missing}", COIN, difference)
    difference = auc_difference(ours, theirs, good, rounds=rounds, seed=seed)
    return _comparison(against, auc(theirs, good), difference)


def _comparison(against: str, reached: float | None, difference: Estimate | None) -> Comparison:
    beaten = difference is not None and difference.low > 0.0
    if difference is None or reached is None:
        said = "nothing can be ranked without good cases and others"
    else:
        low, value, high = difference
        said = f"AUC {reached + value:.3f} against {reached:.3f}, {value:+.3f} ({low:+.3f} to {high:+.3f})"
    return Comparison(against=against, auc=reached, difference=difference, beaten=beaten, said=said)


def _against_chance(
    own: Estimate | None, shuffled: Sequence[Sequence[float] | float] | None, good: Sequence[bool]
) -> Comparison:
    against = "profiles learned from shuffled labels"
    if not shuffled:
        said = "none was learned from shuffled labels, so chance is not ruled out"
        return Comparison(against=against, auc=None, difference=None, beaten=False, said=said)
    found = [one if isinstance(one, int | float) else auc(one, good) for one in shuffled]
    reached = sorted(value for value in found if value is not None)
    if own is None or not reached:
        return _comparison(against, None, None)
    bar = quantiles(reached, n=SHUFFLED_OF, method="inclusive")[-1] if len(reached) > 1 else reached[0]
    return _comparison(
        f"{len(reached)} {against} (the 95th percentile)",
        bar,
        Estimate(*(part - bar for part in own)),
    )


def _standing(profiles: Sequence[Profile]) -> tuple[str, ...]:
    """Why a profile cannot be proven at all, whatever it ranks."""
    reasons = []
    for profile in profiles:
        if profile.learned is None:
            reasons.append(
                f"{profile.name} was written by hand, perhaps knowing these outcomes: no case proves it"
            )
        elif profile.learned.hypothesis:
            reasons.append(f"{profile.name} is a hypothesis, unproven: it was drafted from a few customers")
    return tuple(reasons)


def _few(learning: Sequence[Labelled], proving: Sequence[Labelled]) -> tuple[str, ...]:
    return tuple(
        f"only {good:,} good and {others:,} other cases {what}; at least {least} of each are needed"
        for cases, what, least in (
            (learning, "to learn from", LEAST_LEARNED),
            (proving, "to prove it on", LEAST_PROVED),
        )
        for good, others in [_kinds(cases)]
        if min(good, others) < least
    )


def _kinds(cases: Sequence[Labelled]) -> tuple[int, int]:
    good = sum(label for _, label in cases)
    return good, len(cases) - good


def _enough(
    profiles: Sequence[Profile],
    learning: Sequence[Labelled],
    proving: Sequence[Labelled],
    lost: Sequence[Comparison],
) -> str:
    """One sentence on what would be enough."""
    if any(p.learned is None or p.learned.hypothesis for p in profiles):
        return (
            f"Enough would be a profile learned from at least {LEAST_LEARNED} good and {LEAST_LEARNED} other "
            f"cases, and {LEAST_PROVED} of each decided since: icp-sync learn."
        )
    hopeless = [one for one in lost if one.difference is not None and one.difference.value <= 0.0]
    if hopeless and not _few(learning, proving):
        return (
            f"No number of further cases would be enough for this profile: it ranks no better than "
            f"{hopeless[0].against}, so what it asks tells no more than that."
        )
    base = (_kinds(learning)[0] + _kinds(proving)[0]) / max(1, len(learning) + len(proving))
    proof = max(_least(base, LEAST_PROVED), *(_clearing(one, len(proving)) for one in lost), len(proving))
    wanted = [
        (_more(more, len(cases), what), more)
        for more, cases, what in (
            (_least(base, LEAST_LEARNED) - len(learning), learning, "to learn from"),
            (
                proof - len(proving),
                proving,
                "decided since then to prove it on, if it goes on ranking as it does",
            ),
        )
    ]
    said = " and ".join(text for text, more in wanted if more > 0)
    if not said:
        return "Enough would be profiles learned from shuffled labels to compare it with: icp-sync learn."
    rate = f" at this base rate of {base:.0%}" if base else ""
    return f"Enough would be {said}{rate}."


def _more(n: int, there: int, what: str) -> str:
    said = roughly(n, there)
    return f"{said} cases than there are {what}" if said == "far more" else f"{said} more cases {what}"


def _least(base: float, least: int) -> int:
    """Cases among which so many of each kind are expected."""
    rarer = min(base, 1 - base)
    return ceil(least / rarer) if rarer > 0.0 else 2 * least


def _clearing(one: Comparison, n: int) -> int:
    """Cases at which the lower end would be above nothing, were the difference to stay: an interval narrows
    with the root of the number of cases."""
    if one.difference is None or one.difference.value <= 0.0:
        return 0
    low, value, _ = one.difference
    return ceil(n * ((value - low) / value) ** 2) + 1
