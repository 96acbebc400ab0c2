"""The records behind every API: values, stamps, history, merges, and the log of who wrote what.

The store accepts what it is given; validation is the API's business. It stamps with the simulator's clock,
hands every change to the lagging search index, and repeats what a CRM does behind the caller's back.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import deque
from collections.abc import Iterable, Mapping
from heapq import heappop, heappush
from random import Random
from typing import NamedTuple

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.index import Index, Version
from icp_sync.simulator.switches import Habits

HISTORY_KEPT = 20
LOG_KEPT = 200_000


class Source(NamedTuple):
    """Who changed a value: HubSpot's `sourceType`, `sourceId`, and the user where there was one."""

    type: str
    id: str = ""
    user_id: int | None = None


class Entry(NamedTuple):
    """One value a property had, from when, by whom."""

    value: str
    at: int
    source: Source


class Written(NamedTuple):
    """One property value a caller sent. `before` is "" where there was none."""

    seq: int
    id: int
    property: str
    value: str
    before: str
    source: Source
    at: int


class Record:
    """One company. `props` is replaced, never changed in place; a missing name was never set."""

    __slots__ = (
        "archived_at",
        "created",
        "history",
        "id",
        "merged_from",
        "merged_into",
        "modified",
        "origin",
        "props",
    )

    def __init__(self, record_id: int, created: int, props: dict[str, str], origin: Source) -> None:
        self.id = record_id
        self.created = created
        self.modified = created
        self.props = props
        self.origin = origin
        self.history: dict[str, list[Entry]] | None = None
        self.archived_at: int | None = None
        self.merged_into: int | None = None
        self.merged_from: tuple[int, ...] = ()


FOLLOW_UP = Source("CALCULATED", "CalculatedPropertyComputer")
MERGE = Source("MERGE_OBJECTS")


