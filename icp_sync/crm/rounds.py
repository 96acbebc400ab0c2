"""Writes that one request may hold. Knows no CRM."""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.domain.plan import Write


def rounds(writes: Sequence[Write]) -> list[list[Write]]:
    """Writes of distinct accounts together, those of one account in the order given: a batch that names an
    id twice is refused."""
    made: list[list[Write]] = []
    times: dict[str, int] = {}
    for write in writes:
        nth = times.get(write.account_id, 0)
        times[write.account_id] = nth + 1
        if nth == len(made):
            made.append([])
        made[nth].append(write)
    return made
