"""A company as the CRM holds it now, and what the journal recalls about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

from icp_sync.domain.assignment import Assignment
from icp_sync.domain.facts import PARENT, Members, Signal
from icp_sync.domain.standing import Standing


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Account:
    """One record as read: facts as signals, the live standing of our fields, owner and stamp.

    stamp: the record's own modification instant, ms since the epoch, on the CRM's clock.
    read_at: the CRM's clock when it answered our read, ms.
    settled_stamp: whether the stamp was old enough at the read that (id, stamp) may count as seen.
    """

    id: str
    name: str
    signals: tuple[Signal, ...] = ()
    unread: Mapping[str, str] = field(default_factory=dict)
    live: Standing = field(default_factory=dict)
    owner: str = ""  # email; "" is a vacancy; "#123" an owner the roster does not know
    parent: str = ""
    stamp: int = 0
    read_at: int = 0
    stamp_is_old: bool = True

    @property
    def domain(self) -> str:
        for signal in self.signals:
            if signal.fact == "domain" and isinstance(signal.value, Members):
                return next(iter(signal.value.known), "")
        return ""


class Origin(StrEnum):
    OURS = "ours"
    HUMAN = "human"


class Confirmed(NamedTuple):
    """A value a read or a write has confirmed, with whose it is. A page recalls tens of thousands of them.

    by: which class of editor set a human value ("person", "workflow" …), "" where nobody knows.
    """

    value: str
    origin: Origin
    at: float  # UTC epoch seconds
    by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Owed:
    """A value somebody had set before a write of ours went over it, owed to them until it stands again.

    over: what we wrote; once something else stands there, somebody has decided anew and nothing is owed.
    """

    edit: Confirmed
    over: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Withdrawn:
    """What an undo took back: field → the value of ours not to be written again while the inputs' digest is
    still `mark`. run: the undo's."""

    mark: str
    fields: Mapping[str, str]
    run: str = ""


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Previous:
    """What the next evaluation must know of the last one. Carried in the journal, compared by value.

    tier: the effective one, people's where they override ours.
    raw_tier: our own last tier before caps and overrides, "" outside A–D. pending_tier: where the tier
    would move once the move has lasted `dwell`; pending_since is when that began (epoch seconds).
    """

    tier: str
    raw_tier: str = ""
    profile: str = ""
    profile_version: int = 0
    score: int = 0
    pending_tier: str = ""
    pending_since: float | None = None
    previous_tier: str = ""
    tier_changed_at: float | None = None
    routed_owner: str = ""
    routed_at: float | None = None
    routed_why: str = ""  # why the route chose that owner, in words
    why: str = ""  # why the tier last changed, in words
    model_tier: str = ""  # our own tier while people override it, "" while they do not


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Remembered:
    """One account in the journal. `version` is for compare-and-set; 0 = never committed."""

    version: int = 0
    stamp: int = 0  # of the read it was last settled on, ms; 0 = never settled
    previous: Previous | None = None
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    intents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # field → values not yet resolved
    signals: tuple[Signal, ...] = ()  # answers bought earlier, still within their TTL
    asked: frozenset[str] = frozenset()  # enrichers whose answer, clean miss or unknown fate still holds
    answers_until: float | None = None  # when the first of those answers or signals ends, epoch seconds
    pending: Mapping[str, tuple[str, float]] = field(default_factory=dict)  # enricher → job, when to look
    answered: Mapping[str, float] = field(default_factory=dict)  # enricher → when it told what is recalled
    owner: str = ""  # as last settled, like the next two
    parent: str = ""
    group: str = ""
    fingerprint: str = ""
    evidence: Mapping[str, object] = field(default_factory=dict)  # facts and verdicts of the last evaluation
    attempts: int = 0  # consecutive refusals or deferrals
    problem: str = ""  # why it was not settled, in words
    # Of our writes, until a later read has seen them: field → (live value it assumed, value sent).
    unechoed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sent_at: float = 0.0  # when the last was, epoch seconds on the CRM's clock
    owed: Mapping[str, Owed] = field(default_factory=dict)
    withdrawn: Withdrawn | None = None
    assignment: Assignment | None = None  # the one that is being watched
    told: tuple[float, ...] = ()  # when we put tasks of our own on it, epoch seconds


NOT_REMEMBERED = Remembered()


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """A person or queue of the CRM who may own accounts. `id` is the CRM's.

    seen_at: when they last logged in, UTC epoch seconds; None where the CRM does not say.
    """

    id: str
    email: str
    name: str = ""
    active: bool = True
    seen_at: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Roster:
    """Owners by email and how many open in-scope accounts each holds; versions are for compare-and-set."""

    version: int = 0
    owners: Mapping[str, Owner] = field(default_factory=dict)
    loads: Mapping[str, int] = field(default_factory=dict)
    load_versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Kin:
    """The companies an account belongs to: its parent, and its group up to the ultimate parent.

    group: what all of the group share, its ultimate parent's registrable domain, else "#" and that id.
    group_owners: who owns something in the group, the ultimate parent's owner first, then by age of record.
    parent, root: their record ids, "" for who has none; their domains are what they are looked up under.
    signals: what is known of them, by `parent.<fact>` and `group.<fact>`.
    problem: why the group is not known ("" when it is), for example parents in a circle. unread: the record
    above that must be read for it to be known, "" for none.
    """

    group: str = ""
    parent: str = ""
    parent_domain: str = ""
    root: str = ""
    root_domain: str = ""
    parent_owner: str = ""
    group_owners: tuple[str, ...] = ()
    signals: Mapping[str, Signal] = field(default_factory=dict)
    problem: str = ""
    unread: str = ""

    def above(self, level: str) -> tuple[str, str]:
        """Record id and domain of the parent or the ultimate parent, both "" for who has none."""
        return (self.parent, self.parent_domain) if level == PARENT else (self.root, self.root_domain)


ALONE = Kin()


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory:
    """What the journal recalls for one page.

    edits: account → field → a value people hold, with when and by which class of editor it was set, as the
    CRM's history tells. restore: account → field → what is to be given back now. owed: all that is owed, of
    the accounts looked at. unechoed: what is still to be looked for on them.
    """

    accounts: Mapping[str, Remembered] = field(default_factory=dict)
    roster: Roster = field(default_factory=Roster)
    kin: Mapping[str, Kin] = field(default_factory=dict)
    edits: Mapping[str, Mapping[str, Confirmed]] = field(default_factory=dict)
    restore: Mapping[str, Mapping[str, Confirmed]] = field(default_factory=dict)
    owed: Mapping[str, Mapping[str, Owed]] = field(default_factory=dict)
    unechoed: Mapping[str, Mapping[str, tuple[str, str]]] = field(default_factory=dict)

    def of(self, account_id: str) -> Remembered:
        return self.accounts.get(account_id, NOT_REMEMBERED)
