"""What the texts of a property read as, for filters: known options, usual spellings, and all the rest.

A filter can only list texts. Which ones matter, and what may hide behind the others, depends on how the facts
map reads the property and on whether the CRM tells case apart.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from string import ascii_uppercase

from icp_sync.domain.facts import FactValue
from icp_sync.domain.filtering import Words
from icp_sync.normalize import countries, industries
from icp_sync.normalize.dates import FIRST_YEAR
from icp_sync.normalize.facts_map import FactSource, parsing
from icp_sync.normalize.kinds import Kind
from icp_sync.normalize.property_values import Doubt, Form, Ground, Outcome, Reading, Shape


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """Texts of one property → what each reads as. rest: what every other text reads as, None for nothing.

    sure: whether no spelling of a listed text hides in the rest. closed: there is no rest; by_assumption
    says so. strange: words asked for that no known option means.
    """

    outcomes: Mapping[str, FactValue | None]
    rest: Outcome
    sure: bool
    closed: bool = False
    by_assumption: bool = False
    strange: tuple[str, ...] = ()


_NOBODYS_WORD = "\u2400 a word of nobody \u2400"
_YES_NO = ("true", "false", "yes", "no", "1", "0", "y", "n", "on", "off")


def texts_of(source: FactSource, shape: Shape, fact: str, asked: Iterable[str], ground: Ground) -> Texts:
    """What the texts of a property read as, as far as they matter to words asked for."""
    read = _reader(source, fact, ground.currency)
    words = sorted(asked)
    cased = ground.cased and shape.form in (Form.CHOICE, Form.CHOICES)
    given = shape.options if shape.form is not Form.YES_NO else ("true", "false")
    outcomes = {raw if cased else raw.lower(): read(raw) for raw in given}
    worded = source.kind in (Kind.CHOICE, Kind.TEXT, Kind.SET)
    strange = [w for w in words if worded and not any(_means(o, w) for o in outcomes.values())]
    more = [*source.values, *strange] if worded else [*source.values, *_usual(source.kind, shape, ground)]
    for word in more:
        for raw in _unless(spellings(word) if cased else (word,), given):
            found = read(raw)
            if raw not in outcomes and (worded or read(raw.upper()) == read(raw.title()) == found):
                outcomes[raw] = found
    stated = tuple(w for w in strange if any(_means(o, w) for o in outcomes.values()))
    complete = shape.complete or shape.form is Form.YES_NO
    guess = ground.assume and shape.form is Form.CHOICE and bool(shape.options) and not stated
    return Texts(
        outcomes=outcomes,
        rest=read(_NOBODYS_WORD) if worded else None if source.kind is Kind.YES_NO else Doubt.ANYTHING,
        sure=not cased,
        closed=complete or guess,
        by_assumption=guess and not complete,
        strange=() if complete or not cased else stated,
    )


def sorted_out(source: FactSource, texts: Texts, fails: Callable[[FactValue], bool], most: int) -> Reading:
    """The texts of a property by a question about what they read as."""
    failing = [w for w, o in texts.outcomes.items() if o is not None and fails(o)]
    unread = frozenset(w for w, o in texts.outcomes.items() if o is None)
    passed = frozenset(texts.outcomes) - frozenset(failing)
    beyond = Words(words=frozenset(texts.outcomes), inverted=True)
    bad, nothing = Words(words=frozenset(failing)), Words(words=unread, blank=True)
    doubtful = Words()
    reasons: list[str] = []
    assumed: tuple[str, ...] = ()
    if texts.closed:
        if failing and len(passed) < len(failing):
            bad = Words(words=passed, inverted=True)
        if texts.by_assumption and (isinstance(texts.rest, Doubt) or (texts.rest and fails(texts.rest))):
            assumed = (f"{source.property} has no options but those known",)
    elif texts.rest is None:
        nothing = Words(words=frozenset(texts.outcomes) - unread, inverted=True, blank=True)
    elif isinstance(texts.rest, Doubt):
        doubtful = beyond
        bad = Words(words=frozenset(failing[:most]))
        reasons.append(f"{source.property} can be spelt in more ways than a filter can list")
    elif fails(texts.rest):
        if texts.sure:
            bad = Words(words=passed, inverted=True)
        else:
            doubtful = beyond
            reasons.append(f"not all options of {source.property} are known")
    if texts.strange and failing and not reasons:
        names = ", ".join(texts.strange)
        reasons.append(
            f"{source.property} has no known option {names}; it is left out in the usual spellings"
        )
    return Reading(failing=bad, unread=nothing, doubtful=doubtful, reasons=tuple(reasons), assumed=assumed)


def spellings(word: str) -> tuple[str, ...]:
    """A word as an option's value is usually spelt, where case matters."""
    under = word.replace(" ", "_")
    found = (word, word.upper(), word.title(), word.capitalize(), under, under.upper())
    return tuple(dict.fromkeys(found))


