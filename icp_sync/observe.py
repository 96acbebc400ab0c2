"""Logs, metrics and fault points: how the engine is watched, and how tests make it stumble.

Logs are structured and never hold a secret: anything named like one is blotted out before rendering.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics

disable_created_metrics()  # type: ignore[no-untyped-call]
registry = CollectorRegistry()

requests_total = Counter(
    "icp_sync_requests_total", "Requests sent", ["connection", "endpoint", "outcome"], registry=registry
)
request_seconds = Histogram(
    "icp_sync_request_seconds", "Time to answer", ["connection", "endpoint"], registry=registry
)
quota_wait_seconds = Counter(
    "icp_sync_quota_wait_seconds_total",
    "Time waited for a slot",
    ["connection", "bucket"],
    registry=registry,
)
accounts_total = Counter(
    "icp_sync_accounts_total", "Accounts settled", ["connection", "stream", "result"], registry=registry
)
fields_written_total = Counter(
    "icp_sync_fields_written_total", "Field values written", ["connection", "field"], registry=registry
)
enrichment_total = Counter(
    "icp_sync_enrichment_answers_total",
    "Answers of enrichers",
    ["connection", "enricher", "outcome"],
    registry=registry,
)
sweep_found_missing_total = Counter(
    "icp_sync_sweep_found_missing_total",
    "Accounts the sweep found that the other streams had missed; must stay 0",
    ["connection"],
    registry=registry,
)
stream_lag_seconds = Gauge(
    "icp_sync_stream_lag_seconds",
    "Age of the end of the last settled window",
    ["connection", "stream"],
    registry=registry,
)
cycles_total = Counter(
    "icp_sync_cycles_total", "Stream cycles", ["connection", "stream", "outcome"], registry=registry
)

_SECRET_KEY = re.compile(r"token|secret|password|authorization|api_?key|credential", re.IGNORECASE)
_SECRET_TEXT = re.compile(r"pat-[a-z0-9]{2,4}-[A-Za-z0-9-]+|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+")


def redact(text: str) -> str:
    """The text without anything that looks like a credential."""
    return _SECRET_TEXT.sub("[redacted]", text)


def _blot(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_KEY.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = redact(value)
    return event


def configure_logs(*, json: bool = False, level: str = "INFO") -> None:
    """Log to stderr: aligned text for people, one JSON object a line for machines."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _blot,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )


def log(name: str) -> Any:
    return structlog.get_logger(component=name)


FAULT_POINTS: dict[str, str] = {}
"""Every registered fault point: name → what would be lost there if the design were wrong."""

_armed: Callable[[str], None] | None = None


def fault_point(name: str, why: str) -> Callable[[], None]:
    """Register an I/O boundary and return the call to place there. Costs one None check when unarmed."""
    FAULT_POINTS[name] = why

    def reached() -> None:
        if _armed is not None:
            _armed(name)

    return reached


def arm_faults(hook: Callable[[str], None] | None) -> None:
    """Tests only: call `hook(name)` at each fault point; it may raise or end the process."""
    global _armed
    _armed = hook


def arm_faults_from_environment() -> None:
    """`ICP_SYNC_FAULT=name[:n]` ends the process with status 137 at the n-th passage of a fault point."""
    wanted = os.environ.get("ICP_SYNC_FAULT")
    if not wanted:
        return
    name, _, nth = wanted.partition(":")
    left = [int(nth or 1)]

    def die(reached: str) -> None:
        if reached == name:
            left[0] -= 1
            if left[0] <= 0:
                os._exit(137)

    arm_faults(die)
