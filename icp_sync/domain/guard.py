"""Which changes of a plan land, and which wait for a person.

Pure: what landed lately, what is held already and the limits come in, the plan comes out in two parts. It
knows neither who counts nor who is told. What is held stays held until somebody lets it pass or nobody wants
it any more; a quarantine for being written too often stays until somebody lifts it.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from icp_sync.domain.moves import is_downgrade, is_exclusion, moved_key, owner_move, tier_move
from icp_sync.domain.plan import Change, Hold
from icp_sync.domain.standing import OWNERSHIP

Changes = tuple[Change, ...]


class Rule(StrEnum):
    """Why changes wait. The value is what people type and read."""

    DOWNGRADES = "downgrades"
    OWNER_MOVES = "owner moves"
    EXCLUSIONS = "exclusions"
    ROBOTS = "two robots"
    PORTAL = "portal of robots"


EVERY_WRITE = "every write"
"""The key of what is held whatever it is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much may land unseen.

    downgrades: share of the in-scope accounts in any 24 hours, at least `floor` of them. owner_moves: in any
    24 hours; filling a vacancy is none. exclusions: whether to hold every account with an open deal that
    would become Not ICP. writes_an_hour: to one account; the next one puts it in quarantine. quarantined:
    accounts in quarantine within an hour that stop the whole portal.
    """

    downgrades: float = 0.05
    floor: int = 20
    owner_moves: int = 50
    exclusions: bool = True
    writes_an_hour: int = 6
    quarantined: int = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """What the limits are measured against.

    population: in-scope accounts known. moved: rule → how many accounts moved in the last 24 hours, as far as
    anybody knows. again: rule → which of those on this page are among them: what is tried again, or moved
    once more, is the same account. writes: account → writes of ours in the last hour. held: account → its
    holds as stored. robots: accounts put in quarantine in the last hour.
    """

    population: int = 0
    moved: Mapping[str, int] = field(default_factory=dict)
    again: Mapping[str, Collection[str]] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    held: Mapping[str, tuple[Hold, ...]] = field(default_factory=dict)
    robots: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """plan: account → what may land. holds: account → everything to keep in the journal, what is still held
    and what was let pass and has not landed yet; an account without any is absent. counted: account → the
    rules its write counts for once it has landed; what a person let pass counts for none."""

    plan: Mapping[str, Changes]
    holds: Mapping[str, tuple[Hold, ...]]
    counted: Mapping[str, tuple[str, ...]]


def split(
    plan: Mapping[str, Changes],
    open_deals: Callable[[str], bool],
    counted: Counted,
    limits: Limits,
    now: float,
    ordered: Collection[str] = (),
) -> Split:
    """Part a plan into what lands and what waits, in the plan's order: the first ones land, up to a limit.

    A held tier move holds all changes of its account, a held owner move only those of the owner.
    open_deals: whether an account has an open deal. now: epoch seconds. ordered: accounts whose tier a person
    has set: what somebody wants is no surprise.
    """
    room = _Room.of(counted, limits)
    before = {account_id: _Before(counted.held.get(account_id, ()), now) for account_id in plan}
    busy = [
        i for i in plan if before[i].stands(Rule.ROBOTS) or counted.writes.get(i, 0) >= limits.writes_an_hour
    ]
    fresh = [
        i for i in busy if not (before[i].stands(Rule.ROBOTS) or before[i].passes(Rule.ROBOTS, EVERY_WRITE))
    ]
    overrun = counted.robots + len(fresh) >= limits.quarantined
    landing: dict[str, Changes] = {}
    holds: dict[str, tuple[Hold, ...]] = {}
    counts: dict[str, tuple[str, ...]] = {}
    for account_id, changes in plan.items():
        asked = _Asked(account_id, changes, before[account_id], account_id in ordered)
        whole = (
            _robots(asked, account_id in busy, limits)
            or _portal(asked, overrun, limits)
            or _excluded(asked, limits, open_deals)
            or _downgraded(asked, room)
        )
        moved = None if whole else _owner_moved(asked, room)
        kept = [hold for hold in (whole, moved) if hold is not None]
        kept += asked.before.released_for(asked.keys, but={hold.rule for hold in kept})
        if kept:
            holds[account_id] = tuple(kept)
        left = () if whole else tuple(c for c in changes if not (moved and c.field in OWNERSHIP))
        if left and (moved is None or any(c.field != "seal" for c in left)):
            landing[account_id] = left
            if rules := room.take(asked, owner_lands=moved is None):
                counts[account_id] = rules
    return Split(plan=landing, holds=holds | _quarantined(plan, counted.held), counted=counts)


def allowed(rule: Rule, population: int, limits: Limits) -> int:
    """How many of a kind land in any 24 hours before the rest waits."""
    if rule is Rule.DOWNGRADES:
        return max(limits.floor, math.floor(limits.downgrades * population))
    return limits.owner_moves


@dataclass(frozen=True, slots=True)
class _Before:
    """What is held of one account already."""

    holds: Sequence[Hold]
    now: float

    def stands(self, rule: Rule, key: str | None = None) -> bool:
        """Whether this is held and nobody let it pass."""
        return any(h.rule == rule and key in (None, h.key) and not h.released_by for h in self.holds)

    def passes(self, rule: Rule, key: str) -> bool:
        """Whether somebody let exactly this pass. What they saw was the move, whichever rule held it."""
        return any(
            h.released_by and h.key == key and (h.rule == rule or key != EVERY_WRITE) for h in self.holds
        )

    def hold(self, rule: Rule, key: str, changes: Changes, reason: str) -> Hold:
        """A hold of these changes, since when it first stood."""
        since = min((h.since for h in self.holds if h.rule == rule and h.key == key), default=self.now)
        account_id = changes[0].account_id
        return Hold(
            account_id=account_id, rule=rule.value, key=key, changes=changes, reason=reason, since=since
        )

    def released_for(self, keys: Collection[str], but: Collection[str]) -> list[Hold]:
        """What was let pass and is wanted still, less the rules that hold something else by now."""
        return [h for h in self.holds if h.released_by and h.key in keys and h.rule not in but]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What one account's changes amount to."""

    account_id: str
    changes: Changes
    before: _Before
    ordered: bool = False

    @property
    def tier(self) -> tuple[str, str] | None:
        return None if self.ordered else tier_move(self.changes)

    @property
    def owner(self) -> tuple[str, str] | None:
        return owner_move(self.changes)

    @property
    def keys(self) -> set[str]:
        return {EVERY_WRITE} | {moved_key(*move) for move in (self.tier, self.owner) if move}


