"""Looks now and then how one connection stands: for its metrics, for the day's row, and for whom to wake.

In a rhythm of its own, so that nothing is counted while somebody scrapes, and nothing of it stops a stream:
what cannot be looked at now is looked at the next time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from icp_sync.daemon import gauges
from icp_sync.daemon.alarms import of_streams
from icp_sync.daemon.gauges import Shown
from icp_sync.daemon.portal import Portal
from icp_sync.daemon.streams import Loop
from icp_sync.domain.buying import NO_BUDGETS, Budgets
from icp_sync.domain.guard import Rule
from icp_sync.domain.standing import STATES
from icp_sync.errors import ConfigError, IcpSyncError
from icp_sync.journal import OPERATOR, REP, Journal, Stood
from icp_sync.observe import log, stream_lag_seconds
from icp_sync.ports import Stream
from icp_sync.settings.enrichment import name_of
from icp_sync.sync.alarms import Alarming, raise_alarms
from icp_sync.sync.backfill import halted
from icp_sync.sync.cycle import FOUND_MISSING, PURPOSE
from icp_sync.sync.daily import keep_today
from icp_sync.sync.freshness import FOLLOWING, freshness_seconds
from icp_sync.sync.requests import RUNNING
from icp_sync.sync.telling.stream import OUTCOMES, notices_total
from icp_sync.wiring.crms import limits_of

EVERY = 60.0
"""Seconds between two looks."""
COUNTED_EVERY = 300.0
"""Seconds between two counts of accounts, each of which walks through an index of all of them."""
OVERRIDES_EVERY = 3_600.0
"""Seconds between two counts of the tiers that people decided: that one reads every account."""
MONTH = 30 * 86_400.0
_STATES = ("idle", "requested", "running", "halted")


class Lookout:
    """loops: the connection's streams."""

    def __init__(self, portal: Portal, loops: Sequence[Loop], clock: Callable[[], float]) -> None:
        self._portal, self._loops, self._clock = portal, loops, clock
        self._counted_at = self._overrides_at = float("-inf")
        self._well = True
        for bought in ("yes", "no"):  # so that 0 is said
            freshness_seconds.labels(portal.name, bought)
        for loop in loops:
            gauges.stream_interval.labels(portal.name, loop.stream).set(loop.interval)
        schedule = portal.wired.settings.schedule
        for stream, behind in ((Stream.POLL, 0.0), (Stream.TRAILING, schedule.lag)):
            gauges.stream_stays_behind.labels(portal.name, stream.value).set(behind)
        for audience in (OPERATOR, REP) if portal.wired.parts.outgoing else ():
            for outcome in OUTCOMES:
                notices_total.labels(portal.name, audience, outcome)
        self._shown = {
            gauge: Shown(gauge, portal.name)
            for gauge in (
                gauges.tier_accounts,
                gauges.status_accounts,
                gauges.held_accounts,
                gauges.quota_limit,
                gauges.quota_left,
                gauges.quota_reserve,
                gauges.quota_used,
                gauges.spend_credits,
                gauges.budget_left_credits,
                gauges.alert_standing,
            )
        }

    def look(self) -> None:
        """Once. Raises nothing that was foreseen: the journal may be away for a while."""
        try:
            self._look()
        except IcpSyncError as error:
            if self._well:
                log("lookout").warning("not looked", connection=self._portal.name, error=str(error))
            self._well = False
        else:
            self._well = True

    def _look(self) -> None:
        journal, now = self._portal.wired.journal, self._clock()
        name = self._portal.name
        gauges.halted.labels(name).set(self._portal.halted is not None)
        gauges.paused.labels(name).set(self._portal.paused is not None)
        self._show_lag(journal)
        self._show_limits(journal)
        held = dict.fromkeys(map(str, Rule), 0) | journal.waiting_holds()
        self._shown[gauges.held_accounts].named(held)
        gauges.missed_changes.labels(name).set(journal.events().get(FOUND_MISSING, 0))
        active = journal.active()
        gauges.profile_version.labels(name).set(active[0] if active else 0)
        self._show_backfill(journal)
        if not 0 <= now - self._counted_at < COUNTED_EVERY:  # a clock may be set back
            self._counted_at = now
            self._count(journal, now)
        of_streams(journal, self._loops, now)
        self._shown[gauges.alert_standing].named({alert.name: 1 for alert in journal.alerts()})

    def _show_lag(self, journal: Journal) -> None:
        """Also of a stream that ends no cycle any more, which nobody else would tell of."""
        if not self._portal.accepted:
            return
        positions, now = journal.positions(), self._portal.wired.crm.now()
        for stream in sorted(FOLLOWING):
            position = positions.get((stream.value, ""), (None, 0.0))[0]
            if position is not None and position.done_to:
                stream_lag_seconds.labels(self._portal.name, stream.value).set(now - position.done_to / 1000)

    def _show_limits(self, journal: Journal) -> None:
        standings = limits_of(self._portal.wired.settings, journal)
        days = {one.name: one.day for one in standings if one.day is not None}
        left = {one.name: max(0, one.limit - one.used) for one in standings if one.name not in days}
        said = {name: day.remaining for name, day in days.items() if day.remaining is not None}
        self._shown[gauges.quota_limit].named({one.name: one.limit for one in standings if one.limit})
        self._shown[gauges.quota_left].named(left | said)
        self._shown[gauges.quota_reserve].named({name: days[name].reserve for name in said})
        self._shown[gauges.quota_used].named({one.name: one.used for one in standings})

    def _show_backfill(self, journal: Journal) -> None:
        name = self._portal.name
        begun = journal.positions().get((PURPOSE, ""))
        read = journal.read_since(Stream.BACKFILL.value, begun[1]) if begun else 0
        gauges.backfill_accounts.labels(name, "read").set(read)
        state = self._backfill_state(journal)
        for one in _STATES:
            gauges.backfill_state.labels(name, one).set(one == state)

    def _backfill_state(self, journal: Journal) -> str:
        requested = journal.backfill_request() is not None
        if halted(journal):
            return "halted"
        at_it = any(loop.busy for loop in self._loops if loop.stream == Stream.BACKFILL)
        if any(asked.kind == Stream.BACKFILL for asked in journal.requests(RUNNING)) or (requested and at_it):
            return "running"
        return "requested" if requested else "idle"

    def _count(self, journal: Journal, now: float) -> None:
        """What is counted less often, and what is kept or raised by it."""
        wired, name = self._portal.wired, self._portal.name
        stood = journal.stood()
        self._show_accounts(stood)
        month, ever = journal.spending(now - MONTH), journal.spending(0.0)
        names = {*map(name_of, wired.settings.enrichers), *ever}
        self._shown[gauges.spend_credits].set(
            {
                (one, span): sums.get(one, 0.0)
                for one in names
                for span, sums in (("30d", month), ("total", ever))
            }
        )
        budgets = self._budgets()
        self._shown[gauges.budget_left_credits].named(journal.budget_left(budgets, now=now))
        gauges.journal_bytes.set(journal.size())
        overridden = None
        if not 0 <= now - self._overrides_at < OVERRIDES_EVERY:
            self._overrides_at = now
            overridden = sum(journal.overridden().values())
            gauges.overridden_accounts.labels(name).set(overridden)
        keep_today(journal, stood, overridden=overridden, now=now)
        said = wired.settings.alerts
        alarming = Alarming(refused=said.refused, refused_floor=said.refused_floor, waiting=said.waiting)
        raise_alarms(journal, stood, alarming, budgets=budgets, enrichers=wired.parts.enrichers, now=now)

    def _budgets(self) -> Budgets:
        """None before there is an active profile: nothing is bought without one."""
        try:
            return self._portal.wired.parts.policy().buying.budgets
        except ConfigError:
            return NO_BUDGETS

    def _show_accounts(self, stood: Stood) -> None:
        name = self._portal.name
        self._shown[gauges.tier_accounts].named(dict.fromkeys(STATES, 0) | dict(stood.tiers))
        self._shown[gauges.status_accounts].named(stood.statuses)
        gauges.backfill_accounts.labels(name, "known").set(
            sum(n for status, n in stood.statuses.items() if status != "gone")
        )
        gauges.profile_accounts.labels(name, "active").set(stood.on_active)
        gauges.profile_accounts.labels(name, "in_scope").set(stood.in_scope)
