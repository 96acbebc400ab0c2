"""The `requests` session simple-salesforce is given: it holds no token and opens no connection.

What the library asks of it goes through our transport, with the headers every call must carry, to the one
org we were given, whatever host the library wrote. Knows nothing of what the calls are for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO
from urllib.parse import urlsplit

import requests

from icp_sync.crm.salesforce import paths
from icp_sync.http import Endpoint, Reply, Transport, UncertainError

STANDING: Mapping[str, str] = {
    # Left out, it means TRUE, and territory assignment moves the account to another owner.
    "Sforce-Auto-Assign": "FALSE",
    "Sforce-Duplicate-Rule-Header": "allowSave=true; includeRecordDetails=false; runAsCurrentUser=true",
    "Sforce-Call-Options": "client=icp_sync",
    "X-PrettyPrint": "0",
}
"""Sent with every call (REST API Developer Guide, "Headers"), the second time as the first."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What simple-salesforce reads of a reply."""

    status_code: int
    data: Any
    headers: Mapping[str, str]

    def json(self, **_: object) -> Any:
        return {} if self.data is None else self.data  # the library measures what it is given


class Wire:
    """What simple-salesforce takes for its `requests` session; errors leave it as ours."""

    def __init__(self, transport: Transport) -> None:
        self.proxies: dict[str, str] = {}  # asked for by the library, used by nobody
        self._transport = transport

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str | None] | None = None,
        params: object = None,
        json: object = None,
        data: bytes | str | None = None,
        files: Any = None,
        **_: object,
    ) -> Answer:
        path, kept = urlsplit(url), dict(headers or {})
        if files is not None:
            # The library has no part in a body of several parts; requests builds it, and names its boundary.
            built = requests.Request(method, "http://parts.invalid", files=files).prepare()
            kept["Content-Type"], data = built.headers["Content-Type"], built.body
        reply = self.send(
            method,
            path.path + (f"?{path.query}" if path.query else ""),
            params=params,
            json=json,
            body=data,
            headers=kept,
        )
        if reply.data is not None and not isinstance(reply.data, dict | list):
            raise UncertainError(f"Salesforce answered {type(reply.data).__name__} where an object was due")
        return Answer(reply.status, reply.data, {"Content-Type": reply.headers.get("Content-Type", "")})

    def send(
        self,
        method: str,
        path: str,
        *,
        endpoint: Endpoint | None = None,
        params: object = None,
        json: object = None,
        body: bytes | str | BinaryIO | None = None,
        headers: Mapping[str, str | None] | None = None,
    ) -> Reply:
        return self._transport.send(
            method,
            path,
            endpoint=endpoint or paths.endpoint(method, path),
            params=params,
            json=json,
            body=body,
            headers=standing(headers),
        )


def standing(headers: Mapping[str, str | None] | None) -> dict[str, str]:
    """These headers and those of every call, less the ones that are nobody's business but the transport's."""
    given = {name: text for name, text in (headers or {}).items() if text is not None}
    return {**{name: text for name, text in given.items() if name.lower() != "authorization"}, **STANDING}
