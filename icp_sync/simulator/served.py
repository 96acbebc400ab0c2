"""What a simulator needs of a CRM it serves. Each CRM's folder has one such."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Protocol

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.controls import Control
from icp_sync.simulator.desk import Desk
from icp_sync.simulator.limits import Meter
from icp_sync.simulator.server import MAX_BODY, Reply, Request


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What a simulator was asked for. `index_lag`: seconds; None is what the CRM usually has.

    close_port(seconds) acts out a refused connection.
    """

    clock: Clock
    accounts: int
    contacts: bool
    seed: int
    limits: str
    token: str
    latency: float
    index_lag: float | None
    close_port: Callable[[float], None]


class Served(Protocol):
    """A CRM behind a port."""

    token: str
    """What clients may send at once."""

    @property
    def desk(self) -> Desk: ...
    @property
    def controls(self) -> Mapping[str, Control]: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def ready(self) -> Mapping[str, str]: ...
    @property
    def body(self) -> Body: ...

    def answer(self, request: Request) -> Reply: ...

    def fill(self) -> None:
        """Forget everything and hold what a fresh account holds."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Body:
    """How requests' bodies may come: the longest, bytes, and whether in chunks."""

    longest: int = MAX_BODY
    chunked: bool = False
