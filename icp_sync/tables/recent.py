"""What was asked for of late, in a bounded place: two generations, of which the older is dropped whole.

Cheaper than a queue of uses, and what is asked for again and again is never dropped.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Generic, TypeVar

Value = TypeVar("Value")


class Recent(Generic[Value]):
    """Up to twice `size` values by key."""

    __slots__ = ("_newer", "_older", "_size")

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: dict[Hashable, Value] = {}
        self._older: dict[Hashable, Value] = {}

    def get(self, key: Hashable) -> Value | None:
        """The value kept under this key, None when there is none any more."""
        found = self._newer.get(key)
        if found is None:
            found = self._older.get(key)
            if found is not None:
                self.keep(key, found)
        return found

    def keep(self, key: Hashable, value: Value) -> Value:
        """Keep a value, and give it back."""
        if len(self._newer) >= self._size:
            self._older, self._newer = self._newer, {}
        self._newer[key] = value
        return value
