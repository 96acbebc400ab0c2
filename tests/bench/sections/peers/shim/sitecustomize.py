"""Sends what a connector asks of HubSpot or Salesforce to the simulator. Python loads it by its name.

Whatever host `requests` was told, the simulator at PEERS_REDIRECT is asked. What it has no answer for is
answered here, in favour of the connector: HubSpot's OAuth token (PEERS_TOKEN), custom objects and the
properties of records that are not companies, contacts or deals (none), and a company's properties at their
old address, from their new one. A refresh token signs in at Salesforce as the app's own credentials do. News
and telemetry of the connector's maker are refused.
"""

from __future__ import annotations

import json
import os
import re
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

SIMULATOR = os.environ.get("PEERS_REDIRECT", "")
MEANT = ("hubapi.com", "hubspot.com", "salesforce.com", "127.0.0.1")
OTHERS = re.compile(r"/crm/v3/(schemas|properties/(?!companies|contacts|deals)\w+)/?")
OLD = "/properties/v2/company/properties"
NEW = "/crm/v3/properties/companies"


def _redirect() -> None:
    from requests.adapters import HTTPAdapter
    from requests.exceptions import ConnectionError as Refused

    send = HTTPAdapter.send

    def sent(adapter: HTTPAdapter, request: Any, **how: Any) -> Any:
        parts = urlsplit(request.url)
        if not (parts.hostname or "").endswith(MEANT):
            raise Refused(f"no calls but to the CRM: {parts.hostname}")
        said = _said(parts.path)
        if said is not None:
            return _answered(adapter, request, said)
        if parts.path.endswith("/oauth2/token"):
            text = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
            text = text.replace("grant_type=refresh_token", "grant_type=client_credentials")
            request.prepare_body(text, None)
        path = NEW if parts.path == OLD else parts.path
        request.url = SIMULATOR + path + (f"?{parts.query}" if parts.query else "")
        reply = send(adapter, request, **how)
        return _answered(adapter, request, reply.json()["results"]) if parts.path == OLD else reply

    HTTPAdapter.send = sent  # type: ignore[method-assign]


def _said(path: str) -> object:
    """The answer to what the simulator does not know, None for everything else."""
    if path.startswith("/oauth/"):
        return {"access_token": os.environ["PEERS_TOKEN"], "refresh_token": "same", "expires_in": 1800}
    return {"results": []} if OTHERS.fullmatch(path) else None


def _answered(adapter: Any, request: Any, said: object) -> Any:
    from urllib3 import HTTPResponse

    raw = HTTPResponse(
        BytesIO(json.dumps(said).encode()),
        {"Content-Type": "application/json"},
        200,
        preload_content=False,
        decode_content=False,
        request_url=request.url,
    )
    return adapter.build_response(request, raw)


if SIMULATOR:
    _redirect()
