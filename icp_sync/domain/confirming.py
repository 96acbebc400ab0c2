"""What a read confirms of an account's fields: our values that it saw there, and those people hold.

What a write has confirmed is known by its reply and is no business of this.
"""

from __future__ import annotations

from icp_sync.domain.account import Account, Confirmed, Origin, Remembered
from icp_sync.domain.differences import Differences
from icp_sync.domain.standing import FIELDS


def learned(
    account: Account, differences: Differences, remembered: Remembered, now: float
) -> dict[str, Confirmed]:
    """What this read confirms: our values that a later read saw, and the values people hold.

    Only news: a value already confirmed with the same origin is left out. A value people typed is theirs
    also when it is over: so it stays known whose it was until ours is written.
    """
    if differences.held:
        return {}
    known = remembered.confirmed
    news = {
        name: Confirmed(value=value, origin=Origin.OURS, at=now)
        for name, value in differences.unconfirmed.items()
    }
    owned = account.owner and "owner" in account.live
    if not (differences.claims or differences.left_alone or owned):
        return news
    wanted = {c.field for c in (*differences.changes, *differences.waiting)} | differences.left_alone.keys()
    news |= {
        name: Confirmed(value=claim.value, origin=Origin.HUMAN, at=claim.since or now, by=claim.by)
        for name, claim in differences.claims.items()
        if claim.value or name in wanted or FIELDS[name].theirs
    }
    if differences.theirs.get("owner") == "" and "owner" in differences.left_alone:
        news["owner"] = Confirmed(value="", origin=Origin.HUMAN, at=now)
    if owned and "owner" not in (news.keys() | differences.ours.keys()):
        news["owner"] = Confirmed(value=account.owner, origin=Origin.HUMAN, at=now)

    def is_news(name: str, fresh: Confirmed) -> bool:
        last = known.get(name)
        if last is None or (last.value, last.origin) != (fresh.value, fresh.origin):
            return True
        claim = differences.claims.get(name)  # since when and by whom: the CRM's history may say it better
        return claim is not None and claim.since > 0 and (last.at, last.by) != (fresh.at, fresh.by)

    return {name: fresh for name, fresh in news.items() if is_news(name, fresh)}
