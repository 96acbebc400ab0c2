"""How the worker is told to stop: first gently, then firmly, then at once.

A first SIGTERM or SIGINT begins the drain: no new page is taken, the page in flight is committed. After a
grace period every wait (rate limits, retries) ends too, and what was not committed is repeated by the next
start. A second signal ends the process on the spot; nothing is lost by that either.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from icp_sync.observe import log

GRACE = 10.0
"""Seconds the page in flight may still wait for rate limits and retries."""
AT_ONCE = 130


class Stopping:
    """draining: set once no new page may begin. ended: set once nothing may wait or be sent any more."""

    def __init__(self, grace: float = GRACE) -> None:
        self.draining = threading.Event()
        self.ended = threading.Event()
        self._grace = grace

    def going(self) -> bool:
        return not self.draining.is_set()

    def drain(self) -> None:
        """Begin to stop. Safe to call again."""
        if self.draining.is_set():
            return
        self.draining.set()
        timer = threading.Timer(self._grace, self.ended.set)
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        """Whatever still waits ends now."""
        self.draining.set()
        self.ended.set()

    @contextmanager
    def on_signals(self) -> Iterator[None]:
        """SIGTERM and SIGINT stop this; the handlers of before come back afterwards. Main thread only."""

        def told(number: int, _: object) -> None:
            if self.draining.is_set():
                os._exit(AT_ONCE)
            self.drain()
            log("stopping").info(
                "stopping: the page in flight is finished first", signal=signal.Signals(number).name
            )

        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
