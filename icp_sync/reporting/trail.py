"""Who changed what, when: entries of the audit as plain data and in words."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import Audited

_DIGEST = re.compile(r"(\w+:)?[0-9a-f]{64}")


def entry_of(entry: Audited) -> dict[str, object]:
    return {
        "seq": entry.seq,
        "at": entry.at,
        "who": entry.who,
        "what": entry.what,
        "detail": dict(entry.detail),
        "digest": entry.digest,
    }


def in_words(detail: Mapping[str, object]) -> str:
    """What an entry tells beside who, what and when; what is blank is left out."""
    parts = sorted(detail.items(), key=lambda part: part[0] != "note")
    return ", ".join(f"{name} {_value(value)}" for name, value in parts if value not in ("", [], {}, None))


def broken_in_words(broken: int) -> str:
    """What it means that the chain does not hold at an entry."""
    return (
        f"The chain is broken at entry {broken}: it, or one before it, was altered or taken out, "
        "or made without the seal key."
    )


def _value(value: object) -> str:
    if not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return f"{value[:-52]}…" if _DIGEST.fullmatch(value) else value
