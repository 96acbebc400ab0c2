"""How a manifest's vendor is heard: every refusal is a reply, and the manifest says what it means.

A `Dialect` for the one transport; what HTTP says by itself is read there, what a vendor means here.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping

from icp_sync.errors import RequestError
from icp_sync.http import Dialect, Endpoint, Throttle
from icp_sync.quota import Quota

_REFUSED_SECONDS = 10.0
"""How long a vendor that is too busy and does not say for how long is left alone."""
LONGEST_PAUSE = 3_600.0
"""Seconds for which a refusal stops every other question in this process. Who names more is asked again then,
by whoever asks next; the refused one itself waits as long as it was told."""


class Hearing(Dialect):
    """What the last reply in this thread said beside its body; a thread has one call in flight."""

    def __init__(self) -> None:
        self._here = threading.local()

    def begin(self) -> None:
        """A new call: nothing has been heard of it."""
        self._here.headers, self._here.refusal = {}, None

    @property
    def headers(self) -> Mapping[str, str]:
        """Lower-case names, of the last reply."""
        found: Mapping[str, str] = self._here.headers
        return found

    @property
    def refusal(self) -> tuple[object] | None:
        """The body of the last reply where it was a 429."""
        found: tuple[object] | None = self._here.refusal
        return found

    def throttled(self, endpoint: Endpoint, body: object, retry_after: float | None) -> Throttle:
        self._here.refusal = (body,)
        seconds = min(retry_after or _REFUSED_SECONDS, LONGEST_PAUSE)
        return Throttle(seconds=seconds, reason="too many requests")

    def observed(self, endpoint: Endpoint, headers: Mapping[str, str], quota: Quota) -> None:
        self._here.headers = {name.lower(): value[:1_000] for name, value in headers.items()}

    def forbidden(self, endpoint: Endpoint, body: object) -> Exception | Throttle:
        return RequestError(f"{endpoint.name}: HTTP 403", status=403, body=body)

    def credentials(self, name: str) -> str:
        return f"check the keys of the enricher '{name}'"
