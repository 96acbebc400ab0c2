"""A dry run drawn into a plan file: a row for each account that would change, written as it is found.

Knows what a dry run reports, and nothing of who asked for it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass

from icp_sync.domain.account import Origin
from icp_sync.domain.facts import Interval
from icp_sync.domain.guard import Limits, Rule, allowed
from icp_sync.domain.moves import is_downgrade, is_exclusion, owner_move, tier_move
from icp_sync.domain.plan import Change
from icp_sync.domain.standing import FIELDS
from icp_sync.sync.draft import Draft
from icp_sync.sync.plan_file.document import Planned, Row
from icp_sync.sync.plan_file.inputs import mark_of
from icp_sync.sync.report import OUT_OF_SCOPE, Report


@dataclass(slots=True, kw_only=True)
class Guarded:
    """How many changes of a plan the guard would look at. exclusions: of accounts with an open deal;
    excluded_down: of these, how many are downgrades as well. Where the guard holds exclusions, it counts
    those among the exclusions alone."""

    in_scope: int = 0
    downgrades: int = 0
    owner_moves: int = 0
    exclusions: int = 0
    excluded_down: int = 0

    def add(self, changes: Iterable[Change], *, open_deal: bool) -> None:
        changes = tuple(changes)
        if tier := tier_move(changes):
            excluded, down = open_deal and is_exclusion(*tier), is_downgrade(*tier)
            self.downgrades += down
            self.exclusions += excluded
            self.excluded_down += excluded and down
        self.owner_moves += owner_move(changes) is not None

    def beyond(self, limits: Limits, population: int, moved: Mapping[str, int]) -> list[str]:
        """Which limits this breaks, in words. population: in-scope accounts. moved: landed in a day."""
        population = max(population, self.in_scope)
        found = []
        down = self.downgrades - limits.exclusions * self.excluded_down
        for rule, n in ((Rule.DOWNGRADES, down), (Rule.OWNER_MOVES, self.owner_moves)):
            most, before = allowed(rule, population, limits), moved.get(rule.value, 0)
            if n and n + before > most:
                lately = f" beside {before:,} in the last day" * bool(before)
                share = rule is Rule.DOWNGRADES and most > limits.floor
                of = f" ({100 * limits.downgrades:.4g}% of {population:,} accounts)" * share
                found.append(f"{n:,} {rule.value}{lately}, and {most:,} land in a day{of}")
        if limits.exclusions and self.exclusions:
            several = f"{self.exclusions:,} account" + "s" * (self.exclusions != 1)
            found.append(f"{several} with an open deal would become Not ICP, and each waits for a person")
        return found

    def to_json(self) -> dict[str, int]:
        return asdict(self)

    @classmethod
    def from_json(cls, said: object) -> Guarded:
        found = said if isinstance(said, Mapping) else {}
        names = ("in_scope", "downgrades", "owner_moves", "exclusions", "excluded_down")
        return cls(**{name: n for name in names if isinstance(n := found.get(name), int)})


class Drawn(Report):
    """A dry run's report that hands every account it would change on, as a row. Not kept: `row` takes it."""

    def __init__(self, row: Callable[[Row], None]) -> None:
        super().__init__(apply=False)
        self.guarded = Guarded()
        self._row = row
        self._page: dict[str, Draft] = {}

    def saw(self, drafts: Iterable[Draft]) -> None:
        self._page = {d.account.id: d for d in drafts}
        super().saw(self._page.values())
        self.guarded.in_scope = self.read - self.tiers[OUT_OF_SCOPE]

    def planned(self, changes: Iterable[Change]) -> None:
        changes = tuple(changes)
        d = self._page[changes[0].account_id]
        if d.differences.gives_back:  # owed to a person: the next read gives it back, no plan has to
            return
        super().planned(changes)
        self.guarded.add(changes, open_deal=_open_deal(d))
        self._row(_row(d, changes))


def _row(d: Draft, changes: Iterable[Change]) -> Row:
    """The seal is left out: it is made of what lands."""
    known = d.remembered.confirmed
    return Row(
        id=d.account.id,
        name=d.account.name,
        stamp=d.account.stamp,
        facts=mark_of(d.account),
        open_deal=_open_deal(d),
        changes=tuple(
            Planned(
                field=c.field,
                live=c.live,
                desired=c.desired,
                ours=last.value if (last := known.get(c.field)) and last.origin is Origin.OURS else None,
                reason=c.reason,
            )
            for c in changes
            if not FIELDS[c.field].hidden
        ),
    )


def _open_deal(d: Draft) -> bool:
    value = d.known.facts.get("open_deals")
    return isinstance(value, Interval) and value.low > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trigger:
    """Something in the CRM that may act upon changes. properties: property → accounts."""

    what: str
    changes: int
    properties: Mapping[str, int]


def triggers(by_field: Mapping[str, int], outputs: Mapping[str, str]) -> list[Trigger]:
    """What of the CRM's own automation may see these changes. What it does then, nobody but the CRM knows.

    by_field: logical field → accounts. outputs: logical field → property.
    """
    ours = {name: n for name, n in by_field.items() if not FIELDS[name].native and not FIELDS[name].hidden}
    found: list[Trigger] = []
    if ours:
        properties = {outputs.get(name, name): n for name, n in sorted(ours.items())}
        what = "workflows, flows, lists and alerts that watch our properties"
        found.append(Trigger(what=what, changes=sum(ours.values()), properties=properties))
    for name, n in sorted(by_field.items()):
        if not FIELDS[name].native:
            continue
        what = "whatever the CRM and your colleagues built on its own field"
        if name == "owner":
            what = "notices to new owners, and automation on a change of owner"
        found.append(Trigger(what=what, changes=n, properties={outputs.get(name, name): n}))
    return found
