"""How long history is kept."""

from __future__ import annotations

from math import inf
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from icp_sync.settings.parts import Part, duration

_DAY = 86_400.0


def _kept(raw: Any) -> float:
    if isinstance(raw, str) and raw.strip().lower() == "forever":
        return inf
    try:
        seconds = duration(raw)
    except ValueError:
        seconds = 0.0
    if seconds < _DAY:
        raise ValueError("a duration of a day or more is wanted, such as 400d, or forever")
    return seconds


KeptFor = Annotated[float, BeforeValidator(_kept)]
"""A duration of a day or more, or `forever`; seconds once read, infinity for the latter."""


class Retention(Part):
    """Pruned after each whole sweep. Whose values are whose, and the audit, are kept for ever."""

    history: KeptFor = Field(
        400 * _DAY, description="Evaluations and writes; older ones can be neither explained nor undone."
    )
    runs: KeptFor = Field(
        400 * _DAY, description="The list of runs and requests; a run stays as long as its writes do."
    )
    gone: KeptFor = Field(
        30 * _DAY, description="What is known of an account after it was deleted or merged away."
    )
