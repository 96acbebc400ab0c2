"""What a reply amounts to, before anything of it is read, and what it cost.

The manifest's own rules come first; where they say nothing, what HTTP means by a status.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from icp_sync.enrichers.manifest.expressions import gives, truthy
from icp_sync.enrichers.manifest.schema import Manifest, Reported
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.vocabulary import Outcome

GATEWAY = frozenset((502, 504, 520, 522, 524))
"""Somebody between us gave up waiting: the vendor behind it may have done, and charged, what was asked."""
_PLAIN: Mapping[int, Outcome] = {
    400: "bad_input",
    401: "not_entitled",
    402: "no_credit",
    403: "not_entitled",
    404: "miss",
    422: "bad_input",
    429: "throttled",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """A reply. headers: lower-case names. readable: whether its body was JSON, as it should be.

    retry_after: seconds its header asks for.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: Any = field(default=None, repr=False)
    readable: bool = True
    retry_after: float | None = None

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300


def outcome(manifest: Manifest, said: Said) -> Outcome:
    """The first rule that is met, else the plain meaning of the status. "Not found" counts only in the
    vendor's own words, which are JSON: a page of a proxy or of a moved service says nothing of a company."""
    what = _ruled(manifest, said)
    return "error" if what == "miss" and not said.good and said.body is None else what


def _ruled(manifest: Manifest, said: Said) -> Outcome:
    if said.good and not said.readable:
        return "error"
    for rule in manifest.outcomes:
        if rule.status and said.status not in rule.status:
            continue
        if rule.when and not truthy(gives(rule.when, said.body)):
            continue
        if rule.headers and not truthy(gives(rule.headers, said.headers)):
            continue
        return rule.is_
    if said.status in GATEWAY and not manifest.repeats_free and manifest.charge.on != "free":
        return "unknown"
    if said.status == 202 and manifest.pending is not None:
        return "pending"
    return "hit" if said.good else _PLAIN.get(said.status, "error")


def wait_for(manifest: Manifest, said: Said) -> float | None:
    """Seconds the vendor wants to be left alone, where it says so."""
    if said.retry_after is not None:
        return said.retry_after
    for rule in manifest.outcomes:
        if rule.retry_after and (not rule.status or said.status in rule.status):
            seconds = _number(gives(rule.retry_after, said.body))
            if seconds is not None:
                return seconds
    return None


def charged(setup: Setup, outcome: Outcome, said: Said, item: Any = None) -> float:
    """Credits this answer cost: what the vendor reports of it, else by the rule of the manifest.

    item: the part of the body that is about this one request of several; what is reported of all of them
    together is then nobody's yet (`batching` shares it out).
    """
    rule = setup.manifest.charge
    told = reported(rule.reported, said, item) if rule.reported is not None else None
    if told is not None and (told[1] or item is None):
        return told[0]
    return setup.hit_credits if pays(setup.manifest, outcome, good=said.good) else 0.0


def pays(manifest: Manifest, outcome: Outcome, *, good: bool) -> bool:
    """Whether an answer is paid by the manifest's rule. A good reply that cannot be read counts as paid; what
    was never taken up costs nothing."""
    on = manifest.charge.on
    if on == "free" or outcome in ("throttled", "no_credit", "not_entitled", "unknown"):
        return False
    if on == "call" or outcome in ("hit", "ambiguous"):
        return True
    return outcome == "error" and good


def reported(where: Reported, said: Said, item: Any = None) -> tuple[float, bool] | None:
    """The number reported, and whether it is of this one item only; None where there is none."""
    if where.header:
        told = _number(said.headers.get(where.header.lower()))
        return None if told is None else (told, False)
    own = _number(gives(where.path, item)) if item is not None else None
    if own is not None:
        return own, True
    told = _number(gives(where.path, said.body))
    return None if told is None else (told, False)


def _number(raw: Any) -> float | None:
    """A number of 0 or more, from JSON or a header; None for anything else. Negative means unknown."""
    if isinstance(raw, bool) or not isinstance(raw, int | float | str):
        return None
    try:
        number = float(raw)
    except (ValueError, OverflowError):
        return None
    return number if isfinite(number) and 0 <= number <= 1e9 else None
