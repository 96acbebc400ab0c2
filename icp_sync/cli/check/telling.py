"""Whether those can be told whom the routes name when an account was not touched in time. Sends nothing."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

from icp_sync.errors import Problem

if TYPE_CHECKING:
    from icp_sync.domain.profile import Profile
    from icp_sync.settings.telling import Tell


def unheard(
    profiles: Iterable[Profile], said: Tell, active: Collection[str] | None = None
) -> Iterator[Problem]:
    """Leads nobody would tell anything. active: emails of active owners, None where nobody looked."""
    for profile in profiles:
        for number, route in enumerate(profile.routes, 1):
            lead = route.target.escalate
            if not lead or route.target.touch_within is None:
                continue
            where = f"profile {profile.name}, route {number}"
            if said.by == "off":
                what = f"what it escalates to {lead} reaches nobody: people are not told anything"
                yield Problem(where=where, what=what, hint='by = "webhook" or "task" under telling')
            elif said.by == "task" and said.url is None and active is not None and lead not in active:
                what = f"{lead} is not an active owner in the CRM, so can be given no task, and hears nothing"
                yield Problem(where=where, what=what, hint="correct the address, or set telling.url")
