"""Which org this is, and what its plain amounts are in."""

from __future__ import annotations

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.ids import long_id
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.observe import log
from icp_sync.ports import Identity

_ORGANIZATION = "SELECT Id, Name, IsSandbox, OrganizationType, TimeZoneSidKey FROM Organization"
_TRYING_OUT = ("Developer Edition", "Partner Developer Edition")

_log = log("salesforce")


def identity(client: Client) -> Identity:
    """The org behind the login. Organization in the Object Reference."""
    rows = [row for page in client.query(_ORGANIZATION) for row in page]
    id = long_id(str(rows[0].get("Id") or "")) if len(rows) == 1 else ""
    if not id:
        raise UnavailableError("Salesforce did not say which org this is")
    row = rows[0]
    return Identity(
        id=id,
        name=f"Salesforce org {row.get('Name') or id}",
        production=not row.get("IsSandbox") and row.get("OrganizationType") not in _TRYING_OUT,
        currency=_currency(client),
        time_zone=str(row.get("TimeZoneSidKey") or ""),
    )


def _currency(client: Client) -> str:
    """The org's own currency, "" where it is not told: money is then unknown near a threshold.

    Connect REST API Developer Guide, "Organization": features.defaultCurrencyIsoCode.
    """
    try:
        told = client.call("GET", "connect/organization").data
    except (RequestError, AuthError) as error:
        _log.info("the org does not tell its currency", error=str(error))
        return ""
    features = told.get("features") if isinstance(told, dict) else None
    code = features.get("defaultCurrencyIsoCode") if isinstance(features, dict) else None
    return str(code or "")
