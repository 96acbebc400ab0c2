"""Whether a profile may be promoted: what it ranks on cases it never saw, against what it has to beat.

It has to beat the active profile, the best field by itself, and what the same way of learning reaches
where there is nothing to learn; each by the lower end of an interval, not by its middle. Says what would be
enough where it may not. Changes nothing, and must not know how a profile is learned or activated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from statistics import quantiles

from icp_sync.domain.profile import Profile
from icp_sync.learning.cases import Labelled
from icp_sync.learning.figures.ranking import Estimate, auc, auc_difference, auc_estimate
from icp_sync.learning.figures.roughly import roughly
from icp_sync.learning.past.vouching import NOBODY, Vouching
from icp_sync.learning.proof.backtest import judged
from icp_sync.learning.proof.rules import Rule
from icp_sync.learning.proof.standing import LEAST_LEARNED as LEAST_LEARNED
from icp_sync.learning.proof.standing import LEAST_PROVED as LEAST_PROVED
from icp_sync.learning.proof.standing import VOUCHED, Obstacle, obstacles

SHUFFLED_OF = 20
"""Of the profiles learned from shuffled labels all but one in so many must rank below our lower end."""
COIN = 0.5
FAR_MORE = "far more"
SHUFFLED = "profiles learned from shuffled labels"


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
class Shown:
    """The proving cases with facts that are hidden on a guess, and that the active profile asks about: it
    must not lose its place to a worse one for being blindfolded."""

    facts: Sequence[str]
    cases: Sequence[Labelled]

    def settled(self, vouching: Vouching) -> str:
        """How somebody who knows settles what the cases cannot."""
        return (
            f"the active profile asks about {' and '.join(self.facts)}, which may give the outcome away: if "
            f"known before the sale, write {vouching.line(self.facts)}; else take it out of the profile"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """reasons: why not, each a sentence, none when passed. enough: one sentence on what would be enough, ""
    when passed. auc: what the profile reaches itself. vouch: what to write into the settings, where
    somebody's word is all that it lacks. hopeless: no further case would help this very profile."""

    passed: bool
    auc: Estimate | None
    comparisons: tuple[Comparison, ...]
    reasons: tuple[str, ...]
    enough: str
    vouch: str = ""
    hopeless: bool = False


def gate(
    profiles: Sequence[Profile],
    active: Sequence[Profile],
    learning: Sequence[Labelled],
    proving: Sequence[Labelled],
    *,
    shuffled: Sequence[Sequence[float] | float] | None,
    rule: Rule | None,
    shown: Shown | None = None,
    suspected: Mapping[str, str] | None = None,
    vouching: Vouching = NOBODY,
    rounds: int = 1000,
    seed: int = 0,
) -> Verdict:
    """Judge the profiles (one set, in file order) on the proving cases.

    active: the set in force, empty for none. learning: the cases they were learned from. shuffled: for each
    profile learned from shuffled labels what it ranks the proving cases, in their order, or its AUC there;
    None where nobody made any, and then chance is not ruled out. rule: the best field of the learning cases.
    shown: what the active set may see beyond the proving cases. suspected: fact → why the sale may have
    caused it. vouching: how somebody says that it did not.
    """
    ours = [one.rank for one in judged(profiles, proving)]
    good = [label for _, label in proving]
    own = auc_estimate(ours, good, rounds=rounds, seed=seed)
    cases = proving if shown is None else shown.cases
    theirs = [one.rank for one in judged(active, cases)] if active else None
    comparisons = (
        _against_ranks(_in_force(shown), ours, theirs, good, own, rounds, seed),
        _against_ranks(
            _named(rule), ours, rule.ranks(proving) if rule is not None else None, good, own, rounds, seed
        ),
        _against_chance(own, shuffled, good),
    )
    standing = obstacles(profiles, len(learning), suspected or {})
    lost = [one for one in comparisons if not one.beaten]
    figures = (
        *_few(learning, proving),
        *(f"not shown to rank better than {one.against}: {one.said}" for one in lost),
        *((shown.settled(vouching),) if shown is not None and not comparisons[0].beaten else ()),
    )
    reasons = (*(one.reason for one in standing), *figures)
    doubted = sorted({one.fact for one in standing if one.fact})
    others = [one for one in standing if not one.fact]
    return Verdict(
        passed=not reasons,
        auc=own,
        comparisons=comparisons,
        reasons=reasons,
        enough=_wanted(others, [_enough(learning, proving, lost)] if figures else [], doubted, vouching),
        vouch=vouching.line(doubted) if doubted and not others and not figures else "",
        hopeless=bool(others) or (not _few(learning, proving) and any(_never(one) for one in lost)),
    )


def _wanted(
    others: Sequence[Obstacle], figures: Sequence[str], doubted: Sequence[str], vouching: Vouching
) -> str:
    """What would be enough, for the gravest of what stands against it; "" for nothing."""
    said = [one.enough for one in others] or figures
    word = f"{VOUCHED}: {vouching.line(doubted)}." if doubted else ""
    if not said:
        return word and f"Enough would be {word}"
    return f"{said[0]} Beside that it takes {word}" if word else said[0]


def _named(rule: Rule | None) -> str:
    return f"the best single field: {rule.fact}" if rule else "the best single field"


def _in_force(shown: Shown | None) -> str:
    return "the active profile" + (f", which is shown {' and '.join(shown.facts)}" if shown else "")


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
    against = SHUFFLED
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


def _enough(learning: Sequence[Labelled], proving: Sequence[Labelled], lost: Sequence[Comparison]) -> str:
    """One sentence on what would be enough. Where it ranks no better on these cases, nobody can say how many
    more would show it; that none would is said only where the whole interval says so, and never against
    chance, which reaches less the more cases there are."""
    told = [one for one in lost if one.difference is not None]
    if not _few(learning, proving):
        for one in told:
            if _never(one):
                return (
                    f"No number of further cases would be enough for this profile: it ranks no better than "
                    f"{one.against}, so what it asks tells no more than that."
                )
        for one in told:
            if one.difference is not None and one.difference.value <= 0.0:
                return (
                    f"It is not told from {one.against} on these cases; how many more would tell them apart "
                    "nobody can say yet."
                )
    base = (_kinds(learning)[0] + _kinds(proving)[0]) / max(1, len(learning) + len(proving))
    proof = max(_least(base, LEAST_PROVED), *(_clearing(one, len(proving)) for one in lost), len(proving))
    wanted = [
        _more(_least(base, LEAST_LEARNED), len(learning), "to learn from"),
        _more(proof, len(proving), "decided since then to prove it on, if it goes on ranking as it does"),
    ]
    said = " and ".join(text for text in wanted if text)
    if not said:
        return "Enough would be profiles learned from shuffled labels to compare it with: icp-sync learn."
    rate = f" at this base rate of {base:.0%}" if base else ""
    return f"Enough would be {said}{rate}."


def _never(one: Comparison) -> bool:
    return one.difference is not None and one.difference.high <= 0.0 and SHUFFLED not in one.against


def _more(wanted: int, there: int, what: str) -> str:
    """How many more, no more exactly than anybody can know; "" for none."""
    if wanted <= there:
        return ""
    more = roughly(wanted - there, there)
    return f"{more} cases than the {there:,} {what}" if more == FAR_MORE else f"{more} more cases {what}"


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
