"""Where the waves of a backfill are written down, what they have written, and how large one may be.

Those of the whole backfill are kept with the connection, those of a range with the range, those of a
selection nowhere. Ranges that are made at once share one wave; what a range leaves when it ends is never
more than its share, were all of them made at once. Knows neither what is read nor when to wait.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from icp_sync.journal import Journal, Lease
from icp_sync.journal.backfills import BackfillState, Sent
from icp_sync.journal.partitions import Range
from icp_sync.ports import Position, Stream
from icp_sync.sync.cycle import Parts

_BACKFILL = Stream.BACKFILL.value
HEAD = ""
"""The part of a backfill that was made before it was cut; the first range goes on with its wave."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tried:
    """Accounts of waves under way."""

    written: int = 0
    refused: int = 0
    deferred: int = 0


class Book(Protocol):
    """One for each making of a backfill, of a range or of a selection."""

    waits: bool
    """Whether one that is halted waits for a person."""

    def taken(self, lease: Lease) -> None:
        """It is made under this lease."""

    def left(self) -> BackfillState:
        """Where the waves were left."""

    def keep(self, state: BackfillState) -> None:
        """Where they are. Raises LostLeaseError where that is another's to say by now."""

    def stands(self) -> Position: ...

    def turn(self, page: Position) -> None:
        """The page up to there comes next."""

    def size(self, passed: int) -> int:
        """Accounts that may be written in a wave after so many, 0 for as many as there are."""

    def written_after(self, number: int) -> list[str]:
        """See `Journal.written_after`."""

    def sent_after(self, number: int, ids: Collection[str]) -> Mapping[str, Sent]:
        """See `Journal.sent_after`."""

    def elsewhere(self) -> Tried:
        """What the waves beside this one have tried so far."""


class Whole:
    """kept: whether all accounts are meant, not a selection."""

    def __init__(self, parts: Parts, *, kept: bool) -> None:
        self.waits = kept
        self._journal, self._pacing = parts.journal, parts.pacing

    def taken(self, lease: Lease) -> None:
        pass

    def left(self) -> BackfillState:
        """At the canary, unless a part was settled: the position moves with the first one."""
        begun = self.waits and self.stands() != Position()
        return self._journal.backfill_state() if begun else BackfillState()

    def keep(self, state: BackfillState) -> None:
        if self.waits:
            self._journal.set_backfill_state(state)

    def stands(self) -> Position:
        return self._journal.position(_BACKFILL)

    def turn(self, page: Position) -> None:
        pass

    def size(self, passed: int) -> int:
        return self._pacing.wave if passed or not self._pacing.canary else self._pacing.canary

    def written_after(self, number: int) -> list[str]:
        return self._journal.written_after(number, _BACKFILL, (HEAD,))

    def sent_after(self, number: int, ids: Collection[str]) -> Mapping[str, Sent]:
        return self._journal.sent_after(number, _BACKFILL, ids, (HEAD,))

    def elsewhere(self) -> Tried:
        return Tried()


class OfRange:
    """Of the range of this name. first: whether it goes on with the wave that was under way at the cut."""

    waits = True

    def __init__(self, parts: Parts, name: str, *, first: bool, ranges: int) -> None:
        self._parts, self._journal = parts, parts.journal
        self._name, self._ranges = name, max(1, ranges)
        self._runs = (HEAD, name) if first else (name,)
        self._lease: Lease | None = None
        self._held, self._ends = 1, False

    def taken(self, lease: Lease) -> None:
        self._lease = lease

    def left(self) -> BackfillState:
        found = next((one for one in self._found() if one.name == self._name), None)
        state = found.state if found else BackfillState()
        return replace(state, holds=self._journal.backfill_state().holds)

    def keep(self, state: BackfillState) -> None:
        if self._lease is not None:
            self._journal.keep_range(self._lease, replace(state, halted="", at=0.0, request=""))

    def stands(self) -> Position:
        return self._journal.position(_BACKFILL, self._name)

    def turn(self, page: Position) -> None:
        self._held = max(1, self._journal.held_ranges(now=self._parts.clock()))
        self._ends = page.finished

    def size(self, passed: int) -> int:
        """A canary is shared by all ranges, for each of them begins with one. A wave is shared by those under
        way; at its end a range writes no more than would be its share were all of them."""
        pacing = self._parts.pacing
        if not passed and pacing.canary:
            return max(1, pacing.canary // self._ranges)
        return max(1, pacing.wave // (self._ranges if self._ends else self._held)) if pacing.wave else 0

    def written_after(self, number: int) -> list[str]:
        return self._journal.written_after(number, _BACKFILL, self._runs)

    def sent_after(self, number: int, ids: Collection[str]) -> Mapping[str, Sent]:
        return self._journal.sent_after(number, _BACKFILL, ids, self._runs)

    def elsewhere(self) -> Tried:
        others = [
            one
            for one in self._found()
            if one.name != self._name and not one.position.finished and one.state.log_from is not None
        ]
        since = min((one.state.log_from or 0 for one in others), default=None)
        names = [one.name for one in others]
        return Tried(
            written=0 if since is None else len(self._journal.written_after(since, _BACKFILL, names)),
            refused=sum(one.state.refused for one in others),
            deferred=sum(one.state.deferred for one in others),
        )

    def _found(self) -> list[Range]:
        return self._journal.ranges(now=self._parts.clock())


def halt(journal: Journal, why: str, *, now: float, holds: bool) -> str:
    """Keep with the connection that its backfill goes no further, and for which request it was made. Returns
    why: where another range has halted it already, what that one said.

    holds: because of what the guard holds; a person who lets it go on has seen that.
    """
    state, request = journal.backfill_state(), str(journal.backfill_request())
    if state.halted and state.request == request:
        return state.halted
    journal.set_backfill_state(
        replace(state, halted=why, at=now, request=request, holds=holds or state.holds)
    )
    return why
