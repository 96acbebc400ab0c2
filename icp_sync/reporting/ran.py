"""What ran, as plain data: a run in a list, and the moves of tiers it made."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import RunRecord

Data = dict[str, object]
COUNTED = ("read", "written", "restored")
_KINDS = {"backfill": "plan"}
"""What a dry run of a kind is called."""


def run_row(run: RunRecord) -> Data:
    """A run as plain data. outcome: "" for one that works still, or was killed."""
    counts = {name: run.report[name] for name in COUNTED if name in run.report}
    return {
        "id": run.id,
        "kind": run.kind,
        "started_at": run.started_at,
        "ended_at": run.ended_at,
        "dry": is_dry(run),
        "outcome": str(run.report.get("outcome", "")),
        "undoes": undoes(run),
        "note": str(run.detail.get("note", "")),
        **counts,
    }


def is_dry(run: RunRecord) -> bool:
    return not run.detail.get("apply", True)


def undoes(run: RunRecord) -> str:
    """The run it undoes, "" for none."""
    return str(run.detail.get("undoes", ""))


def kind_in_words(row: Mapping[str, object]) -> str:
    """What ran, as people call it. row: as `run_row` gives it."""
    kind = str(row["kind"])
    return _KINDS.get(kind, f"{kind} (dry)") if row["dry"] else kind


def count(run: RunRecord, name: str) -> int | None:
    """A count of its report, None where that has none."""
    value = run.report.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def spent(run: RunRecord) -> float:
    """Credits of all sources."""
    said = run.report.get("credits")
    return sum(n for n in said.values() if isinstance(n, int | float)) if isinstance(said, dict) else 0.0


def moves(run: RunRecord) -> list[tuple[str, str, int]]:
    """(tier before, tier after, accounts) of those that moved, most first; "new" is before the first."""
    said = run.report.get("migrations")
    found = []
    for moved, n in said.items() if isinstance(said, dict) else ():
        before, _, after = str(moved).partition(" → ")
        if before != after and isinstance(n, int) and n:
            found.append((before, after, n))
    return sorted(found, key=lambda one: (-one[2], one[:2]))


def counts_of(run: RunRecord, name: str) -> list[tuple[str, int]]:
    """A table of counts in its report, most first."""
    said = run.report.get(name)
    found = (
        [(str(key), n) for key, n in said.items() if isinstance(n, int) and n]
        if isinstance(said, dict)
        else []
    )
    return sorted(found, key=lambda one: (-one[1], one[0]))
