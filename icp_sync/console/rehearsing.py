"""What the candidate files would make of all accounts, computed beside the requests and kept in memory.

A million accounts take minutes; so one comparison at a time is made by a thread of its own, which leaves the
worker most of the processor, and pages say how far it is and how old its result.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary, ref

from icp_sync.domain.kin import kin_facts
from icp_sync.errors import IcpSyncError
from icp_sync.observe import log
from icp_sync.reporting import subjects
from icp_sync.reporting.rehearsal import Rehearsal, compare

if TYPE_CHECKING:
    from icp_sync.console.figures import Figures
    from icp_sync.console.place import Place
    from icp_sync.domain.profile import Profile
    from icp_sync.journal import Journal
    from icp_sync.journal.told import Told
    from icp_sync.reporting.subjects import Subject

MOST = 20_000
"""Accounts that move and are kept by name; they are counted all."""
EACH = 2_000
"""The most of these of one move."""
SOME = 5
"""Accounts after which the other threads have their turn: a page that asks for the interpreter dozens of
times waits a moment each time, not until this thread is made to let go."""
BREATH = 0.00005
"""Seconds of that turn at least."""
_ONE = threading.Lock()
"""At a time, whatever the connection."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is compared: version is the active one, digest that of the candidate files."""

    version: int
    digest: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A result, or why there is none. at: when it was begun, took: seconds."""

    asked: Asked
    at: float
    took: float
    result: Rehearsal | None
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Journaled:
    journal: Journal
    asked: frozenset[str]
    source: str = "the journal"

    def accounts(self, told: Told | None = None) -> Iterator[Subject]:
        for n, one in enumerate(subjects.in_journal(self.journal, self.asked, told)):
            if n % SOME == 0:
                time.sleep(BREATH)
            yield one


class _EndedError(Exception):
    """The console ends."""


class Rehearsing:
    """The comparison of one connection: the last that was made, and how far the next one is."""

    def __init__(self, found: Figures, clock: Callable[[], float]) -> None:
        self._journal, self._clock = found.place.journal, clock
        self._found = ref(found)  # which is what keeps this here
        self._lock = threading.Lock()
        self.made: Made | None = None
        self.running: Asked | None = None
        self.looked = 0
        """Accounts the running one has looked at."""

    def begin(self, asked: Asked, before: Sequence[Profile], after: Sequence[Profile]) -> bool:
        """Start one; false while another is being made."""
        with self._lock:
            if self.running is not None:
                return False
            self.running, self.looked = asked, 0
        args = (asked, tuple(before), tuple(after))
        threading.Thread(target=self._run, args=args, name="rehearsing", daemon=True).start()
        return True

    def _run(self, asked: Asked, before: Sequence[Profile], after: Sequence[Profile]) -> None:
        result, error, at = None, "", self._clock()
        try:
            with _ONE:
                at = self._clock()
                here = _Journaled(journal=self._journal, asked=kin_facts((*before, *after)))
                result = compare(
                    here, before, after, version=asked.version, limit=MOST, each=EACH, ticked=self._ticked
                )
        except _EndedError:
            error = "it was stopped"
        except IcpSyncError as failure:
            error = str(failure)
        except Exception as failure:  # a thread of its own: nobody else would hear of it
            log("console").error("this should not have happened", error=repr(failure))
            error = "something went wrong that nobody foresaw; the worker's log says what"
        took = max(0.0, self._clock() - at)
        with self._lock:
            self.made = Made(asked=asked, at=at, took=took, result=result, error=error)
            self.running = None

    def _ticked(self, looked: int) -> None:
        self.looked = looked
        found = self._found()
        if found is None or found.stopped:
            raise _EndedError


_OF: WeakKeyDictionary[Figures, Rehearsing] = WeakKeyDictionary()
_OF_LOCK = threading.Lock()


def rehearsing_of(found: Figures, clock: Callable[[], float]) -> Rehearsing:
    """That of a connection."""
    with _OF_LOCK:
        if found not in _OF:
            _OF[found] = Rehearsing(found, clock)
        return _OF[found]


def forget(place: Place) -> None:
    """Let the next who looks have it made anew; one that is being made goes on."""
    with _OF_LOCK:
        for found, one in _OF.items():
            if found.place is place:
                one.made = None
