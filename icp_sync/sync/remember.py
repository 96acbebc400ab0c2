"""What the journal shall remember of one account once its fate on a page is known. Sends and asks nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TypedDict

from icp_sync.domain.account import Confirmed, Origin, Owed, Previous
from icp_sync.domain.confirming import learned
from icp_sync.domain.disagreement import disagreements, to_json
from icp_sync.domain.facts import Signal
from icp_sync.domain.guard import Rule
from icp_sync.domain.plan import UNDER_WAY, Change, Hold, Outcome, Result, awaited
from icp_sync.domain.proof import proof_of
from icp_sync.domain.spelling import cut, value_text
from icp_sync.journal import Settled
from icp_sync.sync.assigning import given
from icp_sync.sync.draft import Draft, Policy
from icp_sync.sync.subjects import company_key

_WRITTEN, _UNCERTAIN, _OURS = Result.WRITTEN, Result.UNCERTAIN, Origin.OURS
_RETRY_FIRST, _RETRY_MOST = 60.0, 6 * 3600.0
LOGGED = "logged"
"""Under this name evidence keeps the score last put into the history of evaluations."""
_SOON = 5  # attempts after which what was only deferred waits no longer: half an hour


def _retry_at(attempts: int, now: float) -> float:
    """Growing delay: one minute, doubled by each attempt, at most six hours."""
    return now + min(_RETRY_MOST, _RETRY_FIRST * 2.0 ** min(attempts, 10))


@dataclass(slots=True, kw_only=True)  # not frozen: one is made for every account, at a third of the cost
class Fate:
    """What became of one account on its page: what was to be written of it and how that ended, what waits for
    a person, and what its read told of our last write."""

    changes: tuple[Change, ...] = ()
    outcome: Outcome | None = None
    lost: bool = False
    holds: tuple[Hold, ...] = ()
    counted: tuple[str, ...] = ()
    unechoed: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    owed: Mapping[str, Owed] = field(default_factory=dict)

    @property
    def waits(self) -> str:
        """What of it waits for a person, "" when nothing does."""
        return "; ".join(f"{hold.rule}: {hold.reason}" for hold in self.holds if not hold.released_by)


def given_up(d: Draft, policy: Policy) -> bool:
    """Whether exactly this was refused so often that it is not tried again."""
    return d.remembered.attempts >= policy.dead_after and d.fingerprint == d.remembered.fingerprint


def settled(d: Draft, fate: Fate, now: float, sent_at: int, policy: Policy) -> Settled:
    """What the journal shall remember of one account after its write, if it had one.

    sent_at: the CRM's clock before the write, ms. A copy of the record stamped before that was read before
    our write, and must not be settled any more.
    """
    changes, outcome, lost = fate.changes, fate.outcome, fate.lost
    result = outcome.result if outcome else None
    refused = outcome.refused if outcome else {}
    # One that the write called gone and a read found again has not been written either.
    failed = bool(refused) or (result is not None and result is not _WRITTEN)
    done = not (failed or lost or d.differences.held)
    attempts = 0 if done else d.remembered.attempts + 1
    if result is _UNCERTAIN or (refused and outcome and not refused.keys() - outcome.deferred):
        attempts = min(attempts, _SOON)  # what nobody has refused is not given up on
    confirmed = learned(d.account, d.differences, d.remembered, now)
    sent = {c.field: c.desired for c in changes}
    landed: Mapping[str, str] = {}
    if result is _WRITTEN:
        landed = {n: v for n, v in sent.items() if n not in refused}
        confirmed |= {n: Confirmed(value=v, origin=_OURS, at=now) for n, v in landed.items()}
        confirmed |= {n: one.edit for n, one in fate.owed.items() if landed.get(n) == one.edit.value}
    owner = landed.get("owner", d.account.owner)
    assigned = given(d, landed, now, policy)
    wakes = (
        d.evaluation.valid_until,
        d.remembered.answers_until,
        d.vacant_from,
        d.decision.until,
        d.differences.until,
        assigned.wake_at,
    )
    # What passed while the page was being settled is looked at all the same, in a minute.
    due = [t if t > now else now + _RETRY_FIRST for t in wakes if t is not None and t > d.at]
    wake_at = min(due) if due else None
    problem = d.differences.held or (said(outcome) if outcome and failed else fate.waits)
    status = _partly(outcome) if outcome and refused else _status(d, result, fate)
    dead = (status == "refused" and attempts >= policy.dead_after) or (not outcome and given_up(d, policy))
    if dead and not outcome:
        attempts, problem = d.remembered.attempts, d.remembered.problem
    told = _logged(d)
    logged = _worth_logging(d, told)
    kept_evaluation = not fate.waits and (done or "owner" in (outcome.confirmed if outcome else ()))
    return Settled(
        account_id=d.account.id,
        name=d.account.name[:255],
        domain=company_key(d.account.domain),
        stamp=max(d.account.stamp, sent_at) if outcome else d.account.stamp,
        seen=d.account.stamp_is_old and done and not outcome,
        status="dead" if dead else status,
        problem="another worker was settling it" if lost else problem,
        in_scope=d.evaluation.in_scope,
        owner=owner,
        tier=d.evaluation.tier if d.evaluation.in_scope else "",
        score=d.evaluation.score if d.evaluation.in_scope else None,
        profile_version=d.evaluation.profile_version,
        fingerprint=d.fingerprint if dead or (done and not fate.waits) else "",
        previous=d.carried if kept_evaluation else _not_routed(d),
        evidence={**d.evidence, LOGGED: d.carried.score if logged else told},
        evaluation=_explained(d, policy, logged=logged) if logged or not d.unchanged else {},
        log_evaluation=logged,
        wake_at=None if dead else wake_at if done else _retry_at(attempts, now),
        attempts=attempts,
        confirmed=confirmed,
        resolved={} if outcome and outcome.code == UNDER_WAY else _resolved(d, sent, result),
        changes=tuple(c for c in changes if c.field not in refused) if outcome else (),
        result=result or _WRITTEN,
        holds=tuple([h for h in fate.holds if not (h.released_by and _passed(h, landed))]),  # let pass once
        counted=tuple([rule for rule in fate.counted if _counts(rule, landed, result)]),
        owed=fate.owed,
        **_echo(d, fate, landed, result, sent_at),
        withdrawn=d.withdrawn,
        left_alone=d.differences.left_alone,
        version=d.remembered.version + (1 if outcome else 0),
        parent=d.account.parent,
        group=d.kin.group,
        counts_for=None if "owner" in d.account.live or owner else d.carried.routed_owner if done else "",
        stirs_facts=bool(policy.kin_facts)
        and (d.evidence["facts"] != d.remembered.evidence.get("facts") or d.kin.group != d.remembered.group),
        stirs_owner=policy.keeps and (owner, d.kin.group) != (d.remembered.owner, d.remembered.group),
        assignments=assigned.assignments,
        breach=assigned.breach,
        notices=assigned.notices,
    )


class _Echo(TypedDict):
    unechoed: Mapping[str, tuple[str, str]]
    sent_at: float


def _echo(d: Draft, fate: Fate, landed: Mapping[str, str], result: Result | None, sent_at: int) -> _Echo:
    """What the next read shall look for: the fields of this write, and of those nobody has seen yet."""
    pairs = awaited([c for c in fate.changes if c.field in landed or result is _UNCERTAIN])
    last = d.remembered.sent_at if fate.unechoed else 0.0
    return _Echo(unechoed={**fate.unechoed, **pairs}, sent_at=sent_at / 1000 if pairs else last)


def _passed(hold: Hold, landed: Mapping[str, str]) -> bool:
    """Whether what a person let pass has landed, and not merely what was written beside it."""
    meant = {c.field for c in hold.changes} & {"tier", "owner"}
    return meant <= landed.keys() if meant else bool(landed)


_MOVES = {Rule.DOWNGRADES.value: "tier", Rule.OWNER_MOVES.value: "owner"}


def _counts(rule: str, landed: Mapping[str, str], result: Result | None) -> bool:
    """Whether a write counts for a limit of the guard: what may have landed does."""
    return _MOVES.get(rule, "tier") in landed or result is _UNCERTAIN


def said(outcome: Outcome) -> str:
    """Why something of a write did not land, in the CRM's words; a reason many fields share only once."""
    whole = outcome.message or outcome.code
    if outcome.code and outcome.code not in whole:
        whole = f"{outcome.code}: {whole}"
    fields: dict[str, list[str]] = {}
    for name, why in outcome.refused.items():
        fields.setdefault(why, []).append(name)
    return "; ".join(filter(None, [whole, *(f"{', '.join(names)}: {why}" for why, names in fields.items())]))


