"""A backfill in waves: a small one first, then a watch, then larger ones with pauses, halted when it hurts.

What makes automations of a CRM dangerous is not one write but fifty thousand of them before anybody looks.
So after each wave its accounts are looked at again: when many of them were changed within minutes of our
write, something reacts to it, and a person must decide. A wave outlives its process: what follows it first
fills it up, then watches it and looks at it, however often it is cut short. A selection keeps its waves to
itself: what it passed, or was halted for, says nothing of the whole. Knows neither who asked nor what is
written.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from icp_sync.domain.guard import Rule
from icp_sync.errors import UnsafePlanError
from icp_sync.journal.backfills import BackfillState
from icp_sync.observe import log
from icp_sync.ports import Page, Position
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.reactions import reaction
from icp_sync.sync.recalling import read_again
from icp_sync.sync.report import Report
from icp_sync.sync.settle import Run
from icp_sync.sync.wave_book import Book, Whole, halt

ALERT = "backfill halted"
RESUME = "icp-sync run --backfill --resume"
AGAIN = "look at what it wrote, then the same command again: it begins with another canary"
NEARLY = 0.9
"""Share of its size from which a wave is over: never more than its size, and no crumbs at its end."""
OUTDATED = 60.0
"""Seconds of waiting after which accounts that were read before it are read again."""
LOOK = 1.0
"""Seconds between looks whether to go on, during a wait."""
SERIAL = 10_000
"""Accounts read after which a backfill is cut although its canary is not full: few of them change."""
_ONE_BY_ONE = frozenset({Rule.ROBOTS.value, Rule.EXCLUSIONS.value})
"""Rules by which the guard holds single accounts: no reason to stop the others."""


class HaltedError(UnsafePlanError):
    """A backfill that a person must look at before it goes on. `report`: what it did until then.

    whole: it was one of all accounts, and waits; a selection is only asked for again.
    """

    def __init__(self, why: str, report: Report | None = None, *, whole: bool = True) -> None:
        super().__init__(f"the backfill was halted: {why}", next_step=RESUME if whole else AGAIN)
        self.report = report


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wave:
    """What the report said when the wave began, less what earlier processes had done of it; and the change
    log's newest number then."""

    written: int = 0
    refused: int = 0
    deferred: int = 0
    log_from: int = 0


