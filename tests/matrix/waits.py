"""Waits that take no time: for the end of the process, and for a limit."""

from __future__ import annotations

import threading
import time


class Hurried(threading.Event):
    """A wait for the end of the process that is over at once."""

    def wait(self, timeout: float | None = None) -> bool:
        return super().wait(None if timeout is None else min(timeout, 0.002))


class Ticks:
    """Monotonic seconds that jump ahead when somebody sleeps."""

    def __init__(self) -> None:
        self._ahead = 0.0

    def __call__(self) -> float:
        return time.monotonic() + self._ahead

    def sleep(self, seconds: float) -> bool:
        self._ahead += seconds
        return False
