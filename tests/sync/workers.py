"""Workers that share a backfill: each with a journal handle of its own, told when to stop, mortal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal
from icp_sync.sync.backfill import backfill, help_backfill
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.report import Report
from icp_sync.sync.waves import HaltedError
from tests.sync.world import World


class DiedError(BaseException):
    """The process is gone: whatever it would have said to the journal next is never said."""


class MortalJournal(Journal):
    """A journal as one process holds it."""

    dead = False

    @contextmanager
    def writing(self, what: str) -> Iterator[Any]:
        if self.dead:
            raise DiedError
        with super().writing(what) as conn:
            yield conn


@dataclass
class Worker:
    """`meanwhile` runs after each part it settled; then it goes on for as long as `parts_left` says."""

    world: World
    name: str
    pacing: Pacing
    meanwhile: Callable[[], None] = lambda: None
    parts_left: int = 10_000
    reports: list[Report] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.journal = self._opened()

    def _opened(self) -> MortalJournal:
        shared = self.world.open()
        return MortalJournal(shared.engine, shared.connection)

    def parts(self) -> Parts:
        return replace(self.world.parts(self.journal, self.name), pacing=self.pacing)

    def make(
        self, parts: int = 10_000, *, dies: bool = False, restart: bool = False, **how: bool
    ) -> Report | None:
        """What the worker's own backfill does: at most so many parts, after which it stops or dies."""
        return self._work(
            lambda scope: backfill(self.parts(), replace(scope, restart=restart), **how), parts, dies
        )

    def help(self, parts: int = 10_000, *, dies: bool = False) -> Report | None:
        return self._work(lambda scope: help_backfill(self.parts(), scope), parts, dies)

    def _work(self, act: Callable[[Scope], Report | None], parts: int, dies: bool) -> Report | None:
        self.parts_left = parts
        left = [parts]

        def ticked(_: Report) -> None:
            left[0] -= 1
            if left[0] <= 0 and dies:
                self.journal.dead = True
            self.meanwhile()

        def wait(seconds: float) -> None:
            self.world.clock.step(seconds)
            left[0] -= 0 if seconds < 1 else 1
            self.meanwhile()

        try:
            report = act(Scope(ticked=ticked, going=lambda: left[0] > 0, wait=wait))
        except HaltedError as error:
            report = error.report
        except LostLeaseError:
            return None
        except DiedError:
            self.journal.engine.dispose()
            self.journal = self._opened()
            return None
        if report is not None:
            self.reports.append(report)
        return report

    def close(self) -> None:
        self.journal.close()
