"""The sources of one connection, each with its health: who may be asked now, and who is left alone.

Out of credit or not entitled, a source is left alone for hours and the next in line is asked; after failures
in a row for minutes, then one question tries whether it is well again. Other processes see it in the journal.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import overload

from icp_sync.journal import Journal
from icp_sync.journal.bought import VendorState
from icp_sync.observe import log
from icp_sync.ports import Answer, Enricher, Hit, Miss, Pending, Request, Unavailable
from icp_sync.sync.charges import Charges
from icp_sync.sync.experience import Experience
from icp_sync.sync.fitting import credits_of, fitted

FAILURES = 5
"""Failed batches in a row after which a source is left alone."""
REST = 300.0
"""Seconds it is left alone then; twice as long after every trial that fails, up to `LONGEST`."""
LONGEST = 3_600.0
NO_USE = 6 * 3_600.0
"""Seconds until a source without credit or right is asked again: somebody has to do something first."""
THROTTLED = "throttled"
LASTING = ("no_credit", "not_entitled")
"""Kinds of refusal that another company's question would meet, too."""
MOST = 7 * 86_400.0
"""Seconds no rest is longer than."""
LOOK_AGAIN = 60.0
"""Seconds after which the journal is read again: other processes ask the same sources."""
AHEAD = 3_600.0
"""Seconds that clocks of several machines may differ; what was noted later than that was not now."""

_speechless: set[str] = set()
"""Sources whose `takes` fails; said once, as it is asked for every account."""


class Vendors(Sequence[Enricher]):
    """The enrichers in their order, with what asking them has taught. Safe to share between threads."""

    def __init__(self, enrichers: Sequence[Enricher]) -> None:
        self._enrichers = tuple(fitted(enricher) for enricher in enrichers)
        self._states: dict[str, VendorState] = {}
        self._read: dict[str, float] = {}
        self._trial: set[str] = set()
        self._lock = threading.RLock()
        self.experience = Experience()
        self.charges = Charges()

    @classmethod
    def of(cls, enrichers: Sequence[Enricher]) -> Vendors:
        """These enrichers with their health; the same object where it has one already."""
        return enrichers if isinstance(enrichers, cls) else cls(enrichers)

    @property
    def free(self) -> Vendors:
        """Those that cost nothing, as far as is known by now, with the same health and experience."""
        some = Vendors(())
        some._enrichers = tuple(e for e in self._enrichers if not self.charges.costs(e))
        some._states, some._read, some._trial, some._lock = self._states, self._read, self._trial, self._lock
        some.experience, some.charges = self.experience, self.charges
        return some

    def __len__(self) -> int:
        return len(self._enrichers)

    @overload
    def __getitem__(self, index: int) -> Enricher: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Enricher]: ...
    def __getitem__(self, index: int | slice) -> Enricher | Sequence[Enricher]:
        return self._enrichers[index]

    def __iter__(self) -> Iterator[Enricher]:
        return iter(self._enrichers)

    def resting(self, name: str, journal: Journal, now: float) -> VendorState | None:
        """How this source is while it is not to be asked, None when it may be."""
        state = self._state(name, journal, now)
        if now < state.open_until:  # somebody else may have found it well meanwhile, or had it forgiven
            told = believed(journal.vendor(name), now)
            if told.open_until < state.open_until:
                with self._lock:
                    state = self._states[name] = told
        return state if now < state.open_until else None

    def forgive(self, name: str, journal: Journal, now: float) -> None:
        """Let a source that is left alone be tried at once, because a person says so: one question goes
        first, and decides like that after any rest."""
        with self._lock:
            state = self._state(name, journal, now)
            if now < state.open_until:
                self._states[name] = replace(state, open_until=now)
                journal.save_vendor(name, replace(state, open_until=now, at=now), now=now)

    def recovering(self, name: str, journal: Journal, now: float) -> bool:
        """Whether it was left alone and has not been seen to be well since."""
        return self._state(name, journal, now).open_until > 0

    def begins(self, name: str, journal: Journal, now: float) -> bool:
        """Whether a batch may be sent now. After a rest one goes alone, to see whether the source is well."""
        with self._lock:
            state = self._state(name, journal, now)
            if now < state.open_until or name in self._trial:
                return False
            if state.open_until:
                self._trial.add(name)
            return True

    def broke_off(self, name: str) -> None:
        """Note that nothing was learned of a batch that had begun: the next one may try."""
        with self._lock:
            self._trial.discard(name)

    def ended(self, enricher: Enricher, answers: Sequence[Answer], journal: Journal, now: float) -> None:
        """Note what a batch came to; remembered in the journal whenever the source's health changed."""
        with self._lock:
            self._trial.discard(enricher.name)
            left = credits_of(enricher)
            before = self._state(enricher.name, journal, now)
            if _learned(before, answers, left, now) == before:
                return
            before = self._states[enricher.name] = believed(journal.vendor(enricher.name), now)
            after = _learned(before, answers, left, now)  # others may have noted a rest meanwhile
            if after == before:
                return
            after = self._states[enricher.name] = replace(after, at=now)
            journal.save_vendor(enricher.name, after, now=now)  # before anybody reads it again
        if after.open_until > max(now, before.open_until):
            log("enrich").warning(
                "source left alone",
                enricher=enricher.name,
                kind=after.kind,
                message=after.message,
                seconds=round(after.open_until - now),
            )
        elif before.open_until and not after.open_until:
            log("enrich").info("source is well again", enricher=enricher.name)

    def _state(self, name: str, journal: Journal, now: float) -> VendorState:
        """As it was last seen, by this process or, a minute ago at most, by any."""
        with self._lock:
            read = self._read.get(name)
            if read is None or not read <= now < read + LOOK_AGAIN:
                self._states[name] = believed(journal.vendor(name), now)
                self._read[name] = now
            return self._states[name]


