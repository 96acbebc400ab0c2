"""The daemon of the real command line, beside which people work; started, awaited, ended politely."""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

from tests.soak.ground import Ground

Found = TypeVar("Found")
PATIENCE = 600.0
"""Seconds after which something that was to happen never will; a failure, not a measure."""
LOOK = 0.05


def until(holds: Callable[[], Found], what: str) -> Found:
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(LOOK)
    return found


@contextmanager
def worker(at: Ground, settings: Mapping[str, str] | None = None) -> Iterator[int]:
    """The daemon's process id. settings: key of the connection ("schedule__sweep") → value."""
    env = {f"ICP_SYNC_CONNECTIONS__MAIN__{key.upper()}": value for key, value in (settings or {}).items()}
    pid = at.nursery.start(*at.args("run"), env={"ICP_SYNC_FAULT": "", **env})
    try:
        if at.file is not None:
            lock = Path(f"{at.file}.lock")
            until(lambda: lock.exists() and str(pid) in lock.read_text(), "the worker holds the journal")
        yield pid
    finally:
        if at.nursery.lives(pid):
            os.kill(pid, signal.SIGTERM)
            ended = at.nursery.wait(pid)
            assert ended.code == 0, ended.err[-2000:]


def passes(at: Ground) -> Counter[str]:
    """Stream → cycles that have ended."""
    return Counter(run.kind for run in at.wired.journal.runs(100_000) if run.ended_at is not None)


def further(at: Ground, times: int, streams: tuple[str, ...]) -> Counter[str]:
    """Wait until each of these streams has ended so many cycles more; how many they were."""
    before = passes(at)
    until(lambda: all(passes(at)[s] - before[s] >= times for s in streams), f"{times} cycles of {streams}")
    return passes(at) - before
