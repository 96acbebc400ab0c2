"""Which attributes a scorecard is made of: those found, the strongest first, each as one or a few factors.

Knows findings and columns, not points.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

from icp_sync.domain.conditions import AnyOf, Condition
from icp_sync.learning.card.bands import FEWEST, member, ordered, values
from icp_sync.learning.card.factors import Factor
from icp_sync.learning.marks.attributes import Attribute, Findings, Mark
from icp_sync.learning.marks.coded import NO, Coded, Column
from icp_sync.profile_file import words
from icp_sync.profile_file.reading import Report

MOST_FACTS = 8
MOST_MEMBERS = 3
"""Members of one set that are asked for one by one; beyond them the weaker ones are asked for together."""
LEAST_KNOWN = 0.10
"""A fact known of fewer cases scores nobody."""


def chosen(coded: Coded, findings: Findings, good: bytes, *, forced: bool = False) -> list[Factor]:
    """The factors worth weighing. good: a byte a case. forced: the strongest facts, whether found or not."""
    columns = {column.fact: column for column in coded.columns}
    factors: list[Factor] = []
    facts = 0
    for attribute in findings.attributes:
        if facts == MOST_FACTS:
            break
        column = columns.get(attribute.fact)
        if column is None or attribute.known < LEAST_KNOWN * coded.n:
            continue
        if not forced and (not attribute.found or _marks_others_as_well(attribute)):
            continue
        made = list(_factors(column, attribute, good, forced))
        factors += made
        facts += bool(made)
    return factors


def _marks_others_as_well(attribute: Attribute) -> bool:
    """Whether all that speaks for it speaks for an anti-cohort too."""
    raising = [mark for mark in attribute.marks if mark.positive]
    return any(mark.also for mark in raising) and not any(mark.found for mark in attribute.marks)


def _factors(column: Column, attribute: Attribute, good: bytes, forced: bool) -> Iterator[Factor]:
    if column.kind == "members":
        yield from _members(column, attribute.marks, good, forced)
        return
    if not column.questions:
        return
    if column.kind == "ordered":
        factor = ordered(column, good)
    else:
        refused = frozenset(word for mark in attribute.marks if mark.also for word in _asked(mark))
        factor = values(column, good, spelled=partial(spelled, column), refused=refused)
    if factor is not None:
        yield factor


def _members(column: Column, marks: Sequence[Mark], good: bytes, forced: bool) -> Iterator[Factor]:
    """One factor a found member, the most telling first; the weaker of many in one."""
    places = {
        True: [_place(column, mark) for mark in marks if mark.positive and (mark.found or forced)],
        False: [_place(column, mark) for mark in marks if not mark.positive and (mark.found or forced)],
    }
    for raising, found in places.items():
        known = [at for at in found if at is not None]
        most = MOST_MEMBERS - 1 if len(known) > MOST_MEMBERS else len(known)
        groups = [[at] for at in known[:most]] + ([known[most:]] if known[most:] else [])
        for group in groups[: 1 if forced else None]:
            factor = member(column, group, good)
            if factor is not None and (1 in factor.above(1)) is raising:
                yield factor


def unasked(coded: Coded, findings: Findings, decided: Sequence[Condition]) -> tuple[Mark, ...]:
    """Members found to mark the others, of sets of which next to nobody says what is missing: not to be there
    can then bear no points. decided: what excludes or caps somebody already."""
    columns = {column.fact: column for column in coded.columns if column.kind == "members"}
    named = {(when.fact, word) for when in decided if isinstance(when, AnyOf) for word in when.values}
    return tuple(
        mark
        for attribute in findings.found
        if attribute.fact in columns
        for mark in attribute.marks
        if mark.found and not mark.positive and mark.question.answers.count(NO) < 2 * FEWEST
        if not any((attribute.fact, word) in named for word in _asked(mark))
    )


def _place(column: Column, mark: Mark) -> int | None:
    """Which member a mark asks for, None where a profile cannot write it."""
    word = next(iter(_asked(mark)), "")
    return column.values.index(word) if word in column.values and spelled(column, word) else None


def _asked(mark: Mark) -> frozenset[str]:
    when = mark.question.when
    return when.values if isinstance(when, AnyOf) else frozenset()


def spelled(column: Column, word: str) -> bool:
    """Whether a profile that names the word would mean it: its vocabulary may know it by another."""
    found = words.read([word], column.fact, column.type, (), Report(""))
    return found is not None and set(found) == {word}
