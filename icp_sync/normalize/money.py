"""Amounts of money and revenue bands, as vendors, CRMs and encyclopedias write them → `Money`.

Bands read: People Data Labs' "$10M-$25M" and "$10B+", The Companies API's "under-1m", Crunchbase's
`r_00001000` (v4 `revenue_range`), ZoomInfo's "$250 mil. - $500 mil.".
"""

from __future__ import annotations

import re
from functools import lru_cache
from math import inf
from typing import NamedTuple

from icp_sync.domain.facts import Money
from icp_sync.normalize.numbers import LONGEST, Numeral, numeral, plainly
from icp_sync.normalize.periods import noted

MOST = 1e17  # whole units: beyond any company's revenue in any currency in use

_SCALES = {
    1e3: ("thousand", "thousands", "k", "tsd", "tsd."),
    1e5: ("lakh", "lakhs", "lac", "lacs"),
    1e6: (
        "million",
        "millions",
        "m",
        "mm",
        "mn",
        "mio",
        "mio.",
        "mil",
        "mil.",
        "mill",
        "mln",
        "mill.",
        "millionen",
        "millones",
        "milioni",
        "miljoen",
    ),
    1e7: ("crore", "crores", "cr", "cr."),
    1e9: (
        "billion",
        "billions",
        "bn",
        "b",
        "bil",
        "bil.",
        "bln",
        "mrd",
        "mrd.",
        "milliard",
        "milliards",
        "milliarden",
        "milliardi",
        "miljard",
    ),
    1e12: ("trillion", "trillions", "tn", "trn", "t"),
}
_SCALE_OF = {word: scale for scale, words in _SCALES.items() for word in words}

_MARKS = {
    "USD": ("us$", "us $", "us$ $", "us$$", "$us", "usd", "usd$", "usd $", "$us $", "u.s. dollar",
            "u.s. dollars", "us dollar", "us dollars", "united states dollar", "united states dollars"),
    "EUR": ("€", "eur", "euro", "euros"),
    "GBP": ("£", "gbp", "gb£", "pound sterling"),
    "JPY": ("jpy", "jp¥", "jpy ¥", "yen", "japanese yen"),
    "CNY": ("cny", "rmb", "cn¥", "yuan", "renminbi"),
    "CHF": ("chf", "sfr", "sfr.", "fr.", "swiss franc", "swiss francs"),
    "SEK": ("sek", "swedish krona", "swedish kronor"),
    "NOK": ("nok", "norwegian krone"),
    "DKK": ("dkk", "danish krone"),
    "ISK": ("isk", "icelandic króna"),
    "CAD": ("c$", "ca$", "cad", "cad$", "cdn$", "canadian dollar", "canadian dollars"),
    "AUD": ("a$", "au$", "aud", "aud$", "australian dollar", "australian dollars"),
    "NZD": ("nz$", "nzd"),
    "HKD": ("hk$", "hkd"),
    "SGD": ("s$", "sgd"),
    "TWD": ("nt$", "twd"),
    "BRL": ("r$", "brl"),
    "MXN": ("mx$", "mxn"),
    "INR": ("₹", "inr", "indian rupee", "indian rupees"),
    "PKR": ("pkr",),
    "LKR": ("lkr",),
    "BDT": ("৳", "bdt"),
    "KRW": ("₩", "krw"),
    "PLN": ("zł", "pln"),
    "CZK": ("kč", "czk"),
    "HUF": ("huf",),
    "RON": ("ron",),
    "ILS": ("₪", "ils", "nis"),
    "TRY": ("₺", "try"),
    "RUB": ("₽", "rub"),
    "ZAR": ("zar",),
    "AED": ("aed",),
    "SAR": ("sar",),
    "THB": ("฿", "thb"),
    "IDR": ("idr",),
    "MYR": ("myr",),
    "PHP": ("₱", "php"),
    "VND": ("₫", "vnd"),
    **{code: (code.lower(),) for code in ("ARS", "BGN", "BHD", "CLP", "COP", "EGP", "JOD", "KES", "KWD",
                                          "KZT", "MAD", "NGN", "OMR", "PEN", "QAR", "RSD", "TND", "UAH")},
}  # fmt: skip
_SHARED_MARKS = {
    "$": ("USD", ("USD", "CAD", "AUD", "NZD", "HKD", "SGD", "TWD", "MXN")),
    "¥": ("JPY", ("JPY", "CNY")),
    "kr": ("", ("SEK", "NOK", "DKK", "ISK")),
    "kr.": ("", ("SEK", "NOK", "DKK", "ISK")),
    "rs": ("", ("INR", "PKR", "LKR", "NPR", "MUR")),
    "rs.": ("", ("INR", "PKR", "LKR", "NPR", "MUR")),
}
"""Marks of several currencies → (what it means where nobody said, what the caller's currency may make it).

An unmarked "$" is the US dollar and "¥" the yen, as style guides have it; "kr" and "Rs" are nobody's.
"""

