"""One way to call out, for both CRMs' clients and every REST enricher; knows no vendor. `fetch` is the other
way, for addresses that come from CRM data."""

from icp_sync.http.addresses import ForbiddenAddressError
from icp_sync.http.clock import ServerClock, http_date
from icp_sync.http.dialect import Dialect, Endpoint, Reply, Throttle, UncertainError
from icp_sync.http.guarded import Fetched, Limits, fetch
from icp_sync.http.tokens import Token, Tokens
from icp_sync.http.transport import Transport
from icp_sync.http.webhook import Webhook

__all__ = [
    "Dialect",
    "Endpoint",
    "Fetched",
    "ForbiddenAddressError",
    "Limits",
    "Reply",
    "ServerClock",
    "Throttle",
    "Token",
    "Tokens",
    "Transport",
    "UncertainError",
    "Webhook",
    "fetch",
    "http_date",
]
