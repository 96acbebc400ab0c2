"""The evidence behind a learned profile, in sentences: what it was learned from, and each question's figures.

Knows figures, not files.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from icp_sync.domain.profile import TIERS
from icp_sync.learning.card.exclusions import Exclusion
from icp_sync.learning.card.scorecard import Scorecard, Step
from icp_sync.learning.card.spelling import comment
from icp_sync.learning.marks.attributes import Findings, Mark

_KEPT_UNKNOWN = "won; which of those have left since, nothing says"
_GOALS = {
    "won": "won and have not churned since",
    "best": "became high-value customers who stayed",
}
SELECTION = (
    "It has only seen companies somebody chose to sell to: of the others, and of whatever kept them from "
    "being chosen, it knows nothing."
)
UNPROVEN = (
    "A hypothesis, unproven: drawn from {cases:,} companies and tested on none. It is never promoted by "
    "itself: ask the customers it was drawn from, and learn from decided deals when there are enough."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """What a profile was learned from. findings: what was tried, None for a hypothesis, which says how many
    `cases`. since, until: the cases were decided on the first day or later, and before the second. left_out:
    fact → why it was not learned from. notes: further sentences for the top of the file. churn_told: whether
    anything said who left after being won. newest: when the last of all cases was decided."""

    findings: Findings | None
    goal: str
    since: date | None
    until: date | None
    left_out: Mapping[str, str]
    notes: Sequence[str]
    cases: int
    hypothesis: bool
    churn_told: bool = True
    newest: date | None = None

    @property
    def base(self) -> float:
        """The share of good ones among the cases, 0.0 where nobody counted."""
        return self.findings.base if self.findings is not None else 0.0


def head(origin: Origin) -> list[str]:
    """The comment at the top of the file, as lines."""
    lines = []
    for said in _origin(origin):
        lines += comment(said)
    lines += comment(SELECTION)
    if not origin.hypothesis:
        lines += comment(
            "Prove it on accounts decided since, then promote it: icp-sync profile backtest FILE, icp-sync "
            "profile promote FILE."
        )
    if origin.left_out:
        lines += ["#", "# Not learned from:"]
        for fact, why in sorted(origin.left_out.items()):
            lines += comment(f"  {fact}: {why}", hanging="    ")
    if origin.notes:
        lines.append("#")
        for note in origin.notes:
            lines += comment(note)
    return lines


def _origin(origin: Origin) -> Iterator[str]:
    findings = origin.findings
    if origin.hypothesis or findings is None:
        yield UNPROVEN.format(cases=origin.cases)
        return
    said = [f"from {origin.since.isoformat()} on"] if origin.since else []
    said += [f"before {origin.until.isoformat()}"] if origin.until else []
    when = f" {' and '.join(said)}" if said else ""
    goal = str(origin.goal)
    good = _GOALS.get(goal, "were good") if origin.churn_told or goal != "won" else _KEPT_UNKNOWN
    yield (
        f"Learned from {findings.n:,} accounts decided{when}: {findings.good:,} of them "
        f"({findings.base:.1%}, the base) {good}."
    )
    yield (
        f"{len(findings.attributes):,} facts were looked at in {findings.tried:,} tests, "
        f"{len(findings.found):,} of them tell; of what is found, at most {findings.rate:.0%} is expected to "
        "be chance."
    )
    yield "Figures are of the accounts it was learned from; points come from all facts weighed together."


def happened(goal: str) -> str:
    """What the good ones did, in a word: "383 of 1,594, won 33.9%"."""
    return "won" if str(goal) == "won" else "good"


def step_words(step: Step, goal: str = "") -> str:
    """ "383 of 1,594, won 33.9%, against 15.8%: lift 1.65 (1.42–1.90)"."""
    if step.note or not step.n:
        return step.note or "no figures"
    against = f", against {step.others:.1%}" if step.others is not None else ""
    base = step.rate / step.lift if step.lift else 0.0
    span = f" ({step.low / base:.2f}–{step.high / base:.2f})" if base else ""
    return (
        f"{step.n:,} of {step.known:,}, {happened(goal)} {step.rate:.1%}{against}: lift {step.lift:.2f}{span}"
    )


def exclusion_words(one: Exclusion, goal: str = "") -> str:
    """Why somebody is excluded or capped."""
    who = "who lack it" if one.effect == "gate" else f"of {one.known:,}"
    then = f"capped at {one.cap}" if one.effect == "cap" else "excluded"
    if not one.n:
        return then
    figures = f"{happened(goal)} {one.rate:.1%} (at most {one.high:.1%}), against {one.base:.1%} of all"
    return f"{one.n:,} {who}, {figures}: {then}"


def against_words(mark: Mark, goal: str = "") -> str:
    """What marks the others and bears no points, as lists that may be incomplete cannot say who lacks it."""
    return (
        f"{mark.question.words} marks the others: {mark.n:,} of {mark.n + mark.other_n:,}, {happened(goal)} "
        f"{mark.rate:.1%}, against {mark.other_hits / mark.other_n:.1%}. It bears no points: a list that may "
        "be incomplete never says who is without it."
    )


def tier_words(card: Scorecard, base: float) -> list[str]:
    """What is expected of each tier, and how tiers had to be cut. base: 0.0 where nobody counted."""
    rates = [
        f"{tier} {card.expected[tier]:.0%}"
        + (f" ({card.expected[tier] / base:.1f} × the base)" if base else "")
        for tier in TIERS
        if tier in card.expected
    ]
    return [*([f"Expected share of good ones: {', '.join(rates)}."] if rates else []), *card.notes]
