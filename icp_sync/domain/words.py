"""Evaluations in plain English: verdicts, missing facts, and conditions as clauses.

Made only when somebody will read them. Dates are absolute, so that a sentence stays true while time passes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from math import inf

from icp_sync.domain.assessment import Assessment, Fate
from icp_sync.domain.conditions import (
    All,
    AllOf,
    Any,
    AnyOf,
    Between,
    Condition,
    NoneOf,
    Not,
    Present,
    Within,
    facts_of,
)
from icp_sync.domain.currency import convert
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, Money
from icp_sync.domain.profile import DAY, Criterion, Effect
from icp_sync.domain.spelling import (
    DIGITS,
    WORDS,
    amount_text,
    bound_text,
    is_date,
    named,
    plain,
    spoken_value,
)
from icp_sync.domain.spelling import cut as cut
from icp_sync.domain.spelling import date_text as date_text
from icp_sync.domain.spelling import fact_text as fact_text
from icp_sync.domain.spelling import value_text as value_text

_MOST = 17
"""Digits with which any two numbers read as different."""


def failures(assessment: Assessment) -> list[str]:
    """Why a failed profile failed, each gate and exclude flag by name."""
    profile = assessment.profile
    gates = [
        f"must-have {c.name} is not met"
        for i, c in enumerate(profile.criteria)
        if c.required and assessment.criterion(i)[1] == 0.0
    ]
    flags = [f.name for f in assessment.flags_true if f.effect is Effect.EXCLUDE]
    return gates + flags


def open_fact(names: Sequence[str], facts: Mapping[str, FactValue]) -> str:
    """The fact on which an open verdict waits first: one that is missing, else one known too roughly. names:
    of what it asks about."""
    for name in names:
        if name not in facts:
            return name
    return next((name for name in names if not _settled(facts[name])), names[0])


def gap_words(fact: str, facts: Mapping[str, FactValue]) -> str:
    """What there is to learn about a fact: "industry", "employees beyond 51–200"."""
    value = facts.get(fact)
    if value is None or value == Members(frozenset(), False):
        return named(fact_text(fact))
    beyond = "beyond" if isinstance(value, Members) else "more exactly than"
    return plain(f"{fact_text(fact)} {beyond} {spoken_value(fact, value)}", WORDS)


def gap_clause(fact: str, facts: Mapping[str, FactValue]) -> str:
    """The same where it has to be a clause: "industry unknown", "employees known only as 51–200"."""
    value = facts.get(fact)
    if value is None or value == Members(frozenset(), False):
        return f"{named(fact_text(fact))} unknown"
    if isinstance(value, Members):
        return f"{named(fact_text(fact))} known only in part"
    return plain(f"{fact_text(fact)} known only as {spoken_value(fact, value)}", WORDS)


def _settled(value: FactValue) -> bool:
    return value.complete if isinstance(value, Members) else value.low == value.high


def quoted_fact(when: Condition) -> str:
    """The fact whose value `quote` says, "" where the condition asks about several."""
    names = facts_of(when)
    return names[0] if len(names) == 1 else ""


def quote(when: Condition, facts: Mapping[str, FactValue], currency: str) -> str:
    """What the account has of the one fact a condition asks about: "620 employees, over 500"; "" where that
    is not known, or it asks about several."""
    fact = quoted_fact(when)
    value = facts.get(fact)
    if value is None:
        return ""
    if isinstance(value, Members):
        return _members_words(fact, value)
    counts = isinstance(value, Interval) and not is_date(fact)
    beyond, digits = _beyond(when, value, currency) if isinstance(when, Between) else ("", DIGITS)
    said = value_text(fact, value, digits)
    has = f"{said} {_plural(fact, value)}" if counts else f"{fact_text(fact)} {said}"
    return plain(has + beyond, WORDS)


@lru_cache(maxsize=1_024)
def _members_words(fact: str, value: Members) -> str:
    """What a set holds. A base has few industries and countries, which many accounts share."""
    return plain(f"{fact_text(fact)} {spoken_value(fact, value)}", WORDS)


def value_words(criterion: Criterion, facts: Mapping[str, FactValue], currency: str) -> str:
    """A verdict against the account in the words of its own fact, else by the criterion's name."""
    return quote(criterion.when, facts, currency) or named(criterion.name)


def verdict_words(criterion: Criterion, credit: float, facts: Mapping[str, FactValue], currency: str) -> str:
    """What earns less than all its points: never only what was asked for, as that would read as if it were
    so. credit: 0 to 1."""
    if said := quote(criterion.when, facts, currency):
        return said
    return f"{'in part' if credit > 0 else 'not'}: {named(criterion.name)}"


def _plural(fact: str, value: FactValue) -> str:
    name = fact_text(fact)
    one = not isinstance(value, Members) and value.low == value.high == 1
    return name.removesuffix("s") if one else name


