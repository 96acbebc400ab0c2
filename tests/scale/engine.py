"""Simulated time: processes that wait, and things they share. Knows nothing of what is simulated.

A process is a generator. It yields seconds to wait, or a `Gate` to wait until it opens; `yield from` calls
another within it.
"""

from __future__ import annotations

import heapq
from collections.abc import Generator
from dataclasses import dataclass, field
from itertools import count

Process = Generator["float | Gate", None, None]


class Gate:
    """Something waited for, which happens once."""

    __slots__ = ("_time", "_waiting", "is_open")

    def __init__(self, time: Time) -> None:
        self._time, self._waiting, self.is_open = time, list[Process](), False

    def open(self) -> None:
        if not self.is_open:
            self.is_open = True
            for process in self._waiting:
                self._time.later(0.0, process)
            self._waiting = []

    def join(self, process: Process) -> None:
        if self.is_open:
            self._time.later(0.0, process)
        else:
            self._waiting.append(process)


class Time:
    """now: seconds since the beginning. What is to happen at the same instant happens in the order asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.events = 0
        self._order = count()
        self._queue: list[tuple[float, int, Process]] = []

    def later(self, seconds: float, process: Process) -> None:
        heapq.heappush(self._queue, (self.now + seconds, next(self._order), process))

    def start(self, process: Process) -> Gate:
        """Let it begin now; the gate opens when it has ended."""
        gate = Gate(self)
        self.later(0.0, self._ending(process, gate))
        return gate

    def run(self, until: Gate, most: float) -> bool:
        """Until the gate opens, or so many seconds have passed: then false."""
        while self._queue and not until.is_open:
            at, _, process = heapq.heappop(self._queue)
            if at > most:
                self.now = most
                return False
            self.now = at
            self.events += 1
            try:
                wanted = next(process)
            except StopIteration:
                continue
            if isinstance(wanted, Gate):
                wanted.join(process)
            else:
                self.later(wanted, process)
        return until.is_open

    def _ending(self, process: Process, gate: Gate) -> Process:
        yield from process
        gate.open()


@dataclass(slots=True)
class Shared:
    """Processors that all work gets an equal part of, and nobody more than one of.

    worked: processor seconds so far. Processor sharing by virtual time: what one task has had while it was
    there is the same for all, so each ends when that has grown by what it needs.
    """

    time: Time
    processors: float
    worked: float = 0.0
    _had: float = 0.0
    _at: float = 0.0
    _tasks: list[tuple[float, int, Gate]] = field(default_factory=list)
    _order: count[int] = field(default_factory=count)
    _turn: int = 0

    def use(self, seconds: float) -> Gate:
        """So much of one processor; the gate opens when it has had it."""
        gate = Gate(self.time)
        if seconds <= 0:
            gate.open()
            return gate
        self._advance()
        heapq.heappush(self._tasks, (self._had + seconds, next(self._order), gate))
        self._again()
        return gate

    def _speed(self) -> float:
        return min(1.0, self.processors / len(self._tasks)) if self._tasks else 0.0

    def _advance(self) -> None:
        passed = self.time.now - self._at
        if passed > 0 and self._tasks:
            self._had += passed * self._speed()
            self.worked += passed * min(self.processors, len(self._tasks))
        self._at = self.time.now

    def _again(self) -> None:
        """Look when the next of them is done, unless somebody has come by then."""
        self._turn += 1
        if self._tasks:
            left = max(0.0, self._tasks[0][0] - self._had) / self._speed()
            self.time.later(left, self._done(self._turn))

    def _done(self, turn: int) -> Process:
        if turn == self._turn:
            self._advance()
            while self._tasks and self._tasks[0][0] <= self._had + 1e-9:
                heapq.heappop(self._tasks)[2].open()
            self._again()
        return
        yield 0.0
