"""A comparison over a large journal, in parts: a process for each, as many as there are processors."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from typing import TYPE_CHECKING

from icp_sync.reporting.rehearsal import EXAMPLES, Rehearsal, compare

if TYPE_CHECKING:
    from icp_sync.cli.grounds import Grounds
    from icp_sync.domain.profile import Profile
    from icp_sync.journal import Journal
    from icp_sync.journal.told import Told
    from icp_sync.reporting.subjects import Subject
    from icp_sync.settings import Settings

LARGE = 50_000
"""Accounts a process at least: with fewer it takes longer to start than it saves."""
PROCESSES = 4
"""At most: each needs as much memory as a command does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """Accounts of a journal after an id and up to another."""

    journal: Journal
    asked: frozenset[str]
    span: tuple[str, str]
    source: str

    def accounts(self, told: Told | None = None) -> Iterator[Subject]:
        from icp_sync.cli.subjects import in_journal

        return in_journal(self.journal, self.asked, told, self.span)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Task:
    """What a process needs to compare one part."""

    settings: Settings
    name: str
    source: str
    asked: frozenset[str]
    before: tuple[Profile, ...]
    after: tuple[Profile, ...]
    version: int
    limit: int

    def __call__(self, span: tuple[str, str]) -> Rehearsal:
        from icp_sync.cli.memory import keep_memory_flat
        from icp_sync.wiring import open_journal

        keep_memory_flat()
        journal = open_journal(self.settings, self.name)
        try:
            here = _Part(journal=journal, asked=self.asked, span=span, source=self.source)
            return compare(here, self.before, self.after, version=self.version, limit=self.limit)
        finally:
            journal.close()


def compared(
    here: Grounds,
    before: Sequence[Profile],
    after: Sequence[Profile],
    *,
    version: int = 0,
    limit: int = EXAMPLES,
) -> Rehearsal:
    """As `compare`, of all accounts there are."""
    cuts = here.journal.cuts(min(PROCESSES, os.cpu_count() or 1), LARGE) if here.table is None else ()
    if not cuts or here.settings is None:
        return compare(here, before, after, version=version, limit=limit)
    task = _Task(
        settings=here.settings,
        name=here.name,
        source=here.source,
        asked=here.asked,
        before=tuple(before),
        after=tuple(after),
        version=version,
        limit=limit,
    )
    spans = list(zip(("", *cuts), (*cuts, ""), strict=True))
    with ProcessPoolExecutor(len(spans), mp_context=get_context("spawn")) as processes:
        whole, *more = processes.map(task, spans)
    for part in more:
        whole.add(part)
    del whole.examples[limit:]
    return whole
