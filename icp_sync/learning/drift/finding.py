"""What a look at the profile says: findings, their states, and how sure each must be.

Words of the drift watch only; knows no rows and how nothing is compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

DAY = 86_400.0
LEAST = 30
"""Companies, or customers, without which a rate is not compared with another."""
SURE = 0.002
"""Adjusted p up to which a finding is an alert: strict, because somebody looks every day."""
LIKELY = 0.05
"""Adjusted p up to which a finding is worth watching, and an alert stays one."""
MOST_ACCOUNTS = 500
"""Accounts a finding names; it says how many there are."""
LONGEST = 200
"""Characters of a finding's name."""


class State(StrEnum):
    OK = "ok"
    WATCH = "watch"
    ALERT = "alert"
    FEW = "too few to tell"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing looked at. name: its kind, and after a slash what it is about: "churn/industry=retail".

    figures: what the sentence rests on. accounts: those behind it, at most `MOST_ACCOUNTS` of `behind`.
    """

    name: str
    state: State
    sentence: str
    figures: Mapping[str, float | int | str] = field(default_factory=dict)
    accounts: tuple[str, ...] = ()
    behind: int = 0

    @property
    def kind(self) -> str:
        return self.name.partition("/")[0]


def named(kind: str, about: str) -> str:
    """A finding's name. What a CRM made part of it is fit for any database, and it stays the same."""
    return "".join(c if c.isprintable() else " " for c in f"{kind}/{about}")[:LONGEST]


def state_of(*, strong: bool, weak: bool, stands: bool) -> State:
    """An alert begins when it is strong and lasts while it is at least weak, so that it does not flicker."""
    if strong or (weak and stands):
        return State.ALERT
    return State.WATCH if weak else State.OK


def few(kind: str, why: str, **figures: float | int | str) -> Finding:
    """Nothing can be said, and what it would take."""
    return Finding(name=kind, state=State.FEW, sentence=f"Too few to tell: {why}", figures=figures)
