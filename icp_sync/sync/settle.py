"""The story: bring every account on these pages into line with the active profiles.

One for every stream, real or dry. It knows no vendor, catches no network error and holds no transaction
open while it waits. Settled means written, unchanged, or durably deferred, refused or held; the position
moves only past settled accounts. While the writes of a page are under way the next one is evaluated, but
nothing of it is claimed: there is never more than one page to repeat.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import copy_context
from dataclasses import dataclass

from icp_sync.domain.account import Confirmed, Memory
from icp_sync.domain.plan import Change, Outcome, Result
from icp_sync.journal import Journal, Lease
from icp_sync.observe import fault_point
from icp_sync.ports import Crm, Enricher, Page
from icp_sync.sync.claiming import Claim, Claiming
from icp_sync.sync.counting import count
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.edits import with_edits
from icp_sync.sync.enrich import Bought, enrich, with_answers
from icp_sync.sync.foreign import refuse_foreign
from icp_sync.sync.freshness import FOLLOWING, MEASURED, measure, paid_for, timed
from icp_sync.sync.guarding import Guard
from icp_sync.sync.noticing import with_news
from icp_sync.sync.recalling import as_of_now
from icp_sync.sync.remember import Fate, given_up, settled
from icp_sync.sync.report import Report

before_write = fault_point("settle.write.before", "values of which only the intents know")
after_write = fault_point("settle.write.after", "values the CRM holds and only the intents know")

LARGE = 1_000
"""Accounts of a page beyond which there is no second one in memory: those of bulk jobs have ten thousand."""
FENCE_SECONDS = 1.0
"""Between looks whether the lease is still ours, while writes are under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """In whose name a settle writes. `cosmetics`: how many purely cosmetic writes it may do.

    moves: whether the stream's position follows; not when only a selection of its accounts is settled.
    covered_from: since when changes are followed, ms on the CRM's clock, 0 where that is not known.
    ahead: asked after each page; whether the next may be evaluated while its writes are under way.
    """

    id: str
    lease: Lease
    cosmetics: int = 0
    moves: bool = True
    covered_from: int = 0
    ahead: Callable[[], bool] = lambda: True


def settle(
    pages: Iterable[Page],
    crm: Crm,
    enrichers: Sequence[Enricher],
    policy: Policy,
    journal: Journal,
    guard: Guard,
    run: Run,
    report: Report,
    *,
    clock: Callable[[], float],
    apply: bool,
) -> Report:
    """Settle pages in order, adding to `report`; see the module.

    clock: our own, UTC epoch seconds; read for each page, and again once its writes are done.
    Raises what the CRM or the journal raises; everything before the page at fault stays settled.
    """
    settling = _Settling(
        crm=crm,
        enrichers=enrichers,
        policy=policy,
        journal=journal,
        guard=guard,
        run=run,
        report=report,
        clock=clock,
        apply=apply,
        cosmetics=run.cosmetics,
    )
    with ThreadPoolExecutor(1, thread_name_prefix="writes") as writers:
        try:
            for page in pages:
                settling.send(settling.evaluate(page), writers)
        finally:
            settling.remember()
    return report


@dataclass(slots=True, kw_only=True)
class _Evaluated:
    """A page of which nothing is sent yet. now: when it was evaluated."""

    page: Page
    now: float
    memory: Memory
    drafts: list[Draft]
    found: Mapping[str, Bought]
    plan: Mapping[str, tuple[Change, ...]]


@dataclass(slots=True, kw_only=True)
class _UnderWay:
    """A page whose writes are claimed, and sent by a thread of their own. answered: when each was."""

    evaluated: _Evaluated
    claim: Claim
    sent_at: int
    answered: dict[str, float]
    outcomes: Future[list[Outcome]]

    def touches(self, page: Page, memory: Memory) -> bool:
        """Whether another page cannot be evaluated before this one is settled: it has accounts of this one,
        or of their families."""
        before = self.evaluated
        mine = {a.id for a in before.page.accounts} | {kin.group for kin in before.memory.kin.values()}
        mine.discard("")
        return any(a.id in mine for a in page.accounts) or any(
            not mine.isdisjoint((kin.parent, kin.root, kin.group, kin.unread)) for kin in memory.kin.values()
        )


