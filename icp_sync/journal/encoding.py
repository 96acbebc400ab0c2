"""Domain values as the journal's JSON text, and back. Must not know tables.

JSON is ASCII with escapes, so lone surrogates and NUL characters survive in either database. Text in
columns of its own (names, problems) is for people only and goes through `plain`, which drops those.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import fields
from math import isfinite, isnan
from reprlib import repr as short
from typing import Any, TypeGuard

from icp_sync.domain.account import Confirmed, Origin, Owed, Previous, Withdrawn
from icp_sync.domain.facts import Signal, value_from_json, value_to_json
from icp_sync.domain.plan import Change

_PREVIOUS_DEFAULTS: Mapping[str, object] = {f.name: f.default for f in fields(Previous)}


_ORIGINS = {origin.value: origin for origin in Origin}

dumps = json.JSONEncoder(separators=(",", ":")).encode
"""Any plain value as compact JSON. One encoder for all: building one costs more than a small value."""


def loads(text: str | None) -> Any:
    """The stored value; an empty column is an empty mapping."""
    return json.loads(text) if text else {}


def plain(text: str, limit: int = 500) -> str:
    """Text any database stores: no NUL, no lone surrogates, at most `limit` characters."""
    short = text[:limit]
    if short.isascii():
        return short.replace("\x00", "")
    return short.replace("\x00", "").encode("utf-8", "replace").decode()


def previous_to_text(previous: Previous | None) -> str:
    """ "" for None; fields at their default are left out."""
    if previous is None:
        return ""
    return dumps(
        {
            name: value
            for name, default in _PREVIOUS_DEFAULTS.items()
            if (value := getattr(previous, name)) != default
        }
    )


def previous_from_text(text: str | None) -> Previous | None:
    """The inverse; fields this version does not know are ignored."""
    if not text:
        return None
    return Previous(**{name: value for name, value in json.loads(text).items() if name in _PREVIOUS_DEFAULTS})


def confirmed_to_json(confirmed: Mapping[str, Confirmed]) -> dict[str, list[object]]:
    """field → [value, origin, at], and by whom where that is known."""
    return {
        name: [held.value, held.origin.value, held.at, *([held.by] if held.by else [])]
        for name, held in confirmed.items()
    }


def confirmed_from_text(text: str | None) -> dict[str, Confirmed]:
    return {
        name: Confirmed(value=value, origin=_ORIGINS[origin], at=at, by=by[0] if by else "")
        for name, (value, origin, at, *by) in loads(text).items()
    }


def withdrawn_to_text(withdrawn: Withdrawn | None) -> str:
    """ "" for None."""
    return dumps([withdrawn.mark, dict(withdrawn.fields), withdrawn.run]) if withdrawn else ""


def withdrawn_from_text(text: str | None) -> Withdrawn | None:
    if not text:
        return None
    mark, fields_, run = json.loads(text)
    return Withdrawn(mark=mark, fields=fields_, run=run)


def pairs_to_text(pairs: Mapping[str, tuple[str, str]]) -> str:
    """field → two values, as `unechoed` keeps them; "" for none."""
    return dumps({name: list(pair) for name, pair in pairs.items()}) if pairs else ""


def pairs_from_text(text: str | None) -> dict[str, tuple[str, str]]:
    return {name: (first, second) for name, (first, second) in loads(text).items()}


def owed_to_text(owed: Mapping[str, Owed]) -> str:
    """field → [value, at, by, what we wrote over it]; "" for none."""
    if not owed:
        return ""
    return dumps({n: [one.edit.value, one.edit.at, one.edit.by, one.over] for n, one in owed.items()})


def owed_from_text(text: str | None) -> dict[str, Owed]:
    return {
        name: Owed(edit=Confirmed(value=value, origin=Origin.HUMAN, at=at, by=by), over=over)
        for name, (value, at, by, over) in loads(text).items()
    }


def changes_to_text(changes: Iterable[Change]) -> str:
    """[[field, live, desired, reason, origin], …]"""
    return dumps([[c.field, c.live, c.desired, c.reason, c.origin] for c in changes])


def changes_from_text(account_id: str, text: str) -> tuple[Change, ...]:
    """The inverse; what was stored before origins were kept has none."""
    return tuple(
        Change(
            account_id=account_id,
            field=name,
            live=live,
            desired=desired,
            reason=reason,
            origin=origin[0] if origin else "",
        )
        for name, live, desired, reason, *origin in loads(text) or []
    )


def intents_from_text(text: str | None) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in loads(text).items()}


def signals_to_text(signals: Iterable[Signal]) -> str:
    """[[fact, value, source, observed at, confidence, rank, raw, until where it ends], …]"""
    return dumps(
        [
            [s.fact, value_to_json(s.value), s.source, s.observed_at, s.confidence, s.rank, s.raw]
            + ([] if s.until is None else [s.until])
            for s in signals
        ]
    )


def signals_from_text(text: str | None) -> tuple[Signal, ...]:
    """The inverse. Raises ValueError for anything that `signals_to_text` has not written."""
    stored = loads(text) or []
    if not isinstance(stored, list):
        raise ValueError(f"not a list of signals: {short(stored)}")
    return tuple(_signal(one) for one in stored)


def _signal(stored: object) -> Signal:
    match stored:
        case [
            str(fact),
            list(value),
            str(source),
            (int() | float()) as observed_at,
            (int() | float()) as confidence,
            int(rank),
            str(raw),
            *until,
        ] if _as_written(value, observed_at, confidence) and _an_instant(until):
            return Signal(
                fact=fact,
                value=value_from_json(value),
                source=source,
                observed_at=observed_at,
                confidence=confidence,
                rank=rank,
                raw=raw,
                until=until[0] if until else None,
            )
    raise ValueError(f"not a signal as it is stored: {short(stored)}")


def _an_instant(until: list[object]) -> TypeGuard[list[float]]:
    """Whether this is when a signal ends, as it follows one that does."""
    match until:
        case [] | [(int() | float())]:
            return not any(isinstance(end, float) and isnan(end) for end in until)
    return False


def _as_written(value: list[object], *numbers: float) -> bool:
    """Whether the value is one that we would write again just so (reading is lenient about bounds)."""
    try:
        if not all(map(isfinite, numbers)) or any(isinstance(part, float) and isnan(part) for part in value):
            return False
        return value_to_json(value_from_json(value)) == value
    except OverflowError:  # a whole number that no float holds
        return False
