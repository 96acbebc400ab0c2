"""Planted cases as the export that somebody would have of them: a CSV file with outcomes and dates."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Members
from icp_sync.domain.spelling import date_text
from icp_sync.learning.cases import Case, Cohort
from tests.learning.planted import DAY, FACTS, TYPES

OUTCOME = ("Outcome", "Begun", "Decided", "Value")
_FORMS = {
    FactType.NUMBER: "number",
    FactType.MONEY: "USD",
    FactType.DATE: "date",
    FactType.CHOICE: "choice",
    FactType.SET: "set",
    FactType.YES_NO: "yes_no",
}


def columns(facts: Sequence[str] = FACTS) -> dict[str, str]:
    """Column → fact, as `--map` wants it, for what the columns' names do not say: facts that are not in the
    catalogue, and the currency of amounts."""
    return {
        fact: f"{fact}:{_FORMS[TYPES[fact]]}"
        for fact in facts
        if fact not in CATALOGUE or TYPES[fact] is FactType.MONEY
    }


def write_accounts(path: Path, cases: Sequence[Case]) -> Path:
    """The cases as an export: the record, forty columns named like their facts, outcome, dates and worth."""
    facts = list(dict.fromkeys((*FACTS, *(fact for case in cases for fact in case.facts))))
    with path.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(["Record ID", "Company name", "Company Domain Name", *facts, *OUTCOME])
        for case in cases:
            told = [_cell(fact, case.facts.get(fact)) for fact in facts]
            ending = [_outcome(case), date_text(case.begun), date_text(case.decided), case.value]
            writer.writerow([case.id, case.name, case.domain, *told, *ending])
    return path


def _outcome(case: Case) -> str:
    if case.won:
        return "churned" if case.cohort is Cohort.CHURNED else "won"
    return "never closed" if case.cohort is Cohort.NEVER else "lost"


def _cell(fact: str, value: FactValue | None) -> str:
    if value is None:
        return ""
    if isinstance(value, Members):
        return ";".join(sorted(value.known))
    if TYPES[fact] is FactType.DATE:
        return date_text(value.low)[: 4 if value.high - value.low > 300 * DAY else None]
    if value.low == value.high:
        return f"{value.low:.0f}"
    return f"{value.low:.0f}+" if value.high == float("inf") else f"{value.low:.0f}-{value.high:.0f}"