@dataclass(slots=True, kw_only=True)
class _Settling:
    """The steps of the story, each a page's. cosmetics: purely cosmetic writes that may still be done."""

    crm: Crm
    enrichers: Sequence[Enricher]
    policy: Policy
    journal: Journal
    guard: Guard
    run: Run
    report: Report
    clock: Callable[[], float]
    apply: bool
    cosmetics: int
    under_way: _UnderWay | None = None

    def evaluate(self, page: Page) -> _Evaluated:
        """What is to become of a page. Of the CRM it only reads; what it buys is in the journal."""
        policy, journal, crm, enrichers = self.policy, self.journal, self.crm, self.enrichers
        now = self.clock()
        if self.apply and page.gone:
            self.remember()  # they may be on it
            self._bury(page, now)  # first, so that survivors here have inherited
        page, memory = self._as_of_now(page, now)
        drafts = draft(page.accounts, policy, memory, now)  # evaluate on what is known
        refuse_foreign(drafts, policy.key, journal)
        looked_up = with_edits(drafts, memory, policy, crm, now)  # whose hand it was
        if looked_up is not memory:
            memory = looked_up
            if memory.edits or memory.restore:
                drafts = draft(page.accounts, policy, memory, now)
        found = enrich(  # buy only what could change a draft
            drafts,
            enrichers,
            policy,
            journal,
            memory,
            now=now,
            run=self.run.id,
            spend=self.apply,
            unasked=True,
            report=self.report,
            clock=self.clock,
        )
        if found:
            memory = with_answers(memory, drafts, found, policy)
            drafts = draft(page.accounts, policy, memory, now)
        plan, self.cosmetics = _plan(drafts, self.cosmetics, policy)
        return _Evaluated(page=page, now=now, memory=memory, drafts=drafts, found=found, plan=plan)

    def send(self, evaluated: _Evaluated, writers: Executor) -> None:
        """Settle the page before, whose writes were under way meanwhile; claim what may be written of this
        one, and begin to write it. Where nothing is to be gained by going on meanwhile, or it must not, it is
        settled when this returns."""
        self.remember()
        page, drafts, report = evaluated.page, evaluated.drafts, self.report
        report.pages += 1
        report.spared += page.skipped
        report.gone += len(page.gone)
        report.saw(drafts)
        if not self.apply:
            report.written += len(evaluated.plan)
            for changes in evaluated.plan.values():
                report.planned(changes)
            return
        kept = self.guard.split(evaluated.plan, drafts, evaluated.now)  # which must wait for a person
        # Compare-and-set; losers are decided again or deferred.
        sent_at = round(self.crm.now() * 1000)
        claiming = Claiming(
            memory=evaluated.memory,
            policy=self.policy,
            guard=self.guard,
            journal=self.journal,
            lease=self.run.lease,
            run=self.run.id,
            now=evaluated.now,
            sent_at=sent_at / 1000,
        )
        claim = claiming.claim(drafts, evaluated.plan, kept)
        report.hold(claim.kept.holds, claim.drafts)
        before_write()
        # No transaction is open while we wait.
        answered: dict[str, float] = {}
        sent = _fenced(self.crm.write(claim.writes), self.journal, self.run.lease)
        told = timed(sent, answered, self.crm.now)
        self.under_way = _UnderWay(
            evaluated=evaluated,
            claim=claim,
            sent_at=sent_at,
            answered=answered,
            outcomes=writers.submit(copy_context().run, lambda: list(told)),
        )
        beside = claim.writes and len(page.accounts) <= LARGE and not page.position.finished
        if not beside or not self.run.ahead():
            self.remember()

    def remember(self) -> None:
        """What became of the page whose writes are under way, if there is one: waits for their answers, and
        settles it. Raises what they or the journal raise."""
        if self.under_way is None:
            return
        sent, self.under_way = self.under_way, None
        page, memory, claim = sent.evaluated.page, sent.evaluated.memory, sent.claim
        policy, journal, run = self.policy, self.journal, self.run
        outcomes = {o.account_id: o for o in sent.outcomes.result()}
        after_write()
        self.report.gave_back(_given_back(memory.restore, outcomes))
        gone = {**page.gone, **_departed(self.crm, outcomes.values())}
        now = self.clock()
        drafts, kept = claim.drafts, claim.kept
        fates = [
            Fate(
                changes=tuple(claim.plan.get(d.account.id, ())),
                outcome=outcomes.get(d.account.id),
                lost=d.account.id in claim.lost,
                holds=kept.holds.get(d.account.id, ()),
                counted=kept.counted.get(d.account.id, ()),
                unechoed=memory.unechoed.get(d.account.id, d.remembered.unechoed),
                owed=memory.owed.get(d.account.id, {}),
            )
            for d in drafts
        ]
        filling = policy.telling.on and journal.backfill_request() is not None
        remembered = [
            with_news(settled(d, fate, now, sent.sent_at, policy), d, policy, page.stream, filling=filling)
            for d, fate in zip(drafts, fates, strict=True)
            if d.account.id not in gone
        ]
        journal.commit(  # one short transaction, position last
            remembered,
            gone=gone,
            position=page.position if run.moves else None,
            stream=page.stream.value,
            partition=run.lease.partition,
            lease=run.lease,
            run=run.id,
            now=now,
        )
        count(self.report, page.stream, claim, outcomes, gone.keys(), journal.connection)
        if page.stream in MEASURED:
            measure(
                self.report,
                drafts,
                outcomes,
                sent.answered,
                paid_for(sent.evaluated.found, self.enrichers),
                covered_from=run.covered_from,
                ahead=self.crm.now() - self.clock(),
                connection=journal.connection,
                again=page.stream not in FOLLOWING,
            )

    def _as_of_now(self, page: Page, now: float) -> tuple[Page, Memory]:
        found = as_of_now(page, self.policy, self.enrichers, self.journal, self.crm, now)
        if self.under_way is None or not self.under_way.touches(*found):
            return found
        self.remember()
        return as_of_now(page, self.policy, self.enrichers, self.journal, self.crm, now)

    def _bury(self, page: Page, now: float) -> None:
        self.journal.commit(
            [],
            gone=page.gone,
            position=None,
            stream=page.stream.value,
            lease=self.run.lease,
            run=self.run.id,
            now=now,
        )


