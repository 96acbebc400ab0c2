"""What an enricher said, if it has the form the port promises. Knows neither who was asked nor what is kept.

An enricher may be anybody's code, and types are promises it need not keep. Each answer is looked at where it
arrives, so that nothing behind it ever meets a value that cannot be merged, stored or read back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from reprlib import repr as short
from typing import TypeGuard

from icp_sync.domain.facts import CATALOGUE, FactType, FactValue, Interval, Members, Money, Signal, fits
from icp_sync.journal.encoding import signals_from_text, signals_to_text
from icp_sync.ports import Answer, Hit, Miss, Pending, Unavailable

LONGEST_WAIT = 7 * 86_400.0
"""Seconds a source can have itself left alone; one that names more has probably named an instant."""

LONGEST_JOB = 2_000
"""Characters of a job's name; a longer one is no name."""

_KINDS: Mapping[type, FactType] = {
    Interval: FactType.NUMBER,
    Money: FactType.MONEY,
    Members: FactType.SET,
}
"""What a value of a fact that the catalogue does not know must be like, by its own type."""


def one_each(said: object, requests: int) -> list[object]:
    """As many things as there were requests, not yet looked at. Raises ValueError otherwise."""
    if not isinstance(said, Sequence) or isinstance(said, str | bytes):
        raise ValueError(f"gave {_kind(said)} instead of a sequence of answers")
    answers: list[object] = list(said)
    if len(answers) != requests:
        raise ValueError(f"gave {len(answers)} answers to {requests} requests")
    return answers


def well_formed(answer: object) -> Answer:
    """The answer as it will be recalled, too. Raises ValueError, or what a strange object raises itself."""
    if isinstance(answer, Hit):
        return Hit(
            signals=_signals(answer.signals), charge=_charge(answer.charge), unread=_unread(answer.unread)
        )
    if isinstance(answer, Miss):
        return Miss(charge=_charge(answer.charge), ambiguous=bool(answer.ambiguous))
    if isinstance(answer, Pending):
        return _pending(answer)
    if isinstance(answer, Unavailable):
        return Unavailable(
            kind=str(answer.kind),
            message=str(answer.message),
            retry_after=_wait(answer.retry_after),
            charge=_charge(answer.charge),
        )
    raise ValueError(f"an answer is {_kind(answer)}, not Hit, Miss, Pending or Unavailable")


def _pending(answer: Pending) -> Pending:
    """Raises ValueError without a name to ask for it by."""
    if not isinstance(answer.job, str) or not 0 < len(answer.job) <= LONGEST_JOB:
        raise ValueError(f"the job of a pending answer is {short(answer.job)}")
    after = _wait(answer.retry_after)
    return Pending(
        job=answer.job, retry_after=60.0 if after is None else after, charge=_charge(answer.charge)
    )


def _signals(said: object) -> tuple[Signal, ...]:
    if not isinstance(said, list | tuple):
        raise ValueError(f"the signals of a hit are {_kind(said)}, not a tuple")
    return tuple(_signal(one) for one in said)


def _signal(signal: object) -> Signal:
    """The signal after a journey through the journal's text, which it must survive unchanged."""
    if not isinstance(signal, Signal):
        raise ValueError(f"a signal is {_kind(signal)}")
    if not isinstance(signal.fact, str) or not signal.fact:
        raise ValueError(f"a signal's fact is {short(signal.fact)}")
    wanted = CATALOGUE.get(signal.fact, _KINDS.get(type(signal.value)))
    try:
        proper = fits(signal.value, wanted) and _within_reach(signal.value)
        kept = signals_from_text(signals_to_text((signal,))) if proper else ()
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"a signal of {short(signal.fact)}: {error}") from error
    if kept != (signal,):
        raise ValueError(f"{short(signal.value)} is no value of {short(signal.fact)}")
    return kept[0]


def _within_reach(value: FactValue) -> bool:
    """Whether a range holds any number at all: one from infinity on, or up to minus infinity, does not."""
    return isinstance(value, Members) or (value.low < inf and value.high > -inf)


def _charge(said: object) -> float:
    if not _finite(said) or said < 0:
        raise ValueError(f"a charge is {short(said)}, not a number of credits")
    return float(said)


def _unread(said: object) -> dict[str, str]:
    if not isinstance(said, Mapping):
        raise ValueError(f"'unread' is {_kind(said)}, not a mapping")
    unread = dict(said)
    if not all(isinstance(text, str) for pair in unread.items() for text in pair):
        raise ValueError(f"'unread' holds more than text: {short(unread)}")
    return unread


def _wait(said: object) -> float | None:
    """Seconds to wait; what is no such thing was not said."""
    return float(min(said, LONGEST_WAIT)) if _finite(said) and said > 0 else None


def _finite(said: object) -> TypeGuard[float]:
    return isinstance(said, int | float) and not isinstance(said, bool) and abs(said) < inf


def _kind(said: object) -> str:
    return "None" if said is None else f"of type {type(said).__name__}"
