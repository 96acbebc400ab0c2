"""The reasons on the record: what a rep reads in ten seconds, on a phone.

The first line decides; then what helps, what hurts, what is missing, what changed, and who owns it. Every
name in it is one line that runs nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import inf
from typing import NamedTuple

from icp_sync.domain.asked import Asked
from icp_sync.domain.assessment import Assessment, Fate
from icp_sync.domain.compile import Answers
from icp_sync.domain.conditions import Condition
from icp_sync.domain.evaluation import NOT_ICP, Evaluation
from icp_sync.domain.facts import FactValue
from icp_sync.domain.headline import Quote, Rest, below_first, first_words, unquoted
from icp_sync.domain.spelling import REASONS_LIMIT, WORDS, cut, ended, named, plain, source_text, spoken_value
from icp_sync.domain.success import NOTHING_SAID, Success
from icp_sync.domain.words import gap_clause, gap_words, open_fact, quote, quoted_fact, verdict_words

OUT_OF_SCOPE = "Outside the profile's scope."
SHOWN = 3
"""Criteria named of each kind, the one on the first line among them."""
LEADS = {"+": "Helps", "−": "Hurts", "?": "Missing"}
_WORTHWHILE = 30
"""Characters of a line that are worth beginning it."""


class Line(NamedTuple):
    """One line: what it is about, and a list of which the last ones can be done without."""

    lead: str
    items: tuple[str, ...]

    def said(self, most: int) -> str:
        return ended(f"{self.lead}: {'; '.join(self.items[:most])}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """What the reasons tell beside an evaluation, each "" where there is nothing to tell.

    why: the sentence on the last change, as `domain.why` makes it. owner: the line on the owner. timing: the
    line on the moment. sources: fact → who says so; without any, what ruled an account out stays unquoted.
    """

    why: str = ""
    success: Success = NOTHING_SAID
    owner: str = ""
    timing: str = ""
    sources: Mapping[str, str] = field(default_factory=dict)


NOTHING_BESIDE = Beside()


def reasons(
    evaluation: Evaluation,
    facts: Mapping[str, FactValue],
    beside: Beside = NOTHING_BESIDE,
    *,
    apart: str = "\n",
) -> str:
    """At most 500 characters. apart: what stands between two lines."""
    if not evaluation.in_scope:
        return OUT_OF_SCOPE
    said = quoting(facts, beside.sources) if beside.sources else unquoted
    first, *lines = lines_of(evaluation, facts, said)
    after = (changed_words(beside.why), profiles_text(evaluation), success_text(beside.success), beside.owner)
    return fitted([line for line in (first, beside.timing, *lines, *after) if line], apart)


def quoting(facts: Mapping[str, FactValue], sources: Mapping[str, str]) -> Quote:
    """Says what an account has, and who says so: "clearbit: business model agency"."""

    def said(when: Condition, currency: str) -> str:
        source = sources.get(quoted_fact(when), "")
        has = quote(when, facts, currency)
        return f"{plain(source_text(source), WORDS)}: {has}" if source and has else has

    return said


def lines_of(
    evaluation: Evaluation, facts: Mapping[str, FactValue], said: Quote = unquoted
) -> list[str | Line]:
    """What is said of the evaluation itself, the first line first."""
    first, rest = first_words(evaluation, said)
    below = below_first(evaluation, said)
    if evaluation.model_tier == NOT_ICP:
        return [first, *below]
    shown = evaluation.shown
    ranked = Ranked.of(shown.compiled.asking.criteria, shown.answers, shown.points, facts)
    if rest is Rest.TOP and (top := ranked.strongest(evaluation.model_tier)) is not None:
        first = f"{first}: {_item(shown, top, facts)}"
    elif rest is Rest.GAP and ranked.missing:
        first = f"{first}, {gap_clause(ranked.missing[0][0], facts)}"
    first = ended(first)
    helps = [_item(shown, one, facts) for one in ranked.helps]
    hurts = [_item(shown, one, facts) for one in ranked.hurts]
    missing = [gap_item(gap_words(fact, facts), points) for fact, points in ranked.missing]
    found = zip(LEADS.values(), (helps, hurts, missing), strict=True)
    return [first, *below, *[Line(lead, tuple(items)) for lead, items in found if items]]


class Weighed(NamedTuple):
    """A criterion that is answered: its credit, and its points: `got` of `of`."""

    at: int
    credit: float
    got: int
    of: int


@dataclass(slots=True, kw_only=True)
class Ranked:
    """What helps, hurts and is missing, the most important first, three of each."""

    helps: list[Weighed]
    hurts: list[Weighed]
    missing: list[tuple[str, int]]

    @classmethod
    def of(
        cls,
        criteria: Sequence[Asked],
        answers: Answers,
        points: Sequence[tuple[int, int]],
        facts: Mapping[str, FactValue],
    ) -> Ranked:
        """points: of each criterion, earned and possible.

        Facts that several criteria wait for are named once, with the points of all of them.
        """
        helps: list[tuple[float, int]] = []
        hurts: list[tuple[float, int]] = []
        worth: dict[str, float] = {}
        for at, asked in enumerate(criteria):
            of = points[at][1]
            if not of or asked.worth == inf:
                continue
            low, high = answers[asked.at], answers[asked.at + 1]
            if high > low:
                fact = open_fact(asked.facts, facts)
                worth[fact] = worth.get(fact, 0.0) + of * (high - low)
            elif low > 0.5:  # earns more than it costs
                helps.append((-of * low, at))
            else:
                hurts.append((-of * (1 - low), at))

        def first(ranked: list[tuple[float, int]]) -> list[Weighed]:
            shown = [at for _, at in sorted(ranked)[:SHOWN]]
            return [Weighed(at, answers[criteria[at].at], *points[at]) for at in shown]

        missing = sorted(worth, key=lambda fact: -worth[fact])
        return cls(
            helps=first(helps),
            hurts=first(hurts),
            missing=[(fact, max(1, round(worth[fact]))) for fact in missing[:SHOWN]],
        )

    def strongest(self, tier: str) -> Weighed | None:
        """The reason for this tier, taken out of its list: what helps the best, what keeps another down."""
        lists = (self.helps, self.hurts) if tier == "A" else (self.hurts, self.helps)
        return next((found.pop(0) for found in lists if found), None)


def _item(shown: Assessment, one: Weighed, facts: Mapping[str, FactValue]) -> str:
    if one.credit >= 1.0:
        return met_item(shown.compiled.asking.criteria[one.at].said, one.got)
    criterion = shown.profile.criteria[one.at]
    return points_item(verdict_words(criterion, one.credit, facts, shown.profile.currency), one.got, one.of)


def met_item(said: str, got: int) -> str:
    """What is met in full. Shown points add up to the score, so they may be one less than it could give."""
    return f"{said} (+{got})"


def points_item(said: str, got: int, of: int) -> str:
    return f"{said} ({got} of {of})"


def gap_item(said: str, points: int) -> str:
    return f"{said}{gap_worth(points)}"


def gap_worth(points: int) -> str:
    return f" (up to {points} {'point' if points == 1 else 'points'})"


def profiles_text(evaluation: Evaluation) -> str:
    """Which of several profiles is shown, and what the others come to."""
    if len(evaluation.assessments) < 2 or evaluation.model_tier == NOT_ICP:
        return ""
    others = [
        f"{named(one.profile.name)} {'does not fit' if one.fate is Fate.FAILED else one.score}"
        for one in evaluation.assessments
        if one is not evaluation.shown
    ]
    shown = f"{named(evaluation.shown.profile.name)} {evaluation.shown.score}"
    return ended(f"Best of {len(evaluation.assessments)} profiles: {'; '.join((shown, *others))}")


def timing_text(evaluation: Evaluation, facts: Mapping[str, FactValue]) -> str:
    """What makes this the moment: "Priority A2: Raised a round (2026-08-01)."; "" where nothing does."""
    shown = evaluation.shown
    if not evaluation.priority or evaluation.timing.grade > 2:
        return ""
    signals, answers = shown.compiled.asking.signals, shown.answers
    said = []
    for asked in sorted(signals, key=lambda one: -one.worth * answers[one.at])[:2]:
        if asked.worth * answers[asked.at]:
            value = facts.get(asked.facts[0]) if len(asked.facts) == 1 else None
            has = plain(spoken_value(asked.facts[0], value), WORDS) if value is not None else ""
            said.append(f"{asked.said}{f' ({has})' if has else ''}")
    return ended(f"Priority {evaluation.priority}: {'; '.join(said)}")


def success_text(success: Success) -> str:
    """What fit means for a customer: "Customer: onboarding full, expansion likely, churn risk low."."""
    said = [f"{name.replace('_', ' ')} {value}" for name, value in success._asdict().items() if value]
    return ended(f"Customer: {', '.join(said)}") if said else ""


_CRM = re.compile(r"\(crm:[^(),]*(?:, ([^()]*))?\)")
_CAUSES = {"PROFILE": "the profile changed", "ENGINE": "scoring itself changed"}


def changed_words(why: str) -> str:
    """The sentence on the last change for a rep: what kind of cause in plain words, the CRM as a source."""
    if not why:
        return ""
    moved, found, cause = why.partition(": ")
    kind, _, what = cause.rstrip(".").partition(" ")
    if not found or kind not in ("DATA", "OVERRIDE", *_CAUSES):
        told = plain(why, 160)
        return ended(told) if told.strip(".… ") else ""
    if kind == "OVERRIDE":
        said = "the override ended" if what == "ended" else f"set {what}"
    elif kind == "DATA":
        said = _data_words(what)
    else:
        said = f"{_CAUSES[kind]} ({'engine ' * (kind == 'ENGINE')}{what})"
    return ended(plain(f"{moved}: {said}", 180))


def _data_words(what: str) -> str:
    if what in ("time passed", "the score stayed there"):
        return "time passed" if what == "time passed" else "the score stayed there long enough"
    said = _CRM.sub(lambda found: f"({found[1] or 'CRM'})", what)
    return f"new data, {said}"


def fitted(lines: Sequence[str | Line], apart: str = "\n", limit: int = REASONS_LIMIT) -> str:
    """The lines in at most `limit` characters: lists are shortened first, then the last lines go.

    The first of these is cut at a word where enough of it is left.
    """
    said: list[str] = []
    for most in (SHOWN, 2, 1):
        said = [line if isinstance(line, str) else line.said(most) for line in lines]
        if sum(map(len, said)) + len(apart) * (len(said) - 1) <= limit:
            return apart.join(said)
    kept: list[str] = []
    left = limit
    for line in said:
        room = left - (len(apart) if kept else 0)
        if len(line) > room:
            if room >= _WORTHWHILE:
                kept.append(cut(line, room))
            break
        kept.append(line)
        left = room - len(line)
    return apart.join(kept)
