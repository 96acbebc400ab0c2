"""The search index: a snapshot of every record that trails the records themselves.

A write reaches the index only after its lag; until then a search matches and sorts on the old values. The
index knows ids, stamps and properties, not what a search looks like on the wire.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Mapping
from heapq import heappop, heappush
from typing import NamedTuple


class Version(NamedTuple):
    """One state of a record. `props` is shared with the record and never changed in place."""

    seq: int
    id: int
    created: int
    modified: int
    props: Mapping[str, str]


class Index:
    """What a search can see. Instants are ms of the simulator's clock."""

    def __init__(self) -> None:
        self.visible: dict[int, Version] = {}
        self.ids: list[int] = []
        self.generation = 0
        self._stamps: list[tuple[int, int]] = []
        self._coming: list[tuple[int, int, int, Version | None]] = []
        self._held: dict[int, int] = {}
        self._gone: dict[int, int] = {}

    @property
    def waiting(self) -> int:
        """How many writes the index does not show yet."""
        return len(self._coming)

    def load(self, versions: Iterable[Version]) -> None:
        """Show many records at once, without lag."""
        self.visible.update((v.id, v) for v in versions)
        self.ids = sorted(self.visible)
        self._stamps = sorted((v.modified, v.id) for v in self.visible.values())
        self.generation += 1

    def publish(self, record_id: int, seq: int, version: Version | None, due: int) -> None:
        """Let a version (None: gone) become visible at `due`, or when the record's hold ends if later."""
        due = max(due, self._held.get(record_id, 0))
        heappush(self._coming, (due, seq, record_id, version))

    def hold(self, record_id: int, until: int) -> None:
        """Show nothing new of this record before `until`."""
        self._held[record_id] = max(until, self._held.get(record_id, 0))

    def held(self, record_id: int, now: int) -> bool:
        """Whether what happened to the record last is still kept back."""
        return self._held.get(record_id, 0) > now

    def catch_up(self, now: int) -> None:
        """Show everything due by `now`. An older version never replaces a newer one."""
        while self._coming and self._coming[0][0] <= now:
            _, seq, record_id, version = heappop(self._coming)
            if self._held.get(record_id, now + 1) <= now:
                del self._held[record_id]
            self._show(record_id, seq, version)

    def between(self, lower: int, upper: int) -> Iterator[Version]:
        """Versions whose stamp lies in `[lower, upper]`, in stamp order."""
        start = bisect_left(self._stamps, (lower, -1))
        end = bisect_right(self._stamps, (upper, 1 << 62))
        shown = self.visible.get
        for modified, record_id in self._stamps[start:end]:
            version = shown(record_id)
            if version is not None and version.modified == modified:
                yield version

    def _show(self, record_id: int, seq: int, version: Version | None) -> None:
        shown = self.visible.get(record_id)
        if seq < (shown.seq if shown is not None else self._gone.get(record_id, 0)):
            return
        self.generation += 1
        if version is None:
            self._gone[record_id] = seq
            if shown is not None:
                del self.visible[record_id]
                del self.ids[bisect_left(self.ids, record_id)]
            return
        self.visible[record_id] = version
        if shown is None:
            insort(self.ids, record_id)
        if shown is None or shown.modified != version.modified:
            self._note((version.modified, record_id))
        if len(self._stamps) > 2 * len(self.visible) + 1000:
            self._stamps = sorted((v.modified, v.id) for v in self.visible.values())

    def _note(self, stamp: tuple[int, int]) -> None:
        """Keep a stamp once, though a record may come back to one it had."""
        at = bisect_left(self._stamps, stamp)
        if self._stamps[at : at + 1] != [stamp]:
            self._stamps.insert(at, stamp)
