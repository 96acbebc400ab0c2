"""What people do to the demo's CRM while it is kept current, and what became of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.demo.world import World
    from icp_sync.domain.facts import Facts
    from icp_sync.journal import StoredAccount
    from icp_sync.wiring import Wired

LOOKED_AT = 5_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit by a person. `own_tier`: the tier they set themselves, "" for other edits."""

    id: str
    name: str
    what: str
    before: str
    own_tier: str = ""


def chosen(wired: Wired, wanted: Callable[[StoredAccount, Facts], bool], but: tuple[str, ...] = ()) -> str:
    """Id of the first account, in id order, that answers a description; "" when none does."""
    from icp_sync.domain.why import facts_of_evidence

    for account_id in sorted(wired.journal.live_ids_page("", LOOKED_AT), key=lambda i: (len(i), i)):
        stored = wired.journal.account(account_id)
        if (
            account_id not in but
            and stored
            and stored.in_scope
            and wanted(stored, facts_of_evidence(stored.evidence))
        ):
            return account_id
    return ""


def happen(world: World, wired: Wired) -> list[Edit]:
    """Three people edit three companies: a headcount, an industry, and a tier of their own."""

    def from_crm(stored: StoredAccount, name: str) -> bool:
        known = stored.evidence.get("facts")
        return isinstance(known, dict) and name in known and str(known[name][1]).startswith("crm:")

    grown = chosen(wired, lambda a, f: a.tier == "A" and from_crm(a, "employees"))
    turned = chosen(wired, lambda a, f: a.tier == "B" and from_crm(a, "industry"), but=(grown,))
    prized = chosen(wired, lambda a, f: a.tier == "C", but=(grown, turned))
    return [
        _edit(world, wired, grown, "headcount is now 600,000", {"headcount": "600000"}),
        _edit(world, wired, turned, "industry is now Banking", {"industry": world.banking}),
        _edit(world, wired, prized, "a rep sets tier A", {"tier": "A"}, own_tier="A"),
    ]


def _edit(
    world: World, wired: Wired, account_id: str, what: str, values: dict[str, str], own_tier: str = ""
) -> Edit:
    stored = wired.journal.account(account_id)
    assert stored is not None, f"the simulated CRM has no company to edit: {what}"
    world.edit(account_id, **values)
    return Edit(id=account_id, name=stored.name, what=what, before=stored.tier, own_tier=own_tier)


def outcome(world: World, wired: Wired, edit: Edit) -> tuple[str, str]:
    """The tier the CRM holds now, and why, in a few words."""
    tier = world.value(edit.id, "tier") or "blank"
    stored = wired.journal.account(edit.id)
    if stored is None:
        return tier, "not settled"
    if edit.own_tier:
        held = stored.left_alone.get("tier")
        return tier, f"left alone: theirs is {held[0]}, ours would be {held[1]}" if held else "overwritten!"
    return tier, (stored.previous.why if stored.previous else "").partition(": ")[2]
