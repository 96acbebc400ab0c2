"""What must be remembered of bulk jobs, so that a crash leaves none running unseen. Knows no storage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol


class Jobs(Protocol):
    """The journal's list of ingest jobs that may be writing. Durable once a call returns."""

    def begun(self, job_id: str, account_ids: Sequence[str]) -> None:
        """This job is about to be let loose on these accounts."""

    def ended(self, job_id: str) -> None:
        """It writes no more; its accounts are read again like all others."""

    def open(self) -> Mapping[str, Sequence[str]]:
        """Jobs begun and not ended, with their accounts."""
