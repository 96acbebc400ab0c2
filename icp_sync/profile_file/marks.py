"""Short digests by which a learned profile shows that it was edited since it was learned.

A seal, not a lock: whoever edits a file in good faith is told, and nobody is kept from lying. Knows neither
how profiles are learned nor what follows from an edit.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from hashlib import sha256
from typing import Any

from icp_sync.domain.profile import Learned, Profile

LENGTH = 12
"""Hexadecimal digits of a digest."""
_ENTRY = re.compile(r"^learned: \{", re.MULTILINE)


def mark_of(learned: Learned) -> str:
    """The digest of what a profile says of its cases: goal, since, until, cases, good, expected."""
    expected = {tier: round(share, 6) for tier, share in learned.expected.items()}
    said = (learned.goal, learned.since, learned.until, learned.cases, learned.good, expected)
    return _digest(said)


def asks_of(profile: Profile) -> str:
    """The digest of what decides a score and a tier: criteria, flags and tiers, however worded."""
    return _digest((profile.criteria, profile.flags, profile.tiers))


def questions_of(profile: Profile) -> tuple[str, ...]:
    """A digest for each question with points, whatever its name and points, sorted."""
    return tuple(sorted(_digest(one.when) for one in profile.criteria if not one.required))


def entry_edited(profile: Profile) -> bool:
    """Whether the `learned` entry was edited, or written by hand. A hypothesis claims nothing to check."""
    learned = profile.learned
    return learned is not None and not learned.hypothesis and learned.mark != mark_of(learned)


def questions_edited(profile: Profile) -> bool:
    """Whether criteria, flags or tiers were edited since the profile was learned."""
    learned = profile.learned
    return learned is not None and not learned.hypothesis and learned.asks != asks_of(profile)


def sealed(text: str, profile: Profile) -> str:
    """The text of a learned profile with both digests in its `learned` entry, which has to begin a line and
    stand in braces. profile: what the text says. One without such an entry, or a hypothesis, stays."""
    if profile.learned is None or profile.learned.hypothesis:
        return text
    seal = f"learned: {{mark: '{mark_of(profile.learned)}', asks: '{asks_of(profile)}',\n  "
    return _ENTRY.sub(seal, text, count=1)


def _digest(value: Any) -> str:
    return sha256(json.dumps(_plain(value)).encode()).hexdigest()[:LENGTH]


def _plain(value: Any) -> Any:
    """The same for equal values, however a set happens to be ordered."""
    if is_dataclass(value):
        # what is as usual is left out: a field that is added one day changes no digest of yesterday
        said = {field.name: getattr(value, field.name) for field in fields(value)}
        unusual = {field.name for field in fields(value) if said[field.name] != field.default}
        return [type(value).__name__, [[name, _plain(said[name])] for name in sorted(unusual)]]
    if isinstance(value, Mapping):
        return [[_plain(key), _plain(value[key])] for key in sorted(value)]
    if isinstance(value, frozenset | set):
        return sorted(_plain(one) for one in value)
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    if isinstance(value, Enum):
        return str(value.value)
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