def believed(state: VendorState, now: float) -> VendorState:
    """The state as read from the journal. A rest that a clock has noted which was wrong then, or is now, is
    over: the source is tried."""
    if state.at > now + AHEAD:
        return replace(state, open_until=min(state.open_until, now))
    return replace(state, open_until=min(state.open_until, (state.at or now) + MOST))


def _learned(before: VendorState, answers: Sequence[Answer], left: float | None, now: float) -> VendorState:
    """The state after a batch. left: the credits its source says it has."""
    after = _after(before, answers, now)
    if now < before.open_until and after.open_until <= before.open_until:
        after = before  # it was sent before the rest began, and says nothing of its end
    return after if left is None else replace(after, credits_left=left)


def _after(before: VendorState, answers: Sequence[Answer], now: float) -> VendorState:
    """The health after a batch. One good answer is enough to be well."""
    if any(isinstance(answer, Hit | Miss | Pending) for answer in answers):
        return replace(before, failures=0, open_until=0.0, kind="", message="")
    refused = [a for a in answers if isinstance(a, Unavailable) and a.kind != "bad_input"]
    if not refused:
        return before
    worst = next((a for a in refused if a.kind in LASTING), refused[-1])
    told = replace(before, kind=worst.kind, message=worst.message[:200], failures=before.failures + 1)
    if worst.kind in LASTING:
        return replace(told, open_until=now + max(worst.retry_after or 0.0, NO_USE))
    if worst.kind == THROTTLED:
        return replace(told, open_until=now + (worst.retry_after or 60.0))
    if told.failures < FAILURES:
        return told
    rest = min(LONGEST, REST * 2 ** min(8, told.failures - FAILURES))
    return replace(told, open_until=now + max(rest, worst.retry_after or 0.0))


def takes(enricher: Enricher, request: Request) -> bool:
    """Whether a source can be asked about this one at all; not where it cannot tell."""
    try:
        asked = getattr(enricher, "takes", None)
        return bool(asked(request)) if callable(asked) else True
    except Exception as error:  # a third party's plugin may fail in any way
        if enricher.name not in _speechless:
            _speechless.add(enricher.name)
            what = type(error).__name__  # its text may hold what the account's record does
            log("enrich").warning("source cannot say whom it takes", enricher=enricher.name, error=what)
        return False
