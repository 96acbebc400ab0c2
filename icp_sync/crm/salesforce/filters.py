"""A selection of accounts as a SOQL query.

SOQL compares text without regard to case. `field = null` asks for a blank one; whether NOT IN and the
inequalities match a blank field is never left to chance here: blank is always asked apart.
Comparison operators: https://developer.salesforce.com/docs/atlas.en-us.soql_sosl.meta/soql_sosl/sforce_api_calls_soql_select_comparisonoperators.htm
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from math import ceil, floor
from urllib.parse import quote_plus

from icp_sync.crm.salesforce.soql import literal
from icp_sync.domain.filtering import EVERYBODY, Formula, Lists, rewritten
from icp_sync.domain.filtering_clauses import Stated, Statement, Written
from icp_sync.domain.filtering_text import plain_number, written
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize.property_values import Form, Shape
from icp_sync.normalize.salesforce_fields import INDUSTRIES, OWNERSHIPS

LONGEST = 15_000
"""Bytes of a query as an address spells it. A query may have 100,000 characters, but the address that
carries it and its headers 16,384 bytes."""

INTEGERS = frozenset({"NumberOfEmployees"})
"""The standard fields of type int; a custom number, even one without decimals, is a double."""

BEYOND_INTEGERS = 2**31

LONGEST_LITERAL = 4_000
"""Characters of one quoted text in a WHERE clause."""

_ALL = "SELECT Id FROM Account"
_FIELD = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,79}(?:\.[A-Za-z][A-Za-z0-9_]{0,79}){0,5}")


def _all(form: Form, names: str) -> dict[str, Shape]:
    return {name: Shape(form=form) for name in names.split()}


SHAPES: Mapping[str, Shape] = {
    **_all(
        Form.TEXT,
        "Name Website BillingCountry BillingState BillingCity BillingCountryCode ShippingCountry "
        "ShippingState ShippingCity Site TickerSymbol Sic YearStarted NaicsCode",
    ),
    **{name: Shape(form=Form.NUMBER) for name in ("NumberOfEmployees", "AnnualRevenue")},
    "Industry": Shape(form=Form.CHOICE, options=INDUSTRIES),
    "Ownership": Shape(form=Form.CHOICE, options=OWNERSHIPS),
    "Type": Shape(
        form=Form.CHOICE,
        options=(
            *("Prospect", "Customer - Direct", "Customer - Channel", "Channel Partner / Reseller"),
            *("Installation Partner", "Technology Partner", "Other"),
        ),
    ),
    "Rating": Shape(form=Form.CHOICE, options=("Hot", "Warm", "Cold")),
    "LastActivityDate": Shape(form=Form.DATE),
    "CreatedDate": Shape(form=Form.DATETIME),
    "LastModifiedDate": Shape(form=Form.DATETIME),
    "IsPersonAccount": Shape(form=Form.YES_NO),
}
"""How Salesforce stores its standard Account fields (Account in the Object Reference)."""


def soql(statements: Sequence[Statement], shapes: Mapping[str, Shape]) -> Written:
    """`SELECT Id FROM Account WHERE …`. Raises ConfigError for a property that cannot be a field's name."""
    language = _Soql(shapes)
    askable = tuple(tuple(_askable(one, shapes) for one in statement) for statement in statements)

    def frame(condition: str) -> str:
        return f"{_ALL} WHERE {condition}" if condition else _ALL

    limit, characters = f"the query would pass {LONGEST:,} bytes in an address", LONGEST
    while True:
        found = written(askable, language, frame, characters, limit)
        size = len(quote_plus(found.text, errors="replace"))
        if size <= LONGEST or found.text == _ALL:
            return found
        characters = min(characters, len(found.text)) * LONGEST // size


def _askable(one: Stated, shapes: Mapping[str, Shape]) -> Stated:
    """Only a multi-select picklist can be asked for members."""
    reasons = list(one.reasons)

    def only_picklists(test: Lists) -> Formula:
        shape = shapes.get(test.property)
        if shape is not None and shape.form is Form.CHOICES and all(";" not in w for w in test.words):
            return test
        reasons.append(f"{test.property} is no multi-select picklist, so its parts cannot be asked for")
        return EVERYBODY

    formula = rewritten(one.formula, only_picklists)
    return Stated(
        clause=one.clause,
        formula=formula,
        reasons=tuple(dict.fromkeys(reasons)),
        assumed=one.assumed,
        notes=one.notes,
    )


