"""What routing answers, and what it must know of who holds an account. Data only."""

from __future__ import annotations

from dataclasses import dataclass

from icp_sync.domain.assignment import Assignment
from icp_sync.domain.choosing import Candidate
from icp_sync.domain.success import NOTHING_SAID, Success


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Decision:
    """A lane, and an owner when one was chosen. Everything `replay` needs is in here.

    owner: email of the newly chosen owner, "" when nobody is assigned by this decision.
    rule: position of the matching route in the profile, from 1; 0 for the default.
    pool: what the people considered belong to: a pool, a territory, a named list.
    note: one clause on why the owner is who it is, or why nobody was chosen.
    until: when what kept us from choosing passes by itself (epoch seconds), None if it does not.
    keeps: whether one person is to own all of its group.
    breach: what follows from an account not having been touched in time, "" for nothing new; lead: who is
    to be told then, "" for nobody but the owner.
    """

    account_id: str
    lane: str
    owner: str = ""
    rule: int = 0
    pool: str = ""
    imbalance: float = 0.0
    considered: tuple[Candidate, ...] = ()
    note: str = ""
    until: float | None = None
    success: Success = NOTHING_SAID
    keeps: bool = False
    breach: str = ""
    lead: str = ""


@dataclass(slots=True, kw_only=True)  # not frozen, like the decision
class Held:
    """Who holds an account now. vacant_from: from when its blank owner is ours to fill, None while owned.

    routed: whom we chose for it last, "" if nobody. lapsed: how it was given to its owner, who has not
    touched it in time, where it is ours to do something about that. told: when we put tasks of our own on it
    (epoch seconds), which are nobody's activity.
    """

    owner: str = ""
    vacant_from: float | None = 0.0
    routed: str = ""
    lapsed: Assignment | None = None
    told: tuple[float, ...] = ()
