"""What an undo did or would do, and what no undo can take back. Counts, and examples of each.

Plain data: the command prints it, the journal keeps it with the run.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from icp_sync.domain.account import Account
from icp_sync.domain.plan import Change
from icp_sync.domain.restoring import BACK, Fate, Restoring, Then

KEPT = 200
"""Examples kept of each kind; counts go on beyond."""
_COUNTS = (
    *("accounts", "restored", "fields", "again", "same"),
    *("people", "people_accounts", "held", "refused", "failed"),
)
_COUNTERS = ("by_field", "absent", "nobody")


@dataclass(slots=True, kw_only=True)
class Undone:
    """Counts are accounts unless named otherwise. `apply` false: what would happen.

    run, kind: what is undone. undo: the run that does it, "" in a dry run. done: whether its end was reached.
    """

    run: str
    kind: str
    undo: str = ""
    apply: bool = True
    done: bool = False
    continued: bool = False  # an earlier attempt had been cut short
    accounts: int = 0  # that the run wrote on
    restored: int = 0
    fields: int = 0  # restored
    by_field: Counter[str] = field(default_factory=Counter)
    again: int = 0  # restored fields that a later run of ours had written since
    same: int = 0  # fields that hold what they held before already
    people: int = 0  # fields people changed since
    people_accounts: int = 0
    absent: Counter[str] = field(default_factory=Counter)  # fields this connection carries no more
    nobody: Counter[str] = field(default_factory=Counter)  # owners of then who are none now
    held: int = 0
    refused: int = 0
    failed: int = 0  # did not happen, or nobody knows: the same undo again finds out
    changes: list[Change] = field(default_factory=list)
    edited: list[tuple[str, ...]] = field(default_factory=list)  # id, name, field, live, before
    rewritten: list[tuple[str, ...]] = field(default_factory=list)  # the same
    problems: list[tuple[str, ...]] = field(default_factory=list)  # account id, what
    # What no undo takes back.
    written: int = 0  # accounts on which values stood that others may have acted on
    assigned: Counter[str] = field(default_factory=Counter)  # owner → accounts they were given, and told of
    deleted: int = 0
    merged: int = 0
    purchases: Mapping[str, float] = field(default_factory=dict)  # enricher → credits

    def wrote(self, then: Mapping[str, Then]) -> None:
        """Count what the run had written on one account."""
        self.accounts += 1
        self.written += 1
        owner = then.get("owner")
        if owner is not None and owner.after:
            self.assigned[owner.after] += 1

    def gone(self, survivors: Iterable[str]) -> None:
        for survivor in survivors:
            self.merged += bool(survivor)
            self.deleted += not survivor

    def saw(self, account: Account, then: Mapping[str, Then], plan: Restoring) -> None:
        """Count what becomes of one account's fields, but for those that go back."""
        self.held += bool(plan.held)
        if plan.held:
            self.problem(account.id, plan.held)
        for name, fate in plan.fates.items():
            live = account.live.get(name, "")
            example = (account.id, account.name, name, live, then[name].before)
            match fate:
                case Fate.SAME:
                    self.same += 1
                case Fate.PEOPLE:
                    self.people += 1
                    _keep(self.edited, example)
                case Fate.ABSENT:
                    self.absent[name] += 1
                case Fate.NOBODY:
                    self.nobody[then[name].before] += 1
        self.people_accounts += Fate.PEOPLE in plan.fates.values()

    def went_back(self, account: Account, then: Mapping[str, Then], plan: Restoring, names: set[str]) -> None:
        """Count the fields of one account that were restored, or would be."""
        back = {name for name, fate in plan.fates.items() if fate in BACK and name in names}
        if not back:
            return
        self.restored += 1
        self.fields += len(back)
        self.by_field.update(back)
        for name in sorted(back):
            if plan.fates[name] is Fate.AGAIN:
                self.again += 1
                live, before = account.live[name], then[name].before
                _keep(self.rewritten, (account.id, account.name, name, live, before))
        self.changes.extend([c for c in plan.changes if c.field in back][: max(0, KEPT - len(self.changes))])

    def problem(self, account_id: str, what: str) -> None:
        _keep(self.problems, (account_id, what))

    @property
    def left(self) -> int:
        """Accounts the same undo may restore when it is run again."""
        return self.refused + self.failed

    def to_json(self) -> dict[str, object]:
        """Everything as plain JSON; what cannot be reversed stands by itself."""
        plain = {f.name: getattr(self, f.name) for f in fields(self)}
        lasting = {
            "seen_by_others": plain.pop("written"),
            "owners_notified": sum(self.assigned.values()),
            "assigned": dict(plain.pop("assigned")),
            "deleted": plain.pop("deleted"),
            "merged": plain.pop("merged"),
            "credits": dict(plain.pop("purchases")),
            "timestamps": self.restored,
        }
        columns = ("id", "name", "field", "live", "before")
        plain["edited"] = [dict(zip(columns, row, strict=True)) for row in self.edited]
        plain["rewritten"] = [dict(zip(columns, row, strict=True)) for row in self.rewritten]
        plain["changes"] = [
            {"id": c.account_id, "field": c.field, "live": c.live, "desired": c.desired} for c in self.changes
        ]
        plain["problems"] = [{"id": account_id, "what": what} for account_id, what in self.problems]
        for name in _COUNTERS:
            plain[name] = dict(plain[name])
        return {**plain, "left": self.left, "irreversible": lasting}

    def take_up(self, told: Mapping[str, Any]) -> None:
        """Count on from what an earlier attempt at the same undo had told with `to_json`."""
        lasting = told.get("irreversible", {})
        for name in _COUNTS:
            setattr(self, name, int(told.get(name, 0)))
        for name in _COUNTERS:
            setattr(self, name, Counter(told.get(name, {})))
        self.written = int(lasting.get("seen_by_others", 0))
        self.deleted, self.merged = int(lasting.get("deleted", 0)), int(lasting.get("merged", 0))
        self.assigned = Counter(lasting.get("assigned", {}))
        self.edited = [tuple(map(str, row.values())) for row in told.get("edited", ())]
        self.rewritten = [tuple(map(str, row.values())) for row in told.get("rewritten", ())]
        self.problems = [tuple(map(str, row.values())) for row in told.get("problems", ())]
        self.changes = [
            Change(account_id=c["id"], field=c["field"], live=c["live"], desired=c["desired"])
            for c in told.get("changes", ())
        ]


def _keep(examples: list[tuple[str, ...]], one: tuple[str, ...]) -> None:
    if len(examples) < KEPT:
        examples.append(one)
