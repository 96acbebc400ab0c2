"""What a source says of itself, where that can be used; else what is usual.

An enricher may be anybody's code: an attribute of the wrong kind, or one that raises, must stop nobody. Must
not know who is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from math import isfinite
from typing import Any, TypeGuard, cast

from icp_sync.observe import log
from icp_sync.ports import Enricher


def said_of(enricher: object, name: str) -> object:
    """An attribute that a source may have; None where it has none, or it cannot be read."""
    try:
        return getattr(enricher, name, None)
    except Exception:  # a property may fail in any way
        return None


def count_of(enricher: Enricher, name: str, usual: int) -> int:
    """A number of 1 or more, as it is said or else as usual."""
    said = said_of(enricher, name)
    return said if isinstance(said, int) and not isinstance(said, bool) and said >= 1 else usual


def credits_of(enricher: Enricher) -> float | None:
    """What is left of its credits, None where it does not say so."""
    said = said_of(enricher, "credits_left")
    return float(said) if is_number(said) else None


def fitted(enricher: Enricher) -> Enricher:
    """The enricher itself; another with the same answers where what it says of its facts cannot be used."""
    ttls, complete = said_of(enricher, "ttls"), said_of(enricher, "complete")
    fits = ttls is None or (isinstance(ttls, Mapping) and all(map(_is_lifetime, ttls.values())))
    if fits and (complete is None or _is_names(complete)):
        return enricher
    log("enrich").warning("source says of its facts what cannot be used", enricher=enricher.name)
    return cast(Enricher, Fitted(enricher))


class Fitted:
    """A source without those of its lifetimes and whole sets that cannot be used."""

    def __init__(self, enricher: Enricher) -> None:
        self._enricher = enricher
        ttls, complete = said_of(enricher, "ttls"), said_of(enricher, "complete")
        known = ttls if isinstance(ttls, Mapping) else {}
        self.ttls = {fact: seconds for fact, seconds in known.items() if _is_lifetime(seconds)}
        self.complete = complete if _is_names(complete) else frozenset()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._enricher, name)


def is_number(said: object) -> TypeGuard[float]:
    """Whether it is a finite number."""
    try:
        return isinstance(said, int | float) and not isinstance(said, bool) and isfinite(said)
    except OverflowError:  # larger than any float
        return False


def _is_lifetime(said: object) -> bool:
    return is_number(said) and said >= 0


def _is_names(said: object) -> bool:
    return isinstance(said, Collection) and not isinstance(said, str)
