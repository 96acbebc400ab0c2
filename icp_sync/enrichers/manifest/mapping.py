"""One record of a vendor → signals, by the lines of its manifest. Whatever the record holds, nothing raises.

Values are read by the same readers as a CRM's properties (`icp_sync.normalize`), so that "51-200" is the same
interval wherever it stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isfinite
from typing import Any

from icp_sync.domain.facts import FactValue, Interval, Money, Signal, choice
from icp_sync.enrichers.manifest.consistency import CODES
from icp_sync.enrichers.manifest.expressions import gives
from icp_sync.enrichers.manifest.schema import Line
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.normalize import dates, funding, industries
from icp_sync.normalize.facts_map import FactSource, parsing
from icp_sync.normalize.kinds import Kind, Parse
from icp_sync.normalize.numbers import plainly

LONGEST_TEXT = 1_000
MOST_MEMBERS = 2_000
BETWEEN = "\x1f"
"""Stands between the members of a JSON list once it is text: no word holds it."""
BROAD = 0.8
"""Confidence of an industry the vendor's label merely lies in."""

_NUMBER = r"[+-]?(?:\d[\d,.' ]*|\.\d+)(?:e[+-]?\d{1,3})?"
_BARE = re.compile(rf"(?:up to )?{_NUMBER}\+?|{_NUMBER} ?- ?{_NUMBER}")
"""A number or a band of two without a word or mark beside it. "$2.5 billion" has its unit already."""

Read = tuple[tuple[str, FactValue, float], ...]
"""(fact, value, confidence) of what one text says."""


def facts_in(
    record: Any, setup: Setup, *, now: float, confidence: float
) -> tuple[tuple[Signal, ...], dict[str, str]]:
    """The signals of a record, and fact → text of what was said and could not be read.

    confidence: how surely the record is the company asked about.
    """
    signals: list[Signal] = []
    unread: dict[str, str] = {}
    for fact, lines in setup.manifest.facts.items():
        told = False
        for place, line in enumerate(lines):
            for raw, read in _readings(fact, place, line, record, setup):
                if read is None:
                    continue
                if not read:
                    unread.setdefault(fact, raw)
                    continue
                at = _observed(line, record, now)
                signals += [
                    Signal(
                        fact=about,
                        value=value,
                        source=setup.name,
                        observed_at=at,
                        confidence=max(confidence * line.confidence * sure, 0.001),
                        raw=raw,
                        until=now + setup.ttls[about],
                    )
                    for about, value, sure in read
                ]
                told = True
                break
            if told:
                break
    known = {signal.fact for signal in signals}
    return tuple(signals), {fact: raw for fact, raw in unread.items() if fact not in known}


def _readings(
    fact: str, place: int, line: Line, record: Any, setup: Setup
) -> Iterator[tuple[str, Read | None]]:
    """What each place of a line says, in order: (its text, what it means). None: it says nothing."""
    times = unit(setup.option(line.times))
    if times is None:
        return
    currency = str(setup.option(line.currency) or "")
    if line.currency_from:
        code = _text(gives(line.currency_from, record)).upper()
        currency = code if len(code) == 3 and code.isalpha() and code.isascii() else currency

    def read(raw: str) -> Read | None:
        if line.kind == "funding_stage":
            return _stage(fact, line, raw)
        found = _parser(fact, place, line, currency, setup)(raw, currency)
        if found is None:
            return None
        own_unit = times == 1.0 or _BARE.fullmatch(plainly(_meaning(line, raw))) is None
        scaled = [(about, value if own_unit else _scaled(value, times)) for about, value in found]
        return tuple((about, value, 1.0) for about, value in scaled if value is not None)

    if line.low or line.high:
        raw = _between(gives(line.low, record), gives(line.high, record))
        if raw:
            yield raw, read(raw)
    for path in line.from_:
        value = gives(path, record)
        if line.kind == "industry":
            yield from _industry(fact, line, value)
            continue
        if line.kind == "funding_stage":
            rounds = [text for one in _listed(value)[:MOST_MEMBERS] if (text := _text(one))]
            yield from ((text, read(text)) for text in rounds)
            continue
        raw = _text(value, several=line.kind == "set")
        if raw:
            if line.separator:
                raw = raw.replace(line.separator, BETWEEN)
            yield raw.replace(BETWEEN, "; ")[:LONGEST_TEXT], read(raw)


def _stage(fact: str, line: Line, raw: str) -> Read | None:
    """The stage a round brought the company to. A loan or a grant brings it nowhere: of several rounds,
    newest first, it is the first of equity that counts."""
    meant = _meaning(line, raw)
    if not meant:
        return None
    stage = funding.stage(meant)
    return ((fact, choice(stage), 1.0),) if funding.is_equity(stage) else ()


