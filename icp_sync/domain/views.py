"""The views reps get: which records each of them shows, in words both CRMs can turn into a filter.

A view filters by what is stored, never by a label: an admin who renames tier A changes no view. What a view
is called is a suggestion; people may rename or move it. Must not know a CRM or a journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

MARK = "ICP"
"""What the name of every view of ours begins with, so that they stand together."""

Of = Literal["accounts", "contacts"]


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """One view. of: what it lists; contacts are those of the accounts it means.

    mark: what its name begins with. field: logical field of the account. values: it shows who has one of
    these canonical values; or within_days: whose instant there lies within so many days before now, whenever
    one looks.
    """

    key: str
    name: str
    of: Of
    field: str
    values: tuple[str, ...] = ()
    within_days: int = 0
    mark: str = MARK

    @property
    def title(self) -> str:
        """The name it is made under."""
        return f"{self.mark}: {self.name}"


def _tier(key: str, name: str, value: str, of: Of = "accounts") -> View:
    return View(key=key, name=name, of=of, field="tier", values=(value,))


VIEWS: tuple[View, ...] = (
    *(_tier(f"tier_{tier.lower()}", f"Tier {tier}", tier) for tier in "ABCD"),
    _tier("needs_data", "Needs data", "Needs data"),
    _tier("not_icp", "Not ICP", "Not ICP"),
    View(
        key="tier_changed",
        name="Tier changed this week",
        of="accounts",
        field="tier_changed_at",
        within_days=7,
    ),
    View(key="research", name="Research lane", of="accounts", field="lane", values=("research",)),
    *(_tier(f"contacts_{tier.lower()}", f"Contacts at tier {tier}", tier, of="contacts") for tier in "AB"),
)
"""Every view there is, in the order people read them."""


def marked(mark: str) -> tuple[View, ...]:
    """Every view there is, under names that begin so: two installations in one CRM need two marks."""
    return tuple(replace(view, mark=mark) for view in VIEWS)


def carried(fields: Mapping[str, str], mark: str = MARK) -> tuple[View, ...]:
    """The views whose field this connection carries. fields: logical field → the CRM's name for it."""
    return tuple(view for view in marked(mark) if view.field in fields)
