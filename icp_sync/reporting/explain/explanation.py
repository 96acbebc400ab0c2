"""The shape of an explanation: plain values, to be printed, sent as JSON or shown elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from icp_sync.domain.choosing import Candidate
from icp_sync.domain.ownership import editor_text
from icp_sync.domain.words import fact_text
from icp_sync.reporting.explain.differing import DisagreementRow
from icp_sync.reporting.touches import AssignmentRow


@dataclass(frozen=True, slots=True, kw_only=True)
class FactRow:
    """One known fact: its value in words, who said so, when (an ISO date or ""), and who said otherwise."""

    fact: str
    value: str
    source: str
    at: str
    overruled: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class VerdictRow:
    """One question of the profile. got and of: shown points; both 0 for a gate, a flag or a timing signal."""

    name: str
    kind: str  # "criterion", "must-have", "timing", or what a flag does
    layer: str
    question: str
    state: str  # MET | UNMET | UNKNOWN | PARTLY
    got: int
    of: int
    facts: tuple[FactRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRow:
    """A fact worth learning. points: in play; None where the fact decides by itself. told: who has told it
    since the account was last settled."""

    fact: str
    points: float | None
    told: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToldRow:
    """A value that a source beside the CRM told and that holds. at: when that was so, until: to when it holds
    (ISO dates or ""). state: "counts", "agrees", "overruled", or "since": it came after the last settlement.
    """

    fact: str
    value: str
    source: str
    at: str
    until: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRow:
    """A tier that waits until the move has lasted. since: UTC epoch seconds."""

    tier: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldRow:
    """A field people hold: their value, ours, since when (an ISO date or ""), by which class of editor."""

    field: str
    live: str
    ours: str
    since: str
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """How one of the active profiles stands to the account."""

    name: str
    shown: bool
    fate: str  # failed | certain | open
    low: int
    high: int
    score: int
    failures: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRow:
    """Why this owner: the decision as stored, and whether its own evidence still leads to it."""

    lane: str
    owner: str
    rule: int
    pool: str
    note: str
    success: Mapping[str, str]
    considered: tuple[Candidate, ...]
    replays: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field of a write, canonical values."""

    field: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteRow:
    """One write of ours and what became of it. at: UTC epoch seconds."""

    at: float
    result: str
    fields: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explained:
    """Everything about one account. headline: the reasons on the record. notes: what to know first."""

    id: str
    name: str
    domain: str
    owner: str
    headline: str
    notes: tuple[str, ...]
    tier: str
    model_tier: str
    override: Mapping[str, object] | None
    certainty: str
    score: int
    low: int
    high: int
    coverage: int
    priority: str
    timing: int
    in_scope: bool
    evaluated_at: float | None
    valid_until: float | None
    wake_at: float | None
    profile_version: int
    profiles: tuple[ProfileRow, ...]
    verdicts: tuple[VerdictRow, ...]
    missing: tuple[MissingRow, ...]
    pending: PendingRow | None
    previous_tier: str
    changed_at: float | None
    why: str
    routing: RoutingRow | None
    held: tuple[HeldRow, ...]
    unread: Mapping[str, str]
    overruled: Mapping[str, tuple[str, ...]]
    disagreements: tuple[DisagreementRow, ...]
    writes: tuple[WriteRow, ...]
    told: tuple[ToldRow, ...] = ()
    assignments: tuple[AssignmentRow, ...] = ()


def held_words(row: HeldRow) -> str:
    """A value people hold: "tier: the CRM shows A, typed by somebody since 2026-11-21; ours would be C"."""
    done = f"typed by {editor_text(row.by)}{f' since {row.since}' if row.since else ''}"
    shown = f"shows {row.live}, {done}" if row.live else f"is blank, {done.replace('typed', 'cleared')}"
    return f"{row.field}: the CRM {shown}; ours would be {row.ours or 'blank'}"


def missing_words(row: MissingRow) -> str:
    """A missing fact with its worth: "industry (up to 23 points)"."""
    if row.points is None:
        worth = "decides"
    else:
        worth = f"up to {round(row.points)} points" if row.points >= 1 else "timing"
    since = f"; told since by {row.told}" if row.told else ""
    return f"{fact_text(row.fact)} ({worth}{since})"


def told_words(row: ToldRow) -> str:
    """What became of a value that was told."""
    return {
        "counts": "counts",
        "agrees": "agrees with what counts",
        "overruled": "does not count",
        "since": "not yet looked at",
    }[row.state]
