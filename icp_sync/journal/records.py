"""What goes into the journal and what its reports give back. Plain values; no database in sight.

Instants are UTC epoch seconds unless a name says otherwise; stamps are ms on the CRM's clock.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from icp_sync.domain.account import Confirmed, Owed, Previous, Withdrawn
from icp_sync.domain.assignment import Assignment
from icp_sync.domain.plan import Change, Hold, Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """The right to work on one stream and partition until `until`. `fence` only ever grows."""

    stream: str
    partition: str
    holder: str
    fence: int
    until: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something somebody is to be told. audience: "rep" or "operator". subject: an account's id, or the name
    of an alert. to: an owner's email, "" for whoever listens.

    key: of one subject, what makes two of them the same news. data: plain JSON, what the message is made of.
    """

    audience: str
    kind: str
    subject: str
    to: str = ""
    key: str = ""
    data: Mapping[str, object] = field(default_factory=dict)


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Settled:
    """What a page made of one account, as the journal shall remember it.

    status: "settled", "deferred", "refused" or "held"; problem: why not settled, in words.
    seen: whether (id, stamp) may spare a later re-read. owner: as read, or as just confirmed.
    version: the version the account must still have (after `intend` that is the recalled one plus 1);
    None accepts any. When it moved, another worker settled the account meanwhile: the state here is
    dropped, its evidence (values we know to be ours, history of what was written) is kept.
    confirmed: fields to overwrite; the others keep what is stored. resolved: intents a read has settled.
    changes: what was sent, all with `result`. left_alone: field → (live, desired), the whole set.
    evidence: comes back with the next recall. evaluation: only for explain; empty keeps the stored one.
    Both plain JSON, numbers finite. parent, group: the record it belongs to, and what all of its group share.
    counts_for: whose load holds it, the owner unless stated otherwise.
    stirs_facts, stirs_owner: what others may depend on changed, its facts or who owns it.
    holds: what of it waits for a person, the whole set. counted: which of the guard's rules its landed write
    counts for.
    unechoed, sent_at, owed, withdrawn: as in `Remembered`, the whole of each.
    notices: what somebody is to be told of it. silent: how many were kept back for good.
    assignments: whom it was given to, as far as that is news: what became of one, and one that began.
    breach: what it led to by now that somebody had not touched the account in time, "" for no news.
    """

    account_id: str
    name: str = ""
    domain: str = ""
    stamp: int = 0
    seen: bool = False
    status: str = "settled"
    problem: str = ""
    in_scope: bool = False
    owner: str = ""
    tier: str = ""
    score: int | None = None
    profile_version: int = 0
    fingerprint: str = ""
    previous: Previous | None = None
    evidence: Mapping[str, object] = field(default_factory=dict)
    evaluation: Mapping[str, object] = field(default_factory=dict)
    log_evaluation: bool = False
    wake_at: float | None = None
    attempts: int = 0
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    resolved: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    result: Result = Result.WRITTEN
    left_alone: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    version: int | None = None
    parent: str = ""
    group: str = ""
    counts_for: str | None = None
    stirs_facts: bool = False
    stirs_owner: bool = False
    holds: tuple[Hold, ...] = ()
    counted: tuple[str, ...] = ()
    unechoed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sent_at: float = 0.0
    owed: Mapping[str, Owed] = field(default_factory=dict)
    withdrawn: Withdrawn | None = None
    notices: tuple[Notice, ...] = ()
    silent: int = 0
    assignments: tuple[Assignment, ...] = ()
    breach: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Amended:
    """What a write that evaluated nothing (an undo, an applied plan) made of one account.

    Its evaluation stays as it was; the account is due at once, and the read that follows resolves its
    intents. version: as after `intend`. confirmed: fields to overwrite. replaced: field → the value that
    stood there until it was written over. owner: who owns it now, None for unchanged. result: what became of
    `changes`. problem: why it is to be tried again, "" when it is done.
    """

    account_id: str
    version: int
    confirmed: Mapping[str, Confirmed] = field(default_factory=dict)
    changes: tuple[Change, ...] = ()
    result: Result = Result.WRITTEN
    replaced: Mapping[str, str] = field(default_factory=dict)
    owner: str | None = None
    stamp: int = 0
    unechoed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    sent_at: float = 0.0
    withdrawn: Withdrawn | None = None
    counted: tuple[str, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """Something a person should know of, told once while it lasts."""

    name: str
    text: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What a command asked of whoever holds the journal. state: waiting, running, done, failed, cancelled.

    progress and result: plain JSON. run: the run that carries it out, "" before.
    """

    id: str
    kind: str
    args: Mapping[str, object]
    by: str
    at: float
    state: str
    run: str
    progress: Mapping[str, object]
    result: Mapping[str, object]
    updated_at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Audited:
    """Who changed what, when. digest covers the entry and the one before it."""

    seq: int
    at: float
    who: str
    what: str
    detail: Mapping[str, object]
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileVersion:
    """One activated set of profile documents, by file name."""

    version: int
    activated_at: float
    note: str
    names: tuple[str, ...]
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BackfillRequest:
    """Somebody changed what every account depends on; the backfill stream shall run."""

    reason: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Changed:
    """One field of one account in the history: what it held, what we sent, and what became of it.

    origin: whose the value before was, as in `Change`.
    """

    account_id: str
    run: str
    field: str
    before: str
    after: str
    reason: str
    result: str
    at: float
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluated:
    """One material change of an account's evaluation, with all of it for explain."""

    account_id: str
    run: str
    at: float
    tier: str
    score: int | None
    why: str
    evaluation: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An account in a report of those that need somebody or some time."""

    account_id: str
    name: str
    domain: str
    status: str
    problem: str
    attempts: int
    wake_at: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftAlone:
    """A value of ours that people hold: what they wrote, and what we would have."""

    account_id: str
    name: str
    field: str
    live: str
    desired: str
    since: float


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """One run: `ended_at` is None while it works, or when it was killed."""

    id: str
    kind: str
    started_at: float
    ended_at: float | None
    detail: Mapping[str, object]
    report: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAccount:
    """All the journal holds about one account, for explain. survivor: set once it was merged away."""

    account_id: str
    name: str
    domain: str
    status: str
    problem: str
    survivor: str
    version: int
    in_scope: bool
    owner: str
    tier: str
    score: int | None
    profile_version: int
    stamp: int
    settled_at: float
    wake_at: float | None
    attempts: int
    previous: Previous | None
    confirmed: Mapping[str, Confirmed]
    intents: Mapping[str, tuple[str, ...]]
    evidence: Mapping[str, object]
    evaluation: Mapping[str, object]
    left_alone: Mapping[str, tuple[str, str]]
    withdrawn: Withdrawn | None = None
