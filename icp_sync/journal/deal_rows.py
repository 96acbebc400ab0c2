"""What the journal keeps of a deal: its row, its stamp's states, and what a read of it tells of them.

A stamp is meant before it is sent, and known as ours by what was meant. Sends nothing, opens no transaction.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import Row

from icp_sync.domain.stamp import stamp_values
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


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDeal:
    """A deal as it was last read, and its company at its creation. Instants are UTC epoch seconds.

    created_at, changed_at: on the CRM's clock. tier, score, profile, version: at creation, "" and None and 0
    where nobody knew. stamped_at: when the stamp was decided on. message: why it was refused.
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
    message: str = ""

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
    message: str = ""


COLUMNS = [
    _DEAL.c[name]
    for name in (
        "id", "account", "created_at", "closed_on", "changed_at", "open", "won", "amount", "currency",
        "stage", "owner", "tier", "score", "profile", "version", "stamp", "stamped_at", "attempts", "message",
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
    "message": "",
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


def known(before: Row[Any] | None) -> dict[str, Any]:
    return dict(_OURS) if before is None else {name: before._mapping[name] for name in _OURS}


def told(deal: Deal, row: dict[str, Any], now: float) -> Stamp | None:
    """What the fields of the stamp tell, put into the row; the state it moved to, None where it did not."""
    state = Stamp(row["stamp"])
    if not deal.stamp or state.value not in UNDECIDED:
        return None
    meant = stamp_values(row["tier"], row["score"], row["profile"], row["version"])
    if not any(deal.stamp.values()):
        if state is Stamp.INTENDED and row["due"] is None:
            row["due"] = now  # it has not landed
        return None
    ours = state is not Stamp.NONE and all(deal.stamp[name] == meant.get(name) for name in deal.stamp)
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
