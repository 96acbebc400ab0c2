"""Days and instants as people type them, and from when on the past can be told."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.reporting.opened import Opened

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


def kept_since(at: Opened, now: float) -> float:
    """From when on evaluations are whole, UTC epoch seconds: as the settings say, or later where fewer were
    kept before."""
    from icp_sync.wiring import keep_of

    since = now - keep_of(at.connection).history
    pruned = at.journal.history_since()
    return since if pruned is None else max(since, pruned)
