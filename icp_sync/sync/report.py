"""What a settle did or would do, as counts and short lists. Added up over pages and streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from icp_sync.domain.account import Confirmed
from icp_sync.domain.plan import Change, Hold
from icp_sync.sync.draft import Draft

OUT_OF_SCOPE = "out of scope"
KEPT = 1_000
"""Examples kept in a report; counts go on beyond."""
EXAMPLES = 2
"""Changes of each field kept beyond that, so that none is without."""


class Credits(dict[str, float]):
    """Enricher → credits; 0 for who is not in it."""

    def __missing__(self, enricher: str) -> float:
        return 0.0

    def add(self, more: Mapping[str, float]) -> None:
        for enricher, amount in more.items():
            self[enricher] += amount


@dataclass(slots=True, kw_only=True)
class Report:
    """Counts are accounts unless named otherwise. `apply` false: what would have happened."""

    apply: bool = True
    pages: int = 0
    read: int = 0
    spared: int = 0  # discovered, but already settled at exactly that stamp
    unchanged: int = 0
    written: int = 0
    fields: int = 0  # field values written
    waiting: int = 0  # changes the mode does not allow yet, in accounts
    refused: int = 0
    deferred: int = 0
    held: int = 0
    waits: Counter[str] = field(default_factory=Counter)  # rule → accounts that wait for a person
    stayed: int = 0  # accounts whose verdict moved and whose tier in the CRM did not: it waits for a person
    undone: Counter[str] = field(default_factory=Counter)  # undo → accounts that hold what it put back
    restored: list[tuple[str, str, str, str]] = field(default_factory=list)  # id, field, value, whose
    gone: int = 0
    lost: int = 0  # another worker settled them first
    waves: int = 0  # of a backfill: passed without anything to halt for
    fresh: Counter[str] = field(default_factory=Counter)  # how long changes waited, see domain.freshness
    fresh_bought: Counter[str] = field(default_factory=Counter)  # of those whose facts had to be bought
    gained: Counter[str] = field(default_factory=Counter)  # owner → accounts they are given
    released: Counter[str] = field(default_factory=Counter)  # owner → accounts they lose
    tiers: Counter[str] = field(default_factory=Counter)
    migrations: Counter[tuple[str, str]] = field(default_factory=Counter)  # (from, to) → accounts
    asked: Counter[str] = field(default_factory=Counter)  # enricher → requests
    hits: Counter[str] = field(default_factory=Counter)
    credits: Credits = field(default_factory=lambda: Credits())  # spent; in a dry run: expected to be
    credits_most: Credits = field(default_factory=lambda: Credits())  # in a dry run, at the very most
    credits_everything: Credits = field(default_factory=lambda: Credits())  # if all were asked everything
    over_budget: Counter[str] = field(default_factory=Counter)  # enricher → questions there was no budget for
    by_field: Counter[str] = field(default_factory=Counter)
    changes: list[Change] = field(default_factory=list)
    left_alone: list[tuple[str, str, str, str, str]] = field(
        default_factory=list
    )  # id, name, field, live, ours
    problems: list[tuple[str, str]] = field(default_factory=list)  # account id, what

    def saw(self, drafts: Iterable[Draft]) -> None:
        """Count a page's drafts, whatever becomes of them."""
        for d in drafts:
            tier = d.evaluation.tier if d.evaluation.in_scope else OUT_OF_SCOPE
            before = d.remembered.previous.tier if d.remembered.previous else "new"
            if d.remembered.evidence.get("in_scope") is False:
                before = OUT_OF_SCOPE
            changes = d.differences
            self.read += 1
            self.tiers[tier] += 1
            self.migrations[before, tier] += 1
            self.unchanged += not (changes.material or changes.waiting or changes.left_alone or changes.held)
            self.waiting += bool(d.differences.waiting)
            self.held += bool(d.differences.held)
            if d.withdrawn and changes.withdrawn:
                self.undone[d.withdrawn.run] += 1
            for name, (live, ours) in d.differences.left_alone.items():
                if len(self.left_alone) < KEPT:
                    self.left_alone.append((d.account.id, d.account.name, name, live, ours))

    def hold(self, holds: Mapping[str, tuple[Hold, ...]], drafts: Iterable[Draft] = ()) -> None:
        """Count what of a page, whose drafts these are, waits for a person."""
        for several in holds.values():
            self.waits.update(hold.rule for hold in several if not hold.released_by)
        for d in drafts:
            before = d.remembered.previous
            whole = any(_keeps_tier(hold) for hold in holds.get(d.account.id, ()))
            self.stayed += bool(whole and before and before.tier != d.evaluation.tier)

    def gave_back(self, restored: Mapping[str, Mapping[str, Confirmed]]) -> None:
        """Note edits of people that our writes had gone over."""
        found = [
            (account_id, name, held.value, held.by)
            for account_id, fields in restored.items()
            for name, held in fields.items()
        ]
        self.restored.extend(found[: max(0, KEPT - len(self.restored))])

    def planned(self, changes: Iterable[Change]) -> None:
        """Count one account's changes. Where the CRM's owner is not ours to write, the routed one counts."""
        by_field = {change.field: change for change in changes}
        owner = by_field.get("owner") or by_field.get("routed_owner")
        if owner is not None:
            self.gained[owner.desired] += bool(owner.desired)
            self.released[owner.live] += bool(owner.live)
        self.fields += len(by_field)
        self.by_field.update(by_field.keys())
        for change in by_field.values():
            if len(self.changes) < KEPT or self.by_field[change.field] <= EXAMPLES:
                self.changes.append(change)

    def __iadd__(self, other: Report) -> Report:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, bool):
                continue
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, Credits):
                mine.add(theirs)
            elif isinstance(mine, list):
                mine.extend(theirs[: KEPT - len(mine)])
            else:
                setattr(self, name, mine + theirs)
        return self

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Report:
        """The inverse of `to_json`, but for the list of changes."""
        report = cls(apply=bool(data.get("apply", True)))
        for name in cls.__slots__:
            value, mine = data.get(name), getattr(report, name)
            if name == "migrations" and isinstance(value, dict):
                for moved, n in value.items():
                    before, _, after = moved.partition(" → ")
                    report.migrations[before, after] = n
            elif isinstance(mine, Counter) and isinstance(value, dict):
                mine.update(value)
            elif isinstance(mine, Credits) and isinstance(value, dict):
                mine.add(value)
            elif name in ("left_alone", "problems", "restored") and isinstance(value, list):
                mine.extend(tuple(item) for item in value)
            elif isinstance(mine, int) and isinstance(value, int):
                setattr(report, name, value)
        return report

    @property
    def calls(self) -> int:
        """Requests to enrichers."""
        return sum(self.asked.values())

    def to_json(self) -> dict[str, object]:
        """Everything as plain JSON; tuples of counters become "from → to"."""
        plain: dict[str, object] = {}
        for name in self.__slots__:
            value = getattr(self, name)
            if name == "migrations":
                value = {f"{a} → {b}": n for (a, b), n in sorted(value.items())}
            elif name == "changes":
                value = [
                    {
                        "id": c.account_id,
                        "field": c.field,
                        "live": c.live,
                        "desired": c.desired,
                        "reason": c.reason,
                    }
                    for c in value
                ]
            plain[name] = value
        return plain


def _keeps_tier(hold: Hold) -> bool:
    """Whether it is because of this that a tier stays as it was."""
    return not hold.released_by and any(change.field == "tier" for change in hold.changes)
