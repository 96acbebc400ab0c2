"""To which segments a company belongs, by what is certain of its facts, and when a customer left.

Values only; knows neither deals nor how segments are compared.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from math import inf

from icp_sync.domain.currency import convert
from icp_sync.domain.facts import CATALOGUE, Facts, FactType, FactValue, Interval, Members, Money
from icp_sync.learning.marks.cuts import USUAL, bands_of
from icp_sync.learning.marks.phrases import band_words, value_words

Segments = Mapping[str, Sequence[str]]
"""Account → the segments it belongs to, as `segments_of` names them."""


def segments_of(
    facts: Facts,
    names: Iterable[str],
    *,
    types: Mapping[str, FactType] = CATALOGUE,
    currency: str = "USD",
) -> tuple[str, ...]:
    """ "industry=logistics", "employees=50 to below 200": what is certain of these facts."""
    found = []
    for name in names:
        value = facts.get(name)
        if isinstance(value, Members):
            found += [f"{name}={value_words(word)}" for word in sorted(value.known)]
        elif isinstance(value, Interval | Money) and (cuts := USUAL.get(name)):
            span = convert(value, currency) if isinstance(value, Money) else value
            first, last = bands_of(span, cuts)
            if first == last:
                kind = types.get(name, FactType.NUMBER)
                found.append(f"{name}={band_words(name, kind, cuts, currency)[first]}")
    return tuple(found)


def left_when(churned_on: FactValue | None, value: FactValue | None, now: float) -> float | None:
    """When a customer left, None while they stay, −inf where only that they did is known.

    churned_on: the value of the fact that says so: a day, or yes and no. value: of the fact that says what
    they are worth; nothing at all is gone.
    """
    if isinstance(churned_on, Interval) and churned_on.low <= now:
        return churned_on.low
    if isinstance(churned_on, Members) and "yes" in churned_on.known:
        return -inf
    return -inf if isinstance(value, Interval | Money) and value.low == value.high == 0 else None
