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
        self._parts: list[Stopping] = []

    def going(self) -> bool:
        return not self.draining.is_set()

    def part(self) -> Stopping:
        """One that stops with this one, or by itself before: of a connection that may end alone."""
        made = Stopping(self._grace)
        self._parts = [one for one in self._parts if not one.ended.is_set()] + [made]
        if self.draining.is_set():  # a signal may have come in between
            made._begin()
        if self.ended.is_set():
            made.end()
        return made

    def drain(self) -> None:
        """Begin to stop. Safe to call again."""
        if self.draining.is_set():
            return
        self._begin()
        timer = threading.Timer(self._grace, self.end)
        timer.daemon = True
        timer.start()

    def end(self) -> None:
        """Whatever still waits ends now."""
        self.draining.set()
        self.ended.set()
        for one in self._parts:
            one.end()

    def _begin(self) -> None:
        self.draining.set()
        for one in self._parts:
            one._begin()

    @contextmanager
    def on_signals(self, hangup: threading.Event | None = None) -> Iterator[None]:
        """SIGTERM and SIGINT stop this; the handlers of before come back afterwards. Main thread only.

        hangup: set by SIGHUP, which otherwise means what it meant before.
        """

        def told(number: int, _: object) -> None:
            if self.draining.is_set():
                os._exit(AT_ONCE)
            self.drain()
            log("stopping").info(
                "stopping: the page in flight is finished first", signal=signal.Signals(number).name
            )

        before = {number: signal.signal(number, told) for number in (signal.SIGTERM, signal.SIGINT)}
        if hangup is not None:
            before[signal.SIGHUP] = signal.signal(signal.SIGHUP, lambda *_: hangup.set())
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
