"""Connections that say nothing make room: for a request's head there is a deadline, and when all places are
taken, the one that has kept silent longest goes. So slow callers keep nobody out."""

from __future__ import annotations

import asyncio
from asyncio import TimerHandle, Transport

from uvicorn.protocols.http.h11_impl import H11Protocol

PLACES = 100
PATIENCE = 10.0
"""Seconds for the head of a request, from the connection or the answer before it."""


class Patient(H11Protocol):
    """One connection: `silent_since` is when we began to wait for a request, None while one is answered."""

    _deadline: TimerHandle | None = None
    silent_since: float | None = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()
        waiting = [
            one for one in self.connections if isinstance(one, Patient) and one.silent_since is not None
        ]
        if len(self.connections) > PLACES and waiting:
            min(waiting, key=lambda one: one.silent_since or 0.0).transport.close()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        else:
            self._heard()

    def connection_lost(self, exc: Exception | None) -> None:
        self._heard()
        super().connection_lost(exc)

    def _wait(self) -> None:
        if self._deadline is None:
            self.silent_since = asyncio.get_running_loop().time()
            self._deadline = asyncio.get_running_loop().call_later(PATIENCE, self.transport.close)

    def _heard(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline, self.silent_since = None, None
