"""Text for a terminal: names from a CRM without anything that steers it, instants and spans for people."""

from __future__ import annotations

import math
import time
from datetime import UTC, datetime

_STEERING = {
    *range(0x20),
    *range(0x7F, 0xA0),
    0x061C,
    *range(0x200E, 0x2010),
    *range(0x2028, 0x202F),
    *range(0x2066, 0x206A),
    *range(0xD800, 0xE000),
}
"""Control characters (escape sequences), marks that turn the reading direction, and lone surrogates."""


def clean(value: object, *, keep: str = "") -> str:
    """The text with every steering character replaced; `keep` names exceptions, such as a line break."""
    text = str(value)
    if text.isascii() and text.isprintable():
        return text
    return "".join(" " if ord(c) in _STEERING and c not in keep else c for c in text)


def short(value: object, limit: int) -> str:
    """One line of at most `limit` characters, marked with … when cut."""
    text = " ".join(clean(value).split())
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def instant(seconds: float | None, otherwise: str = "never") -> str:
    """UTC epoch seconds as "2026-11-21 22:30 UTC"."""
    if seconds is None:
        return otherwise
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M UTC")
    except (OverflowError, OSError, ValueError):
        return "far away"


def day(seconds: float) -> str:
    """UTC epoch seconds as "2026-11-21"."""
    return instant(seconds)[:10]


def span(seconds: float) -> str:
    """A duration in its largest unit: "42 s", "3 min", "2 h", "5 d"."""
    for size, unit in ((86_400.0, "d"), (3_600.0, "h"), (60.0, "min")):
        if abs(seconds) >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(0.0, seconds):.0f} s"


def ago(seconds: float | None, now: float | None = None) -> str:
    """How long ago an instant was: "3 min ago", "never"."""
    if seconds is None:
        return "never"
    return f"{span((time.time() if now is None else now) - seconds)} ago"


def counted(n: int, one: str, many: str = "") -> str:
    """ "1 account", "1,800 accounts"."""
    return f"{n:,} {one if n == 1 else many or one + 's'}"


def amount(value: float) -> str:
    """Credits without needless decimals: "12", "0.5"."""
    return f"{value:,.0f}" if value == math.floor(value) else f"{value:,.2f}"


def credits(value: float) -> str:
    """ "1 credit", "0.5 credits"."""
    return f"{amount(value)} credit{'' if value == 1 else 's'}"
