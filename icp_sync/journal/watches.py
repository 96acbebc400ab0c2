"""What the watch on drift keeps: the baseline of the active profile, and what the last look found.

Both are plain JSON, which only `learning` reads.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import dumps, loads

_WATCH = schema.watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Watched:
    """at: when somebody last looked. version: of the profile that the baseline, taken at `baseline_at`,
    belongs to; 0 and None before there is one."""

    at: float
    version: int = 0
    baseline_at: float | None = None
    baseline: Mapping[str, Any] = field(default_factory=dict)
    findings: Mapping[str, Any] = field(default_factory=dict)


class Watches(Bound):
    def watched(self) -> Watched | None:
        """What was kept last, None before the first look."""
        columns = [_WATCH.c[name] for name in ("at", "version", "baseline_at", "baseline", "findings")]
        with self.reading() as conn:
            row = conn.execute(select(*columns).where(_WATCH.c.connection == self.connection)).first()
        if row is None:
            return None
        at, version, baseline_at, baseline, findings = row
        return Watched(
            at=at,
            version=version,
            baseline_at=baseline_at,
            baseline=loads(baseline),
            findings=loads(findings),
        )

    def keep_watch(self, watched: Watched) -> None:
        """In place of what was kept."""
        row = {
            "connection": self.connection,
            "at": watched.at,
            "version": watched.version,
            "baseline_at": watched.baseline_at,
            "baseline": dumps(watched.baseline),
            "findings": dumps(watched.findings),
        }
        with self.writing("watch") as conn:
            upsert(conn, _WATCH, [row])
