"""What should change on one account: whose live values are whose, and how they differ from the desired ones.

A live value is ours only by evidence (`domain.ownership`). Everything else belongs to people and is left
alone for as long as they hold it; then it is ours to write again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf

from icp_sync.domain.account import Account, Confirmed, Origin, Remembered
from icp_sync.domain.override import field_override
from icp_sync.domain.ownership import Claim, Editing, claim_of, editor_text, stands_as_theirs
from icp_sync.domain.ownership import is_ours as is_ours
from icp_sync.domain.plan import Change
from icp_sync.domain.seal import THEIRS, Seal, SealKey, read_seal
from icp_sync.domain.standing import FIELDS, Mode, Standing
from icp_sync.domain.vacancy import as_routed, last_owner, owner_cleared
from icp_sync.domain.withdrawal import kept_away
from icp_sync.domain.words import date_text


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Differences:
    """One account's changes. `theirs`: every value people hold, also where it is what we would write.

    `held`: why nothing may be written on this account at all, "" if it may.

    waiting: changes the connection's mode does not allow yet.
    left_alone: field → (live, desired) where people hold another value than ours. until: when the first of
    these is ours to write again (epoch seconds), None if never.
    ours: live values that are ours by evidence, for the seal and the journal. unconfirmed: those of them that
    are not known to stand just so.
    claims: every live value that is not ours, whoever's it is and whether or not they hold it still.
    withdrawn: field → (live, desired) of what an undo took back and is not written again.
    """

    changes: tuple[Change, ...] = ()
    waiting: tuple[Change, ...] = ()
    left_alone: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    theirs: Mapping[str, str] = field(default_factory=dict)
    ours: Mapping[str, str] = field(default_factory=dict)
    unconfirmed: Mapping[str, str] = field(default_factory=dict)
    claims: Mapping[str, Claim] = field(default_factory=dict)
    withdrawn: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    until: float | None = None
    gives_back: bool = False  # something that our last write went over
    held: str = ""
    foreign: bool = False

    @property
    def material(self) -> bool:
        """Whether any change is worth a write by itself."""
        return self.gives_back or any(not cosmetic(c) for c in self.changes)


def difference(
    account: Account,
    wanted: Standing,
    remembered: Remembered,
    key: SealKey,
    *,
    mode: Mode = Mode.ROUTE,
    reason: str = "",
    editing: Editing = Editing(),  # noqa: B008 - frozen
    withdrawn: Mapping[str, str] = {},
    restore: Mapping[str, Confirmed] = {},
    seal: Seal | None = None,
) -> Differences:
    """Compare live with desired under the rules of ownership. Canonical values on both sides.

    seal: the account's, where it was read already. withdrawn: field → value of what an undo took back, while
    the inputs are what they were then.
    restore: field → what somebody had typed before our write went over it; they get it back.
    """
    if seal is None:
        seal = read_seal(account.live.get("seal", ""), key)
    if seal.problem:
        return Differences(held=seal.problem, foreign=seal.foreign)
    found = _Found(seal=seal)
    away = kept_away(withdrawn, wanted)
    confirmed, ours, marks = remembered.confirmed, found.ours, seal.marks
    asked = _ASKED | restore.keys() | editing.edits.keys() if restore or editing.edits else _ASKED
    for name, live in account.live.items():
        if name not in asked and wanted.get(name, live) == live:
            last = confirmed.get(name)  # most fields of most accounts: as desired, and ours beyond doubt
            if last is None:
                if not live and name not in marks:
                    continue
            elif last.value == live and last.origin is _OURS:
                ours[name] = live
                continue
        if name == "seal":
            continue
        if FIELDS[name].theirs:
            if live or name in confirmed:
                found.claims[name] = claim_of(account, name, remembered, editing)
            continue
        given_back = name in restore and restore[name].value != live
        want = restore[name].value if given_back else wanted.get(name, live)
        whose = _whose(account, name, want, remembered, seal, key, editing)
        if given_back:  # what stands there is our own write, whatever it is worth
            whose = _Whose(origin=Origin.OURS.value)
        found.note(name, live, whose, remembered)
        if name == "owner" and not live and not want and owner_cleared(remembered, seal):
            found.left_alone[name] = ("", last_owner(remembered))
            found.theirs[name] = ""
        elif want == live:
            continue
        elif whose.held:
            found.left_alone[name] = (live, want)
        elif name in away and not given_back:
            found.withdrawn[name] = (live, want)
        else:
            change = Change(
                account_id=account.id,
                field=name,
                live=live,
                desired=want,
                reason=_given_back(restore[name]) if given_back else whose.over or reason,
                origin=whose.origin,
            )
            (found.changes if mode.allows(FIELDS[name].needs) else found.waiting).append(change)
    return found.differences(account, key, restore, sealing=mode.allows(Mode.WRITE))


_OURS = Origin.OURS
_ASKED = frozenset(name for name, known in FIELDS.items() if known.theirs) | {"owner", "seal"}
"""Fields of which equal values do not settle whose they are."""


@dataclass(slots=True, kw_only=True)
class _Whose:
    """Whose one live value is. origin: as a change of it says. held: people hold it. over: why they do not
    any more. claim: theirs, also when it is over."""

    origin: str
    held: bool = False
    over: str = ""
    claim: Claim | None = None


def _whose(
    account: Account, name: str, want: str, remembered: Remembered, seal: Seal, key: SealKey, editing: Editing
) -> _Whose:
    live, last = account.live[name], remembered.confirmed.get(name)
    vacant = name == "owner" and not live
    ours = is_ours(account.id, name, live, remembered, seal, key)
    if vacant or (ours and not stands_as_theirs(name, live, editing)):
        if last is not None and last.value == live:
            return _Whose(origin=last.origin.value)
        return _Whose(origin=Origin.OURS.value if live else "")
    if name == "owner" and as_routed(account, remembered, seal, key):
        return _Whose(origin=Origin.OURS.value)
    claim = claim_of(account, name, remembered, editing)
    over = _over(claim, name, want, account.live, editing)
    return _Whose(origin=Origin.HUMAN.value, held=not over, over=over, claim=claim)


def _over(claim: Claim, name: str, want: str, live: Standing, editing: Editing) -> str:
    """Why a value people typed is ours to overwrite, in a sentence; "" while they hold it.

    The override beats a typed tier where it is what is written: outside the scope nothing is overridden."""
    if name == "tier" and want and want == (decided := field_override(live, editing.now)):
        return f"The override says {decided}, which beats what is typed over the tier."
    if claim.holds(editing.now):
        return ""
    value, by = f"'{claim.value[:40]}'" if claim.value else "blank", editor_text(claim.by)
    if claim.until <= claim.since:
        return f"Set to {value} by {by}: such edits are taken back."
    return f"Held at {value} by {by} until {date_text(claim.until)}; that is over."


def _given_back(edit: Confirmed) -> str:
    return f"Set by {editor_text(edit.by)} while we were writing; given back."


@dataclass(slots=True, kw_only=True)
class _Found:
    """What one look at an account's fields comes to."""

    seal: Seal
    changes: list[Change] = field(default_factory=list)
    waiting: list[Change] = field(default_factory=list)
    left_alone: dict[str, tuple[str, str]] = field(default_factory=dict)
    theirs: dict[str, str] = field(default_factory=dict)
    ours: dict[str, str] = field(default_factory=dict)
    unconfirmed: dict[str, str] = field(default_factory=dict)
    claims: dict[str, Claim] = field(default_factory=dict)
    withdrawn: dict[str, tuple[str, str]] = field(default_factory=dict)

    def note(self, name: str, live: str, whose: _Whose, remembered: Remembered) -> None:
        """Who has this value, for the seal and the journal."""
        if whose.claim is not None:
            self.claims[name] = whose.claim
            if whose.held:
                self.theirs[name] = live
        elif live or (name != "owner" and name in remembered.confirmed):
            self.ours[name] = live
            last = remembered.confirmed.get(name)
            if last is None or last.value != live or last.origin is not _OURS:
                self.unconfirmed[name] = live

    def differences(
        self, account: Account, key: SealKey, restore: Mapping[str, Confirmed], *, sealing: bool
    ) -> Differences:
        ends = [self.claims[name].until for name in self.left_alone if name in self.claims]
        until = min(ends) if ends else inf
        changes = tuple(self.changes)
        if sealing:
            changes = _sealed(account, self.changes, self.ours, self.theirs, self.seal, key, restore)
        return Differences(
            changes=changes,
            waiting=tuple(self.waiting),
            left_alone=self.left_alone,
            theirs=self.theirs,
            ours=self.ours,
            unconfirmed=self.unconfirmed,
            claims=self.claims,
            withdrawn=self.withdrawn,
            until=until if until < inf else None,
            gives_back=bool(restore) and any(c.field in restore for c in self.changes),
        )


