"""Which notices may be sent now, whether they are still true, and what makes one message. Sends nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from icp_sync.domain.assignment import Action
from icp_sync.domain.telling import ASSIGNED, TIER
from icp_sync.journal import DROPPED, FAILED, OPERATOR, REP, Journal, Stand, StoredNotice
from icp_sync.sync.telling.message import BREACH
from icp_sync.sync.telling.outgoing import Outgoing

URGENT = (BREACH,)
"""Kinds that wait for no digest."""
AT_ONCE = 2_000


def due_now(journal: Journal, outgoing: Outgoing, audience: str, now: float) -> list[StoredNotice]:
    """What may be sent now: what a digest waits for only once its period is over, and of nobody a part."""
    upto = None
    if audience == REP and (telling := outgoing.telling).digest:
        upto = telling.goes_out(now) - telling.digest
    urgent = URGENT if audience == REP else ()
    limit = AT_ONCE
    while True:
        found = journal.notices_due(now, audience, upto=upto, urgent=urgent, limit=limit)
        if len(found) < limit or audience == OPERATOR:
            return found
        whole = [one for one in found if one.to != found[-1].to]
        if whole:
            return whole
        limit *= 2


def as_they_stand(
    journal: Journal, notices: Sequence[StoredNotice]
) -> tuple[list[StoredNotice], dict[int, str]]:
    """Those that are true, for whoever owns the account by now; and those that are not, by number, each with
    what changed."""
    stands = journal.stands({notice.subject for notice in notices if notice.audience == REP})
    true, untrue = [], {}
    for notice in notices:
        if notice.audience == OPERATOR:
            why = _was_not_told(journal, notice)
        else:
            notice = _readdressed(notice, stands.get(notice.subject))
            why = _untrue(notice, stands.get(notice.subject))
        if why:
            untrue[notice.seq] = why
        else:
            true.append(notice)
    return true, untrue


def _was_not_told(journal: Journal, notice: StoredNotice) -> str:
    """Why the end of an alert is no news: nobody was told of its beginning."""
    if notice.data.get("begun", True) or notice.data.get("changes", 1) != 1:
        return ""
    before = journal.notice_before(notice)
    lost = before is not None and before.data.get("begun") and before.state in (FAILED, DROPPED)
    return "nobody was told of its beginning" if lost else ""


def _readdressed(notice: StoredNotice, now: Stand | None) -> StoredNotice:
    """A rise is told to whoever owns the account by now, unless somebody may have heard of it."""
    if notice.kind != TIER or notice.batch or now is None or now.owner in ("", notice.to):
        return notice
    return replace(notice, to=now.owner, key=f"{notice.data.get('tier')} {now.owner}")


def _untrue(notice: StoredNotice, now: Stand | None) -> str:
    """What changed since it was noted, "" for nothing that matters."""
    if now is None:
        return "the account is gone"
    if notice.kind in (TIER, ASSIGNED) and now.tier != notice.data.get("tier"):
        return f"the tier is {now.tier or 'another'} by now"
    owner = notice.to
    if notice.kind == BREACH:
        moved = notice.data.get("action") == Action.REROUTE
        owner = str(notice.data.get("new_owner" if moved else "owner") or now.owner)
    elif notice.kind not in (TIER, ASSIGNED):
        return ""
    return "" if now.owner == owner else f"{now.owner or 'nobody'} owns it by now"


def together(notices: Iterable[StoredNotice], outgoing: Outgoing) -> list[list[StoredNotice]]:
    """Notices that make one message each time: a person's, unless each is told at once; what is urgent apart
    from the digest; every alert alone."""
    single = not outgoing.telling.digest
    parted: dict[tuple[object, ...], list[StoredNotice]] = {}
    for notice in notices:
        urgent = notice.kind in URGENT
        alone = notice.audience == OPERATOR or (single and not urgent)
        key = (notice.batch,) if notice.batch else (notice.seq,) if alone else (urgent, notice.to)
        parted.setdefault(key, []).append(notice)
    return list(parted.values())
