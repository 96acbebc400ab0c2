"""Facts of exports and the day somebody recorded them: what of them was known before a case was decided.

Knows rows and cases, not files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from icp_sync.domain.facts import Facts
from icp_sync.learning.cases import Book, Case
from icp_sync.learning.past.cohorts import AsOf
from icp_sync.learning.past.steadiness import STEADY
from icp_sync.learning.past.wanting import counted
from icp_sync.learning.past.withheld import known_by
from icp_sync.learning.sources.told_rows import Row


def as_of(facts: Facts, observed: float) -> Callable[[float], AsOf]:
    """What of a row's facts was known at an instant: all that was observed by then, else what hardly ever
    changes."""
    steady = {fact: value for fact, value in facts.items() if fact in STEADY}
    return lambda decided: AsOf(facts) if observed <= decided else AsOf(steady, recorded=False)


def in_time(book: Book, rows: Mapping[str, Row]) -> tuple[tuple[Case, ...], list[str]]:
    """The cases without dates that lie after the decision, where nobody says the facts were recorded before
    it, and a note on them."""
    cases, gone = [], 0
    for case in book.cases:
        if rows[case.id].observed is None:
            facts = known_by(case.facts, book.types, case.decided)
            gone += len(case.facts) - len(facts)
            case = replace(case, facts=facts)
        cases.append(case)
    said = f"{counted(gone, 'date')} of after the decision left out: nobody knew them before"
    return tuple(cases), [said] if gone else []


def observed_notes(book: Book, rows: Mapping[str, Row]) -> list[str]:
    """Notes on when the facts of the cases were recorded."""
    today = sum(rows[case.id].observed is None for case in book.cases)
    as_today = "as they stand today, also what changed after the deal"
    if today and today == len(book.cases):
        return [f"No row says when its facts were recorded: all {today:,} are {as_today}"]
    beside = [f"{counted(today, 'case')} without a day their facts were recorded on: they are {as_today}"]
    return [*_late(book, rows), *(beside if today else [])]


def _late(book: Book, rows: Mapping[str, Row]) -> list[str]:
    """A note on cases whose facts were recorded after they were decided."""
    late = sum(
        observed is not None and observed > case.decided
        for case in book.cases
        if (observed := rows[case.id].observed) is not None
    )
    if not late:
        return []
    said = "recorded after the decision: only facts that hardly ever change are kept"
    return [f"{counted(late, 'case')} {said}"]
