"""The story: bring every account on these pages into line with the active profiles.

One function for every stream, real or dry. It knows no vendor, catches no network error and holds no
transaction open while it waits. Settled means written, unchanged, or durably deferred, refused or held;
the position moves only past settled accounts.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, replace

from icp_sync.domain.account import Confirmed, Memory
from icp_sync.domain.facts import LEVELS
from icp_sync.domain.kin import with_news_above
from icp_sync.domain.plan import Change, Outcome, Result
from icp_sync.journal import Journal, Lease, Relative
from icp_sync.observe import accounts_total, fault_point, fields_written_total, log
from icp_sync.ports import Crm, Enricher, Page, Stream, account_key
from icp_sync.sync.claiming import Claiming
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.edits import with_edits
from icp_sync.sync.enrich import enrich, with_answers
from icp_sync.sync.foreign import refuse_foreign
from icp_sync.sync.freshness import FOLLOWING, MEASURED, measure, paid_for, timed
from icp_sync.sync.guarding import Guard
from icp_sync.sync.noticing import with_news
from icp_sync.sync.remember import Fate, given_up, said, settled
from icp_sync.sync.report import Report
from icp_sync.sync.subjects import company_key, needs_account_key

before_write = fault_point("settle.write.before", "values of which only the intents know")
after_write = fault_point("settle.write.after", "values the CRM holds and only the intents know")

FENCE_SECONDS = 1.0
"""Between looks whether the lease is still ours, while writes are under way."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """In whose name a settle writes. `cosmetics`: how many purely cosmetic writes it may do.

    moves: whether the stream's position follows; not when only a selection of its accounts is settled.
    covered_from: since when changes are followed, ms on the CRM's clock, 0 where that is not known.
    """

    id: str
    lease: Lease
    cosmetics: int = 0
    moves: bool = True
    covered_from: int = 0


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
    cosmetics = run.cosmetics

    def settled_page(page: Page, cosmetics: int) -> int:
        """One page. A function, so that all that was found out of it goes before the next one comes."""
        now = clock()
        if apply and page.gone:
            _bury(page.gone, page.stream, journal, run, now)  # first, so that survivors here have inherited
        page, memory = as_of_now(page, policy, enrichers, journal, crm, now)
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
            run=run.id,
            spend=apply,
            unasked=True,
            report=report,
            clock=clock,
        )
        if found:
            memory = with_answers(memory, drafts, found, policy)
            drafts = draft(page.accounts, policy, memory, now)
        plan, cosmetics = _plan(drafts, cosmetics, policy)
        report.pages += 1
        report.spared += page.skipped
        report.gone += len(page.gone)
        report.saw(drafts)
        if not apply:
            report.written += len(plan)
            for changes in plan.values():
                report.planned(changes)
            return cosmetics
        kept = guard.split(plan, drafts, now)  # which changes must wait for a person
        # Compare-and-set; losers are decided again or deferred.
        sent_at = round(crm.now() * 1000)
        claiming = Claiming(
            memory=memory,
            policy=policy,
            guard=guard,
            journal=journal,
            lease=run.lease,
            run=run.id,
            now=now,
            sent_at=sent_at / 1000,
        )
        claim = claiming.claim(drafts, plan, kept)
        drafts, plan, kept, lost = claim.drafts, claim.plan, claim.kept, claim.lost
        report.hold(kept.holds, drafts)
        before_write()
        # No transaction is open while we wait.
        answered: dict[str, float] = {}
        sent = timed(_fenced(crm.write(claim.writes), journal, run.lease), answered, crm.now)
        outcomes = {o.account_id: o for o in sent}
        after_write()
        report.gave_back(_given_back(memory.restore, outcomes))
        gone = {**page.gone, **_departed(crm, outcomes.values())}
        now = clock()
        fates = [
            Fate(
                changes=tuple(plan.get(d.account.id, ())),
                outcome=outcomes.get(d.account.id),
                lost=d.account.id in lost,
                holds=kept.holds.get(d.account.id, ()),
                counted=kept.counted.get(d.account.id, ()),
                unechoed=memory.unechoed.get(d.account.id, d.remembered.unechoed),
                owed=memory.owed.get(d.account.id, {}),
            )
            for d in drafts
        ]
        filling = policy.telling.on and journal.backfill_request() is not None
        remembered = [
            with_news(settled(d, fate, now, sent_at, policy), d, policy, page.stream, filling=filling)
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
        _count(report, page.stream, plan, outcomes, lost, gone.keys(), journal.connection)
        if page.stream in MEASURED:
            measure(
                report,
                drafts,
                outcomes,
                answered,
                paid_for(found, enrichers),
                covered_from=run.covered_from,
                ahead=crm.now() - clock(),
                connection=journal.connection,
                again=page.stream not in FOLLOWING,
            )
        return cosmetics

    for page in pages:
        cosmetics = settled_page(page, cosmetics)
    return report


def recalled(
    page: Page, policy: Policy, enrichers: Sequence[Enricher], journal: Journal, now: float
) -> Memory:
    """All that is remembered of the accounts on a page, their parents and groups included."""
    keys = {account.id: company_key(account.domain) for account in page.accounts}
    relatives = [Relative(a.id, a.parent, keys[a.id], a.owner) for a in page.accounts]
    kin = journal.kin(relatives, asked=policy.kin_facts, owners=policy.keeps)
    if policy.kin_facts:  # what was bought about those above is recalled as theirs
        above = [family.above(level) for family in kin.values() for level in LEVELS]
        keys = {id: company_key(domain) for id, domain in above if id} | keys
    also = {id: account_key(id) for id in keys} if any(map(needs_account_key, enrichers)) else {}
    memory = replace(journal.recall(keys, now=now, also=also), kin=kin)
    here = {account.id: account for account in page.accounts}
    return with_news_above(memory, policy.kin_facts, here, policy.types, policy.buying)


def as_of_now(
    page: Page, policy: Policy, enrichers: Sequence[Enricher], journal: Journal, crm: Crm, now: float
) -> tuple[Page, Memory]:
    """The page and what is remembered of it; accounts another stream has read since are read again."""
    memory = recalled(page, policy, enrichers, journal, now)
    overtaken = [a.id for a in page.accounts if memory.of(a.id).stamp > a.stamp]
    if not overtaken:
        return page, memory
    page = read_again(page, overtaken, crm)
    return page, recalled(page, policy, enrichers, journal, now)


def read_again(page: Page, ids: Sequence[str], crm: Crm) -> Page:
    """The page with these accounts as they are now: an older copy must not overwrite what was done since. One
    that cannot be read any more is left out."""
    fresh, outdated = crm.fetch(ids), frozenset(ids)
    now = {account.id: account for account in fresh.accounts}
    copies = (now.get(a.id) if a.id in outdated else a for a in page.accounts)
    accounts = tuple(a for a in copies if a is not None and a.id not in fresh.gone)
    return replace(page, accounts=accounts, gone={**page.gone, **fresh.gone})


def _bury(gone: Mapping[str, str], stream: Stream, journal: Journal, run: Run, now: float) -> None:
    journal.commit([], gone=gone, position=None, stream=stream.value, lease=run.lease, run=run.id, now=now)


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


def _count(
    report: Report,
    stream: Stream,
    plan: Mapping[str, tuple[Change, ...]],
    outcomes: Mapping[str, Outcome],
    lost: Mapping[str, str],
    gone: Set[str],
    connection: str,
) -> None:
    report.lost += len(lost)
    for account_id, outcome in outcomes.items():
        accounts_total.labels(connection, stream.value, outcome.result.value).inc()
        if outcome.result is Result.WRITTEN:
            report.written += 1
            landed = tuple(c for c in plan[account_id] if c.field not in outcome.refused)
            report.planned(landed)
            report.refused += bool(outcome.refused.keys() - outcome.deferred)
            for change in landed:
                fields_written_total.labels(connection, change.field).inc()
        elif outcome.result is Result.REFUSED:
            report.refused += 1
        elif outcome.result is Result.GONE and account_id in gone:
            report.gone += 1
        else:
            report.deferred += 1
        if outcome.refused or outcome.result not in (Result.WRITTEN, Result.GONE):
            report.problems.append((account_id, said(outcome)))
            log("settle").warning(
                "account not written" if not outcome.refused else "account written in part",
                account=account_id,
                result=outcome.result.value,
                code=outcome.code,
                message=said(outcome),
            )
