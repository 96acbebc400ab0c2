"""Domain values as the journal's JSON text, and back. Must not know tables.

NUL characters and lone surrogates stand in it as escapes, so they survive in either database. Text in
columns of its own (names, problems) is for people only and goes through `plain`, which drops those.

What every page reads of every account is decoded straight into its type. A text that does not take, one
with a lone surrogate say, goes the long way round.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from math import isfinite, isnan
from operator import attrgetter
from reprlib import repr as short
from typing import Any, TypeGuard, TypeVar

import msgspec

from icp_sync import lean_json
from icp_sync.domain.account import Confirmed, Origin, Owed, Previous, Withdrawn
from icp_sync.domain.facts import Signal, value_from_json, value_to_json
from icp_sync.domain.plan import Change

Kept = TypeVar("Kept")

_PREVIOUS_DEFAULTS: Mapping[str, object] = {f.name: f.default for f in fields(Previous)}
_PREVIOUS_VALUES = attrgetter(*_PREVIOUS_DEFAULTS)

dumps = json.JSONEncoder(separators=(",", ":")).encode
"""Any plain value as compact JSON, numbers without end included. One encoder for all: building one costs more
than a small value. What every page writes of every account goes through `lean_json`, many times as fast."""

_previous = msgspec.json.Decoder(Previous).decode
_confirmed = msgspec.json.Decoder(dict[str, Confirmed]).decode
_intents = msgspec.json.Decoder(dict[str, tuple[str, ...]]).decode
_pairs = msgspec.json.Decoder(dict[str, tuple[str, str]]).decode


def loads(text: str | None) -> Any:
    """The stored value; an empty column is an empty mapping."""
    return lean_json.loads(text) if text else {}


def _typed(text: str, decode: Callable[[str], Kept], otherwise: Callable[[Any], Kept]) -> Kept:
    """What a text holds, decoded at once; or what its JSON holds, for one that does not take that way."""
    try:
        return decode(text)
    except msgspec.MsgspecError:
        return otherwise(lean_json.loads(text))


def plain(text: str, limit: int = 500) -> str:
    """Text any database stores: no NUL, no lone surrogates, at most `limit` characters."""
    if not text:
        return text
    short = text[:limit]
    if short.isascii():
        return short.replace("\x00", "")
    return short.replace("\x00", "").encode("utf-8", "replace").decode()


def previous_to_text(previous: Previous | None) -> str:
    """ "" for None; fields at their default are left out."""
    if previous is None:
        return ""
    held = zip(_PREVIOUS_DEFAULTS.items(), _PREVIOUS_VALUES(previous), strict=True)
    return lean_json.dumps({name: value for (name, default), value in held if value != default})


def previous_from_text(text: str | None) -> Previous | None:
    """The inverse; fields this version does not know are ignored."""
    return _typed(text, _previous, _previous_from_json) if text else None


def _previous_from_json(stored: dict[str, Any]) -> Previous:
    return Previous(**{name: value for name, value in stored.items() if name in _PREVIOUS_DEFAULTS})


def confirmed_to_json(confirmed: Mapping[str, Confirmed]) -> dict[str, tuple[object, ...]]:
    """field → [value, origin, at], and by whom where that is known."""
    return {name: held if held.by else held[:3] for name, held in confirmed.items()}


def confirmed_from_text(text: str | None) -> dict[str, Confirmed]:
    return _typed(text, _confirmed, _confirmed_from_json) if text else {}


def _confirmed_from_json(stored: dict[str, Any]) -> dict[str, Confirmed]:
    return {
        name: Confirmed(value=value, origin=Origin(origin), at=at, by=by[0] if by else "")
        for name, (value, origin, at, *by) in stored.items()
    }


def withdrawn_to_text(withdrawn: Withdrawn | None) -> str:
    """ "" for None."""
    return lean_json.dumps([withdrawn.mark, dict(withdrawn.fields), withdrawn.run]) if withdrawn else ""


def withdrawn_from_text(text: str | None) -> Withdrawn | None:
    if not text:
        return None
    mark, fields_, run = lean_json.loads(text)
    return Withdrawn(mark=mark, fields=fields_, run=run)


def pairs_to_text(pairs: Mapping[str, tuple[str, str]]) -> str:
    """field → two values, as `unechoed` keeps them; "" for none."""
    return lean_json.dumps({name: list(pair) for name, pair in pairs.items()}) if pairs else ""


def pairs_from_text(text: str | None) -> dict[str, tuple[str, str]]:
    return _typed(text, _pairs, _pairs_from_json) if text else {}


def _pairs_from_json(stored: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {name: (first, second) for name, (first, second) in stored.items()}


def owed_to_text(owed: Mapping[str, Owed]) -> str:
    """field → [value, at, by, what we wrote over it]; "" for none."""
    if not owed:
        return ""
    return lean_json.dumps(
        {n: [one.edit.value, one.edit.at, one.edit.by, one.over] for n, one in owed.items()}
    )


def owed_from_text(text: str | None) -> dict[str, Owed]:
    return {
        name: Owed(edit=Confirmed(value=value, origin=Origin.HUMAN, at=at, by=by), over=over)
        for name, (value, at, by, over) in loads(text).items()
    }


def changes_to_text(changes: Iterable[Change]) -> str:
    """[[field, live, desired, reason, origin], …]"""
    return lean_json.dumps([[c.field, c.live, c.desired, c.reason, c.origin] for c in changes])


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
    return _typed(text, _intents, _intents_from_json) if text else {}


def _intents_from_json(stored: dict[str, Any]) -> dict[str, tuple[str, ...]]:
    return {name: tuple(values) for name, values in stored.items()}


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
