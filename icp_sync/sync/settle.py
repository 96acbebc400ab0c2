"""The story: bring every account on these pages into line with the active profiles.

One function for every stream, real or dry. It knows no vendor, catches no network error and holds no
transaction open while it waits. Settled means written, unchanged, or durably deferred, refused or held;
the position moves only past settled accounts.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.domain.account import Confirmed, Memory, Origin, Previous
from icp_sync.domain.differences import learned
from icp_sync.domain.plan import Change, Outcome, Result, Write
from icp_sync.errors import ConfigError
from icp_sync.journal import Journal, Lease, Settled
from icp_sync.observe import accounts_total, fault_point, fields_written_total, log
from icp_sync.ports import Crm, Enricher, Page, Stream
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.enrich import company_key, enrich, wanted, with_answers
from icp_sync.sync.report import Report

before_write = fault_point("settle.write.before", "values of which only the intents know")
after_write = fault_point("settle.write.after", "values the CRM holds and only the intents know")

MANY_FOREIGN = 3
"""Foreign seals on one page, when they are most of its seals, that stop the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """In whose name a settle writes. `cosmetics`: how many purely cosmetic writes it may do.

    moves: whether the stream's position follows; not when only a selection of its accounts is settled.
    """

    id: str
    lease: Lease
    cosmetics: int = 0
    moves: bool = True


def settle(
    pages: Iterable[Page],
    crm: Crm,
    enrichers: Sequence[Enricher],
    policy: Policy,
    journal: Journal,
    run: Run,
    report: Report,
    *,
    now: float,
    apply: bool,
) -> Report:
    """Settle pages in order, adding to `report`; see the module.

    Raises what the CRM or the journal raises; everything before the page at fault stays settled.
    """
    cosmetics = run.cosmetics
    for page in pages:
        if apply and page.gone:
            _bury(page.gone, page.stream, journal, run, now)  # first, so that survivors here have inherited
        keys = {account.id: company_key(account.domain) for account in page.accounts}
        memory = journal.recall(keys, now=now)  # once a page
        drafts = draft(page.accounts, policy, memory, now)  # evaluate on what is known
        asked = wanted(drafts)  # only what could change a draft
        found = enrich(asked, enrichers, journal, memory, now=now, run=run.id, spend=apply, report=report)
        if found:
            memory = with_answers(memory, drafts, found)
            drafts = draft(page.accounts, policy, memory, now)
        _refuse_foreign(drafts)
        plan, cosmetics = _plan(drafts, cosmetics)
        report.pages += 1
        report.spared += page.skipped
        report.gone += len(page.gone)
        report.saw(drafts)
        if not apply:
            report.written += len(plan)
            for changes in plan.values():
                report.planned(changes)
            continue
        writes, lost = _intend(
            plan, drafts, memory, journal, run, now
        )  # compare-and-set; losers are deferred
        before_write()
        outcomes = {o.account_id: o for o in crm.write(writes)}  # no transaction is open while we wait
        after_write()
        gone = _departed(crm, outcomes.values())
        settled = [
            _settled(d, plan.get(d.account.id, ()), outcomes.get(d.account.id), d.account.id in lost, now)
            for d in drafts
            if d.account.id not in gone
        ]
        journal.commit(  # one short transaction, position last
            settled,
            gone=gone,
            position=page.position if run.moves else None,
            stream=page.stream.value,
            lease=run.lease,
            run=run.id,
            now=now,
        )
        _count(report, page.stream, plan, outcomes, lost, journal.connection)
    return report


def _bury(gone: Mapping[str, str], stream: Stream, journal: Journal, run: Run, now: float) -> None:
    journal.commit([], gone=gone, position=None, stream=stream.value, lease=run.lease, run=run.id, now=now)


