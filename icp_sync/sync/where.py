"""`--where` clauses: `country=DE`, `employees>=50` become one yes-or-no question about an account's facts.

A clause is a condition of the profile language with another spelling, so vocabularies, amounts and dates
are read exactly as in a profile. Only what certainly holds passes: an unknown fact never does.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.facts import CATALOGUE, Facts, FactType
from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.questions import Language, Place, condition
from icp_sync.profile_file.reading import Report
from icp_sync.profile_file.schema import ConditionEntry

EXAMPLE = "write country=DE, industry!=BANKING, employees>=50, founded<2015 or revenue>=1M USD"

_CLAUSE = re.compile(r"\s*([a-z][a-z0-9_]*)\s*(>=|<=|!=|=|>|<)\s*(\S.*?)\s*", re.DOTALL)
_WORDS = (FactType.CHOICE, FactType.SET)
_OPERATORS = {">=": "at_least", "<=": "at_most", ">": "above", "<": "below", "=": "equals"}
_CURRENCY = re.compile(r"\b([A-Z]{3})\b|([$€£])")
_SYMBOLS = {"$": "USD", "€": "EUR", "£": "GBP"}
_SCOPE_LOW = 0  # where a compiled profile answers for its scope with the least credit

Test = Callable[[Facts], bool]


def parse(clauses: Sequence[str], types: Mapping[str, FactType] = CATALOGUE) -> Test | None:
    """All clauses as one test of merged facts, None when there are none.

    types: every fact of the connection. Raises ConfigError with every clause that cannot be read.
    """
    tests: list[Test] = []
    problems: list[Problem] = []
    for clause in clauses:
        try:
            tests.append(_test(clause, types))
        except ConfigError as error:
            problems += error.problems
    if problems:
        raise ConfigError(problems)
    if not tests:
        return None
    return lambda facts: all(test(facts) for test in tests)


def _test(clause: str, types: Mapping[str, FactType]) -> Test:
    where = f"--where '{clause[:80]}'"
    match = _CLAUSE.fullmatch(clause)
    if match is None:
        raise ConfigError([Problem(where=where, what="not of the form FACT=VALUE", hint=EXAMPLE)])
    fact, sign, value = match.groups()
    currency = _currency(value) if types.get(fact) is FactType.MONEY else ""
    if types.get(fact) is FactType.MONEY and not currency:
        what = "an amount of money without a currency"
        raise ConfigError([Problem(where=where, what=what, hint=f"write {fact}{sign}{value} USD")])
    if sign == "!=" and types.get(fact, FactType.CHOICE) not in _WORDS:
        raise ConfigError([Problem(where=where, what=f"'!=' cannot be asked of {fact}", hint=EXAMPLE)])
    report = Report(where)
    entry = _entry(fact, sign, value, types.get(fact))
    asked = condition(entry, (), Place.SCOPE, Language(report=report, types=types, currency=currency))
    if asked is None:
        raise ConfigError(
            [Problem(where=where, what=p.what, hint=p.hint or EXAMPLE) for p in report.problems]
        )
    compiled = compile_profile(Profile(name="where", currency=currency, criteria=(), score_scope=asked))

    def test(facts: Facts) -> bool:
        answers = compiled.answer(facts, 0.0)[4]  # no clause asks about now
        return answers[_SCOPE_LOW] == 1.0

    return test


def _entry(fact: str, sign: str, value: str, kind: FactType | None) -> ConditionEntry:
    """The clause as the profile entry it stands for; a list of words may hold commas."""
    words = [word.strip() for word in value.split(",") if word.strip()]
    if sign == "!=":
        return ConditionEntry(fact=fact, none_of=words or [value])
    if sign == "=" and kind in _WORDS:
        return ConditionEntry(fact=fact, any_of=words or [value])
    return ConditionEntry.model_validate({"fact": fact, _OPERATORS[sign]: value})


def _currency(value: str) -> str:
    found = _CURRENCY.search(value)
    return (found[1] or _SYMBOLS[found[2]]) if found else ""