_MARK_OF = {mark: code for code, marks in _MARKS.items() for mark in marks}
_any = "|".join(re.escape(mark) for mark in sorted((*_MARK_OF, *_SHARED_MARKS), key=len, reverse=True))
_scale = "|".join(re.escape(word) for word in sorted(_SCALE_OF, key=len, reverse=True))
_letters = r"(?![a-z])"
TERM = re.compile(
    rf"(?P<mark>{_any})?\s*(?P<digits>\d(?:[\d,.' ]*\d)?|\.\d+)\s*"
    rf"(?:(?P<scale>{_scale}){_letters})?\s*(?:(?P<after>{_any}){_letters}(?!\s*\d))?"
)
"""One amount in text already made plain: a mark, digits, a scale word, a mark; read by `term`."""

_glued = "|".join(sorted({code.lower() for code in _MARKS} | {"€", r"\$", "£", "₹"}))
_BEFORE = re.compile(rf"(?<![\w€£$₹])(?:(t|k|m|b)({_glued})|({_glued})(k|mn?|bn))(?: ?(?=\d))(\d[\d,.']*)")
_AFTER = re.compile(rf"(?<=\d) ?(t|k|m|b|bn|mn)({_glued})(?!\w)")
_INSIDE = re.compile(rf"(?<=\d) ?({_any}) ?({_scale})(?![a-z])")
_LETTERS = {"t": "thousand", "k": "thousand", "m": "million", "mn": "million"} | {
    "b": "billion",
    "bn": "billion",
}
_CRUNCHBASE = {
    "r_00000000": (0, 1e6),
    "r_00001000": (1e6, 10e6),
    "r_00010000": (10e6, 50e6),
    "r_00050000": (50e6, 100e6),
    "r_00100000": (100e6, 500e6),
    "r_00500000": (500e6, 1e9),
    "r_01000000": (1e9, 10e9),
    "r_10000000": (10e9, inf),
}
_UNDER = re.compile(r"(?:<=?|≤|under[ -]|less than |below |up to )\s*(.+)")
_OVER = re.compile(r"(?:>=?|≥|over[ -]|more than |above |at least )\s*(.+)|(.+?)\s*(?:\+|or more|and over)")
_BETWEEN = re.compile(r"(?:from |between )?(.+?)\s*(?:-|\bto\b|\band\b)\s*(.+)")


class Term(NamedTuple):
    """One amount as written, in whole units. `scaled`: a scale word stood beside the digits."""

    value: float
    step: float  # place value of the last significant digit, in whole units
    currency: str
    scaled: bool


def amount(raw: str, currency: str = "") -> Money | None:
    """The amount or band a text states, in whole units; None when it states none for certain.

    currency: ISO 4217 of amounts that carry no mark, and the reading of a shared mark ("$", "¥", "kr")
    where it is one of that mark's currencies. "kr" without it has currency "". The year beside an amount
    ("FY2024", "(2023/24)", "TTM June 2025") becomes its year; a quarter's amount is None, and so are negative
    ones, NaN, more than 1e17, and "4.400" without a scale word.
    """
    return _amount(raw, currency) if len(raw) <= LONGEST else None