def _refuse_foreign(drafts: Sequence[Draft]) -> None:
    """Stop when most sealed accounts of a page belong to another installation: one of us is misplaced."""
    foreign = [d for d in drafts if d.differences.foreign]
    sealed = sum(bool(d.account.live.get("seal")) for d in drafts)
    if len(foreign) >= MANY_FOREIGN and 2 * len(foreign) > sealed:
        raise ConfigError(
            f"{len(foreign)} of {sealed} sealed accounts on this page were sealed by another installation: "
            f"account {foreign[0].account.id}: {foreign[0].differences.held}",
            next_step="bring that installation's seal key here, or: icp-sync bind --take-over",
        )


def _plan(drafts: Iterable[Draft], cosmetics: int) -> tuple[dict[str, tuple[Change, ...]], int]:
    """Account id → its changes, purely cosmetic ones only up to the budget; and what is left of that."""
    plan: dict[str, tuple[Change, ...]] = {}
    for d in drafts:
        if not d.differences.changes:
            continue
        if not d.differences.material:
            if cosmetics <= 0:
                continue
            cosmetics -= 1
        plan[d.account.id] = d.differences.changes
    return plan, cosmetics


def _intend(
    plan: Mapping[str, tuple[Change, ...]],
    drafts: Iterable[Draft],
    memory: Memory,
    journal: Journal,
    run: Run,
    now: float,
) -> tuple[tuple[Write, ...], Mapping[str, str]]:
    drafted = {d.account.id: d for d in drafts}
    writes = [
        Write(
            account_id=account_id,
            values={c.field: c.desired for c in changes},
            expected={c.field: c.live for c in changes},
        )
        for account_id, changes in plan.items()
    ]
    assignments = {w.account_id: w.values["owner"] for w in writes if w.values.get("owner")}
    if not writes:
        return (), {}
    return journal.intend(
        writes,
        versions={w.account_id: drafted[w.account_id].remembered.version for w in writes},
        assignments=assignments,
        load_versions=memory.roster.load_versions,
        run=run.id,
        lease=run.lease,
        now=now,
    )


def _departed(crm: Crm, outcomes: Iterable[Outcome]) -> Mapping[str, str]:
    """Accounts a write found gone, with their survivors."""
    ids = [o.account_id for o in outcomes if o.result is Result.GONE]
    return crm.fetch(ids).gone if ids else {}


_RETRY_FIRST, _RETRY_MOST = 60.0, 6 * 3600.0


def _retry_at(attempts: int, now: float) -> float:
    """Growing delay: one minute, doubled by each attempt, at most six hours."""
    return now + min(_RETRY_MOST, _RETRY_FIRST * 2.0 ** min(attempts, 10))


def _settled(
    d: Draft, changes: tuple[Change, ...], outcome: Outcome | None, lost: bool, now: float
) -> Settled:
    """What the journal shall remember of one account after its write, if it had one."""
    result = outcome.result if outcome else None
    # One that the write called gone and a read found again has not been written either.
    failed = result is not None and result is not Result.WRITTEN
    attempts = d.remembered.attempts + 1 if failed or lost else 0
    confirmed = learned(d.account, d.differences, d.remembered, now)
    sent = {c.field: c.desired for c in changes}
    if result is Result.WRITTEN:
        confirmed |= {n: Confirmed(value=v, origin=Origin.OURS, at=now) for n, v in sent.items()}
    owner = sent.get("owner", d.account.owner) if result is Result.WRITTEN else d.account.owner
    done = not failed and not lost
    expiries = [t for t in (d.evaluation.valid_until, d.remembered.answers_until) if t is not None]
    if not done:
        expiries = [_retry_at(attempts, now)]
    problem = d.differences.held or (outcome.message or outcome.code if outcome and failed else "")
    return Settled(
        account_id=d.account.id,
        name=d.account.name[:255],
        domain=company_key(d.account.domain),
        stamp=d.account.stamp,
        seen=d.account.stamp_is_old and done,
        status=_status(d, result, lost),
        problem="another worker was settling it" if lost else problem,
        in_scope=d.evaluation.in_scope,
        owner=owner,
        tier=d.evaluation.tier if d.evaluation.in_scope else "",
        score=d.evaluation.score if d.evaluation.in_scope else None,
        profile_version=d.evaluation.profile_version,
        fingerprint=d.fingerprint if done else "",
        previous=d.carried if done or result is Result.UNCERTAIN else _not_routed(d),
        evidence=d.evidence,
        evaluation=_explained(d, now),
        log_evaluation=_worth_logging(d),
        wake_at=min(expiries, default=None),
        attempts=attempts,
        confirmed=confirmed,
        resolved=_resolved(d, sent, result),
        changes=changes if outcome else (),
        result=result or Result.WRITTEN,
        left_alone=d.differences.left_alone,
        version=d.remembered.version + (1 if outcome else 0),
    )


