"""What comes before every API: faults, counting, the log of requests. Which API it is, a subclass knows."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.faults import BEFORE, Faults, Rule
from icp_sync.simulator.limits import Meter
from icp_sync.simulator.server import Reply, Request

Json = dict[str, object]


class State(Protocol):
    """What a front needs of the account it stands before."""

    @property
    def clock(self) -> Clock: ...
    @property
    def lock(self) -> threading.RLock: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def meter(self) -> Meter: ...
    @property
    def requests(self) -> deque[Json]: ...
    @property
    def latency(self) -> float: ...

    def tick(self) -> None: ...


Target = TypeVar("Target")


class Front(ABC, Generic[Target]):
    """Answers requests. `close_port(seconds)` acts out a refused connection."""

    def __init__(self, state: State, close_port: Callable[[float], None]) -> None:
        self._state = state
        self._close_port = close_port

    @abstractmethod
    def target(self, request: Request) -> Target:
        """Where a request goes."""

    @abstractmethod
    def label(self, request: Request, target: Target) -> str:
        """`METHOD endpoint`, as statistics and fault rules name it."""

    @abstractmethod
    def real(self, request: Request, target: Target) -> Reply:
        """The answer nothing went wrong with."""

    @abstractmethod
    def pretended(self, rule: Rule, request: Request, target: Target) -> Reply | None:
        """The answer of a fault that has its own; None for those that are acted out on the wire."""

    def attempt(self, label: str, target: Target) -> None:
        """Count a request that came in."""
        self._state.meter.attempt(label, exempt=False, search=False)

    def answer(self, request: Request) -> Reply:
        state = self._state
        with state.lock:
            state.tick()
            target = self.target(request)
            label = self.label(request, target)
            self.attempt(label, target)
            rule = state.faults.next((label, f"{request.method} {request.path}"))
            reply = self._act(rule, request, target)
            state.meter.statuses[reply.status] += 1
            self._note(request, label, reply, rule)
            reply.delay += state.latency
        return reply

    def _act(self, rule: Rule | None, request: Request, target: Target) -> Reply:
        """The answer, or what a fault makes of it."""
        if rule is None:
            return self.real(request, target)
        if rule.kind in BEFORE:
            return self._undone(rule)
        pretend = self.pretended(rule, request, target)
        if pretend is not None:
            return pretend
        reply = self.real(request, target)
        match rule.kind:
            case "reset_after_apply":
                reply.wire = "reset"
            case "timeout_after_apply":
                reply.wire, reply.delay = "close", rule.wait(100.0)
            case "slow":
                reply.delay = rule.wait(5.0)
            case "drip":
                reply.wire, reply.spread = "drip", rule.wait(1.0)
            case _:
                reply.wire = rule.kind
        return reply

    def _undone(self, rule: Rule) -> Reply:
        if rule.kind == "refused":
            self._close_port(rule.wait(1.0))
        return Reply(
            wire="close" if rule.kind == "timeout" else "reset",
            delay=rule.wait(100.0) if rule.kind == "timeout" else 0.0,
        )

    def _note(self, request: Request, label: str, reply: Reply, rule: Rule | None) -> None:
        log = self._state.requests
        log.append(
            {
                "seq": int(str(log[-1]["seq"])) + 1 if log else 1,
                "at": self._state.clock.now_ms(),
                "method": request.method,
                "path": request.path,
                "endpoint": label,
                "query": [list(pair) for pair in request.query],
                "bytes": len(request.body),
                "status": reply.status,
                "fault": rule.kind if rule is not None else None,
                "agent": request.headers.get("User-Agent", ""),
                **self.told(request),
            }
        )

    def told(self, request: Request) -> Json:
        """More for the log of requests."""
        return {}
