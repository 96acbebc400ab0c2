"""A new journal learns from the CRM whose every value is: ours by the seal, people's without.

Reads every account, writes nothing and buys nothing: where the facts at hand do not explain what we once
wrote, sources that cost nothing are asked again. Only evidence is kept, and whose load each account counts
for. An evaluation without the answers once bought may be another one, so each account is evaluated when it is
next settled, from what its own sealed values tell of its past.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace

from icp_sync.domain.buying import Buy
from icp_sync.domain.differences import cosmetic
from icp_sync.domain.seal import read_seal
from icp_sync.domain.standing import FIELDS, Mode
from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.journal import Settled
from icp_sync.ports import Page, Position, Query, Stream
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.draft import Draft, Policy, draft
from icp_sync.sync.edits import with_edits
from icp_sync.sync.enrich import enrich, with_answers
from icp_sync.sync.keeping import kept
from icp_sync.sync.recalling import recalled
from icp_sync.sync.remember import Fate, settled
from icp_sync.sync.report import Report
from icp_sync.sync.settle import Run

REBUILD = "rebuild"
"""The kind of its run, and the stream its position and lease are kept under."""


@dataclass(slots=True, kw_only=True)
class Rebuilt:
    """What the CRM told. Values are those of our fields that are not blank."""

    run: str = ""
    done: bool = False
    accounts: int = 0
    known: int = 0  # accounts the journal had settled itself: only counted
    sealed: int = 0  # accounts with a seal of ours
    unsealed: int = 0  # without any seal; what stands there counts as people's
    foreign: int = 0  # sealed by another installation: held
    unreadable: int = 0  # with a seal nobody can read: held
    unexplained: int = 0  # whose facts at hand do not give what we wrote: an answer once bought is missing
    ours: int = 0  # values
    people: int = 0  # values

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def rebuild(parts: Parts, scope: Scope, *, again: bool = False) -> Rebuilt:
    """Learn everything anew; goes on where an attempt that was cut short stood.

    again: also on a journal that knows accounts; what it settled itself it keeps. Raises ConfigError for
    such a journal without, UnavailableError while another is at it, and what the CRM raises.
    """
    journal, rebuilt = parts.journal, Rebuilt()
    stands = journal.position(REBUILD)
    under_way = bool(stands.last_id) and not stands.finished
    if not (again or under_way) and journal.counts():
        what = f"knows {sum(journal.counts().values()):,} accounts already; a rebuild is for a new one"
        step = "icp-sync status; to read them all the same: icp-sync journal rebuild --again"
        raise ConfigError([Problem(where=f"journal of {journal.connection}", what=what)], next_step=step)
    lease = journal.lease(REBUILD, holder=parts.holder, now=parts.clock(), ttl=parts.lease)
    if lease is None:
        raise UnavailableError("another rebuild is under way", next_step="icp-sync status")
    outcome = "failed"
    try:
        journal.set_owners(parts.crm.owners(), now=parts.clock())
        rebuilt.run = journal.start_run(REBUILD, now=parts.clock(), detail={"apply": True})
        run = Run(id=rebuilt.run, lease=lease)
        query = Query(stream=Stream.BACKFILL, position=stands if under_way else Position(), limit=scope.limit)
        with kept(lease, journal, parts.clock, parts.lease):
            for _ in _learnt(parts, query, run, rebuilt):
                scope.ticked(Report(read=rebuilt.accounts))
                if not scope.going():
                    break
        rebuilt.done = journal.position(REBUILD).finished
        outcome = "done" if rebuilt.done else "interrupted"
    finally:
        if rebuilt.run:
            report = {**rebuilt.to_json(), "read": rebuilt.accounts, "outcome": outcome}
            journal.end_run(rebuilt.run, report, now=parts.clock())
        journal.release_lease(lease)
    return rebuilt


def _learnt(parts: Parts, query: Query, run: Run, rebuilt: Rebuilt) -> Iterator[None]:
    """Each page, once all of it is remembered."""
    policy = replace(parts.policy(), mode=Mode.OBSERVE)
    for page in parts.crm.pages(query):
        now = parts.clock()
        drafts = _drafted(page, parts, policy, run.id, now)
        fresh = [d for d in drafts if d.remembered.previous is None]
        rebuilt.known += len(drafts) - len(fresh)
        _count(drafts, policy, rebuilt)
        parts.journal.commit(
            [_evidence(settled(d, Fate(), now, 0, policy), d) for d in fresh],
            gone=page.gone,
            position=page.position,
            stream=REBUILD,
            lease=run.lease,
            run=run.id,
            now=now,
        )
        yield


def _drafted(page: Page, parts: Parts, policy: Policy, run: str, now: float) -> list[Draft]:
    """The accounts as they would be settled in mode observe, with whose hand it was where the CRM tells."""
    memory = recalled(page, policy, parts.enrichers, parts.journal, now)
    drafts = draft(page.accounts, policy, memory, now)
    told = with_edits(drafts, memory, policy, parts.crm, now)
    if told is not memory:
        drafts = draft(page.accounts, policy, told, now)
    asked = [d for d in drafts if _unexplained(d)]
    free = [source for source in parts.enrichers if not source.price]
    all_of_it = replace(policy, buying=replace(policy.buying, mode=Buy.EVERYTHING))
    found = enrich(asked, free, all_of_it, parts.journal, told, now=now, run=run, spend=True, report=Report())
    return draft(page.accounts, policy, with_answers(told, drafts, found, policy), now) if found else drafts


def _unexplained(d: Draft) -> bool:
    """Whether we wrote something else than we would now: facts have changed since, or are missing."""
    if d.remembered.previous is not None or not d.account.live.get("seal"):
        return False
    return any(not cosmetic(c) and FIELDS[c.field].needs is Mode.WRITE for c in d.differences.waiting)


def _evidence(one: Settled, d: Draft) -> Settled:
    """Of what a settlement would remember: whose values are whose, and whom the account counts for."""
    live = d.account.live
    score = live.get("fit_score", "")
    return replace(
        one,
        status=one.status if one.status == "held" else "",
        tier=live.get("tier", "") if d.evaluation.in_scope else "",
        score=int(score) if d.evaluation.in_scope and score.isdecimal() else None,
        profile_version=0,
        fingerprint="",
        previous=None,
        evidence={},
        evaluation={},
        log_evaluation=False,
        seen=False,
        wake_at=None,
        left_alone={},
        counts_for=None,
        stirs_facts=False,
        stirs_owner=False,
    )


def _count(drafts: Sequence[Draft], policy: Policy, rebuilt: Rebuilt) -> None:
    for d in drafts:
        text = d.account.live.get("seal", "")
        seal = read_seal(text, policy.key)
        rebuilt.unexplained += _unexplained(d)
        rebuilt.accounts += 1
        rebuilt.foreign += seal.foreign
        rebuilt.unreadable += bool(seal.problem) and not seal.foreign
        rebuilt.sealed += bool(seal.marks)
        rebuilt.unsealed += not (seal.problem or seal.marks)
        if seal.problem:
            continue
        held = {name: value for name, value in d.account.live.items() if value and _is_of_ours(name)}
        ours = sum(name in d.differences.ours for name in held)
        rebuilt.ours += ours
        rebuilt.people += len(held) - ours


def _is_of_ours(name: str) -> bool:
    """Whether a field is one we made and fill: not the seal, not the CRM's own, not people's."""
    known = FIELDS[name]
    return not (known.native or known.hidden or known.theirs)