def _beyond(when: Between, value: Interval | Money, currency: str) -> tuple[str, int]:
    """On which side of the band a value lies, both in the profile's currency: ", over 500"; and with how many
    digits the two read as different."""
    known = convert(value, currency) if isinstance(value, Money) else value
    unit = f"{currency} " if isinstance(value, Money) else ""
    over, under = ("after", "before") if is_date(when.fact) else ("over", "under")
    if known.low >= when.high and (known.low > when.high or when.high_open):
        side, end, bound = over if known.low > when.high else f"not {under}", known.low, when.high
    elif known.high <= when.low and (known.high < when.low or when.low_open):
        side, end, bound = under if known.high < when.low else f"not {over}", known.high, when.low
    else:
        return "", DIGITS
    for digits in range(DIGITS, _MOST):
        said = bound_text(when.fact, bound, digits)
        if said != bound_text(when.fact, end, digits) or side.startswith("not "):
            return f", {side} {unit}{said}", digits
    return "", DIGITS  # the same day


def missing_facts(evaluation: Evaluation, facts: Mapping[str, FactValue]) -> list[tuple[str, float]]:
    """Facts worth learning: (fact, points in play), those behind unknown gates and flags first (as inf)."""
    shown = evaluation.shown
    worth: dict[str, float] = {}
    for assessment in evaluation.assessments:
        if assessment.fate is Fate.FAILED and assessment is not shown:
            continue
        answers = assessment.answers
        for asked in assessment.compiled.asking.criteria:
            low, high = answers[asked.at], answers[asked.at + 1]
            if high > low and asked.worth:
                _note(worth, asked.facts, asked.worth * (high - low), facts)
        for flag in assessment.flags_unknown:
            if flag.effect is not Effect.MARK:
                _note(worth, facts_of(flag.when), inf, facts)
    for asked in shown.compiled.asking.signals:
        if shown.answers[asked.at + 1] > shown.answers[asked.at]:
            _note(worth, asked.facts, 0.5, facts)
    return [(name, -less) for less, name in sorted([(-points, name) for name, points in worth.items()])]


def _note(
    worth: dict[str, float], names: Sequence[str], points: float, facts: Mapping[str, FactValue]
) -> None:
    for name in names:
        value = facts.get(name)
        if (value is None or not _settled(value)) and points > worth.get(name, 0.0):
            worth[name] = points


def missing_text(evaluation: Evaluation, facts: Mapping[str, FactValue]) -> str:
    """The missing facts as one line: "technologies (must-have), revenue (up to 23)"."""
    said = []
    for name, points in missing_facts(evaluation, facts):
        note = " (decides)" if points == inf else f" (up to {round(points)})" if points >= 1 else ""
        said.append(f"{fact_text(name)}{note}")
    return cut(", ".join(said))


def clause(condition: Condition) -> str:
    """A condition as an English clause: "employees between 50 and 500"."""
    match condition:
        case Between():
            return _between_clause(condition)
        case AnyOf(fact=fact, values=values):
            return f"{fact_text(fact)} {'include' if _several(fact) else 'is'} {_either(values)}"
        case NoneOf(fact=fact, values=values):
            none = "do not include" if _several(fact) else "is not"
            return f"{fact_text(fact)} {none} {_either(values)}"
        case AllOf(fact=fact, values=values):
            every = "include" if _several(fact) else "has"
            return f"{fact_text(fact)} {every} all of {', '.join(sorted(values))}"
        case Within(fact=fact, seconds=seconds):
            return f"{fact_text(fact)} within {amount_text(seconds / DAY)} days"
        case Present(fact=fact, known=known):
            return f"{fact_text(fact)} is {'known' if known else 'unknown'}"
        case Not(part=part):
            return f"not ({clause(part)})"
        case All(parts=parts):
            return " and ".join(_wrapped(part, Any) for part in parts)
        case Any(parts=parts):
            return " or ".join(_wrapped(part, All) for part in parts)


def _several(fact: str) -> bool:
    """Whether a fact's name is a plural: technologies, open roles."""
    return CATALOGUE.get(fact.rpartition(".")[2]) is FactType.SET and fact.endswith("s")


def _wrapped(part: Condition, kind: type) -> str:
    return f"({clause(part)})" if isinstance(part, kind) else clause(part)


def _either(values: frozenset[str]) -> str:
    *others, last = sorted(values)
    return f"{', '.join(others)} or {last}" if others else last


def _between_clause(leaf: Between) -> str:
    name, low, high = fact_text(leaf.fact), bound_text(leaf.fact, leaf.low), bound_text(leaf.fact, leaf.high)
    if leaf.low == -inf:
        text = f"{name} {'below' if leaf.high_open else 'at most'} {high}"
    elif leaf.high == inf:
        text = f"{name} {'above' if leaf.low_open else 'at least'} {low}"
    else:
        text = f"{name} equals {low}" if leaf.low == leaf.high else f"{name} between {low} and {high}"
    return f"{text} (credit fades over {amount_text(100 * leaf.taper)} %)" if leaf.taper else text