def _unless(raws: Iterable[str], options: Iterable[str]) -> tuple[str, ...]:
    """Spellings of a word, none where it is an option: an option is spelt as it is."""
    tried = tuple(raws)
    known = {option.lower() for option in options}
    return () if any(raw.lower() in known for raw in tried) else tried


def _means(outcome: FactValue | None, word: str) -> bool:
    return outcome is not None and word in getattr(outcome, "known", ())


def _reader(source: FactSource, fact: str, currency: str) -> Callable[[str], FactValue | None]:
    """text → this fact's value, None where nothing is read."""
    parse = parsing(source)

    def read(text: str) -> FactValue | None:
        return dict(parse(text.strip(), currency) or ()).get(fact)

    return read


def parts_meaning(source: FactSource, word: str, shape: Shape, ground: Ground) -> frozenset[str]:
    """The texts of a list (options, keys of the map, the word itself) that read as this member."""
    read = _reader(source, source.fact, ground.currency)
    cased = ground.cased and shape.form in (Form.CHOICE, Form.CHOICES)
    tried = [*shape.options, *source.values]
    tried += spellings(word) if cased else [word]
    apart = (raw for raw in tried if source.separator not in raw)
    return frozenset(raw if cased else raw.lower() for raw in apart if _means(read(raw), word))


def _usual(kind: Kind, shape: Shape, ground: Ground) -> tuple[str, ...]:
    """Usual spellings where a property is free text, lower-case, the likeliest first."""
    if shape.form is not Form.TEXT:
        return ()
    if kind is Kind.YES_NO:
        return _YES_NO
    if kind is Kind.COUNTRY:
        return _country_spellings()
    if kind is Kind.INDUSTRY:
        return tuple(form for name in industries.names() for form in _both(name.lower()))
    if kind is Kind.DATE:
        this_year = datetime.fromtimestamp(ground.now, UTC).year
        return tuple(str(year) for year in range(this_year, FIRST_YEAR - 1, -1))
    return ()


def _both(name: str) -> tuple[str, str]:
    return name, name.replace("_", " ")


_MOST_COMPANIES = ("US", "GB", "DE", "FR", "CA", "CN", "IN", "JP", "AU", "NL", "IT", "ES", "BR", "CH", "SE",
                   "MX", "IE", "BE", "AT", "DK", "NO", "FI", "PL", "PT", "KR", "SG", "HK", "IL", "AE", "ZA",
                   "NZ", "TR", "AR", "CL", "CO", "RU", "TW", "CZ", "GR", "RO", "HU", "UA", "SA", "TH", "MY",
                   "ID", "PH", "VN", "NG", "EG")  # fmt: skip
_BESIDES = (
    "usa",
    "u.s.",
    "united states of america",
    "uk",
    "great britain",
    "england",
    "deutschland",
    "españa",
)


@cache
def _country_spellings() -> tuple[str, ...]:
    every_code = [a + b for a in ascii_uppercase for b in ascii_uppercase if countries.name_of(a + b)]
    codes = [*_MOST_COMPANIES, *(c for c in every_code if c not in _MOST_COMPANIES)]
    names = (form for c in codes for form in (c.lower(), countries.name_of(c).lower()))
    return tuple(dict.fromkeys((*_BESIDES, *names)))
