"""What the settling of an account gives to tell its owner. Decided here, kept with the page's commit.

News is what stands on the record by now: a tier that was held, refused or whose write failed is none yet.
What a backfill or a first reading settles is counted, not told. Sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.domain.spelling import cut
from icp_sync.domain.telling import RANKS, Stands, news_of
from icp_sync.journal import REP, Notice, Settled
from icp_sync.ports import Stream
from icp_sync.sync.draft import Draft, Policy

STANDS = "stands"
"""Under this name evidence keeps the effective tier that last landed on the record."""


def with_news(one: Settled, d: Draft, policy: Policy, stream: Stream, *, filling: bool) -> Settled:
    """The account as the journal shall remember it, with what is to be told of it.

    filling: whether a backfill is asked for or under way, so that what is met for the first time is no news.
    """
    if not policy.telling.on:
        return one
    if one.notices and not policy.telling.backfills and _part_of_many(d, stream, filling=filling):
        one = replace(one, notices=(), silent=1)
    tier = d.evaluation.tier if d.evaluation.in_scope else ""
    before = _before(d)
    now_on_record = _on_record(one, d)
    landed = now_on_record == tier
    stands = tier if landed else now_on_record if d.withdrawn else before
    firm = d.evaluation.firm or d.evaluation.override is not None
    if policy.telling.firm_only and landed and not firm:  # it is news once it is firm
        stands = min(before or "", tier, key=lambda one: RANKS.get(one, 0))
    one = replace(one, evidence={**one.evidence, **({} if stands is None else {STANDS: stands})})
    kind = news_of(
        Stands(
            before=before,
            tier=tier if landed else "",
            firm=firm,
            owner=one.owner,
            routed=one.previous if one.in_scope and "owner" in d.account.live else None,
            was_routed=d.remembered.previous,
        ),
        policy.telling,
        policy.mode,
    )
    if not kind or any(notice.to == one.owner for notice in one.notices):  # a breach says whose it is now
        return one
    if not policy.telling.backfills and _part_of_many(d, stream, filling=filling):
        return replace(one, silent=1)
    notice = Notice(
        audience=REP,
        kind=kind,
        subject=one.account_id,
        to=one.owner,
        key=f"{tier} {one.owner}",
        data=_told(one, d, before or ""),
    )
    return replace(one, notices=(*one.notices, notice))


def _before(d: Draft) -> str | None:
    """The tier that last landed; of an account that was settled before anybody was told, its last one."""
    kept = d.remembered.evidence.get(STANDS)
    if isinstance(kept, str):
        return kept
    return d.remembered.previous.tier if d.remembered.previous else None


def _on_record(one: Settled, d: Draft) -> str:
    """The tier on the record after this settling. Where none is carried, ours once all else has landed."""
    if not d.evaluation.in_scope:
        return ""
    if "tier" not in d.account.live:
        return d.evaluation.tier if one.status == "settled" else ""
    known = one.confirmed.get("tier")
    return known.value if known is not None and _wrote_tier(one) else d.account.live["tier"]


def _wrote_tier(one: Settled) -> bool:
    return any(change.field == "tier" for change in one.changes)


def _part_of_many(d: Draft, stream: Stream, *, filling: bool) -> bool:
    """Whether it is one of the many that change because we began, or began to see them otherwise."""
    before = d.remembered.previous
    if stream is Stream.BACKFILL:
        return True
    if before is None:
        return filling or stream is Stream.SWEEP
    return before.profile_version != d.evaluation.profile_version


def _told(one: Settled, d: Draft, before: str) -> Mapping[str, object]:
    """What a message is made of. The name is the CRM's: nothing in it is to be trusted."""
    return {
        "name": cut(d.account.name, 120),
        "domain": one.domain,
        "tier": d.evaluation.tier,
        "before": before,
        "score": d.evaluation.score,
        "certainty": d.evaluation.certainty,
        "lane": d.decision.lane,
        "why": cut(d.carried.why, 200),
    }