class _Soql:
    def __init__(self, shapes: Mapping[str, Shape]) -> None:
        self.shapes = shapes

    def blank(self, name: str) -> str:
        if self._form(name) is Form.YES_NO:  # never blank; SOQL takes null for false
            return self.never()
        return f"{field(name)} = null"

    def filled(self, name: str) -> str:
        return self.always() if self._form(name) is Form.YES_NO else f"{field(name)} != null"

    def among(self, name: str, words: Sequence[str], *, wanted: bool) -> str:
        if self._form(name) is Form.YES_NO:
            literals = [word for word in words if word in ("true", "false")]
            if not literals:
                return self.never() if wanted else self.always()
            joined = [f"{field(name)} {'=' if wanted else '!='} {word}" for word in literals]
            together = (" OR " if wanted else " AND ").join(joined)
            return f"({together})" if len(joined) > 1 else together
        listed = ", ".join(quoted(word) for word in words)
        return f"{field(name)} {'IN' if wanted else 'NOT IN'} ({listed})"

    def compared(self, name: str, operator: str, value: float) -> str:
        form = self._form(name)
        if form is Form.NUMBER:
            if name in INTEGERS:
                return self._whole(name, operator, value)
            return f"{field(name)} {operator} {plain_number(value)}"
        literal, operator = _instant(value, operator, whole_days=form is Form.DATE)
        return f"{field(name)} {operator} {literal}"

    def lists(self, test: Lists) -> str:
        if not test.words:
            return self.never() if test.wanted else self.always()
        listed = ", ".join(quoted(word) for word in sorted(test.words))
        if test.wanted:
            return f"{field(test.property)} INCLUDES ({listed})"
        return f"({self.blank(test.property)} OR {field(test.property)} EXCLUDES ({listed}))"

    def never(self) -> str:
        return "Id = null"

    def always(self) -> str:
        return "Id != null"

    def _whole(self, name: str, operator: str, value: float) -> str:
        """A test of an integer, which takes no literal with a fraction and none beyond 32 bits."""
        if value % 1 and operator == "=":
            return self.never()
        if value % 1:
            value, operator = (ceil(value), ">=") if operator[0] == ">" else (floor(value), "<=")
        if abs(value) >= BEYOND_INTEGERS:
            open_ended = operator[0] == (">" if value < 0 else "<")
            return self.filled(name) if open_ended else self.never()
        return f"{field(name)} {operator} {plain_number(value)}"

    def _form(self, name: str) -> Form | None:
        shape = self.shapes.get(name)
        return shape.form if shape is not None else None


def field(name: str) -> str:
    """A field's name, which SOQL cannot quote. Raises ConfigError for anything else."""
    if not _FIELD.fullmatch(name):
        what = "is no name of a Salesforce field"
        raise ConfigError([Problem(where=f"property '{name[:80]}'", what=what, hint="correct the facts map")])
    return name


def quoted(text: str) -> str:
    """A text literal. Raises ConfigError when it is longer than SOQL takes."""
    if len(text) > LONGEST_LITERAL:
        what = f"is longer than the {LONGEST_LITERAL:,} characters SOQL takes"
        raise ConfigError([Problem(where=f"value '{text[:40]}…'", what=what)])
    return literal(text)


def _instant(value: float, operator: str, *, whole_days: bool) -> tuple[str, str]:
    """A literal without quotes. Days on the inner side, which says the same of whole days; seconds on the
    outer, since Salesforce's own stamps are compared by the second."""
    unit = 86_400.0 if whole_days else 1.0
    if value % unit:
        rising = operator.startswith(">") is whole_days
        value = (ceil(value / unit) if rising else floor(value / unit)) * unit
        operator = operator[0] + "=" if operator[0] in "<>" else operator
    seconds = min(max(value, -8_520_336_000.0), 64_060_588_799.0)  # the years 1700 to 4000 that dates span
    at = datetime.fromtimestamp(seconds, UTC)
    return (at.date().isoformat() if whole_days else at.strftime("%Y-%m-%dT%H:%M:%SZ")), operator
