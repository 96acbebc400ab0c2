"""Run an iterator a few items ahead of its consumer, in a thread. Knows nothing of what it carries."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

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

    threading.Thread(target=make, name="read-ahead", daemon=True).start()
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
