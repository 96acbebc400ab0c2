"""One property's text → fact values, by the kind its facts map states. Knows no CRM and no property names."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from enum import StrEnum

from icp_sync.domain.facts import FactType, FactValue, Interval, Members, Money, choice, yes_no
from icp_sync.normalize import countries, dates, domains, industries, money, numbers, sizes


class Kind(StrEnum):
    """How a property's text is read."""

    NUMBER = "number"  # a plain number; headcount bands too
    MONEY = "money"
    DATE = "date"
    CHOICE = "choice"  # one word, lower case
    SET = "set"  # words, lower case, split by a separator
    YES_NO = "yes_no"
    COUNTRY = "country"  # → ISO 3166-1 alpha-2
    INDUSTRY = "industry"  # → HubSpot's enumeration; the fact `industry` yields `sector` as well
    DOMAIN = "domain"  # → registrable domain, never a free-mail or shared one
    TEXT = "text"  # free text, lower case, so that a profile's words match it


FACT_TYPES: Mapping[Kind, FactType] = {
    Kind.NUMBER: FactType.NUMBER,
    Kind.MONEY: FactType.MONEY,
    Kind.DATE: FactType.DATE,
    Kind.CHOICE: FactType.CHOICE,
    Kind.SET: FactType.SET,
    Kind.YES_NO: FactType.YES_NO,
    Kind.COUNTRY: FactType.CHOICE,
    Kind.INDUSTRY: FactType.CHOICE,
    Kind.DOMAIN: FactType.CHOICE,
    Kind.TEXT: FactType.CHOICE,
}

Found = tuple[tuple[str, FactValue], ...]
"""Facts with their values; empty where the text says nothing for certain."""

Parse = Callable[[str, str], Found | None]
"""(text, account currency) → facts; None where the text is known to mean "not said"."""

_LONGEST_WORD = 1_000
_DIGITS = 7  # of a headcount that is below `sizes.MOST` whatever they are
_EITHER = re.compile(r"(?!0+\.)[0-9]{1,3}\.[0-9]{3}")  # 4.400: thousands in half of Europe
_YES = frozenset(("true", "yes", "1", "y", "on"))
_NO = frozenset(("false", "no", "0", "n", "off"))


def parser(
    kind: Kind, fact: str, *, currency: str, separator: str, values: Mapping[str, str], complete: bool
) -> Parse:
    """The reading of one property. `values` maps lower-case text to what it means; "" means "not said"."""
    read = _members(values, separator, complete) if kind is Kind.SET else _single(kind, fact, currency)

    def parse(text: str, account_currency: str) -> Found | None:
        if values and kind is not Kind.SET:
            text = values.get(_word(text), text)
        return read(fact, text, account_currency) if text else None

    return parse


_Read = Callable[[str, str, str], Found]


def _single(kind: Kind, fact: str, currency: str) -> _Read:
    if kind is Kind.NUMBER:
        return _headcount if fact == "employees" else _number
    if kind is Kind.MONEY:
        return lambda name, text, account: _money(name, text, account if currency == "account" else currency)
    return _READERS[kind]


def _number(fact: str, text: str, _: str) -> Found:
    value = numbers.plain_number(text) or sizes.headcount(text)
    return ((fact, value),) if value else ()


def _headcount(fact: str, text: str, _: str) -> Found:
    if len(text) <= _DIGITS and text.isascii() and text.isdigit():  # what `sizes` says of it, at once
        count = float(text)
        return ((fact, Interval(count, count)),)
    value = sizes.headcount(text)
    return ((fact, value),) if value else ()


def _money(fact: str, text: str, currency: str) -> Found:
    plain = numbers.plain_number(text) if len(text) <= numbers.LONGEST and text[0].isdigit() else None
    if plain is not None and plain.low <= money.MOST and not _EITHER.fullmatch(text.strip()):
        return ((fact, Money(plain.low, plain.high, currency)),)
    value = money.amount(text, currency)
    return ((fact, value),) if value else ()


def _date(fact: str, text: str, _: str) -> Found:
    value = dates.instant(text)
    return ((fact, value),) if value else ()


def _choice(fact: str, text: str, _: str) -> Found:
    word = _word(text)
    return ((fact, choice(word)),) if word else ()


def _yes_no(fact: str, text: str, _: str) -> Found:
    word = _word(text)
    return ((fact, yes_no(word in _YES)),) if word in _YES or word in _NO else ()


def _country(fact: str, text: str, _: str) -> Found:
    code = countries.code(text)
    return ((fact, choice(code)),) if code else ()


def _industry(fact: str, text: str, _: str) -> Found:
    read = industries.from_hubspot(text)
    if not read.value:
        return ()
    if fact != "industry" or not read.sector:
        return ((fact, choice(read.value)),)
    return ((fact, choice(read.value)), ("sector", choice(read.sector)))


def _domain(fact: str, text: str, _: str) -> Found:
    name = domains.registrable(text)
    return ((fact, choice(name)),) if domains.identifies(name) else ()


def _members(values: Mapping[str, str], separator: str, complete: bool) -> _Read:
    """A set. A member outside the stated values stays itself, and then the set is not known to be all."""

    def read(fact: str, text: str, _: str) -> Found:
        words = [word for part in text.split(separator) if (word := _word(part))]
        named = [means for word in words for means in values.get(word, word).split(separator)]
        known = frozenset(filter(None, named))
        whole = complete and (not values or all(word in values for word in words))
        return ((fact, Members(known, whole)),) if known else ()

    return read


def _word(text: str) -> str:
    """Lower case, blanks collapsed; "" for what is too long to be a word anybody compares."""
    return " ".join(text.lower().split()) if len(text) <= _LONGEST_WORD else ""


_READERS: Mapping[Kind, _Read] = {
    Kind.DATE: _date,
    Kind.CHOICE: _choice,
    Kind.YES_NO: _yes_no,
    Kind.COUNTRY: _country,
    Kind.INDUSTRY: _industry,
    Kind.DOMAIN: _domain,
    Kind.TEXT: _choice,
}
