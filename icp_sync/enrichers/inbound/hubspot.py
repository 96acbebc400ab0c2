"""HubSpot's webhooks: which companies something happened to. What it was is read from the CRM itself."""

from __future__ import annotations

from typing import Any

from icp_sync.enrichers.inbound.mapping import MOST_EVENTS, TooManyError

COMPANY = "0-2"
"""HubSpot's object type of companies (developer documentation, "Understanding the CRM")."""


def companies(document: Any, portal: str) -> tuple[list[str], int]:
    """The ids of companies of this portal that a call names, and how many events are about anything else.

    portal: its id, "" while it is not known yet. Raises TooManyError.
    """
    events = document if isinstance(document, list) else [document]
    if len(events) > MOST_EVENTS:
        raise TooManyError
    found = dict.fromkeys(filter(None, (_company(event, portal) for event in events)))
    return list(found), sum(not _company(event, portal) for event in events)


def _company(event: Any, portal: str) -> str:
    if not isinstance(event, dict):
        return ""
    kind, whose = str(event.get("subscriptionType", "")), str(event.get("portalId", ""))
    about = kind.startswith("company.") or str(event.get("objectTypeId", "")) == COMPANY
    id = event.get("objectId")
    named = isinstance(id, int) and not isinstance(id, bool) and 0 < id < 10**20
    return str(id) if about and named and whose in (portal or whose,) else ""
