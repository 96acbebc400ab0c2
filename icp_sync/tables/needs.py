"""What profiles need of a file: which facts to read, and whether rows must be told apart by name."""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.domain.profile import Profile
from icp_sync.tables.alike import asked_facts


def needed_facts(profiles: Sequence[Profile]) -> frozenset[str]:
    """Facts to read from a file: those asked about, and those that populations and routes are made of."""
    asked = {name for profile in profiles for name in asked_facts(profile)}
    named = {r.target.named_fact for p in profiles for r in p.routes if r.target.named_fact}
    lists = {"domain"} if any(looks_up(p) for p in profiles) else set()
    return frozenset(asked | named | lists | {"population", "lifecycle", "account_type", "won_deals"})


def looks_up(profile: Profile) -> bool:
    """Whether a route asks who the account is, and not only how it was answered."""
    return any(route.target.named or route.target.named_fact for route in profile.routes)
