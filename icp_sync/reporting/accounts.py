"""Accounts in a list: where each stands, how sure that is, and what waits. From the journal alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from icp_sync.domain.evaluation import Evaluation, evaluate
from icp_sync.domain.why import as_overridden, facts_of_evidence
from icp_sync.reporting.text import counted, short

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.journal.listing import Shown

PROBLEM = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountRow:
    """One line. certainty, low, high: of its last evaluation, "" and None where that cannot be told from what
    is kept. settled_at: UTC epoch seconds. waits: what is not done with it, in words."""

    id: str
    name: str
    domain: str
    owner: str
    tier: str
    certainty: str
    score: int | None
    low: int | None
    high: int | None
    settled_at: float | None
    waits: tuple[str, ...]


def account_rows(
    found: Sequence[Shown], compiled: Sequence[Compiled], version: int, now: float
) -> tuple[AccountRow, ...]:
    """Accounts as the journal lists them. compiled: the active profiles, none where none is active."""
    return tuple(_row(one, compiled, version, now) for one in found)


def _row(one: Shown, compiled: Sequence[Compiled], version: int, now: float) -> AccountRow:
    made = _evaluated(one, compiled, version)
    certainty = "" if made is None else "overridden" if made.override else made.certainty
    return AccountRow(
        id=one.id,
        name=one.name,
        domain=one.domain,
        owner=one.owner,
        tier=one.tier if one.in_scope else "out of scope" if one.evidence else "",
        certainty=certainty,
        score=one.score,
        low=made.low if made else None,
        high=made.high if made else None,
        settled_at=one.settled_at or None,
        waits=tuple(_waits(one, now)),
    )


def _evaluated(one: Shown, compiled: Sequence[Compiled], version: int) -> Evaluation | None:
    """Its last evaluation made again, where that is the one it stands by."""
    if not (one.evidence and one.in_scope and compiled) or one.profile_version != version:
        return None
    facts = facts_of_evidence(one.evidence)
    made = evaluate(compiled, facts, one.previous, one.settled_at, version=version)
    made = as_overridden(made, one.evidence)
    return made if (made.tier, made.score) == (one.tier, one.score) else None


def _waits(one: Shown, now: float) -> Iterator[str]:
    if one.status == "gone":
        yield f"merged into {one.survivor}" if one.survivor else "gone from the CRM"
        return
    if not one.status:
        yield "met, not evaluated yet"
        return
    kept = [hold for hold in one.holds if not hold.released_by]
    if kept:
        yield f"held: {', '.join(f'{hold.key} ({hold.rule})' for hold in kept)}"
    if one.problem:
        said = {"dead": "given up on"}.get(one.status, one.status)
        yield f"{said}: {short(one.problem, PROBLEM)}"
    elif one.wake_at is not None and one.wake_at <= now:
        yield "due to be settled"
    if one.previous is not None and one.previous.pending_tier:
        yield f"a move to {one.previous.pending_tier} has to last"
    if one.theirs:
        yield f"{counted(one.theirs, 'value')} held by people"
