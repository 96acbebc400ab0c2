"""How carefully a backfill writes: its waves, its waits, and what halts it."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from icp_sync.settings.guard import Share
from icp_sync.settings.parts import Part, Seconds, duration


def _wait(raw: Any) -> Any:
    """None for a wait that is switched off, as `0` or `0s`."""
    text = str(raw).strip().lower() if isinstance(raw, str | int) and not isinstance(raw, bool) else ""
    return None if text in ("0", "0s", "0m") else raw


Wait = Annotated[Seconds | None, BeforeValidator(_wait)]
"""A duration, or 0 for none (None once read)."""


class Backfill(Part):
    """A canary wave, a watch, then paced waves; each is looked at again before the next begins."""

    canary: int = Field(100, ge=0, description="Accounts written at most in the first wave; 0 for none.")
    watch: Wait = Field(duration("5m"), description="What passes until its accounts are looked at.")
    wave: int = Field(5_000, ge=0, description="Accounts written at most in a later wave; 0: all in one.")
    pause: Wait = Field(duration("60s"), description="What passes between two of them.")
    refused: Share = Field(0.05, description="Of a wave, from 10 on, by the CRM: halts.")
    failed: Share = Field(0.10, description="Of a wave, from 10 on, that could not be written now: halts.")
    changed: Share = Field(
        0.20, description="Of the accounts looked at again, changed by others since our write: halts."
    )
