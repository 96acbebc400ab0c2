"""One sender's events: what stands where in them becomes facts of a company, and nothing becomes a person's.

Texts that hold an @, however it is written, are taken for somebody's address and dropped wherever they stand;
of an e-mail address only the company's domain is looked at. What names an event is kept as a digest.
"""

from __future__ import annotations

import html
import json
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import Any
from urllib.parse import unquote

from icp_sync.domain.facts import FactType, FactValue, Interval
from icp_sync.enrichers.inbound.kinds import NOT_OURS_TO_HEAR, USUAL
from icp_sync.enrichers.manifest.expressions import compiled, gives
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal.inbound import Event
from icp_sync.normalize import dates, domains
from icp_sync.normalize.facts_config import kind_of, suggestion
from icp_sync.normalize.kinds import FACT_TYPES, Found, Kind, Parse, parser
from icp_sync.settings.inbound import InboundSource, MappedFact

MOST_EVENTS = 1_000
"""Events of one call."""
MOST_MEMBERS = 50
LONGEST_TEXT = 200
LAST_VISIT = "last_visit"
FAST_CLOCK = 300.0
"""Seconds a sender's clock may be ahead of ours; what happened then happened now."""
_LONGEST_NUMBER = 40
_WRAPPED = 4  # times a text may have been escaped
_FIRST_SECOND, _FIRST_MILLISECOND, _LAST_MILLISECOND = 1e8, 1e11, 1e14


class TooManyError(Exception):
    """More events than one call may carry."""


@dataclass(slots=True)
class Heard:
    """What one call says. refused: why an event was not taken → how many."""

    events: list[Event] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class _Told:
    """How one fact is read out of an event."""

    fact: str
    paths: Sequence[str]
    separator: str
    parse: Parse


class Ear:
    """Reads the calls of one source. Raises ConfigError with everything wrong in its settings at once.

    where: how the settings name it. types: every fact the connection knows. own: domains that are ours.
    """

    def __init__(
        self,
        name: str,
        source: InboundSource,
        types: Mapping[str, FactType],
        *,
        where: str,
        own: Iterable[str] = (),
    ) -> None:
        usual = USUAL[source.kind]
        self.name, self.source = name, source
        self.visits = usual.visits if source.visits is None else source.visits
        self._salt = name.encode()[:64]
        self._own = frozenset(own)
        self._events = source.events
        self._domain = source.domain or usual.domain
        self._id = source.id or usual.id
        self._time = source.time or usual.time
        problems: list[Problem] = []
        entries = source.facts or {fact: fact for fact in usual.facts}
        self.counts = self.visits and "web_visits" not in entries
        """Whether visits are to be counted."""
        self._facts = tuple(_told(entries, types, where, problems))
        paths = {"events": [self._events], "domain": self._domain, "id": self._id, "time": self._time}
        for key, listed in paths.items():
            problems += _uncompiled(listed, f"{where}.{key}")
        if problems:
            raise ConfigError(problems)

    def read(self, document: Any, now: float) -> Heard:
        """The events of one call. Raises TooManyError."""
        said = gives(self._events, document) if self._events else document
        items = said if isinstance(said, list) else [said]
        if len(items) > MOST_EVENTS:
            raise TooManyError
        heard = Heard()
        for item in items:
            event = self._event(item, now)
            if isinstance(event, str):
                heard.refused[event] += 1
            else:
                heard.events.append(event)
        return heard

    def _event(self, item: Any, now: float) -> Event | str:
        """The event, or why it is none of ours."""
        if not isinstance(item, dict):
            return "no event"
        domain = self._company(item)
        if not domains.identifies(domain):
            return "no company's domain"
        if domain in self._own:
            return "our own domain"
        when = self._when(item, now)
        if when is None:
            return "no readable time"
        if when.low > now + FAST_CLOCK:
            return "in the future"
        at = min(when.low, now)
        if at <= now - self.source.keep:
            return "too old"
        facts = dict(self._read(item))
        if self.visits:
            facts[LAST_VISIT] = Interval(at, min(when.high, now))
        if not facts:
            return "nothing we could use"
        id = self._digest(item, domain)
        return Event(id=id, domain=domain, at=at, until=at + self.source.keep, facts=facts)

    def _company(self, item: Any) -> str:
        """The domain at the first of its paths that has one; of an e-mail address the part behind @."""
        for text in _texts(self._domain, item):
            text = _unwrapped(text)
            at = "://" not in text and "@" in text
            if domain := domains.registrable(text.rpartition("@")[2] if at else text):
                return domain
        return ""

    def _when(self, item: Any, now: float) -> Interval | None:
        for value in _values(self._time, item):
            return _instant(value)
        return Interval(now, now)

    def _read(self, item: Any) -> Iterator[tuple[str, FactValue]]:
        for told in self._facts:
            for value in _values(told.paths, item):
                if found := _found(told, value):
                    yield from found
                    break

    def _digest(self, item: Any, domain: str) -> str:
        """Under what the event is known again: its name, within its company; where it has none, or it may
        be a person's, all that it says."""
        named = next((t for t in _texts(self._id, item) if "@" not in _unwrapped(t)), "")
        said = json.dumps(["id", domain, named] if named else item, sort_keys=True)
        return blake2b(said.encode("utf-8", "surrogatepass"), digest_size=16, key=self._salt).hexdigest()