def unit(raw: Any) -> float | None:
    """What amounts are multiplied by; None where nothing says so, and for what is no number above zero."""
    try:
        times = float(raw)
    except (TypeError, ValueError, OverflowError):
        return None
    return times if isfinite(times) and times > 0 else None


def _scaled(value: FactValue, times: float) -> FactValue | None:
    """In the unit of the fact; None beyond what a number can hold."""
    if not isinstance(value, Interval | Money):
        return value
    low, high = value.low * times, value.high * times
    return value._replace(low=low, high=high) if isfinite(low) else None


def _parser(fact: str, place: int, line: Line, currency: str, setup: Setup) -> Parse:
    """The reading of one line, made once."""
    key = (fact, place, currency if line.kind == "money" else "")
    if key not in setup.parsers:
        source = FactSource(
            property=fact,
            fact=fact,
            kind=Kind(line.kind),
            currency=currency,
            separator=BETWEEN,
            values={str(said).lower(): _joined(means) for said, means in line.values.items()},
            complete=line.complete,
        )
        setup.parsers[key] = parsing(source)
    return setup.parsers[key]


def _joined(means: Any) -> str:
    return BETWEEN.join(str(one).lower() for one in means) if isinstance(means, list) else str(means)


def _meaning(line: Line, raw: str) -> str:
    words = {str(said).lower(): str(means) for said, means in line.values.items()}
    return words.get(raw.lower(), raw)


def _industry(fact: str, line: Line, value: Any) -> Iterator[tuple[str, Read | None]]:
    """Labels or codes of one system, one or several; several that contradict each other say nothing."""
    labels = [_meaning(line, text) for one in _listed(value) if (text := _text(one))]
    labels = [label for label in dict.fromkeys(labels) if label][:20]
    if not labels:
        return
    yield "; ".join(labels)[:LONGEST_TEXT], _graded(fact, line.system, tuple(labels))


def _graded(fact: str, system: str, labels: Sequence[str]) -> Read:
    if system in CODES:
        graded = _of_codes(labels, system)
    elif system == "hubspot":
        graded = industries.from_hubspot(labels[0]) if len(labels) == 1 else industries.UNKNOWN
    else:
        graded = industries.together(labels, system)
    if fact == "sector":
        return ((fact, choice(graded.sector), _sure(graded.sector_grade)),) if graded.sector else ()
    said: list[tuple[str, FactValue, float]] = []
    if graded.value:
        said.append((fact, choice(graded.value), _sure(graded.grade)))
    if graded.sector and fact == "industry":
        said.append(("sector", choice(graded.sector), _sure(graded.sector_grade)))
    return tuple(said)


def _of_codes(codes: Sequence[str], system: str) -> industries.Graded:
    """What several codes of one company agree upon. One that only begins another says nothing beside it."""
    finest = [code for code in codes if not any(other != code and other.startswith(code) for other in codes)]
    read = [industries.from_code(code, system) for code in finest]
    first = read[0]
    return replace(
        first,
        value=first.value if all(one.value == first.value for one in read) else "",
        sector=first.sector if all(one.sector == first.sector for one in read) else "",
    )


def _sure(grade: industries.Grade) -> float:
    return 1.0 if grade is industries.Grade.EXACT else BROAD


def _observed(line: Line, record: Any, now: float) -> float:
    """When the vendor says it looked, never later than now."""
    if line.observed:
        at = dates.instant(_text(gives(line.observed, record)))
        if at is not None:
            return min(at.low, now)
    return now


def _between(low: Any, high: Any) -> str:
    first, last = _text(low), _text(high)
    if first and last:
        return f"{first} - {last}"
    return f"{first}+" if first else f"up to {last}" if last else ""


def _listed(value: Any) -> Sequence[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any, *, several: bool = False) -> str:
    """A JSON value as the text the readers expect: bounded, without control characters, "" for nothing."""
    if isinstance(value, list):
        if several:
            words = [word for one in value[:MOST_MEMBERS] if (word := _text(one)[:LONGEST_TEXT])]
            return BETWEEN.join(words)
        value = value[0] if len(value) == 1 else _shown(value[:20]) if value else None
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return _decimal(value)
    if isinstance(value, int):
        return str(value) if abs(value) < 10**40 else ""
    if isinstance(value, str):
        text = value[:LONGEST_TEXT] if len(value) > LONGEST_TEXT else value
        return " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return _shown(value)


def _decimal(value: float) -> str:
    """As no person would misread it: 4.125 that came as a number is not four thousand."""
    if isfinite(value) and value.is_integer() and abs(value) < 1e18:
        return str(int(value))
    text = repr(value)
    return f"{text}0" if len(text.partition(".")[2]) == 3 and "e" not in text else text


def _shown(value: Any) -> str:
    """A list or mapping where a value was expected: nothing reads it, and `explain` shows its beginning."""
    try:
        return " ".join(json.dumps(value, ensure_ascii=False)[:200].split())
    except (ValueError, RecursionError):
        return "…"
