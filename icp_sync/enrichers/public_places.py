"""When and where listed companies were founded and sit, as Wikipedia's infoboxes word it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from icp_sync.domain.facts import Interval
from icp_sync.enrichers.public_words import Refused, Stated, words
from icp_sync.normalize import countries
from icp_sync.normalize.dates import instant, year
from icp_sync.normalize.numbers import LONGEST, plainly

_ISO = re.compile(r"\( (\d{4}(?:-\d{2}){0,2}) \)")
_ANY_YEAR = re.compile(r"(?<![\d-])(1\d{3}|20\d{2})(?![\d-])")
_NAMED_DATES = re.compile(
    r"(?<!\d)\d{1,2} [a-z]{3,9} \d{4}(?!\d)|\b[a-z]{3,9} \d{1,2}, \d{4}(?!\d)|\b[a-z]{3,9} \d{4}(?!\d)"
)
_COORDINATES = re.compile(r"\(? ?\d{1,3}°.*$", re.DOTALL)
_ABROAD = re.compile(r"[/;()]|\b(?:and|headquarters?|incorporated|domicile|formerly)\b", re.IGNORECASE)
_STATES = words(
    "alabama alaska arizona arkansas california colorado connecticut delaware florida georgia hawaii idaho "
    "illinois indiana iowa kansas kentucky louisiana maine maryland massachusetts michigan minnesota "
    "mississippi missouri montana nebraska nevada new-hampshire new-jersey new-mexico new-york "
    "north-carolina north-dakota ohio oklahoma oregon pennsylvania rhode-island south-carolina "
    "south-dakota tennessee texas utah vermont virginia washington west-virginia wisconsin wyoming d.c."
)
_NATIONS = words("england scotland wales northern-ireland")
_BUILDINGS = words("building center centre headquarters house plaza place street tower")
_JOINING = words("am an and de del der la le les of on sur upon")
_SHORT = words("us u.s. usa u.s.a. uk u.k. uae")
"""Short names of countries that are no codes: "Tempe, AZ" is not in Azerbaijan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A headquarters: ISO alpha-2 country, and the city in lower case; each "" where it is not certain."""

    country: str = ""
    city: str = ""


def founded(raw: str) -> Stated | Refused:
    """The one founding date a text names, as precise as it is; refused when it names several years."""
    if len(raw) > LONGEST:
        return Refused("too long")
    text = plainly(raw)
    exact = list(dict.fromkeys(_ISO.findall(text)))
    years = {int(found) for found in _ANY_YEAR.findall(re.sub(r"\d+ (?:years?|months?) ago", " ", text))}
    years |= {int(found[:4]) for found in exact}
    if not years:
        return Refused("names no year")
    if len(years) > 1 or len(exact) > 1:
        return Refused("names several dates")
    value = instant(exact[0]) if exact else instant(text) or _named_date(text) or year(years.pop())
    return Stated(value=value) if value else Refused("is not a date")


def _named_date(text: str) -> Interval | None:
    """The date written out in a text, where it is always the same one."""
    found = {date for written in _NAMED_DATES.findall(text) if (date := instant(written))}
    return found.pop() if len(found) == 1 else None


def headquarters(raw: str) -> Place | Refused:
    """Country and city of a text that names one place; several places are a refusal."""
    if len(raw) > LONGEST:
        return Refused("too long")
    text = _COORDINATES.sub("", raw).strip().rstrip(".")
    if text.lower().endswith(("u.s", "u.k")):
        text += "."
    parts = [" ".join(part.split()) for part in text.split(",") if part.strip()]
    if not parts:
        return Refused("names no place")
    if _ABROAD.search(text):
        return Refused("names several places, or says what the place is for")
    country, places = _country(parts)
    if not country:
        return Refused(f"'{parts[-1]}' is not a country")
    if any(begins not in ("", country) for begins in map(_begins_with_country, places)):
        return Refused("names several countries")
    return Place(country=country, city=_city(places, country))


def _country(parts: list[str]) -> tuple[str, list[str]]:
    """The country, and the parts before it; "City, State" of the United States names none but means it."""
    last = parts[-1]
    if _is_state(last) and last.lower() != "georgia" and len(parts) > 1:
        return "US", parts
    if country := _named(last):
        return country, parts[:-1]
    return _behind(last, parts[:-1])


def _named(text: str) -> str:
    return countries.code(text) if len(text) > 3 or text.lower() in _SHORT else ""


def _behind(last: str, before: list[str]) -> tuple[str, list[str]]:
    """A country that ran together with a state or a post code: "Alabama U.S.", "Osaka 556-8601 Japan"."""
    said = last.split()
    for at in range(1, len(said)):
        country, ahead = _named(" ".join(said[at:])), " ".join(said[:at])
        if country == "US" and _is_state(ahead):
            return country, [*before, ahead]
        if country and any(letter.isdigit() for letter in said[at - 1]):
            return country, [*before, ahead]
    return "", before


def _begins_with_country(part: str) -> str:
    """ "Australia San Francisco": two places ran together; "Jersey City" is one, and so is "St. Louis"."""
    first, _, rest = part.partition(" ")
    return _named(first) if rest and rest.lower() != "city" else ""


def _city(parts: list[str], country: str) -> str:
    """The city of "City, Country" and "City, State, U.S."; what is longer has streets and districts in it."""
    if len(parts) == 2 and (
        (country == "US" and _is_state(parts[1]))
        or (country == "GB" and parts[1].lower().replace(" ", "-") in _NATIONS)
    ):
        parts = parts[:1]
    if len(parts) != 1 or any(letter.isdigit() for letter in parts[0]) or _may_begin_with_building(parts[0]):
        return ""
    city = parts[0].lower()
    return "" if country == "US" and _is_state(city) and city != "new york" else city


def _may_begin_with_building(part: str) -> bool:
    """ "Aflac Building Columbus", "Shell Centre London": a house and its city ran together."""
    said = part.lower().split()
    if set(said) & _BUILDINGS:
        return True
    return len(said) > 2 and said[-1] != "city" and not set(said[1:-1]) & _JOINING


def _is_state(name: str) -> bool:
    return name.lower().replace(" ", "-") in _STATES
