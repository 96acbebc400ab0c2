"""The metrics that say how things stand, as opposed to what happened: set by `lookout`, never by a scrape."""

from __future__ import annotations

import platform
from collections.abc import Mapping

from prometheus_client import Gauge
from prometheus_client.metrics import MetricWrapperBase

from icp_sync import __version__
from icp_sync.domain.evaluation import ENGINE
from icp_sync.journal.schema import REVISIONS
from icp_sync.observe import registry


def _gauge(name: str, text: str, *labels: str) -> Gauge:
    return Gauge(f"icp_sync_{name}", text, ["connection", *labels], registry=registry)


build = Gauge(
    "icp_sync_build_info",
    "Always 1; the labels say what runs",
    ["version", "engine", "schema", "python"],
    registry=registry,
)
build.labels(__version__, str(ENGINE), REVISIONS[-1], platform.python_version()).set(1)
journal_bytes = Gauge(
    "icp_sync_journal_bytes", "What the journal's database takes, of all connections", registry=registry
)
tier_accounts = _gauge("tier_accounts", "In-scope accounts by tier or state", "tier")
status_accounts = _gauge("status_accounts", "Accounts by what became of their last settlement", "status")
held_accounts = _gauge("held_accounts", "Changes that wait for a person, by rule of the guard", "rule")
overridden_accounts = _gauge("overridden_accounts", "In-scope accounts whose tier people decided")
quota_limit = _gauge("quota_limit", "Calls the CRM allows, by bucket", "bucket")
quota_left = _gauge("quota_left", "Calls left of a limit, by bucket", "bucket")
quota_reserve = _gauge("quota_reserve", "Calls of the day left to everybody else", "bucket")
quota_used = _gauge("quota_used", "Calls of ours that a limit counts at present, by bucket", "bucket")
spend_credits = _gauge("spend_credits", "Credits spent or reserved, by enricher and span", "enricher", "span")
budget_left_credits = _gauge("budget_left_credits", "Credits left of a budget", "budget")
missed_changes = _gauge(
    "missed_changes", "Changes only sweeps found since the connection began; must stay 0, outlives restarts"
)
backfill_accounts = _gauge(
    "backfill_accounts", "read: by the present or last backfill; known: accounts there are", "part"
)
backfill_state = _gauge("backfill_state", "1 for what the backfill is at, 0 for the others", "state")
profile_version = _gauge("profile_version", "Version of the active profile, 0 before any")
profile_accounts = _gauge(
    "profile_accounts", "active: in-scope accounts evaluated by the active version; in_scope: all", "part"
)
alert_standing = _gauge("alert_standing", "1 while an alert of the journal stands", "alert")
stream_interval = _gauge(
    "stream_interval_seconds", "Between two triggers of the stream, as the schedule says", "stream"
)
stream_stays_behind = _gauge(
    "stream_stays_behind_seconds", "How far the stream stays behind on purpose", "stream"
)
halted = _gauge("connection_halted", "1 while a connection does nothing until a person helps")
paused = _gauge("connection_paused", "1 while a person has paused the connection")
settings_problems = Gauge(
    "icp_sync_settings_problems", "Of the settings' files, what is not in effect", registry=registry
)


def forget(connection: str) -> None:
    """Of a connection that is no more nothing is shown; its successor begins from 0, as after a start."""
    for metric in tuple(registry._collector_to_names):
        if isinstance(metric, MetricWrapperBase) and "connection" in metric._labelnames:
            metric.remove_by_labels({"connection": connection})


def hide() -> None:
    """Show how no connection stands any more: another worker does."""
    for metric in tuple(registry._collector_to_names):
        if isinstance(metric, Gauge) and "connection" in metric._labelnames:
            metric.clear()


class Shown:
    """One gauge of one connection with one more label, of which what is not there any more disappears."""

    def __init__(self, gauge: Gauge, connection: str) -> None:
        self._gauge, self._connection = gauge, connection
        self._known: set[tuple[str, ...]] = set()

    def set(self, values: Mapping[tuple[str, ...], float]) -> None:
        """values: the other labels → value."""
        for labels in self._known - values.keys():
            self._gauge.remove(self._connection, *labels)
        for labels, value in values.items():
            self._gauge.labels(self._connection, *labels).set(value)
        self._known = set(values)

    def named(self, values: Mapping[str, float]) -> None:
        """The same of a gauge with one more label."""
        self.set({(name,): value for name, value in values.items()})
