"""Which customers are good ones: how cohorts are told apart before a profile is learned from them."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from icp_sync.domain.currency import worth
from icp_sync.domain.facts import Money
from icp_sync.normalize.money import amount
from icp_sync.settings.guard import Share
from icp_sync.settings.parts import Part, Seconds, duration

_FACT = re.compile(r"[a-z][a-z0-9_]{0,63}")


def _money(raw: Any) -> Any:
    """ "50k EUR" is an amount; "" is none."""
    if raw is None or isinstance(raw, Money):
        return raw
    found = amount(raw) if isinstance(raw, str) and raw.strip() else None
    if raw == "":
        return None
    if found is None or found.low != found.high or not found.currency or worth(found.currency) is None:
        raise ValueError('an amount with its currency is wanted, for example "50k EUR"')
    return found


def _named(raw: str) -> str:
    if raw and not _FACT.fullmatch(raw):
        raise ValueError("the name of a fact is wanted: lower-case letters, digits, underscores")
    return raw


FactName = Annotated[str, AfterValidator(_named)]
"""A fact of the facts map, or a column of the joined file written that way; "" for none."""


def _vouched(raw: str) -> str:
    parts = raw.split(".")
    if len(parts) > 2 or not all(parts):
        raise ValueError("the name of a fact is wanted, such as funding_total or parent.funding_total")
    for part in parts:
        _named(part)
    return raw


Vouched = Annotated[str, AfterValidator(_vouched)]
"""A fact of the facts map, perhaps one of the parent's or the group's."""


class Learning(Part):
    """What a profile is learned to tell, and who belongs to which cohort."""

    goal: Literal["won", "best"] = Field(
        "won", description="Tell who is won and kept, or who becomes one of the best."
    )
    months: int = Field(24, ge=1, le=240, description="Cases decided within so many months count.")
    retained_after: Seconds = Field(duration("365d"), description="A customer for so long has stayed.")
    high_value: Share = Field(0.2, description="The top share of those who stayed, by value.")
    min_value: Annotated[Money | None, BeforeValidator(_money)] = Field(
        None, description="Instead of a share: from so much on, value is high."
    )
    low_value: Share = Field(0.5, description="The bottom share of those who stayed, by value.")
    stale_after: Seconds = Field(duration("180d"), description="An open deal older than that never closes.")
    churned_on: FactName = Field("", description="The fact that says when a customer left.")
    value: FactName = Field("", description="The fact that says what a customer is worth.")
    renewals: FactName = Field("", description="The fact that says how often a customer renewed.")
    nps: FactName = Field("", description="The fact that says how likely they are to recommend us, 0 to 10.")
    known_before: tuple[Vouched, ...] = Field(
        (), description="Facts you vouch for: known before the sale, however well they tell its end."
    )
