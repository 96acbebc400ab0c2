"""What a settle did or would do, as counts and short lists. Added up over pages and streams."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import islice

from icp_sync.domain.plan import Change
from icp_sync.sync.draft import Draft

OUT_OF_SCOPE = "out of scope"
KEPT = 1_000
"""Examples kept in a report; counts go on beyond."""


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
    gone: int = 0
    lost: int = 0  # another worker settled them first
    gained: Counter[str] = field(default_factory=Counter)  # owner → accounts they are given
    released: Counter[str] = field(default_factory=Counter)  # owner → accounts they lose
    tiers: Counter[str] = field(default_factory=Counter)
    migrations: Counter[tuple[str, str]] = field(default_factory=Counter)  # (from, to) → accounts
    asked: Counter[str] = field(default_factory=Counter)  # enricher → requests
    hits: Counter[str] = field(default_factory=Counter)
    credits: Counter[str] = field(default_factory=Counter)
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
            for name, (live, ours) in d.differences.left_alone.items():
                if len(self.left_alone) < KEPT:
                    self.left_alone.append((d.account.id, d.account.name, name, live, ours))

    def planned(self, changes: Iterable[Change]) -> None:
        """Count one account's changes. Where the CRM's owner is not ours to write, the routed one counts."""
        by_field = {change.field: change for change in changes}
        owner = by_field.get("owner") or by_field.get("routed_owner")
        if owner is not None:
            self.gained[owner.desired] += bool(owner.desired)
            self.released[owner.live] += bool(owner.live)
        self.fields += len(by_field)
        self.by_field.update(by_field.keys())
        self.changes.extend(islice(by_field.values(), max(0, KEPT - len(self.changes))))

    def __iadd__(self, other: Report) -> Report:
        for name in self.__slots__:
            mine, theirs = getattr(self, name), getattr(other, name)
            if isinstance(mine, bool):
                continue
            if isinstance(mine, Counter):
                mine.update(theirs)
            elif isinstance(mine, list):
                mine.extend(theirs[: KEPT - len(mine)])
            else:
                setattr(self, name, mine + theirs)
        return self

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
