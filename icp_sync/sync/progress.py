"""What a long run has done so far, kept with it now and then, so that others see how far it is and a process
that dies takes little of it along. Must not know who looks.
"""

from __future__ import annotations

from collections.abc import Callable

from icp_sync.journal import Journal
from icp_sync.ports import Stream
from icp_sync.sync.report import Report

EVERY = 10.0
"""Seconds between two notes; the first is made at once."""
LONG = frozenset({Stream.BACKFILL, Stream.SWEEP})


class Progress:
    """Of one run; what it does at the end is its own business."""

    def __init__(self, journal: Journal, run: str, stream: Stream, clock: Callable[[], float]) -> None:
        self._journal, self._run, self._clock = journal, run, clock
        self._long = stream in LONG
        self._at: float | None = None

    def note(self, report: Report) -> None:
        """Keep the counts, without examples, if it is time and the run leaves traces at all."""
        now = self._clock()
        if not self._long or not report.apply or (self._at is not None and now - self._at < EVERY):
            return
        self._at = now
        counts = {**report.to_json(), "changes": [], "left_alone": [], "problems": [], "restored": []}
        self._journal.report_run(self._run, counts)
