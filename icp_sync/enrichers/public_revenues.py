"""Revenues of listed companies, as Wikipedia's infoboxes word them → an amount with year and currency.

Of several years the newest counts; amounts in a second currency are conversions, and one that
contradicts the first is a refusal. "kr" is the crown of the headquarters' country, else of nobody. What
belongs to a part of the company or of a year is refused, and so is what no company earns.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from math import inf

from icp_sync.domain.currency import worth
from icp_sync.domain.facts import Money
from icp_sync.enrichers.public_words import FOOTNOTE, Refused, Stated, outside_brackets, words
from icp_sync.normalize.money import TERM, Term, spelled, term
from icp_sync.normalize.numbers import LONGEST, plainly
from icp_sync.normalize.periods import DATES, QUARTER, year_in

MOST_DOLLARS = 1e12  # a year; the largest company earns two thirds of it
_APART = 1.5  # how far a conversion may lie outside a decade's exchange rates
_LEAP = 100  # from one year to the next, a revenue that differs so much has lost a "billion"

_CROWNS = {"SE": "SEK", "NO": "NOK", "DK": "DKK", "FO": "DKK", "GL": "DKK", "IS": "ISK"}
_ABOUT = words("c. ca. circa approx. approx approximately about ~ ≈ est est.")
_MORE = words("over more > +")
_NEUTRAL = words(
    "as of end ended ending the at in on fiscal year fye fy jfy y/e ttm net sales revenue revenues "
    "consolidated than annual report business from until"
)
_KNOWN = _ABOUT | _MORE | _NEUTRAL
_WORDS = re.compile(r"[^\W\d_][\w./'-]*|[^\s\w(),;.:-]")


@dataclass(frozen=True, slots=True)
class _Amount:
    """One amount of a text, and the text from it up to the next."""

    term: Term
    tail: str
    bracketed: bool


def revenue(raw: str, country: str = "") -> Stated | Refused:
    """A year's revenue. `country`: ISO alpha-2 of the headquarters, for currencies of one name ("kr")."""
    if len(raw) > LONGEST:
        return Refused("too long")
    text = spelled(FOOTNOTE.sub("", plainly(raw)))
    found = _amounts(text, _CROWNS.get(country, ""))
    if isinstance(found, Refused):
        return found
    amounts, rest = found
    beside = _words(rest)
    if isinstance(beside, Refused):
        return beside
    return _newest(amounts, beside)


def _amounts(text: str, currency: str) -> tuple[list[_Amount], str] | Refused:
    """Every amount that carries a mark or a scale word, and the text without them."""
    matches = [m for m in TERM.finditer(text) if m["mark"] or m["scale"] or m["after"]]
    if not matches:
        return Refused("names no amount with a currency or a scale")
    outside = outside_brackets(text)
    amounts, rest, at = [], [], 0
    for index, match in enumerate(matches):
        read = term(match, currency)
        if read is None:
            return Refused(f"'{match[0].strip()}' can be read in two ways")
        end = matches[index + 1].start() if index + 1 < len(matches) else len(text)
        inside = not outside[match.start("digits")].strip()
        amounts.append(_Amount(read, text[match.end() : end], inside))
        rest.append(_lead(text[at : match.start()], inside))
        at = match.end()
    return amounts, " ".join((*rest, text[at:]))


def _lead(text: str, inside: bool) -> str:
    """The text before an amount; that a conversion in brackets is about right makes nothing else so."""
    if not inside:
        return text
    before, bracket, near = text.rpartition("(")
    return before + bracket + " ".join(word for word in near.split() if word not in _ABOUT | _MORE)


def _words(rest: str) -> frozenset[str] | Refused:
    """The words beside the amounts; what may make them less than a year of the whole company is refused."""
    if QUARTER.search(rest):
        return Refused("is a quarter's")
    bare = DATES.sub(" ", rest)
    if re.search(r"\d", bare):
        return Refused("names a number without a currency")
    found = frozenset(_WORDS.findall(bare))
    strange = sorted(word for word in found if word not in _KNOWN and word.rstrip(".") not in _KNOWN)
    return Refused(f"'{strange[0]}' may change what the amount is") if strange else found


def _newest(amounts: list[_Amount], beside: frozenset[str]) -> Stated | Refused:
    main = next((amount for amount in amounts if not amount.bracketed), amounts[0])
    same = [
        a for a in amounts if a.term.currency == main.term.currency and not (a.bracketed and a is not main)
    ]
    dated = [(year_in(amount.tail) or year_in(_after(amounts, amount)), amount.term) for amount in same]
    newest = max((year or 0 for year, _ in dated), default=0)
    best = [read for year, read in dated if (year or 0) == newest]
    if len(best) > 1 or (len(same) > 1 and not newest):
        return Refused("names several amounts for one year")
    values = sorted(read.value for _, read in dated)
    if values[-1] > values[0] * _LEAP:
        return Refused("its years differ more than a hundredfold")
    others = [a.term for a in amounts if a.term.currency != main.term.currency]
    if any(not _agree(main.term, other) for other in others):
        return Refused("its two currencies contradict each other")
    return _stated(best[0], beside, newest or None)


def _after(amounts: list[_Amount], amount: _Amount) -> str:
    """The text behind the conversions that follow an amount ("¥ 802.9 billion (US$ 5.14 billion) (2024)")."""
    tails = []
    for other in amounts[amounts.index(amount) + 1 :]:
        if other.term.currency == amount.term.currency:
            break
        tails.append(other.tail)
    return " ".join(tails)


def _dollars(read: Term) -> tuple[float, float]:
    """The amount in US dollars at the rates since 2016; any rate at all where the currency is unknown."""
    low, high = (worth(read.currency) if read.currency else None) or (0.0, inf)
    return read.value * low, read.value * high


def _agree(one: Term, other: Term) -> bool:
    (low, high), (other_low, other_high) = _dollars(one), _dollars(other)
    return low <= other_high * _APART and other_low <= high * _APART


def _stated(read: Term, beside: frozenset[str], year: int | None) -> Stated | Refused:
    if read.value <= 0:
        return Refused("earns nothing")
    if _dollars(read)[0] > MOST_DOLLARS:
        return Refused("no company earns so much")
    slack = read.step / 2 if beside & _ABOUT else 0.0
    high = inf if beside & _MORE else read.value + slack
    return Stated(value=Money(read.value - slack, high, read.currency, year), year=year)
