"""Where a connection stands: mode, tiers, streams, spend. From the journal alone."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.reporting.cluster import cluster
from icp_sync.reporting.events import told
from icp_sync.reporting.freshness import freshness
from icp_sync.reporting.limits import limits
from icp_sync.reporting.notices import summary
from icp_sync.reporting.overruling import overrides
from icp_sync.reporting.running import who_runs
from icp_sync.reporting.touches import touch_counts
from icp_sync.settings.enrichment import name_of
from icp_sync.sync.backfill import halted, paused

if TYPE_CHECKING:
    from icp_sync.journal import Asked, Journal
    from icp_sync.reporting.opened import Opened

STREAMS = ("poll", "trailing", "due", "sweep", "backfill")
WINDOWS = ("poll", "trailing")
STATUSES = ("settled", "deferred", "refused", "dead", "held", "gone")
TIER_RULES = ("downgrades", "exclusions")
"""Rules of the guard by which a tier waits that the evaluation gave already."""
RECENT_RUNS = 200
MONTH = 30 * 86_400.0
Data = dict[str, object]


def collect(at: Opened, left_alone: int) -> Data:
    """Everything status says, as plain data. left_alone: how many values people hold."""
    journal = at.journal
    now = time.time()
    active = journal.active()
    done, total = journal.progress()
    counts = journal.counts()
    request = journal.backfill_request()
    return {
        "connection": at.name,
        "mode": journal.mode().value,
        "newer_schema": schema.revision if (schema := journal.schema_state()).newer else "",
        "bound_to": journal.bound_to(),
        "running": _running(at),
        "cluster": cluster(journal),
        "profile": {
            "version": active[0] if active else 0,
            "files": [name for name, _ in active[1]] if active else [],
            "evaluated": done,
            "accounts": total,
        },
        "paused": _paused(journal),
        "backfill_requested": request.reason if request else "",
        "backfill_halted": _halted(journal),
        "backfill_paused": paused(journal),
        "alerts": [asdict(alert) for alert in journal.alerts()],
        "requests": [_asked(asked) for asked in journal.requests("waiting", "running")],
        "tiers": dict(journal.tiers()),
        "tiers_held": sum(n for rule, n in journal.waiting_holds().items() if rule in TIER_RULES),
        "undone": journal.put_back(),
        "overrides": overrides(journal),
        "out_of_scope": journal.out_of_scope(),
        "streams": _streams(journal, now),
        "freshness": freshness(journal, now),
        "counts": {name: counts.get(name, 0) for name in STATUSES},
        "left_alone": left_alone,
        "enrichment": _spend(at, now),
        "inbound": told(at),
        "limits": limits(at.connection, journal),
        "notices": summary(at),
        "deals": {state.value or "none": n for state, n in sorted(journal.stamp_counts().items())},
        "touches": touch_counts(journal, now),
        "sweep_found_missing": journal.events().get("sweep_found_missing", 0),
    }


def _running(at: Opened) -> str | None:
    """Who works on the journal now: "" nobody, None where only the database knows."""
    url = at.settings.journal
    return who_runs(Path(url.removeprefix("sqlite:///"))) if url.startswith("sqlite:///") else None


def _halted(journal: Journal) -> str:
    """Why the backfill goes no further until somebody says so."""
    return halted(journal)


def _paused(journal: Journal) -> Data | None:
    """Who wants that nothing is done for it, None where nobody does."""
    found = journal.connection_paused()
    return None if found is None else {"by": found.by, "at": found.at, "why": found.why, "said": str(found)}


def _asked(asked: Asked) -> Data:
    """What a command handed over and is not finished."""
    names = ("id", "kind", "by", "at", "state", "progress")
    return {name: getattr(asked, name) for name in names}


def _streams(journal: Journal, now: float) -> list[Data]:
    """Each stream with how far it is behind and when it last ran."""
    positions = journal.positions()
    runs = [run for run in journal.runs(RECENT_RUNS) if run.detail.get("apply", True)]
    streams: list[Data] = []
    for stream in STREAMS:
        last = next((run for run in runs if run.kind == stream), None)
        position = positions.get((stream, ""), (None, 0.0))[0]
        lag = now - position.done_to / 1000 if position and position.done_to and stream in WINDOWS else None
        outcome = "" if last is None else "running or killed" if last.ended_at is None else "ended"
        streams.append(
            {
                "stream": stream,
                "lag_seconds": lag,
                "last_run": last.started_at if last else None,
                "outcome": str(last.report.get("outcome", outcome)) if last else "",
                "read": _count(last.report, "read") if last else None,
                "written": _count(last.report, "written") if last else None,
            }
        )
    return streams


def _count(report: Mapping[str, object], name: str) -> int | None:
    value = report.get(name)
    return value if isinstance(value, int) else None


def _spend(at: Opened, now: float) -> list[Data]:
    """Credits of each enricher in the last 30 days and in all."""
    names = dict.fromkeys(map(name_of, at.connection.enrichers))
    return [
        {
            "enricher": name,
            "credits_30_days": at.journal.spent(name, now - MONTH),
            "credits": at.journal.spent(name, 0.0),
        }
        for name in names
    ]
