"""Facts that tell so well that the sale itself may have caused them, though not so well that they must have.

They are learned from and shown all the same; who promotes a profile that asks about one has to vouch for it.
Knows cases and their labels, no profile and no CRM.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import compress
from statistics import fmean
from typing import NamedTuple

from icp_sync.domain.conditions import facts_of
from icp_sync.domain.facts import FactType, Members
from icp_sync.domain.profile import Profile
from icp_sync.learning.cases import Labelled
from icp_sync.learning.figures.chance import wilson
from icp_sync.learning.figures.ranking import auc
from icp_sync.learning.marks.coded import YES, Coded, Column, Question, coded
from icp_sync.learning.past.leaks import LEAST, beyond_chance, called
from icp_sync.learning.past.vouching import is_vouched

ABILITY = 0.70
"""Ranking ability (AUC) of one yes/no from which on it is suspect: an odds ratio of about 5.5."""
LIFT, LEAST_CASES, SURELY = 4.0, 20, 2.0
"""Of the cases that answer yes: so many times as often good as all, how many they are, and how many times as
often by the lower bound."""
DEEPER, DEPTH = 0.62, 1.25
"""Of the number of members a set has, its strongest member aside: AUC, and the mean over that of others."""
ASKED = "could the sale have caused this?"


class _Told(NamedTuple):
    """One question: good and others that say yes, and those that could."""

    question: Question
    hits: int
    others: int
    n: tuple[int, int]

    @property
    def ability(self) -> float:
        """The AUC of a yes/no: half of who is told right on either side."""
        found = (self.hits / self.n[0] + 1 - self.others / self.n[1]) / 2
        return max(found, 1 - found)


def suspects(
    labelled: Sequence[Labelled],
    types: Mapping[str, FactType],
    *,
    asked: Coded | None = None,
    vouched: Collection[str] = (),
    currency: str = "USD",
) -> dict[str, str]:
    """Fact → what is odd about it, with figures, and the question it raises.

    asked: the questions of these very cases where somebody asked them already, else amounts are cut in
    `currency`. vouched: facts known before the sale, as somebody says, and so what is made of them. With
    fewer than ten good cases, or ten others, nothing is suspected.
    """
    good = [one.good for one in labelled]
    if min(sum(good), len(good) - sum(good)) < LEAST:
        return {}
    asked = asked or coded([case.facts for case, _ in labelled], types, currency=currency)
    who, base = called(labelled), sum(good) / len(good)
    found: dict[str, str] = {}
    for column in asked.columns:
        if not is_vouched(column.fact, vouched):
            said = _answer(column, good, base, who)
            said = said or (_depth(column.fact, labelled, who) if column.kind == "members" else "")
            if said:
                found[column.fact] = f"{said}: {ASKED}"
    return found


def suspected_of(profile: Profile, suspected: Mapping[str, str]) -> dict[str, str]:
    """Those suspects, with why, by which a profile gives points or excludes."""
    return {fact: suspected[fact] for fact in asked_by(profile) if fact in suspected}


def asked_by(profile: Profile) -> tuple[str, ...]:
    """The facts by which a profile gives points or excludes, in the order it asks."""
    conditions = [*(one.when for one in profile.criteria), *(one.when for one in profile.flags)]
    return tuple(dict.fromkeys(fact for when in conditions for fact in facts_of(when)))


def _answer(column: Column, good: Sequence[bool], base: float, who: str) -> str:
    """The question of a fact that tells most, where that is too much; "" otherwise. Of a yes and its no, the
    one that speaks for a company."""
    told = [one for question in column.questions if (one := _told(column, question, good)) is not None]
    odd = [one for one in told if _odd(one, base)]
    if not odd:
        return ""
    one = max(odd, key=lambda one: (one.ability, one.hits / one.n[0] - one.others / one.n[1]))
    held = f"{one.hits / one.n[0]:.0%} of the {who} and {one.others / one.n[1]:.0%} of the others"
    return f"'{one.question.words}' holds for {held}"


def _told(column: Column, question: Question, good: Sequence[bool]) -> _Told | None:
    """Of a set that names only what was seen, what it does not name counts as no."""
    known = column.known
    if column.kind != "members":
        known = bytes(answer < 2 for answer in question.answers)
    n = sum(compress(known, good)), sum(known)
    hits, all_of_them = bytes(compress(question.answers, good)).count(YES), question.answers.count(YES)
    sides = n[0], n[1] - n[0]
    return _Told(question, hits, all_of_them - hits, sides) if min(sides) >= LEAST else None


def _odd(one: _Told, base: float) -> bool:
    if one.ability >= ABILITY and beyond_chance(one.ability, one.n):
        return True
    cases = one.hits + one.others
    if cases < LEAST_CASES or one.hits < LIFT * base * cases:
        return False
    return wilson(one.hits, cases)[0] >= SURELY * base


def _depth(fact: str, labelled: Sequence[Labelled], who: str) -> str:
    """A set that lists more for the good ones, whatever it lists: somebody looked more closely at them."""
    told = [(one.case.facts.get(fact), one.good) for one in labelled]
    sets = [(value.known, good) for value, good in told if isinstance(value, Members)]
    good = [label for _, label in sets]
    n = sum(good), len(good) - sum(good)
    if min(n) < LEAST:
        return ""
    held, all_of_them = Counter[str](), Counter[str]()
    for members, label in sets:
        all_of_them.update(members)
        held.update(members if label else ())
    strongest = max(
        sorted(all_of_them), key=lambda m: held[m] / n[0] - (all_of_them[m] - held[m]) / n[1], default=""
    )
    counts = [float(len(members - {strongest})) for members, _ in sets]
    ability = auc(counts, good) or 0.5
    mean, other = (
        fmean(c for c, label in zip(counts, good, strict=True) if label is kind) for kind in (True, False)
    )
    if ability < DEEPER or mean < DEPTH * other or not beyond_chance(ability, n):
        return ""
    return (
        f"{fact} lists {mean:.1f} on average for the {who} and {other:.1f} for the others, whatever they are"
    )