def _partly(outcome: Outcome) -> str:
    """What an account is of which something landed: refused where a field is for good."""
    return "refused" if outcome.refused.keys() - outcome.deferred else "deferred"


def _resolved(d: Draft, sent: Mapping[str, str], result: Result | None) -> dict[str, tuple[str, ...]]:
    """Intents whose fate is known: every earlier one by this read, ours of now by the reply.

    What was seen is what they came to, whosever value it is: an intent that stayed evidence for ever would
    claim a value that somebody types years later. One whose reply was lost stays open.
    """
    if d.differences.held or not (sent or d.remembered.intents):
        return {}
    earlier = {name: d.remembered.intents[name] for name in d.account.live if name in d.remembered.intents}
    if result is _UNCERTAIN:
        return {n: tuple(v for v in values if v != sent.get(n)) for n, values in earlier.items()}
    if result in (Result.WRITTEN, Result.REFUSED, Result.FAILED):
        return {n: (*earlier.get(n, ()), *((sent[n],) if n in sent else ())) for n in {**earlier, **sent}}
    return earlier


def _not_routed(d: Draft) -> Previous:
    """After a failed write the carried evaluation stands, but nobody was routed. (Should a write of unknown
    fate have landed after all, the account itself will say so: see `domain.recovery`.)"""
    before = d.remembered.previous
    return replace(
        d.carried,
        routed_owner=before.routed_owner if before else "",
        routed_at=before.routed_at if before else None,
        routed_why=before.routed_why if before else "",
    )


