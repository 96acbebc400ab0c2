"""What people do by hand: a view that could not be made, a section on a Lightning page, a view of one's own.

The paths through Salesforce's pages: "Create a Custom List View in Lightning Experience" and "Dynamic Forms",
Salesforce Help.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from icp_sync.crm.salesforce.views import components, sections
from icp_sync.crm.salesforce.views.looking import Setup, Unread
from icp_sync.crm.salesforce.views.sections import Own
from icp_sync.crm.salesforce.views.steps import Intent
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.views import View
from icp_sync.ports import StepKind

OWN_VIEW = (
    "A view of one's own: open the list view on the Accounts tab, gear menu → Clone, name it, then add "
    "filters in the funnel panel (Filter by owner: My accounts), then Save; the pin opens it first."
)
PROJECT = (
    "Without the right to change metadata: icp-sync provision --views --sfdx FOLDER, and have an "
    "administrator deploy that project; page layouts are in none, their section is added by hand."
)


def by_hand(
    intents: Sequence[Intent],
    wanted: Sequence[View],
    setup: Setup,
    own: Own,
    *,
    refused: bool,
) -> tuple[str, ...]:
    """A sentence each. refused: whether we may not change metadata."""
    told = [PROJECT] if refused else []
    told += _views(intents, wanted, own.fields)
    told += _layouts(intents, setup, own)
    return (*told, OWN_VIEW)


def _views(intents: Sequence[Intent], wanted: Sequence[View], fields: Mapping[str, str]) -> Iterator[str]:
    by_key = {view.key: view for view in wanted}
    for one in intents:
        view = by_key.get(one.told.key)
        asked = components.filters(view, fields) if view is not None else None
        if view is None or asked is None or one.kind is not StepKind.NOTE:
            continue
        tab = "Accounts" if view.of == "accounts" else "Contacts"
        value = f"LAST {view.within_days} DAYS" if view.within_days else " or ".join(asked.values)
        field = FIELDS[view.field].label
        yield (
            f"{components.label(view)}: {tab} tab → list view controls (gear) → New, name it so, shared with "
            f"all users; then the filter {field}, operator equals, value {value}; Save."
        )


def _layouts(intents: Sequence[Intent], setup: Setup, own: Own) -> Iterator[str]:
    names = [FIELDS[name].label for name in (*sections.LEFT, *sections.RIGHT) if name in own.fields]
    listed = ", ".join(names)
    about = [
        one for one in intents if one.told.step.what.startswith((f"section {own.label} ", "page layouts"))
    ]
    if not names:
        return
    if any(one.kind in (StepKind.CONFLICT, StepKind.NOTE) for one in about):
        yield (
            "A section by hand: Setup → Object Manager → Account → Page Layouts → the layout → drag Section "
            f"into it, call it {own.label}, two columns, then drag in {listed}; Save."
        )
    if isinstance(setup.dynamic, Unread):
        yield (
            "Whether Lightning record pages show fields of their own (Dynamic Forms) could not be asked; "
            f"those do not show page layouts, and take a section in the Lightning App Builder: {listed}."
        )
    for page in () if isinstance(setup.dynamic, Unread) else setup.dynamic:
        yield (
            f"The Lightning page {page} shows fields of its own (Dynamic Forms), so our section of the page "
            "layout is not seen there: Setup → Lightning App Builder → that page → Fields → drag Field "
            f"Section onto it, call it {own.label}, then drag in {listed}; Save."
        )
