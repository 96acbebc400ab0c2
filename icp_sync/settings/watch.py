"""What the watch on drift compares, and what somebody declares to have changed."""

from __future__ import annotations

import datetime
from typing import Annotated

from pydantic import Field, StringConstraints, field_validator

from icp_sync.settings.parts import Part, Seconds, duration


class WatchEvent(Part):
    """Something that changes who fits."""

    on: datetime.date = Field(description="Its first day, such as 2026-10-01.")
    what: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)] = Field(
        description="In your words: a review of the profile is due since."
    )


class Watch(Part):
    """Whether the profile still tells who is won and who stays, looked at every `schedule.watch`."""

    segments: list[str] = Field(
        ["industry", "country", "employees"], description="Facts whose values are compared with each other."
    )
    window: Seconds = Field(
        duration("365d"), description="Deals decided within so long count, one a company."
    )
    events: list[WatchEvent] = Field([], description="Product or market events that ask for a review.")

    @field_validator("segments")
    @classmethod
    def _once(cls, names: list[str]) -> list[str]:
        return list(dict.fromkeys(names))
