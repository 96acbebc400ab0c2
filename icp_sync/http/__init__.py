"""One way to call out, for both CRMs' clients and every REST enricher; knows no vendor."""

from icp_sync.http.clock import ServerClock, http_date
from icp_sync.http.dialect import Dialect, Endpoint, Reply, Throttle, UncertainError
from icp_sync.http.tokens import Token, Tokens
from icp_sync.http.transport import Transport

__all__ = [
    "Dialect",
    "Endpoint",
    "Reply",
    "ServerClock",
    "Throttle",
    "Token",
    "Tokens",
    "Transport",
    "UncertainError",
    "http_date",
]