def _sealed(
    account: Account,
    changes: list[Change],
    ours: Mapping[str, str],
    theirs: Mapping[str, str],
    seal: Seal,
    key: SealKey,
    restore: Mapping[str, Confirmed],
) -> tuple[Change, ...]:
    """The changes plus the seal over what will be ours once they are written.

    What people hold, or get back, is marked as theirs, and fields this connection does not read keep their
    marks. An owner is sealed once a read has seen it: it may be refused though all the rest lands.
    """
    unsealed = "owner" in ours and "owner" not in seal.marks
    if "seal" not in account.live or not (changes or (seal.marks and unsealed)):
        return tuple(changes)
    back = {c.field for c in changes if c.field in restore}
    given = {c.field for c in changes} & {"owner"} | back
    kept = {name: value for name, value in ours.items() if name not in given}
    after = {**kept, **{c.field: c.desired for c in changes if c.field not in given}}
    unread = {name: mark for name, mark in seal.marks.items() if name not in account.live}
    text = key.seal(account.id, after, marks={**unread, **dict.fromkeys((*theirs, *back), THEIRS)})
    live = account.live["seal"]
    if text == live:
        return tuple(changes)
    origin = Origin.OURS.value if live else ""
    sealed = Change(
        account_id=account.id, field="seal", live=live, desired=text, reason="seal", origin=origin
    )
    return (*changes, sealed)


def cosmetic(change: Change) -> bool:
    """Whether a change rides with others but never causes a write by itself."""
    known = FIELDS[change.field]
    if known.cosmetic:
        return True
    if not known.slack or not change.live or not change.desired:
        return False
    try:
        return abs(float(change.live) - float(change.desired)) <= known.slack
    except ValueError:
        return False
