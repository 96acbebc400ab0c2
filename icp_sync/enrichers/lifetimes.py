"""How long an enricher's answers stay valid, as its configuration states it."""

from __future__ import annotations

from icp_sync.errors import ConfigError, Problem

_DAY = 86_400.0
_LONGEST = 3_650


def seconds(key: str, days: object) -> float:
    """A number of days in seconds. Raises ConfigError for what is no number from 0 to ten years."""
    if isinstance(days, bool) or not isinstance(days, int | float) or not 0 <= days <= _LONGEST:
        raise ConfigError([Problem(where=key, what=f"must be a number of days from 0 to {_LONGEST}")])
    return days * _DAY
