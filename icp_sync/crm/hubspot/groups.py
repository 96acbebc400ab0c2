"""Taking an empty property group out of a portal, which for a moment does not believe that it is empty."""

from __future__ import annotations

from icp_sync.crm.hubspot.client import COMPANIES, Client
from icp_sync.errors import RequestError, UnavailableError

GROUP_PAUSES = (0.0, 0.4, 0.8, 1.6)
"""A group counts properties just archived for a moment (0.25–0.7 s were recorded)."""


def archive_group(client: Client, name: str, *, of: str = COMPANIES) -> None:
    """Raises UnavailableError when HubSpot goes on refusing."""
    for pause in GROUP_PAUSES:
        client.transport.wait(pause)
        try:
            client.archive_group(name, of=of)
        except RequestError as error:
            refused = str(error)
        else:
            return
    again = "icp-sync provision --remove --apply"
    raise UnavailableError(f"HubSpot does not archive the group {name}: {refused}", next_step=again)
