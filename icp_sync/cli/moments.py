"""Days and instants as people type them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from icp_sync.errors import ConfigError, Problem

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_HINT = "write 2026-11-21, 2026-11-21T14:30 (UTC) or 2026-11-21T14:30+01:00"


def moment(text: str, *, option: str, end: bool = False) -> float:
    """UTC epoch seconds of a day or an instant; UTC unless it carries a zone.

    end: of a day its last moment is meant, else its first. Raises ConfigError for anything else.
    """
    said = text.strip()
    whole_day = _DAY.fullmatch(said) is not None
    try:
        at = datetime.fromisoformat(said)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at
        if whole_day and end:
            at += timedelta(days=1, microseconds=-1)
        return at.timestamp()
    except (ValueError, OverflowError):
        problem = Problem(where=f"{option} '{said[:40]}'", what="is neither a day nor an instant", hint=_HINT)
        raise ConfigError([problem]) from None