def _resolved(d: Draft, sent: Mapping[str, str], result: Result | None) -> dict[str, tuple[str, ...]]:
    """Intents whose fate is known: every earlier one by this read, ours of now by the reply.

    What was seen is what they came to, whosever value it is: an intent that stayed evidence for ever would
    claim a value that somebody types years later. One whose reply was lost stays open.
    """
    if d.differences.held:
        return {}
    earlier = {name: d.remembered.intents[name] for name in d.account.live if name in d.remembered.intents}
    if result is Result.UNCERTAIN:
        return {n: tuple(v for v in values if v != sent.get(n)) for n, values in earlier.items()}
    if result in (Result.WRITTEN, Result.REFUSED, Result.FAILED):
        return {n: (*earlier.get(n, ()), *((sent[n],) if n in sent else ())) for n in {**earlier, **sent}}
    return earlier


def _not_routed(d: Draft) -> Previous:
    """After a failed write the carried evaluation stands, but nobody was routed."""
    before = d.remembered.previous
    return replace(
        d.carried,
        routed_owner=before.routed_owner if before else "",
        routed_at=before.routed_at if before else None,
    )


def _status(d: Draft, result: Result | None, lost: bool) -> str:
    if result is Result.REFUSED:
        return "refused"
    if lost or result not in (None, Result.WRITTEN):
        return "deferred"
    return "held" if d.differences.held else "settled"


def _worth_logging(d: Draft) -> bool:
    before = d.remembered.previous
    return before is None or before.tier != d.carried.tier or abs(before.score - d.carried.score) > 1


def _explained(d: Draft, now: float) -> dict[str, object]:
    """What explain needs beyond the evidence: when, the routing decision, what could not be read.

    The evidence itself comes along when this evaluation goes into the history.
    """
    decision = d.decision
    return {
        "at": now,
        **({"evidence": d.evidence} if _worth_logging(d) else {}),
        "unread": dict(d.known.unread),
        "losers": {n: [s.source for s in said] for n, said in d.known.losers.items()},
        "decision": {
            "lane": decision.lane,
            "owner": decision.owner,
            "rule": decision.rule,
            "pool": decision.pool,
            "imbalance": decision.imbalance,
            "note": decision.note,
            "considered": [[c.email, c.weight, c.load, c.skipped] for c in decision.considered],
        },
    }


def _count(
    report: Report,
    stream: Stream,
    plan: Mapping[str, tuple[Change, ...]],
    outcomes: Mapping[str, Outcome],
    lost: Mapping[str, str],
    connection: str,
) -> None:
    report.lost += len(lost)
    for account_id, outcome in outcomes.items():
        accounts_total.labels(connection, stream.value, outcome.result.value).inc()
        if outcome.result is Result.WRITTEN:
            report.written += 1
            report.planned(plan[account_id])
            for change in plan[account_id]:
                fields_written_total.labels(connection, change.field).inc()
        elif outcome.result is Result.REFUSED:
            report.refused += 1
        elif outcome.result is Result.GONE:
            report.gone += 1
        else:
            report.deferred += 1
        if outcome.result not in (Result.WRITTEN, Result.GONE):
            report.problems.append((account_id, outcome.message or outcome.code))
            log("settle").warning(
                "account not written",
                account=account_id,
                result=outcome.result.value,
                code=outcome.code,
                message=outcome.message,
            )
