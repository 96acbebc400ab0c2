"""Names of learned criteria and flags, as a sales rep reads them after a plus or a minus, and their layers.

Knows conditions and vocabularies; nothing of evidence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from math import inf

from icp_sync.domain.conditions import AnyOf, Between, Condition, NoneOf
from icp_sync.domain.facts import LEVELS
from icp_sync.domain.spelling import amount_text, cut, date_text, fact_text, is_date
from icp_sync.normalize import countries, industries
from icp_sync.profile_file.names import LONGEST_NAME

_LAYERS = {
    "technologies": "technographic",
    "open_roles": "operational",
    "open_jobs": "operational",
    "children": "operational",
    "web_visits": "behavioral",
    "last_visit": "behavioral",
    "last_activity": "behavioral",
    "last_touch": "behavioral",
    "last_funding_date": "behavioral",
    "last_news_date": "behavioral",
    "news": "behavioral",
    "intent_topics": "behavioral",
    "intent_score": "behavioral",
    "employee_growth": "behavioral",
    "buying_stage": "buying",
    "contacts": "buying",
    "contact_titles": "buying",
    "keywords": "pain",
}
_COUNTED = {
    "employees": "employees",
    "children": "subsidiaries",
    "contacts": "contacts",
    "open_jobs": "open jobs",
    "web_visits": "web visits a month",
}
"""Numbers that count something, and what."""

_PHRASES = {
    "technologies": ("Runs {}", "Does not run {}"),
    "country": ("Based in {}", "Not based in {}"),
    "state": ("Based in {}", "Not based in {}"),
    "open_roles": ("Is hiring {}", "Is not hiring {}"),
    "keywords": ("Talks of {}", "Does not talk of {}"),
    "contact_titles": ("We know {} there", "We do not know {} there"),
    "intent_topics": ("Reads about {}", "Does not read about {}"),
    "industry": ("{}", "Not in {}"),
    "sector": ("{}", "Not in {}"),
}
"""Around the words of a set or a choice: one of them, and none of them."""

_SHORT = frozenset(("ai", "api", "b2b", "b2c", "crm", "erp", "hq", "hr", "it", "saas", "sdr", "vc"))
"""Words people write in capitals."""

_SPELLED = {
    "activecampaign": "ActiveCampaign",
    "aws": "AWS",
    "bigcommerce": "BigCommerce",
    "google_analytics": "Google Analytics",
    "hubspot": "HubSpot",
    "linkedin": "LinkedIn",
    "netsuite": "NetSuite",
    "quickbooks": "QuickBooks",
    "salesloft": "Salesloft",
    "sap": "SAP",
    "woocommerce": "WooCommerce",
    "wordpress": "WordPress",
    "zoominfo": "ZoomInfo",
}
_NAMED = 3  # words a name gives; the others it counts
MANY = 10_000


def layer_of(fact: str) -> str:
    """The layer a fact belongs to; a firmographic one where nothing else is known of it."""
    return _LAYERS.get(_plain(fact), "firmographic")


def name_of(condition: Condition) -> str:
    """A condition in a few words: "50 employees or more", "Software or internet", "Runs HubSpot"."""
    return cut(full_name(condition, _NAMED), LONGEST_NAME).strip() or "Learned"


def full_name(condition: Condition, most: int = MANY) -> str:
    """The same, however long it gets: `most` values by name, and the others counted."""
    match condition:
        case Between():
            text = _level(condition.fact) + _banded(condition)
        case AnyOf(fact=fact, values=values):
            text = _level(fact) + _worded(fact, values, 0, most)
        case NoneOf(fact=fact, values=values):
            text = _level(fact) + _worded(fact, values, 1, most)
        case _:
            text = "Learned"
    text = text.replace(";", ",").strip()
    return text[:1].upper() + text[1:]


def distinct(names: Iterable[str]) -> list[str]:
    """The same names, numbered where one came before, in whatever case."""
    seen: dict[str, int] = {}
    found = []
    for name in names:
        times = seen[name.casefold()] = seen.get(name.casefold(), 0) + 1
        numbered = name
        while times > 1 and (numbered := f"{cut(name, LONGEST_NAME - 6)} ({times})").casefold() in seen:
            times += 1
        seen.setdefault(numbered.casefold(), 1)
        found.append(numbered)
    return found


def _plain(fact: str) -> str:
    return fact.rpartition(".")[2]


def _level(fact: str) -> str:
    """ "Group: " for a fact of the ultimate parent."""
    level = fact.partition(".")[0]
    return f"{level.capitalize()}: " if level in LEVELS and "." in fact else ""


def _banded(asked: Between) -> str:
    fact = _plain(asked.fact)
    if is_date(fact) or (fact not in _COUNTED and not asked.money and abs(_finite(asked)) > 1e8):
        return _dated(asked, "founded" if fact == "founded" else _name(fact))
    low, high = amount_text(asked.low), amount_text(asked.high)
    noun = _COUNTED.get(fact)
    if noun is None:
        name = _name(fact)
        if asked.high == inf:
            return f"{name} {low} or more"
        return f"{name} below {high}" if asked.low == -inf else f"{name} {low} to below {high}"
    if asked.high == inf:
        return f"{low} {noun} or more"
    if asked.low == -inf:
        return f"under {high} {noun}"
    last = asked.high - 1 if asked.high_open and asked.high == round(asked.high) else asked.high
    return f"{low} {noun}" if last == asked.low else f"{low}–{amount_text(last)} {noun}"


def _finite(asked: Between) -> float:
    return asked.low if asked.low != -inf else asked.high


def _dated(asked: Between, name: str) -> str:
    if asked.high == inf:
        return f"{name} {_day(asked.low)} or later"
    before = f"before {_day(asked.high)}"
    return f"{name} {before}" if asked.low == -inf else f"{name} {_day(asked.low)} to {before}"


def _day(instant: float) -> str:
    try:
        day = datetime.fromtimestamp(instant, UTC)
    except (OverflowError, OSError, ValueError):
        return date_text(instant)
    return str(day.year) if (day.month, day.day) == (1, 1) else day.date().isoformat()


def _worded(fact: str, values: frozenset[str], none: int, most: int) -> str:
    plain = _plain(fact)
    if values <= {"yes", "no"}:
        return _name(plain) if ("yes" in values) is not bool(none) else f"not {_name(plain)}"
    words = sorted(_word(plain, value) for value in values)
    joined = _joined(words, most)
    if plain in _PHRASES:
        return _PHRASES[plain][none].format(joined)
    return f"{_name(plain)} {'is not' if none else 'is'} {joined}"


def _name(fact: str) -> str:
    """A fact's name, with what people write in capitals."""
    words = fact_text(fact).split(" ")
    return " ".join("SaaS" if w == "saas" else w.upper() if w in _SHORT else w for w in words)


def _joined(words: Sequence[str], most: int) -> str:
    if len(words) > most:
        words = [*words[:most], f"{len(words) - most} more"]
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _word(fact: str, value: str) -> str:
    if fact == "country":
        return countries.name_of(value) or value
    if fact == "sector":
        return industries.sector_title(value) or value
    if fact == "industry":
        return value.replace("_", " ").lower() if value.isupper() else value
    if fact == "technologies":
        return _SPELLED.get(value, value.replace("_", " ").title() if value.isascii() else value)
    if fact in {"open_roles", "contact_titles"} and len(value) <= 3:
        return value.upper()
    return value