def _plan(
    drafts: Iterable[Draft], cosmetics: int, policy: Policy
) -> tuple[dict[str, tuple[Change, ...]], int]:
    """Account id → its changes, purely cosmetic ones only up to the budget; and what is left of that.

    Nothing of what was refused too often and is still the same."""
    plan: dict[str, tuple[Change, ...]] = {}
    for d in drafts:
        if not d.differences.changes or given_up(d, policy):
            continue
        if not d.differences.material:
            if cosmetics <= 0:
                continue
            cosmetics -= 1
        plan[d.account.id] = d.differences.changes
    return plan, cosmetics


def _fenced(outcomes: Iterable[Outcome], journal: Journal, lease: Lease) -> Iterator[Outcome]:
    """The outcomes, as long as the stream is ours: a worker that was paused sends nothing more."""
    looked = time.monotonic()
    for outcome in outcomes:
        yield outcome
        if time.monotonic() - looked > FENCE_SECONDS:
            journal.check_fence(lease)
            looked = time.monotonic()


def _given_back(
    restore: Mapping[str, Mapping[str, Confirmed]], outcomes: Mapping[str, Outcome]
) -> dict[str, dict[str, Confirmed]]:
    """What people have back by now of what was to be given back to them."""
    return {
        account_id: {name: edit for name, edit in edits.items() if name not in outcome.refused}
        for account_id, edits in restore.items()
        if (outcome := outcomes.get(account_id)) and outcome.result is Result.WRITTEN
    }


def _departed(crm: Crm, outcomes: Iterable[Outcome]) -> Mapping[str, str]:
    """Accounts a write found gone, with their survivors."""
    ids = [o.account_id for o in outcomes if o.result is Result.GONE]
    return crm.fetch(ids).gone if ids else {}