@dataclass(slots=True)
class _Room:
    """How many more of each kind may land."""

    left: dict[Rule, int]
    most: dict[Rule, int]
    again: Mapping[str, Collection[str]]

    @classmethod
    def of(cls, counted: Counted, limits: Limits) -> _Room:
        rules = (Rule.DOWNGRADES, Rule.OWNER_MOVES)
        most = {rule: allowed(rule, counted.population, limits) for rule in rules}
        left = {rule: n - counted.moved.get(rule.value, 0) for rule, n in most.items()}
        return cls(left, most, counted.again)

    def has(self, rule: Rule, account_id: str) -> bool:
        """Whether the account may move by this rule: it is counted already, or there is room for one more."""
        return self.left[rule] > 0 or account_id in self.again.get(rule.value, ())

    def take(self, asked: _Asked, *, owner_lands: bool) -> tuple[str, ...]:
        """The rules what lands of an account counts for, each taken off what is left."""
        wanted = []
        if asked.tier and is_downgrade(*asked.tier):
            wanted.append((Rule.DOWNGRADES, moved_key(*asked.tier)))
        if owner_lands and asked.owner:
            wanted.append((Rule.OWNER_MOVES, moved_key(*asked.owner)))
        rules = [rule for rule, key in wanted if not asked.before.passes(rule, key)]
        for rule in rules:
            self.left[rule] -= asked.account_id not in self.again.get(rule.value, ())
        return tuple(rule.value for rule in rules)


def _robots(asked: _Asked, busy: bool, limits: Limits) -> Hold | None:
    if not busy or asked.before.passes(Rule.ROBOTS, EVERY_WRITE):
        return None
    reason = f"we wrote it {limits.writes_an_hour} times within an hour: something else keeps changing it"
    return asked.before.hold(Rule.ROBOTS, EVERY_WRITE, asked.changes, reason)


def _portal(asked: _Asked, overrun: bool, limits: Limits) -> Hold | None:
    before = asked.before
    if not (overrun or before.stands(Rule.PORTAL)) or before.passes(Rule.PORTAL, EVERY_WRITE):
        return None
    reason = f"{limits.quarantined} accounts were written too often within an hour: nothing is written"
    return before.hold(Rule.PORTAL, EVERY_WRITE, asked.changes, reason)


def _excluded(asked: _Asked, limits: Limits, open_deals: Callable[[str], bool]) -> Hold | None:
    if not asked.tier or not is_exclusion(*asked.tier) or not limits.exclusions:
        return None
    key = moved_key(*asked.tier)
    if asked.before.passes(Rule.EXCLUSIONS, key) or not open_deals(asked.account_id):
        return None
    return asked.before.hold(Rule.EXCLUSIONS, key, asked.changes, f"{key}, and it has an open deal")


def _downgraded(asked: _Asked, room: _Room) -> Hold | None:
    if not asked.tier or not is_downgrade(*asked.tier):
        return None
    key = moved_key(*asked.tier)
    if asked.before.passes(Rule.DOWNGRADES, key):
        return None
    if room.has(Rule.DOWNGRADES, asked.account_id) and not asked.before.stands(Rule.DOWNGRADES, key):
        return None
    reason = f"{key}, beyond the {room.most[Rule.DOWNGRADES]} downgrades that land in a day"
    return asked.before.hold(Rule.DOWNGRADES, key, asked.changes, reason)


def _owner_moved(asked: _Asked, room: _Room) -> Hold | None:
    if not asked.owner:
        return None
    key = moved_key(*asked.owner)
    if asked.before.passes(Rule.OWNER_MOVES, key):
        return None
    if room.has(Rule.OWNER_MOVES, asked.account_id) and not asked.before.stands(Rule.OWNER_MOVES, key):
        return None
    reason = f"{key}, beyond the {room.most[Rule.OWNER_MOVES]} owner moves that land in a day"
    changes = tuple(c for c in asked.changes if c.field in OWNERSHIP)
    return asked.before.hold(Rule.OWNER_MOVES, key, changes, reason)


def _quarantined(
    plan: Mapping[str, Changes], held: Mapping[str, tuple[Hold, ...]]
) -> dict[str, tuple[Hold, ...]]:
    """Quarantines of accounts that want nothing at the moment: they are not over for that."""
    found: dict[str, tuple[Hold, ...]] = {}
    for account_id, holds in held.items():
        kept = tuple(replace(h, changes=()) for h in holds if h.rule == Rule.ROBOTS and not h.released_by)
        if kept and account_id not in plan:
            found[account_id] = kept
    return found