@lru_cache(maxsize=16_384)
def _amount(raw: str, currency: str) -> Money | None:
    text, year, partial = noted(spelled(plainly(raw)))
    if partial:
        return None
    if text in _CRUNCHBASE:
        return Money(*_CRUNCHBASE[text], "USD", year)
    found = _stated(text, currency)
    return found if found is None or year is None else found._replace(year=year)


def spelled(text: str) -> str:
    """A plain text with scale and currency apart: "60.2 bsek", "sekm 147", "5 t€", "140.7 kr billion"."""
    text = _BEFORE.sub(lambda m: f"{m[2] or m[3]} {m[5]} {_LETTERS[m[1] or m[4]]}", text)
    text = _AFTER.sub(lambda m: f" {_LETTERS[m[1]]} {m[2]}", text)
    return _INSIDE.sub(r" \2 \1", text)


def _stated(text: str, currency: str) -> Money | None:
    if alone := _whole(text, currency):
        return _money(alone, alone.value, alone.value)
    if (found := _UNDER.fullmatch(text)) and (bound := _whole(found[1], currency)):
        return _money(bound, 0.0, bound.value)
    if (found := _OVER.fullmatch(text)) and (bound := _whole(found[1] or found[2], currency)):
        return _money(bound, bound.value, inf)
    if found := _BETWEEN.fullmatch(text):
        return _band(found[1], found[2], currency)
    return None


def _band(low_text: str, high_text: str, currency: str) -> Money | None:
    """ "$10M-$25M"; in "$10-25M" the scale belongs to both ends, in "$500-$1B" nobody can say."""
    low, high = _whole(low_text, currency), _whole(high_text, currency)
    if low is None or high is None:
        return None
    if high.scaled and not low.scaled and low.value:
        found = TERM.fullmatch(high_text)
        scale = _SCALE_OF[found["scale"]] if found else 1.0
        if low.value * scale > high.value:
            return None
        low = low._replace(value=low.value * scale)
    codes = {term.currency for term, text in ((low, low_text), (high, high_text)) if _marked(text)}
    if len(codes) > 1:
        return None
    return _money(low._replace(currency=codes.pop() if codes else currency), low.value, high.value)


def _whole(text: str, currency: str) -> Term | None:
    found = TERM.fullmatch(text)
    return term(found, currency) if found else None


def _marked(text: str) -> bool:
    found = TERM.fullmatch(text)
    return bool(found and (found["mark"] or found["after"]))


def term(found: re.Match[str], currency: str = "") -> Term | None:
    """A match of `TERM` as an amount; None when digits, or the marks on its two sides, contradict."""
    read: Numeral | None = numeral(found["digits"], decimal_thirds=bool(found["scale"]))
    codes = _currencies(found["mark"], found["after"], currency)
    if read is None or codes is None:
        return None
    scale = _SCALE_OF[found["scale"]] if found["scale"] else 1.0
    value = round(read.value * scale, 2)  # 16.03 billion is 16,030,000,000, not 0.000002 more
    return Term(value, read.step * scale, codes, bool(found["scale"])) if value <= MOST else None


def _currencies(before: str | None, after: str | None, currency: str) -> str | None:
    """The currency two optional marks agree upon; None when they contradict each other."""
    exact = {_MARK_OF[mark] for mark in (before, after) if mark in _MARK_OF}
    shared = [_SHARED_MARKS[mark] for mark in (before, after) if mark in _SHARED_MARKS]
    if len(exact) > 1 or any(code not in may for code in exact for _, may in shared):
        return None
    if exact:
        return exact.pop()
    if shared:
        default, may = shared[0]
        return currency if currency in may else default
    return currency


def _money(found: Term, low: float, high: float) -> Money | None:
    return Money(low, high, found.currency) if low <= high else None
