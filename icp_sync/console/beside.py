"""What a page shows that takes longer to count than a page may: counted beside the requests, and kept.

Nothing is counted before somebody looks; each of a connection's counts is made by one thread at a time, and
pages say how old it is.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar, cast
from weakref import WeakKeyDictionary

from icp_sync.journal import Journal
from icp_sync.observe import log

Value = TypeVar("Value")
PATIENCE = 0.1
"""Seconds that a page waits for a count nobody made yet: small ones are there at once."""
SHARE = 20.0
"""How many times as long as a count took it is good for, at least."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made(Generic[Value]):
    """A count, as of when (epoch seconds). busy: whether a newer one is being made."""

    value: Value
    at: float
    busy: bool


class _Count:
    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.made: tuple[Any, float] | None = None
        self.good_until = 0.0
        self.failed = False
        self.outdated = False
        self.thread: threading.Thread | None = None


_kept: WeakKeyDictionary[Journal, dict[str, _Count]] = WeakKeyDictionary()
_lock = threading.Lock()


def counted(
    journal: Journal, name: str, count: Callable[[], Value], clock: Callable[[], float], *, every: float
) -> Made[Value] | None:
    """The latest count of this name; None while the first one is being made, or where it failed (`failing`).

    every: seconds after which it is made anew when somebody looks.
    """
    with _lock:
        kept = _kept.setdefault(journal, {}).setdefault(name, _Count())
    with kept.lock:
        if kept.thread is None and clock() >= kept.good_until:
            kept.outdated = False
            kept.thread = threading.Thread(
                target=_make, args=(kept, name, count, clock, every), name=f"count {name}", daemon=True
            )
            kept.thread.start()
        thread = kept.thread
    if thread is not None and (kept.made is None or kept.good_until == 0.0):
        thread.join(PATIENCE)
    made = kept.made
    if made is None:
        return None
    return Made(value=cast(Value, made[0]), at=made[1], busy=kept.thread is not None)


def outdated(journal: Journal, *names: str) -> None:
    """Something has changed: these are counted anew when somebody looks."""
    with _lock:
        found = [one for name, one in _kept.get(journal, {}).items() if name in names]
    for kept in found:
        with kept.lock:
            kept.good_until, kept.outdated = 0.0, True


def failing(journal: Journal, *names: str) -> bool:
    """Whether one of these could not be made when it was tried last."""
    with _lock:
        kept = _kept.get(journal, {})
        return any(kept[name].failed for name in names if name in kept)


def _make(
    kept: _Count, name: str, count: Callable[[], object], clock: Callable[[], float], every: float
) -> None:
    began = clock()
    made: tuple[Any, float] | None = None
    try:
        made = (count(), began)
    except Exception as error:  # a thread of its own: whatever it is, nobody else would hear of it
        log("console").warning("not counted", count=name, error=repr(error))
    took = max(0.0, clock() - began)
    with kept.lock:
        kept.made, kept.failed = made or kept.made, made is None
        kept.good_until = 0.0 if kept.outdated else clock() + max(every, SHARE * took)
        kept.thread = None
