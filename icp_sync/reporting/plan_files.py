"""Plan files as far as the audit knows them: who approved which, and whether it was applied since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icp_sync.sync.plan_file.applying import APPLIED, STREAM
from icp_sync.sync.plan_file.binding import APPROVE

if TYPE_CHECKING:
    from icp_sync.journal import Journal

ENTRIES = 1_000
"""The latest entries of the audit that are looked through."""
SHOWN = 20
_STATES: Mapping[str, str] = {APPROVE: "approved, not applied", STREAM: "being applied", APPLIED: "applied"}


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanState:
    """One plan. digest: of its contents, as `icp-sync approve` says. at, who: the last that was done about
    it, and by whom. author: "" where nobody approved it. run: that wrote it, "" before."""

    digest: str
    at: float
    state: str
    who: str
    author: str
    run: str


def plan_files(journal: Journal) -> tuple[PlanState, ...]:
    """What became of the latest plans, newest first."""
    found: dict[str, PlanState] = {}
    for entry in journal.audited(limit=ENTRIES):
        digest = entry.detail.get("plan") if entry.what in _STATES else None
        if not isinstance(digest, str):
            continue
        before = found.pop(digest, None)
        found[digest] = PlanState(
            digest=digest,
            at=entry.at,
            state=_STATES[entry.what],
            who=entry.who,
            author=str(entry.detail.get("author") or (before.author if before else "")),
            run=str(entry.detail.get("run") or (before.run if before else "")),
        )
    return tuple(reversed(found.values()))[:SHOWN]
