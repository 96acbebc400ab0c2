"""A formula as nested text in a query language: SQL here, SOQL by the same walk with words of its own.

No I/O. Every value is quoted by the language, so that nothing in a profile or a facts map becomes syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import product
from math import ceil, floor, inf
from typing import Protocol

from icp_sync.domain.filtering import (
    EVERYBODY,
    NOBODY,
    Every,
    Formula,
    Is,
    Lists,
    Span,
    Words,
)
from icp_sync.domain.filtering_clauses import Omission, Statement, Written, omissions, whole


class Language(Protocol):
    """How one query language says the tests on one property."""

    def blank(self, name: str) -> str: ...
    def filled(self, name: str) -> str: ...
    def among(self, name: str, words: Sequence[str], *, wanted: bool) -> str: ...
    def compared(self, name: str, operator: str, value: float) -> str: ...
    def lists(self, test: Lists) -> str: ...
    def never(self) -> str: ...


def said(formula: Formula, language: Language) -> str:
    """The formula as a condition, in brackets wherever its parts are joined."""
    if isinstance(formula, Is):
        return _is(formula, language)
    if isinstance(formula, Lists):
        return language.lists(formula)
    if not formula.parts:
        return "" if isinstance(formula, Every) else language.never()
    parts = [said(part, language) for part in formula.parts]
    word = " AND " if isinstance(formula, Every) else " OR "
    return parts[0] if len(parts) == 1 else f"({word.join(parts)})"


def _is(test: Is, language: Language) -> str:
    values, name = test.values, test.property
    choices = [language.blank(name)] if values.blank else []
    if isinstance(values, Words):
        words = sorted(values.words)
        if values.inverted and not words:
            choices.append(language.filled(name))
        elif values.inverted:
            listed = language.among(name, words, wanted=False)
            choices.append(listed if values.blank else f"({language.filled(name)} AND {listed})")
        elif words:
            choices.append(language.among(name, words, wanted=True))
    else:
        choices += [_span(name, span, language) for span in values.spans]
    return choices[0] if len(choices) == 1 else f"({' OR '.join(choices)})"


def _span(name: str, span: Span, language: Language) -> str:
    ends = []
    if span.low == span.high:
        return language.compared(name, "=", span.low)
    if span.low != -inf:
        ends.append(language.compared(name, ">" if span.low_open else ">=", span.low))
    if span.high != inf:
        ends.append(language.compared(name, "<" if span.high_open else "<=", span.high))
    if not ends:
        return language.filled(name)
    return ends[0] if len(ends) == 1 else f"({' AND '.join(ends)})"


def tests_in(formula: Formula) -> int:
    """How many tests on single properties a formula holds."""
    if isinstance(formula, Is | Lists):
        return 1
    return sum(map(tests_in, formula.parts))


def written(
    statements: Sequence[Statement], language: Language, frame: Callable[[str], str], longest: int, limit: str
) -> Written:
    """A whole query; while it is too long, the longest clause goes, and is named.

    frame: puts the condition ("" for every account) into a query. limit: what `longest` is, for people.
    """
    kept = [list(statement) for statement in statements]
    dropped: list[Omission] = []
    while True:
        formula = whole([tuple(statement) for statement in kept])
        text = frame(said(formula, language))
        if len(text) <= longest or not any(kept):
            break
        sizes = [(len(said(one.formula, language)), s, one) for s, some in enumerate(kept) for one in some]
        _, at, worst = max(sizes, key=lambda size: size[0])
        kept[at] = [one for one in kept[at] if one is not worst]
        dropped.append(worst.omission(limit))
    return Written(
        text=text,
        filters=tests_in(formula),
        omitted=(*omissions(statements), *dropped),
        everybody=formula == EVERYBODY,
        nobody=formula == NOBODY,
    )


_MOST_ACCENTS = 5
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class Sql:
    """ANSI SQL over a table with one column a property.

    dates: columns of instants, which hold text in ISO 8601, in UTC; True for whole days ("2026-01-31"),
    False for milliseconds ("2026-01-31T00:00:00.000Z", as HubSpot writes it). numbers: columns of numbers.
    Texts are compared without regard to case or to blanks around them.
    """

    def __init__(self, dates: Mapping[str, bool], numbers: frozenset[str]) -> None:
        self.dates, self.numbers = dates, numbers

    def blank(self, name: str) -> str:
        if name in self.numbers:
            return f"{column(name)} IS NULL"
        return f"({column(name)} IS NULL OR TRIM({column(name)}) = '')"

    def filled(self, name: str) -> str:
        if name in self.numbers:
            return f"{column(name)} IS NOT NULL"
        return f"TRIM({column(name)}) <> ''"

    def among(self, name: str, words: Sequence[str], *, wanted: bool) -> str:
        spelt = [form for word in words for form in _half_lowered(word)]
        listed = ", ".join(map(_quoted, spelt))
        return f"LOWER(TRIM({column(name)})) {'IN' if wanted else 'NOT IN'} ({listed})"

    def compared(self, name: str, operator: str, value: float) -> str:
        if name not in self.dates:
            return f"{column(name)} {operator} {plain_number(value)}"
        instant, operator = _instant(value, operator, whole_days=self.dates[name])
        return f"{column(name)} {operator} {_quoted(instant)}"

    def lists(self, test: Lists) -> str:
        mark = _quoted(test.separator)
        bare = f"LOWER(TRIM({column(test.property)}))"
        for blank in (f"{test.separator} ", f" {test.separator}"):
            bare = f"REPLACE({bare}, {_quoted(blank)}, {mark})"
        whole_text = f"{mark} || {bare} || {mark}"
        likes = [
            f"{whole_text} {'' if test.wanted else 'NOT '}LIKE {_quoted(_pattern(test, form))} ESCAPE '!'"
            for word in sorted(test.words)
            for form in _half_lowered(word)
        ]
        if test.wanted:
            return f"({' OR '.join(likes)})" if likes else self.never()
        return f"({column(test.property)} IS NULL OR ({' AND '.join(likes)}))" if likes else "1 = 1"

    def never(self) -> str:
        return "1 = 0"


def column(name: str) -> str:
    """A name as a delimited identifier."""
    doubled = _CONTROL.sub("", name).replace('"', '""')
    return f'"{doubled}"'


def _quoted(text: str) -> str:
    doubled = text.replace("\x00", "").replace("'", "''")
    return f"'{doubled}'"


def _half_lowered(word: str) -> list[str]:
    """The word as it may come out of LOWER, which in SQLite leaves the capitals beyond ASCII as they are."""
    letters = [(c,) if c.isascii() or len(c.upper()) > 1 else (c, c.upper()) for c in word]
    if sum(len(forms) > 1 for forms in letters) > _MOST_ACCENTS:
        return [word, "".join(forms[-1] for forms in letters)]
    return list(dict.fromkeys(map("".join, product(*letters))))


def _pattern(test: Lists, word: str) -> str:
    escaped = re.sub(r"([!%_])", r"!\1", word)
    return f"%{test.separator}{escaped}{test.separator}%"


def plain_number(value: float) -> str:
    """A number in digits, without an exponent."""
    return str(int(value)) if value == int(value) else f"{value:.12f}".rstrip("0")


def _instant(value: float, operator: str, *, whole_days: bool) -> tuple[str, str]:
    """An instant as the column writes it. Between two that it can hold, the one on the inner side says the
    same."""
    unit = 86_400.0 if whole_days else 0.001
    steps = round(value / unit)
    if abs(value / unit - steps) > 1e-3:
        steps = floor(value / unit) if operator.startswith("<") else ceil(value / unit)
        operator = operator[0] + "=" if operator[0] in "<>" else operator
    seconds = min(max(steps * unit, -62_135_596_800.0), 253_402_300_799.0)
    at = datetime.fromtimestamp(seconds, UTC)
    if whole_days:
        return at.date().isoformat(), operator
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), operator


def sql(statements: Sequence[Statement], language: Sql, table: str) -> Written:
    """`SELECT * FROM table WHERE …`."""

    def frame(condition: str) -> str:
        named = ".".join(column(part) for part in table.split("."))
        return f"SELECT * FROM {named}" + (f" WHERE {condition}" if condition else "")  # noqa: S608 (quoted)

    return written(statements, language, frame, 500_000, "the query would be longer than databases take")
