"""Which news about an account is worth telling its owner, and when a digest goes out. Pure.

An account that rises into a told tier, or that one of our routes gave to somebody, is news; a fall never is.
Knows no channels and no wording.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import floor

from icp_sync.domain.account import Previous
from icp_sync.domain.standing import Mode

DAY = 86_400.0
TIER, ASSIGNED = "tier", "assigned"
RANKS: Mapping[str, int] = {"A": 4, "B": 3, "C": 2, "D": 1}


@dataclass(frozen=True, slots=True, kw_only=True)
class Telling:
    """What one connection tells its reps. on: whether anything at all.

    tiers: those worth a word when an account rises into one. assignments: whether being given an account is.
    firm_only: a provisional tier is not told. backfills: what a backfill or a first reading settles is told,
    too. digest: seconds of a period, 0 for at once; hour: of the day (UTC) from which periods are counted.
    """

    on: bool = False
    tiers: frozenset[str] = frozenset({"A"})
    assignments: bool = True
    firm_only: bool = False
    backfills: bool = False
    digest: float = DAY
    hour: int = 7

    def goes_out(self, at: float) -> float:
        """When what became true at an instant is sent: at the next end of a period, or at once."""
        if not self.digest:
            return at
        begins = self.hour * 3600.0
        return begins + (floor((at - begins) / self.digest) + 1) * self.digest


SILENT = Telling()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stands:
    """How an account stood and stands on its record. before: the last tier that landed, None where nobody
    looked before. tier: as it is now, "" outside the scope. firm: whether no missing fact can change it.

    owner: email, "" for nobody. routed, was_routed: the evaluation carried now, and the one before.
    """

    before: str | None
    tier: str
    firm: bool
    owner: str
    routed: Previous | None
    was_routed: Previous | None


def news_of(stands: Stands, telling: Telling, mode: Mode) -> str:
    """TIER or ASSIGNED, "" for no news. Being given an account says its tier as well, so it comes first."""
    if not telling.on or not mode.allows(Mode.WRITE):
        return ""
    if telling.assignments and mode.allows(Mode.ROUTE) and _assigned(stands):
        return ASSIGNED
    rose = RANKS.get(stands.tier, 0) > RANKS.get(stands.before or "", 0)
    told = stands.tier in telling.tiers and (stands.firm or not telling.firm_only)
    return TIER if rose and told else ""


def _assigned(stands: Stands) -> bool:
    """Whether a route of ours gave the account to whoever owns it now, since the last time."""
    now, before = stands.routed, stands.was_routed
    if now is None or not now.routed_owner or now.routed_owner != stands.owner or now.routed_at is None:
        return False
    return before is None or (before.routed_owner, before.routed_at) != (now.routed_owner, now.routed_at)