class Waves:
    """The waves of one backfill, or of a range of it. `split`, `ahead`, `ticked`, `going` and `begins` are to
    be its scope's.

    by_hand: somebody asked for exactly this backfill and is told as soon as it goes beyond a limit of the
    guard; otherwise what the guard holds waits in the journal as in every stream, and the rest lands.
    book: where they are kept, by default with the connection. cuts: whether it ends once the canary has
    passed, for what is left is to be cut into ranges.
    """

    def __init__(
        self,
        parts: Parts,
        scope: Scope,
        *,
        by_hand: bool = False,
        book: Book | None = None,
        cuts: bool = False,
    ) -> None:
        self._parts, self._scope, self._by_hand = parts, scope, by_hand
        self._journal, self._pacing = parts.journal, parts.pacing
        self._state: BackfillState | None = None
        self._wave = _Wave()
        self._report = Report()
        self._held = 0
        self._ahead = 0.0  # the CRM's clock less ours, seconds, when the wave began
        self._book = book or Whole(parts, kept=scope.where is None)
        self.cuts, self.to_cut = cuts, False
        self._last = False
        self._outdated = 0
        self._ended, self._stopped, self._idle = False, False, False
        self.halted = ""

    @property
    def passed(self) -> int:
        """Waves passed so far; the canary is the first."""
        return self._state.waves if self._state else 0

    @property
    def done(self) -> bool:
        """Whether all there was to read was settled, rather than cut short."""
        return not self.halted and (self._ended or not self._stopped)

    def begins(self, run: Run, _: Position) -> None:
        """To be called before the first page, where it is made for the journal to keep."""
        self._book.taken(run.lease)

    def split(self, page: Page) -> Iterator[Page]:
        """The page in parts, none of which can write more than is left of the wave."""
        if self._state is None:
            self._begin()
        self._book.turn(page.position)
        if self._full():
            self._end_wave()
            if not self.going():  # nothing of this page: the position stays where it stands
                self._idle = True
                yield replace(page, accounts=(), gone={}, skipped=0, position=self._book.stands())
                return
        page = self._up_to_date(page)
        while (room := self._room()) and len(page.accounts) > room:
            first, rest = page.accounts[:room], page.accounts[room:]
            yield replace(page, accounts=first, position=Position(last_id=first[-1].id), skipped=0)
            page = self._up_to_date(replace(page, accounts=rest, gone={}))
        self._last = page.position.finished
        yield page

    def ahead(self) -> bool:
        """Whether a part may be asked for before the last one is settled: not while its size goes by what
        that one wrote."""
        return not self._size()

    def ticked(self, report: Report) -> None:
        """After each part: halt, or wait when a wave is over."""
        if self._idle:
            return
        self._report = report
        self._scope.ticked(report)
        self._keep()
        limit = self._scope.limit
        if self._last or (limit is not None and report.read + report.spared >= limit):
            self._ended = True
            return  # nothing follows that a halt or a wait could protect
        if why := self._too_much():
            self._halt(why)
        elif why := self._held_back():
            self._halt(why, holds=True)
        elif self._full():
            self._end_wave()
        self.to_cut = self.cuts and (self.passed > 0 or report.read >= SERIAL)

    def going(self) -> bool:
        going = not self.halted and not self.to_cut and self._scope.going()
        self._stopped |= not going
        return going

    # One wave

    def _begin(self) -> None:
        """Where it was left, in the middle of a wave maybe, or at its canary."""
        state = self._book.left()
        self._held, self._ahead = self._waiting(), self._parts.crm.now() - self._parts.clock()
        if state.log_from is None:
            state = replace(state, log_from=self._journal.newest_change())
            written = 0
        else:
            written = len(self._book.written_after(state.log_from))
        self._wave = _Wave(
            written=-written, refused=-state.refused, deferred=-state.deferred, log_from=state.log_from or 0
        )
        self._store(state)

    def _store(self, state: BackfillState) -> None:
        """Keep how far the waves are, for the next process."""
        if state != self._state:
            self._book.keep(state)
        self._state = state

    def _keep(self) -> None:
        """What a part could not write of the wave; what it wrote is in the change log."""
        state = self._state or BackfillState()
        refused = self._report.refused - self._wave.refused
        deferred = self._report.deferred - self._wave.deferred
        self._store(replace(state, refused=refused, deferred=deferred))

    def _written(self) -> int:
        return self._report.written - self._wave.written

    def _full(self) -> bool:
        """Whether the wave is written."""
        return self._written() >= max(1, NEARLY * (self._size() or float("inf")))

    def _size(self) -> int:
        return self._book.size(self.passed)

    def _room(self) -> int:
        """Accounts that may still be written in this wave, 0 for as many as there are."""
        size = self._size()
        return max(1, size - self._written()) if size else 0

    def _end_wave(self) -> None:
        """Wait, look at what was written, and begin the next. When told to stop meanwhile, or the CRM is
        away, the wave stays as it is: the next process waits the rest, and looks."""
        canary = not self.passed and bool(self._pacing.canary)
        seconds = self._pacing.watch if canary else self._pacing.pause
        number = self.passed + 1
        state = self._state or BackfillState()
        state = replace(state, full_at=state.full_at or self._parts.clock())
        self._store(state)
        left = min(seconds, state.full_at + seconds - self._parts.clock())
        self._log().info("a wave is written", number=number, written=self._written(), then_wait=round(left))
        if seconds > 0:
            self._scope.paused(max(left, 0), number)
            self._wait(left)
            if not self.going():
                return
            if why := reaction(self._book, self._parts, self._wave.log_from, self._ahead):
                self._halt(why)
                return
            self._outdated = 2 if seconds >= OUTDATED else 0  # the rest of this page, and the one read ahead
        self._wave = _Wave(
            written=self._report.written,
            refused=self._report.refused,
            deferred=self._report.deferred,
            log_from=self._journal.newest_change(),
        )
        self._ahead = self._parts.crm.now() - self._parts.clock()
        begun = BackfillState(waves=number, holds=state.holds, log_from=self._wave.log_from)
        self._store(begun)
        self._report.waves += 1
        self._scope.ticked(self._report)

    def _wait(self, seconds: float) -> None:
        clock = self._parts.clock
        until = clock() + seconds
        while (left := until - clock()) > 0 and self.going():
            self._scope.wait(min(left, LOOK))

    def _up_to_date(self, page: Page) -> Page:
        """After a long wait, the accounts as they are now: people may have edited them meanwhile."""
        if not self._outdated or not page.accounts:
            return page
        self._outdated -= 1
        return read_again(page, page.ids, self._parts.crm)

    # What halts it

    def _too_much(self) -> str:
        """Why to go no further, "" when all is well."""
        refused = self._report.refused - self._wave.refused
        failed = self._report.deferred - self._wave.deferred
        if not refused and not failed:
            return ""
        beside = self._book.elsewhere()
        refused, failed = refused + beside.refused, failed + beside.deferred
        tried = self._written() + beside.written + refused + failed
        floor = self._pacing.floor
        if refused >= floor and refused > self._pacing.refused * tried:
            return f"the CRM refused {refused} of {tried} accounts of a wave"
        if failed >= floor and failed > self._pacing.failed * tried:
            return f"{failed} of {tried} accounts of a wave could not be written"
        return ""

    def _held_back(self) -> str:
        """Why a person should look at what the guard holds; once they did, its holds halt nothing more."""
        if not self._by_hand or (self._state and self._state.holds):
            return ""
        held = self._waiting() - self._held
        return f"the guard holds changes of {held} accounts (icp-sync status --held)" if held > 0 else ""

    def _waiting(self) -> int:
        """Accounts the guard holds something of; needed only where somebody is told of them."""
        if not self._by_hand:
            return 0
        return sum(n for rule, n in self._journal.waiting_holds().items() if rule not in _ONE_BY_ONE)

    def _halt(self, why: str, *, holds: bool = False) -> None:
        self.halted = why
        if not self._book.waits:
            return  # whoever asked is told; nothing waits
        now = self._parts.clock()
        self.halted = why = halt(self._journal, why, now=now, holds=holds)
        text = f"the backfill was halted: {why}. To go on: {RESUME}"
        if self._journal.raise_alert(ALERT, text, now=now):
            self._log().error(ALERT, why=why, next=RESUME)

    def _log(self) -> Any:
        return log("backfill").bind(connection=self._journal.connection)
