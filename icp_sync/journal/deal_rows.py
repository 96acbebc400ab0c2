"""What the journal keeps of a deal: its row, its stamp's states, and what a read of it tells of them.

A stamp is meant before it is sent, and known as ours by what was meant. Sends nothing, opens no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from icp_sync.domain.stamp import stamp_from, stamp_values
from icp_sync.journal import schema
from icp_sync.journal.encoding import plain
from icp_sync.ports import Deal

_DEAL = schema.deal


class Stamp(StrEnum):
    """What became of a deal's stamp. Only what is INTENDED or REFUSED is ever sent again."""

    NONE = ""  # not decided yet, or never to be
    INTENDED = "intended"  # about to be sent, or sent with an unknown fate
    STAMPED = "stamped"
    FOREIGN = "foreign"  # somebody else had filled the fields
    LATE = "late"  # nobody knew the company when the deal began; a stamp now would know the outcome
    OUTSIDE = "outside"  # the company was out of scope, so nothing is said of it
    REFUSED = "refused"


_WAIT_FIRST, _WAIT_MOST = 60.0, 6 * 3600.0

UNDECIDED = (Stamp.NONE.value, Stamp.INTENDED.value, Stamp.REFUSED.value)
"""States in which a read still tells something new."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """An evaluation as the history has it. tier: "" out of scope. profile: "" where no name was kept."""

    at: float
    tier: str
    score: int | None
    profile: str
    version: int

    @property
    def values(self) -> dict[str, Any]:
        """Columns of a deal."""
        return {
            "tier": self.tier,
            "score": self.score,
            "profile": plain(self.profile),
            "version": self.version,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeal:
    """A deal as it was last read, and its company at its creation. Instants are UTC epoch seconds.

    created_at, changed_at: on the CRM's clock; the former as it was first told. tier, score, profile,
    version: at creation, "" and None and 0 where nobody knew. tier_of: the account they are of, or else the
    last one the deal belonged to. stamped_at: when the stamp was decided on. attempts: how often it was
    sent; refusals: how often refused; message: why. seen_at: when the last read that showed it began.
    open_since: when the first of the reads began that all showed it open, None while it is closed. gone_at:
    since when it is not met.
    """

    id: str
    account_id: str
    created_at: float
    closed_on: str
    changed_at: float
    open: bool
    won: bool
    amount: float | None
    currency: str
    stage: str
    owner: str
    tier: str = ""
    score: int | None = None
    profile: str = ""
    version: int = 0
    stamp: Stamp = Stamp.NONE
    stamped_at: float | None = None
    attempts: int = 0
    refusals: int = 0
    message: str = ""
    tier_of: str = ""
    seen_at: float = 0.0
    open_since: float | None = None
    gone_at: float | None = None

    @property
    def values(self) -> dict[str, str]:
        """The stamp in canonical form; empty where there is nothing to say."""
        return stamp_values(self.tier, self.score, self.profile, self.version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stamped:
    """What becomes of a deal's stamp. due: from when it may be sent again, None for never by itself."""

    id: str
    stamp: Stamp
    due: float | None = None
    attempts: int = 0
    refusals: int = 0
    message: str = ""


COLUMNS = [
    _DEAL.c[name]
    for name in (
        "id", "account", "created_at", "closed_on", "changed_at", "open", "won", "amount", "currency",
        "stage", "owner", "tier", "score", "profile", "version", "stamp", "stamped_at", "attempts",
        "refusals", "message", "tier_of", "seen_at", "open_since", "gone_at",
    )
]  # fmt: skip
_OURS: Mapping[str, Any] = {
    "tier": "",
    "score": None,
    "profile": "",
    "version": 0,
    "stamp": Stamp.NONE.value,
    "stamped_at": None,
    "due": None,
    "attempts": 0,
    "refusals": 0,
    "message": "",
    "tier_of": "",
}
"""What we know of a deal that was never met before."""


def read(deal: Deal) -> dict[str, Any]:
    return {
        "id": deal.id,
        "account": deal.account_id,
        "created_at": deal.created_at / 1000,
        "closed_on": deal.closed_on,
        "changed_at": deal.changed_at / 1000,
        "open": deal.open,
        "won": deal.won,
        "amount": deal.amount,
        "currency": plain(deal.currency, 20),
        "stage": plain(deal.stage),
        "owner": plain(deal.owner),
    }


def row_of(
    deal: Deal, before: Row[Any] | None, stood: Recorded | None, seen_at: float
) -> tuple[dict[str, Any], Stamp | None]:
    """The row of a deal as a read shows it that began then, and the state its stamp moved to, if it did.

    stood: how its company stood when it began; told only when the deal is met for the first time.
    """
    row = {**read(deal), **_known(before), "seen_at": seen_at, "gone_at": None}
    met = before is not None and before.gone_at is None
    since = before.open_since if before is not None and met else None
    row["open_since"] = None if not deal.open else seen_at if since is None else since
    if before is None and stood is not None:
        row |= stood.values
    if before is None or (deal.account_id and not row["tier"]):
        row["tier_of"] = deal.account_id
    moved = _told(deal, row, seen_at)
    if moved is None and before is None and stood is not None and not stood.tier:
        moved = Stamp.OUTSIDE
        row.update(stamp=moved.value, stamped_at=seen_at)
    return row, moved


def patience(attempts: int) -> float:
    """Seconds to wait after so many attempts, none after none."""
    return min(_WAIT_MOST, _WAIT_FIRST * 2.0 ** min(attempts, 10)) if attempts > 0 else 0.0


def _known(before: Row[Any] | None) -> dict[str, Any]:
    """What stays of a deal whatever a read shows. When it began does: who moves that would make it new."""
    if before is None:
        return dict(_OURS)
    frozen = {"created_at": before.created_at} if before.created_at > 0 else {}
    return frozen | {name: before._mapping[name] for name in _OURS}


def _told(deal: Deal, row: dict[str, Any], now: float) -> Stamp | None:
    """What the fields of the stamp tell, put into the row; the state it moved to, None where it did not."""
    state = Stamp(row["stamp"])
    if not deal.stamp or state.value not in UNDECIDED:
        return None
    if not any(deal.stamp.values()):
        if state is Stamp.INTENDED and row["due"] is None:  # it has not landed
            row["due"] = max(now, (row["stamped_at"] or 0.0) + patience(row["attempts"] - 1))
        return None
    if state is Stamp.NONE:
        # Not meant by this journal, and ours all the same: it was by one that is lost, or since a backup.
        ours = (stamp := stamp_from(deal.stamp)) is not None
        if stamp is not None:
            row.update(zip(("tier", "score", "profile", "version"), stamp, strict=True), stamped_at=now)
    else:
        meant = stamp_values(row["tier"], row["score"], row["profile"], row["version"])
        ours = all(deal.stamp[name] == meant.get(name) for name in deal.stamp)
    now_is = Stamp.STAMPED if ours else Stamp.FOREIGN
    row.update(stamp=now_is.value, due=None, message="")
    return now_is


def with_profile(one: Recorded, data: Mapping[str, Any]) -> Recorded:
    evidence = data.get("evidence")
    version = evidence.get("version") if isinstance(evidence, dict) else 0
    return Recorded(
        at=one.at,
        tier=one.tier,
        score=one.score,
        profile=str(data.get("profile") or ""),
        version=version if isinstance(version, int) else 0,
    )


def stored(row: Row[Any]) -> StoredDeal:
    values = dict(row._mapping)
    return StoredDeal(account_id=values.pop("account"), stamp=Stamp(values.pop("stamp")), **values)