def _status(d: Draft, result: Result | None, fate: Fate) -> str:
    if result is not None and result is not _WRITTEN:
        return "refused" if result is Result.REFUSED else "deferred"
    if fate.lost:
        return "deferred"
    return "held" if d.differences.held or fate.waits else "settled"


def _logged(d: Draft) -> int | None:
    """The score of the evaluation last put into the history, None before the first one."""
    before = d.remembered.previous
    kept = d.remembered.evidence.get(LOGGED, before.score if before else None)
    return kept if isinstance(kept, int) else None


def _worth_logging(d: Draft, logged: int | None) -> bool:
    """Whether the tier moved, or the score by more than a point since the history last told of it: drifting
    there point by point counts as well."""
    before = d.remembered.previous
    return (
        before is None or logged is None or before.tier != d.carried.tier or abs(logged - d.carried.score) > 1
    )


def _lost(signal: Signal) -> str:
    """Who said what that did not win: "apollo: 4,000"."""
    return f"{signal.source}: {cut(value_text(signal.fact, signal.value), 80)}"


def _explained(d: Draft, policy: Policy, *, logged: bool) -> dict[str, object]:
    """What explain needs beyond the evidence: when, the routing decision, what could not be read.

    The evidence itself, and what it takes to prove the evaluation, come along when it goes into the history.
    """
    decision = d.decision
    return {
        "at": d.at,
        **({"evidence": d.evidence, "proof": proof_of(d.evaluation, d.previous)} if logged else {}),
        **({"owner": d.account.owner, "stamp": d.account.stamp} if logged else {}),
        **({"profile": d.evaluation.shown.profile.name} if logged else {}),
        "unread": dict(d.known.unread),
        **({"family": d.kin.problem} if d.kin.problem else {}),
        "losers": {n: [_lost(s) for s in said] for n, said in d.known.losers.items()},
        **({"disagreements": to_json(apart)} if (apart := disagreements(d.known, policy.types)) else {}),
        "decision": {
            "lane": decision.lane,
            "owner": decision.owner,
            "rule": decision.rule,
            "pool": decision.pool,
            "imbalance": decision.imbalance,
            "note": decision.note,
            "success": {name: said for name, said in decision.success._asdict().items() if said},
            "considered": [[c.email, c.weight, c.load, c.skipped] for c in decision.considered],
        },
    }
