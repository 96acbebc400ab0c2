"""Logs, metrics and fault points: how the engine is watched, and how tests make it stumble.

Logs are structured and never hold a secret: our own are known by their text, others by their looks, and what
is named like one is blotted out whatever it holds.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable, Mapping, MutableMapping
from json import dumps
from threading import Lock
from typing import Any
from urllib.parse import quote, quote_plus

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
deals_total = Counter(
    "icp_sync_deals_total", "Deals by what became of their stamp", ["connection", "stamp"], registry=registry
)
first_touch_seconds = Histogram(
    "icp_sync_first_touch_seconds",
    "From giving an account to somebody to the first touch",
    ["connection"],
    buckets=[hours * 3600.0 for hours in (1, 4, 8, 24, 48, 72, 120, 168, 336, 720)],
    registry=registry,
)
breaches_total = Counter(
    "icp_sync_breaches_total",
    "Accounts not touched in time, by what that led to",
    ["connection", "action"],
    registry=registry,
)

_SECRET_KEY = re.compile(
    r"token|secret|passw|authorization|api_?key|private_?key|session_?id|credential|cookie|assertion",
    re.IGNORECASE,
)
_SECRET_TEXT = re.compile(
    r"pat-[a-z0-9]{2,4}-[A-Za-z0-9-]+"  # a HubSpot token
    r"|(?i:bearer|basic)\s+[A-Za-z0-9._~+/=!-]{8,}"
    r"|\b00D[A-Za-z0-9]{12,15}![A-Za-z0-9._]+"  # a Salesforce session
    r"|\beyJ[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*"  # a signed token, RFC 7519
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)"
    r"|\bAIza[A-Za-z0-9_-]{20,}"  # a Google key
    # User and password of an address; the password may hold what should have been percent-encoded. Digits
    # and a slash behind the colon are a port.
    r"|(?<=://)(?:[^\s/@:]*:(?!\d{1,5}[/?#])[^\s\"'<>]+|[^\s/@]+)(?=@)"
    r"|((?i:(?:token|secret|passw(?:or)?d|passphrase|api_?key|apikey|assertion)=[\"']?|[?&](?:key|sid|sig|code|pwd)="
    r"|(?:token|secret|passw(?:or)?d|api_?key|authorization|private_?key)\\*[\"']\s*:\s*\\*[\"']))"
    r"(?!\[redacted\])[^\s&\"'\\]+"
)
"""What looks like a credential; the group is what stands before it, and stays."""
_SHORTEST = 8
"""Characters of a secret that is looked for by itself: shorter ones stand in ordinary words too."""

_DEEPEST = 8
"""Levels of a value that are looked through; what is deeper is text."""

_PASSING = 200
"""Forms of tokens that come and go which are remembered; the oldest have long expired."""

_concealing = Lock()
_concealed: set[str] = set()
_passing: dict[str, None] = {}
_concealed_text: re.Pattern[str] | None = None
_stale = False


def conceal(*secrets: str, passing: bool = False) -> None:
    """From here on these texts are blotted out of every log line and error, as they are, percent-encoded and
    as JSON or Python would quote them, once or twice; of several lines, each by itself.

    passing: a token that another will take the place of; the last ones are remembered.
    """
    global _stale
    lines = {line.strip() for secret in secrets for line in (secret, *secret.splitlines())}
    forms = lines | {quote(line, safe="") for line in lines} | {quote_plus(line) for line in lines}
    for _ in range(2):
        forms |= {quoted for form in forms for quoted in _quoted(form)}
    fresh = {form for form in forms if len(form) >= _SHORTEST and not form.startswith("-----")}
    with _concealing:
        if passing:
            for form in fresh:
                _passing.pop(form, None)
                _passing[form] = None
            while len(_passing) > _PASSING:
                del _passing[next(iter(_passing))]
        else:
            _concealed.update(fresh)
        _stale = True


def _pattern() -> re.Pattern[str] | None:
    """What is to be blotted out, compiled when it is needed first."""
    global _concealed_text, _stale
    if _stale:
        with _concealing:
            longest_first = sorted({*_concealed, *_passing}, key=len, reverse=True)
            _concealed_text = re.compile("|".join(map(re.escape, longest_first))) if longest_first else None
            _stale = False
    return _concealed_text


def _quoted(text: str) -> tuple[str, ...]:
    """As JSON, and as Python where the other quotation mark is about, would write it inside of quotes."""
    return (
        dumps(text)[1:-1],
        dumps(text, ensure_ascii=False)[1:-1],
        repr(text)[1:-1],
        repr(text + "'\"")[1:-1].removesuffix("\\'\""),
    )


def redact(text: str) -> str:
    """The text without our credentials, and without anything that looks like one."""
    if pattern := _pattern():
        text = pattern.sub("[redacted]", text)
    return _SECRET_TEXT.sub(r"\1[redacted]", text)


def _blot(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Before it is rendered, and quoted as the renderer likes; what a renderer adds is redacted once more."""
    for key, value in event.items():
        event[key] = _blotted(key, value)
    return event


def _blotted(key: object, value: Any, depth: int = 0) -> Any:
    """A value less every secret, however deep in it."""
    if isinstance(key, str) and _SECRET_KEY.search(key):
        return "[redacted]"
    if value is None or isinstance(value, int | float):
        return value
    if isinstance(value, str):
        return redact(value)
    if depth < _DEEPEST and isinstance(value, Mapping):
        return {redact(str(name)): _blotted(name, item, depth + 1) for name, item in value.items()}
    if depth < _DEEPEST and isinstance(value, list | tuple | set | frozenset):
        return [_blotted("", item, depth + 1) for item in value]
    clean = all(redact(said) == said for said in (str(value), repr(value)))
    return value if clean else redact(f"{type(value).__name__}: {value}")


class _Foreign(logging.Handler):
    """What libraries say through Python's own logging: redacted, to stderr as it is at that moment."""

    def emit(self, record: logging.LogRecord) -> None:
        try:
            sys.stderr.write(redact(self.format(record)) + "\n")
        except Exception:  # whatever a library's message is made of must not end the program
            self.handleError(record)


_foreign = _Foreign(logging.WARNING)
_foreign.setFormatter(logging.Formatter("%(levelname)s %(name)s: %(message)s"))


def configure_logs(*, json: bool = False, level: str = "INFO") -> None:
    """Log to stderr: aligned text for people, one JSON object a line for machines."""
    renderer: Any = (
        structlog.processors.JSONRenderer()
        if json
        else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty(), pad_event_to=28)
    )

    def rendered(logger: Any, name: str, event: MutableMapping[str, Any]) -> str:
        return redact(str(renderer(logger, name, event)))

    if _foreign not in logging.getLogger().handlers:
        logging.getLogger().addHandler(_foreign)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _blot,
            rendered,
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
