"""What goes with a whole round of `icp-sync run --once`: deals, the watch on the profile, telling people."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.run import Wanted
    from icp_sync.daemon import Stopping
    from icp_sync.sync.cycle import Parts
    from icp_sync.wiring import Wired


def beside(wanted: Wanted, wired: Wired, stopping: Stopping) -> dict[str, object] | None:
    """Follow deals, where they are followed, once a day watch the profile, keep how the day stands, and tell
    people what is due.

    What became of deals; None where nobody looked at them.
    """
    if wanted.dry_run or wanted.where or wanted.limit or not stopping.going():
        return None
    deals = _follow_deals(wired.parts, stopping)
    _watch(wired)
    _look(wired)
    _tell_people(wired.parts, stopping)
    return deals


def _tell_people(parts: Parts, stopping: Stopping) -> None:
    from icp_sync.sync.telling.stream import tell

    tell(parts, going=stopping.going)


def _look(wired: Wired) -> None:
    """Keep how the day stands, and raise what somebody should look at."""
    from icp_sync.sync.alarms import Alarming, raise_alarms
    from icp_sync.sync.daily import keep_today

    journal, now = wired.journal, wired.parts.clock()
    stood, said = journal.stood(), wired.settings.alerts
    keep_today(journal, stood, now=now)
    alarming = Alarming(refused=said.refused, refused_floor=said.refused_floor, waiting=said.waiting)
    budgets = wired.parts.policy().buying.budgets
    raise_alarms(journal, stood, alarming, budgets=budgets, enrichers=wired.parts.enrichers, now=now)


def _watch(wired: Wired) -> None:
    """Once a day: whether the profile still holds."""
    from icp_sync.learning.drift.watch import watch_if_due

    policy = wired.parts.policy()
    profiles = [compiled.profile for compiled in policy.compiled]
    watch_if_due(wired.journal, profiles, wired.settings, wired.parts.clock, types=policy.types)


def _follow_deals(parts: Parts, stopping: Stopping) -> dict[str, object] | None:
    """That deals cannot be read now keeps no account from being settled."""
    from icp_sync.errors import UnavailableError
    from icp_sync.sync.deals import follow_deals

    try:
        done = follow_deals(parts, going=stopping.going)
    except UnavailableError as error:
        return {"error": str(error)}
    return None if done is None else done.to_json()
