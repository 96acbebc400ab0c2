"""Codes of official classifications → HubSpot's industries and the NAICS sector, graded.

NAICS, US SIC 1987, UK SIC 2007, NACE Rev. 2 and ISIC Rev. 4. A code stands for every class below it: it has
an industry only if all of them have the same one. Where nobody mapped a class by hand, its industries are
those of the classes an official concordance leads to. Where the tables come from: `data/SOURCES.md`.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import NamedTuple

from icp_sync.normalize.grades import UNKNOWN, Grade, Graded, rows

CODE_SYSTEMS = ("naics", "sic", "uk_sic", "nace", "isic")

_LEADS_TO = {"sic": "naics", "isic": "naics", "nace": "isic", "uk_sic": "nace"}
"""Which system a concordance leads to from here."""

_LONGEST = 40
_SPANS = {"31-33": ("31", "32", "33"), "44-45": ("44", "45"), "48-49": ("48", "49")}
_SECTORS = {two: span for span, twos in _SPANS.items() for two in twos}
_DIGITS = {
    "naics": re.compile(r"\d{2,6}"),
    "sic": re.compile(r"\d{2,4}"),
    "uk_sic": re.compile(r"\d{4,5}"),
    "nace": re.compile(r"\d{2,4}"),
    "isic": re.compile(r"\d{2,4}"),
}
_LETTER = re.compile(r"[A-U] ?(?=\d)")


class _Class(NamedTuple):
    """What one class means: the industries it may be, how sure that is, and its sectors."""

    industries: tuple[str, ...]
    grade: Grade
    sectors: tuple[str, ...]


def from_code(code: str, system: str) -> Graded:
    """A code of one of `CODE_SYSTEMS`, written with or without points. Raises KeyError on another system.

    naics: two to six digits of 2012, 2017 or 2022, and spans ("31-33"). sic: two to four digits; a group that
    the SEC writes with a zero behind it ("7370") is that group. uk_sic: four or five digits. Where a zero in
    front may have been lost (sic "782", uk_sic "1110") and both are codes, it is ambiguous. nace, isic: two
    to four digits, a section letter before them allowed ("J62.01").
    A section letter alone, and a code that is in no edition, are unknown.
    """
    pattern = _DIGITS[system]
    text = code.strip().upper() if len(code) <= _LONGEST else ""
    if system == "naics" and text in _SPANS:
        return Graded(sector=text, sector_grade=Grade.EXACT, sector_candidates=(text,))
    digits = _LETTER.sub("", text, count=1) if system in ("nace", "isic") else text
    digits = digits.replace(".", "").replace("/", "") if system != "naics" else digits
    return _from_code(digits, system) if digits.isascii() and pattern.fullmatch(digits) else UNKNOWN


@lru_cache(maxsize=8_192)
def _from_code(digits: str, system: str) -> Graded:
    readings = [_of_class(code, system) for code in _readings(digits, system)]
    if len(readings) < 2:
        return readings[0] if readings else UNKNOWN
    sectors = _united(reading.sector_candidates for reading in readings)
    return Graded(
        grade=Grade.AMBIGUOUS,
        candidates=_united(reading.candidates for reading in readings),
        sector=sectors[0] if len(sectors) == 1 else "",
        sector_grade=_sector_grade(sectors, system),
        sector_candidates=sectors,
    )


def _of_class(code: str, system: str) -> Graded:
    below = _below(code, system)
    own = _by_hand(system).get(code)
    found = [own] if own and own.sectors else [_meaning(one, system) for one in below]
    sectors = _united(one.sectors for one in found)
    industries = own or _together(code, system, [_meaning(one, system) for one in below])
    return Graded(
        value=industries.industries[0] if industries.grade in (Grade.EXACT, Grade.BROAD) else "",
        grade=industries.grade,
        candidates=industries.industries,
        sector=sectors[0] if len(sectors) == 1 else "",
        sector_grade=_sector_grade(sectors, system),
        sector_candidates=sectors,
    )


def _united(several: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(one for some in several for one in some))


def _sector_grade(sectors: tuple[str, ...], system: str) -> Grade:
    if len(sectors) != 1:
        return Grade.AMBIGUOUS if sectors else Grade.NONE
    return Grade.EXACT if system == "naics" else Grade.BROAD


def _together(code: str, system: str, found: Iterable[_Class]) -> _Class:
    """Classes as one answer. Exact only where the code has the same classes below it as the mapped one."""
    found = list(found)
    industries = tuple(dict.fromkeys(name for one in found for name in one.industries))
    if not industries:
        return _Class((), Grade.NONE, ())
    if len(industries) > 1 or any(one.grade not in (Grade.EXACT, Grade.BROAD) for one in found):
        return _Class(industries, Grade.AMBIGUOUS, ())
    mapped = _mapped(code, system)
    same = mapped is not None and _below(mapped, system) == _below(code, system)
    exact = same and _by_hand(system)[mapped or ""].grade is Grade.EXACT
    return _Class(industries, Grade.EXACT if exact else Grade.BROAD, ())


def _meaning(code: str, system: str) -> _Class:
    """One lowest class: by hand, else by what the concordance leads to."""
    mapped = _mapped(code, system)
    own = _by_hand(system)[mapped] if mapped else None
    if system == "naics":
        sector = code[:2]
        return _Class(*(own or _UNMAPPED)[:2], (_SECTORS.get(sector, sector),))
    if own and own.sectors:
        return own
    further = _LEADS_TO[system]
    through = [_meaning(target, further) for target in _concordance(system)[code]]
    sectors = tuple(dict.fromkeys(sector for one in through for sector in one.sectors))
    industries = own or _together("", system, through)
    return _Class(industries.industries, industries.grade, sectors)


def _mapped(code: str, system: str) -> str | None:
    """The longest beginning of a code that was mapped by hand."""
    known = _by_hand(system)
    return next((code[:length] for length in range(len(code), 1, -1) if code[:length] in known), None)


def _below(code: str, system: str) -> tuple[str, ...]:
    """The lowest classes that begin with a code."""
    codes = _codes(system)
    return codes[bisect_left(codes, code) : bisect_left(codes, code + ":")]  # ":" sorts after the digits


def _readings(digits: str, system: str) -> list[str]:
    """The codes that some digits may be, those that no edition has left out."""
    if system in _READINGS:
        return _READINGS[system](digits)
    return [digits] if _below(digits, system) else []


def _sic(digits: str) -> list[str]:
    """Three digits are a group, or a class that lost the zero before it: "782" is films or gardens."""
    spelled = (digits, f"0{digits}") if len(digits) == 3 else (digits,)
    return [code for code in map(_sec_group, spelled) if _below(code, "sic")]


def _sec_group(digits: str) -> str:
    """ "7370" names no class of the manual: it is how the SEC writes group 737."""
    while len(digits) > 2 and digits.endswith("0") and not _below(digits, "sic"):
        digits = digits[:-1]
    return digits


def _five_digits(digits: str) -> list[str]:
    """Four digits are a class, or five that lost the zero before them."""
    spelled = (digits,) if len(digits) == 5 else (digits, f"0{digits}")
    return [code for code in spelled if _below(code, "uk_sic")]


_READINGS: Mapping[str, Callable[[str], list[str]]] = {"sic": _sic, "uk_sic": _five_digits}
_UNMAPPED = _Class((), Grade.NONE, ())


@cache
def _by_hand(system: str) -> Mapping[str, _Class]:
    return {
        row["prefix"]: _Class(_several(row["industries"]), Grade(row["grade"]), _several(row["sector"]))
        for row in rows("code_industries.csv")
        if row["system"] == system
    }


@cache
def _codes(system: str) -> tuple[str, ...]:
    return tuple(sorted(_concordance(system)))


@cache
def _concordance(system: str) -> Mapping[str, tuple[str, ...]]:
    """Lowest class → classes of the system it leads to; for NAICS none."""
    return {
        row["code"]: _several(row["to"]) for row in rows("code_concordances.csv") if row["system"] == system
    }


def _several(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, cell.split("|")))