def _told(
    entries: Mapping[str, str | MappedFact],
    types: Mapping[str, FactType],
    where: str,
    problems: list[Problem],
) -> Iterator[_Told]:
    for fact, said in entries.items():
        here = f"{where}.facts.{fact}"
        entry = MappedFact.model_validate({"from": said}) if isinstance(said, str) else said
        problems += _uncompiled(entry.paths, here)
        if fact in NOT_OURS_TO_HEAR:
            problems.append(Problem(where=here, what=f"'{fact}' is nothing an event may tell"))
            continue
        if fact not in types:
            hint = suggestion(fact, types)
            problems.append(Problem(where=here, what=f"there is no fact '{fact}'", hint=hint))
            continue
        kind = entry.kind or kind_of(fact) or Kind(types[fact].value)
        if FACT_TYPES[kind] is not types[fact]:
            problems.append(Problem(where=here, what=f"'{kind}' does not give a {types[fact]}"))
            continue
        values = {" ".join(raw.lower().split()): means for raw, means in entry.values.items()}
        parse = parser(
            kind,
            fact,
            currency=entry.currency,
            separator=entry.separator,
            values=values,
            complete=False,
        )
        yield _Told(fact, entry.paths, entry.separator if kind is Kind.SET else "", parse)


def _uncompiled(paths: Iterable[str], where: str) -> Iterator[Problem]:
    for path in paths:
        try:
            compiled(path)
        except ValueError as error:
            yield Problem(where=where, what=str(error))


def _values(paths: Iterable[str], item: Any) -> Iterator[Any]:
    """What stands at the first paths; blanks are passed over."""
    for path in paths:
        value = gives(path, item)
        if value not in (None, "", [], {}):
            yield value


def _texts(paths: Iterable[str], item: Any) -> Iterator[str]:
    for value in _values(paths, item):
        if isinstance(value, str | int) and not isinstance(value, bool):
            yield str(value)[:2_000].strip()


def _instant(value: Any) -> Interval | None:
    """Epoch seconds or milliseconds, or a date as people and machines write them."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not _FIRST_SECOND <= value < _LAST_MILLISECOND:
            return None
        seconds = value if value < _FIRST_MILLISECOND else value / 1_000
        return Interval(float(seconds), float(seconds))
    if not isinstance(value, str):
        return None
    text = value.strip()
    if text.isascii() and text.isdigit() and len(text) in (9, 10):
        return Interval(float(text), float(text))
    return dates.instant(text)


def _found(told: _Told, value: Any) -> Found:
    """A fact's value; nothing where it cannot be read for certain, or may be somebody's address."""
    text = _text(value, told.separator)
    return (told.parse(text, "") or ()) if text else ()


def _text(value: Any, separator: str) -> str:
    """What a reader of facts is given. separator: between the members of a set, "" of a single value."""
    if isinstance(value, list):
        words = [_text(one, "") for one in value[:MOST_MEMBERS]] if separator else []
        return separator.join(" ".join(word.split(separator)) for word in words if word)
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number if len(number := repr(value)) <= _LONGEST_NUMBER else ""
    if not isinstance(value, str) or len(value) > LONGEST_TEXT * (MOST_MEMBERS if separator else 1):
        return ""
    plain = _unwrapped(value)
    if "@" not in plain:
        return value.strip()
    words = plain.split(separator) if separator else []
    return separator.join(word for word in words if "@" not in word)


def _unwrapped(text: str) -> str:
    """A text as a person would read it, when there is an @ in it that machines or look-alikes hide."""
    plain = text
    for _ in range(_WRAPPED):
        before, plain = plain, unicodedata.normalize("NFKC", html.unescape(unquote(plain)))
        if "@" in plain:
            return plain
        if plain == before:
            break
    return text
