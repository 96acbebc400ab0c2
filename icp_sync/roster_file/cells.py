"""One cell of a table → an address, a date, a number, or a question about a fact.

Every reader takes the trimmed text of one cell and raises ValueError with a sentence for people. Knows no
file and no column names.
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf

from icp_sync.domain.conditions import AnyOf, Between
from icp_sync.domain.facts import CATALOGUE, FactType, Interval
from icp_sync.normalize.dates import instant
from icp_sync.profile_file import values, words
from icp_sync.profile_file.reading import Report
from icp_sync.profile_file.targets import email_of
from icp_sync.profile_file.values import shown

HEAVIEST = 1e6
MOST = 10_000_000

_FORMULA = re.compile(r"[=@\t\r]|[+-](?![\d.\s])")
_WHOLE = re.compile(r"[+-]?\d{1,18}(?:\.0{1,6})?")
_BETWEEN = re.compile(r"(.*?\S)\s*(?:-|\u2010|\u2011|\u2012|\u2013|\u2014|\.\.|\bto\b)\s*(\S.*)")
_SIDES = {">=": "at_least", "≥": "at_least", ">": "above", "<=": "at_most", "≤": "at_most", "<": "below"}
_SIDE = re.compile(r"(>=|<=|≥|≤|>|<)\s*(.+)")
_FOR_EVER = re.compile(r"(?<!\d)(?:9999|2999)(?!\d)")
"""Years in which nothing ends: "9999-12-31" is how many systems write that there is no end."""
_UNIT = re.compile(r"[kmb]n?\b", re.IGNORECASE)


def refuse_formula(text: str) -> None:
    """A spreadsheet's formula saved instead of what it comes to."""
    if _FORMULA.match(text):
        raise ValueError(f"{shown(text)} is a formula; save the value it comes to")


def email(text: str) -> str:
    """A lower-case address."""
    report = Report("")
    said = email_of(text, (), report)
    if report.problems:
        raise ValueError(f"{shown(text)} is not an email address; owners are named by their email")
    return said


def weight(text: str) -> float:
    """A share relative to the other weights, above 0."""
    value = values.number(text)
    if not 0 < value <= HEAVIEST:
        raise ValueError(f"a weight of {shown(text)}; write a number above 0")
    return value


def cap(text: str) -> int:
    """The most open accounts, 0 for no limit."""
    value = _whole(text)
    if not 0 <= value <= MOST:
        raise ValueError(f"a cap of {shown(text)}; write a whole number, 0 for no limit")
    return value


def priority(text: str) -> int:
    """A whole number; lower is asked first."""
    value = _whole(text)
    if abs(value) > MOST:
        raise ValueError(f"a priority of {shown(text)}; write a whole number such as 1")
    return value


def first_day(text: str) -> float:
    """The first instant of a day, month or year (UTC epoch seconds)."""
    return _date(text).low


def after_last_day(text: str) -> float:
    """The instant after the last one of a day, month or year; an instant of the day stands for itself.

    inf for a date in one of the years that stand for no end.
    """
    if _open_end(text):
        return inf
    read = _date(text)
    return read.low if read.exact else read.high + 1


def day_of_return(text: str) -> float:
    """The first instant of a day, month or year; inf for a date in one of the years that stand for no end."""
    return inf if _open_end(text) else first_day(text)


def question(fact: str, kind: FactType, text: str, currency: str) -> AnyOf | Between:
    """What a cell under a fact's column asks: `US;CA`, `50-500`, `>=50`, `50+`, `<1M`."""
    if kind is FactType.DATE:
        raise ValueError("a territory cannot ask for a date; ask for a number, an amount or a word")
    if kind in (FactType.NUMBER, FactType.MONEY):
        return _checked(_band(fact, text, _money(kind), currency))
    return AnyOf(fact=fact, values=_members(fact.rpartition(".")[2], kind, text))


def bounds(fact: str, kind: FactType, low: str, high: str, currency: str) -> Between:
    """What the two cells under `<fact>_min` and `<fact>_max` ask; a blank one is no bound."""
    money = _money(kind)
    return _checked(
        Between(
            fact=fact,
            low=_amount(low, money, currency) if low else -inf,
            high=_amount(high, money, currency) if high else inf,
            money=money,
        )
    )


def _money(kind: FactType) -> bool:
    return kind is FactType.MONEY


def _whole(text: str) -> int:
    if not _WHOLE.fullmatch(text.strip()):
        raise ValueError(f"{shown(text)} is not a whole number")
    return int(float(text))


def _date(text: str) -> Interval:
    read = instant(text)
    if read is None:
        raise ValueError(f"{shown(text)} is not a date, or could be two; write 2026-03-01")
    return read


def _open_end(text: str) -> bool:
    """Whether it would be a date in a nearer leap year."""
    nearer, found = _FOR_EVER.subn("2000", text, count=1)
    return bool(found) and instant(nearer) is not None


def _band(fact: str, text: str, money: bool, currency: str) -> Between:
    if found := _SIDE.fullmatch(text):
        amount = _amount(found[2], money, currency)
        side = _SIDES[found[1]]
        if side in ("at_least", "above"):
            return Between(fact=fact, low=amount, low_open=side == "above", money=money)
        return Between(fact=fact, high=amount, high_open=side == "below", money=money)
    if text.endswith("+"):
        return Between(fact=fact, low=_amount(text[:-1], money, currency), money=money)
    if found := _BETWEEN.fullmatch(text):
        low, high = found[1], found[2]
        if _UNIT.search(high) and not _UNIT.search(low) and values.money(low, "") != 0:
            raise ValueError(
                f"{shown(text)} leaves open what {low} is; write its unit as well, or every digit"
            )
        return Between(
            fact=fact,
            low=_amount(low, money, currency),
            high=_amount(high, money, currency),
            money=money,
        )
    amount = _amount(text, money, currency)
    return Between(fact=fact, low=amount, high=amount, money=money)


def _amount(text: str, money: bool, currency: str) -> float:
    try:
        return values.money(text, currency) if money else values.number(text)
    except ValueError as error:
        raise ValueError(f"{error}, a band 50-500, >=50, 50+ or <1M") from None


def _checked(band: Between) -> Between:
    """A band some company can lie in."""
    if band.low > band.high:
        raise ValueError("the band is reversed: its lowest value is above its highest")
    if band.fact.rpartition(".")[2] in CATALOGUE and (band.high < 0 or -inf < band.low < 0):
        raise ValueError(f"{band.fact} is never negative")
    return band


@lru_cache(maxsize=8_192)
def _members(fact: str, kind: FactType, text: str) -> frozenset[str]:
    """The words of a cell, in the one spelling the facts use."""
    report = Report("")
    parts = [part for part in re.split(r"[;|]", text) if part.strip()]
    if not parts:
        raise ValueError("names nothing; leave the cell blank where any will do")
    found = words.read(parts, fact, kind, (), report)
    if found is None:
        raise ValueError("; ".join(problem.what for problem in report.problems))
    return found