class Store:
    """All records of one object type. Not locked: its owner serialises access."""

    def __init__(self, clock: Clock, switches: Habits, index: Index, random: Random) -> None:
        self.records: dict[int, Record] = {}
        self.live: list[int] = []
        self.archived: list[int] = []
        self.log: deque[Written] = deque(maxlen=LOG_KEPT)
        self._clock = clock
        self._switches = switches
        self._index = index
        self._random = random
        self._seq = 0
        self._next_id = 28_000_000_000 + random.randrange(1_000_000_000)
        self._follow_ups: list[tuple[int, int, int]] = []

    # -- reading

    def get(self, record_id: int) -> Record | None:
        """A record that is neither archived nor merged away."""
        record = self.records.get(record_id)
        return record if record is not None and record.archived_at is None else None

    def survivor(self, record_id: int) -> Record | None:
        """The record, or the one it was merged into, however many merges ago."""
        record = self.records.get(record_id)
        while record is not None and record.merged_into is not None:
            record = self.records.get(record.merged_into)
        return record if record is not None and record.archived_at is None else None

    def history(self, record: Record, name: str) -> list[Entry]:
        """The values a property had, newest first, at most the last twenty."""
        kept = (record.history or {}).get(name)
        if kept is not None:
            return kept[::-1]
        if name not in record.props:
            return []
        return [Entry(record.props[name], record.created, record.origin)]

    # -- writing

    def create(
        self, props: Mapping[str, str], source: Source, *, at: int | None = None, late: int = 0
    ) -> Record:
        """A new record. `late`: extra ms until a search can see it."""
        self._next_id += self._random.randrange(1, 40)
        now = self._clock.now_ms() if at is None else at
        record = Record(self._next_id, now, dict(props), source)
        self.records[record.id] = record
        self.live.append(record.id)
        for name, value in props.items():
            self._log(record.id, name, value, "", source, now)
        self.publish(record, late=late)
        self._plan_follow_up(record, at)
        return record

    def write(
        self,
        record: Record,
        props: Mapping[str, str],
        source: Source,
        *,
        at: int | None = None,
        late: int = 0,
        follow_up: bool = True,
    ) -> bool:
        """Set values, `""` clears. Returns whether any differed from the one held."""
        now = self._clock.now_ms() if at is None else at
        changed = {}
        for name, value in props.items():
            before = record.props.get(name, "")
            self._log(record.id, name, value, before, source, now)
            if value != before:
                changed[name] = value
        if changed:
            self._remember(record, changed, source, now)
            record.props = {**record.props, **changed}
        if changed or (props and self._switches.same_value_bumps):
            self.stamp(record, now, late=late)
        if changed and follow_up:
            self._plan_follow_up(record, at)
        return bool(changed)

    def stamp(self, record: Record, at: int, *, late: int = 0) -> None:
        """Move the modification stamp, as any write or background job does."""
        record.modified = at
        self.publish(record, late=late)

    def archive(self, record: Record) -> None:
        if record.archived_at is None:
            record.archived_at = self._clock.now_ms()
            self._leave_live(record)
            insort(self.archived, record.id)

    def merge(self, survivor: Record, other: Record, *, late: int = 0) -> None:
        """Merge `other` away: the survivor keeps its own values and takes over what it lacked."""
        now = self._clock.now_ms()
        missing = {n: v for n, v in other.props.items() if v and not survivor.props.get(n)}
        self._remember(survivor, missing, MERGE, now)
        survivor.props = {**survivor.props, **missing}
        survivor.merged_from = (*survivor.merged_from, other.id, *other.merged_from)
        other.merged_into = survivor.id
        other.archived_at = now
        self._leave_live(other)
        if self._switches.merged_in_archived_list:
            insort(self.archived, other.id)
        self.stamp(survivor, now, late=late)
        self._plan_follow_up(survivor, None)

    # -- what happens by itself

    def tick(self) -> None:
        """Do what the CRM did by itself since the last call, each thing at its own instant."""
        now = self._clock.now_ms()
        while self._follow_ups and self._follow_ups[0][0] <= now:
            at, _, record_id = heappop(self._follow_ups)
            record = self.get(record_id)
            if record is not None and record.modified < at:
                record.modified = at
                self.publish(record, at=at)
        self._index.catch_up(now)

    def publish(self, record: Record, *, at: int | None = None, late: int = 0) -> None:
        """Hand the record's present state to the search index."""
        self._seq += 1
        version = None
        if record.archived_at is None:
            version = Version(self._seq, record.id, record.created, record.modified, record.props)
        now = self._clock.now_ms() if at is None else at
        lag = self._switches.index_lag + self._random.random() * self._switches.index_jitter
        due = now + int(lag * 1000)
        if late:
            due = now + late
            self._index.hold(record.id, due)
        self._index.publish(record.id, self._seq, version, due)

    def show_all(self) -> None:
        """Make the index current, as it is when a simulator starts."""
        self._index.catch_up(1 << 60)
        versions = []
        for record in map(self.records.__getitem__, self.live):
            self._seq += 1
            versions.append(Version(self._seq, record.id, record.created, record.modified, record.props))
        self._index.load(versions)

    def place(self, record: Record) -> None:
        """Put a record with an id of its own into the store, not logged as a write."""
        self.records[record.id] = record
        insort(self.live, record.id)
        self.publish(record)

    def load(self, seeded: Iterable[tuple[Mapping[str, str], Source, int, int]]) -> None:
        """Fill an empty store: (values, origin, created ms, modified ms) per record, not logged as writes."""
        for props, origin, created, modified in seeded:
            self._next_id += self._random.randrange(1, 40)
            record = Record(self._next_id, created, dict(props), origin)
            record.modified = modified
            self.records[record.id] = record
            self.live.append(record.id)
        self.show_all()

    def _leave_live(self, record: Record) -> None:
        at = bisect_left(self.live, record.id)
        if at < len(self.live) and self.live[at] == record.id:
            del self.live[at]
        self.publish(record)

    def _plan_follow_up(self, record: Record, at: int | None) -> None:
        if self._switches.follow_up and at is None:
            self._seq += 1
            due = self._clock.now_ms() + self._random.randrange(300, 501)
            heappush(self._follow_ups, (due, self._seq, record.id))

    def _remember(self, record: Record, changed: Mapping[str, str], source: Source, at: int) -> None:
        if record.history is None:
            record.history = {}
        for name, value in changed.items():
            kept = record.history.get(name)
            if kept is None:
                kept = record.history[name] = []
                if name in record.props:
                    kept.append(Entry(record.props[name], record.created, record.origin))
            kept.append(Entry(value, at, source))
            del kept[:-HISTORY_KEPT]

    def _log(self, record_id: int, name: str, value: str, before: str, source: Source, at: int) -> None:
        seq = self.log[-1].seq + 1 if self.log else 1
        self.log.append(Written(seq, record_id, name, value, before, source, at))
