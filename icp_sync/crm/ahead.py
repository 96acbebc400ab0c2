"""Make items ahead of their consumer, in threads. Knows nothing of what the items are.

`ahead` runs one iterator. `abreast` runs several chains at once whose items, one chain after the other,
are one sequence: within a chain each item needs the one before, between chains nothing does.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Iterator
from contextvars import copy_context
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

R = TypeVar("R")
T = TypeVar("T")

_LOOK = 0.2  # seconds between looks whether the consumer has gone


@dataclass(frozen=True, slots=True)
class _Item(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None


def ahead(items: Iterator[T], depth: int) -> Iterator[T]:
    """The items in order, at most `depth` of them made in advance; an error comes in its place.

    Closing the result (or dropping it) ends the thread after the item it is making.
    """
    made: queue.Queue[_Item[T] | _End] = queue.Queue(maxsize=max(1, depth))
    left = threading.Event()

    def offer(item: _Item[T] | _End) -> bool:
        while not left.is_set():
            try:
                made.put(item, timeout=_LOOK)
                return True
            except queue.Full:
                continue
        return False

    def make() -> None:
        error: BaseException | None = None
        try:
            for value in items:
                if not offer(_Item(value)):
                    return
        except BaseException as caught:  # handed over whole: the consumer decides
            error = caught
        offer(_End(error))

    threading.Thread(target=copy_context().run, args=(make,), name="read-ahead", daemon=True).start()
    try:
        while True:
            item = made.get()
            if isinstance(item, _End):
                if item.error is not None:
                    raise item.error
                return
            yield item.value
    finally:
        left.set()


class Chain(Protocol[R, T]):
    """One stretch of the sequence. Only `ask` may wait; the others are called by one thread at a time."""

    ended: bool

    def ask(self) -> R:
        """What the next item is made of; not called again before `take` has had it."""

    def take(self, reply: R) -> T:
        """The next item. Sets `ended` with the last one."""

    def fork(self) -> Chain[R, T] | None:
        """A chain for the latter part of what is left here, which this one then leaves to it; None where
        that is not worth it. May be called between `ask` and `take`."""


def abreast(first: Chain[R, T], *, chains: int, held: int, enough: int) -> Iterator[T]:
    """The items of `first` and of every chain forked from it, in order; an error comes in its place.

    chains: run at once at most. held: once so many items are made, only the chain whose turn it is goes on.
    enough: nobody makes another while the consumer could be given so many at once. So never more than
    `held + enough + chains` are in memory.
    Closing the result (or dropping it) ends the threads after the items they are making.
    """
    run = _Run(first, chains=max(1, chains), held=held, enough=max(1, enough))
    try:
        yield from run.items()
    finally:
        run.leave()


@dataclass(slots=True)
class _Lane(Generic[R, T]):
    """A chain and what it has made."""

    chain: Chain[R, T]
    made: deque[T] = field(default_factory=deque)
    asking: bool = False
    error: BaseException | None = None


class _Run(Generic[R, T]):
    """Any thread makes the next item of any chain, the earliest chain first."""

    def __init__(self, first: Chain[R, T], *, chains: int, held: int, enough: int) -> None:
        self._lanes: list[_Lane[R, T]] = [_Lane(first)]
        self._chains, self._most, self._enough = chains, held, enough
        self._held = 0
        self._threads = 0
        self._left = False
        self._turn = threading.Condition()

    def items(self) -> Iterator[T]:
        while True:
            with self._turn:
                while (item := self._next_made()) is None:
                    if not self._lanes:
                        return
                    self._hire()
                    self._turn.wait()
            yield item.value

    def leave(self) -> None:
        with self._turn:
            self._left = True
            self._turn.notify_all()

    def _next_made(self) -> _Item[T] | None:
        """The next item in order, if it is made. Drops what has ended; raises the error whose place it is."""
        while self._lanes:
            lane = self._lanes[0]
            if lane.made:
                self._held -= 1
                self._turn.notify_all()
                return _Item(lane.made.popleft())
            if lane.error is not None:
                raise lane.error
            if not lane.chain.ended:
                return None
            del self._lanes[0]
        return None

    def _hire(self) -> None:
        """One more thread for each thing to do that nobody is there for."""
        while self._threads < self._chains and (lane := self._choose()) is not None:
            lane.asking = True
            self._threads += 1
            context = copy_context()  # the threads work for whoever hires them
            threading.Thread(
                target=context.run, args=(self._work, lane), name="read-ahead", daemon=True
            ).start()

    def _work(self, lane: _Lane[R, T] | None) -> None:
        while lane is not None:
            try:
                reply = lane.chain.ask()
                with self._turn:
                    lane.made.append(lane.chain.take(reply))
                    self._held += 1
            except BaseException as caught:  # handed over whole: the consumer decides
                lane.error = caught
            with self._turn:
                lane.asking = False
                self._turn.notify_all()
                lane = self._wait_for_work()

    def _wait_for_work(self) -> _Lane[R, T] | None:
        while not self._left:
            lane = self._choose()
            if lane is not None:
                lane.asking = True
                return lane
            self._turn.wait()
        return None

    def _choose(self) -> _Lane[R, T] | None:
        """The lane to make the next item of, None when nobody should make one now."""
        if self._left or self._ready() >= self._enough:
            return None
        first = True
        for lane in self._lanes:
            if lane.error is not None:
                return None  # what comes after it will not be wanted
            if lane.chain.ended:
                continue
            if not first and self._held >= self._most:
                return None
            if not lane.asking:
                return lane
            first = False
        return self._forked() if self._held < self._most else None

    def _forked(self) -> _Lane[R, T] | None:
        if sum(not lane.chain.ended for lane in self._lanes) >= self._chains:
            return None
        for nth, lane in enumerate(self._lanes):
            if not lane.chain.ended and (chain := lane.chain.fork()) is not None:
                self._lanes.insert(nth + 1, _Lane(chain))
                return self._lanes[nth + 1]
        return None

    def _ready(self) -> int:
        """How many items the consumer could be given without waiting."""
        ready = 0
        for lane in self._lanes:
            ready += len(lane.made)
            if not lane.chain.ended:
                break
        return ready
