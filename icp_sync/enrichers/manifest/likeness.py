"""How surely a record is the company that was asked about: by its domain, its name, and the vendor's word."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Any

from icp_sync.enrichers.manifest.expressions import gives
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.enrichers.manifest.words import placeholders
from icp_sync.normalize import domains
from icp_sync.normalize.names import Likeness, match
from icp_sync.ports import Request

_ENOUGH = (Likeness.EXACT, Likeness.STRONG)
_LONGEST_NAME = 500
FEW = 500
"""Names that are all compared; and how many may share a word before it says nothing."""
_BEGINNING, _SHORTEST = 5, 3  # letters of a word that are looked for, and that make one


def by_name(manifest: Manifest) -> bool:
    """Whether companies are asked for by their name and not by their domain."""
    calls = [manifest.request, *(step.request for step in manifest.steps)]
    words = {
        word for call in calls for word, _ in placeholders([call.path, call.query, call.json_, call.form])
    }
    return "name" in words and "domain" not in words


def likeness(manifest: Manifest, record: Any, request: Request, so_far: float) -> float:
    """Confidence in (0, 1] that the record is the company's; 0 where it is not, or not surely enough.

    so_far: what earlier steps made of it.
    """
    rule = manifest.match
    sure = so_far
    if rule.domain:
        theirs = _registrable(gives(rule.domain, record))
        if theirs and theirs != domains.registrable(request.domain):
            return 0.0
    if rule.name and by_name(manifest) and so_far >= 1.0:
        sure = named_alike(request.name, gives(rule.name, record))
    if rule.confidence:
        told = gives(rule.confidence, record)
        if isinstance(told, int | float | str) and not isinstance(told, bool):
            sure *= _share(told, rule.scale)
    return sure if sure > 0 and sure >= rule.least else 0.0


def named_alike(ours: str, theirs: Any) -> float:
    """The confidence that two names mean one company, 0 where they do not, or too weakly to rest facts on."""
    if not ours or not isinstance(theirs, str) or not theirs:
        return 0.0
    found = match(ours, theirs[:_LONGEST_NAME])
    return min(1.0, found.confidence) if found.grade in _ENOUGH else 0.0


def worth_comparing(ours: str, theirs: Sequence[Any]) -> Sequence[int]:
    """The places of the names in a long list that may be ours: those that share the beginning of a word few
    of them have. Comparing names takes its time, and a register has ten thousand."""
    if len(theirs) <= FEW:
        return range(len(theirs))
    folded = [_plain(name) if isinstance(name, str) else "" for name in theirs]
    places: set[int] = set()
    for beginning in {word[:_BEGINNING] for word in _plain(ours).split() if len(word) >= _SHORTEST}:
        sharing = [place for place, name in enumerate(folded) if beginning in name]
        if len(sharing) <= FEW:
            places.update(sharing)
    return sorted(places)


def _plain(name: str) -> str:
    """Without case and accents."""
    spread = unicodedata.normalize("NFKD", name[:_LONGEST_NAME].casefold())
    return "".join(letter for letter in spread if not unicodedata.combining(letter))


def _registrable(raw: Any) -> str:
    if isinstance(raw, list):
        raw = raw[0] if raw else None
    return domains.registrable(raw) if isinstance(raw, str) else ""


def _share(told: float | str, scale: float) -> float:
    try:
        share = float(told) / scale
    except (ValueError, OverflowError):
        return 1.0
    return min(1.0, share) if share > 0 else 0.0
