"""What to click in HubSpot where no API or plan makes a view. Words only.

Saved views of an index page have no API ("Create and customize saved views", HubSpot's knowledge base).
"""

from __future__ import annotations

from icp_sync.crm.hubspot.records import Json
from icp_sync.domain.views import View

SAVED = (
    "A rep's own view: open CRM > Companies (or Contacts), All filters, add 'Segment membership is member of "
    "ICP: Tier A' (older portals call it list membership), then Save view > Save as new view, and choose who "
    "sees it. HubSpot has no API for saved views."
)


def clicks(view: View, definition: Json) -> str:
    """How to make one view by hand, in the words its property and options bear in the portal."""
    label = str(definition.get("label") or view.field)
    asked = f"is less than {view.within_days} days ago" if view.within_days else _any_of(view, definition)
    if view.of == "contacts":
        where, what = "CRM > Contacts", f"Associated objects > Company > '{label}' {asked}"
    else:
        where, what = "CRM > Companies", f"'{label}' {asked}"
    return f"{view.title}: open {where}, All filters, add {what}, then Save view as '{view.title}'."


def _any_of(view: View, definition: Json) -> str:
    options = definition.get("options")
    labels = {
        str(option.get("value")): str(option.get("label") or option.get("value"))
        for option in (options if isinstance(options, list) else [])
        if isinstance(option, dict)
    }
    return "is any of " + ", ".join(f"'{labels.get(value, value)}'" for value in view.values)
