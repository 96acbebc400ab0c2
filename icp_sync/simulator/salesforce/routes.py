"""Which endpoint a path below /services/data/vXX.X/ means. The endpoints themselves are other modules'.

Paths are matched without regard to case or to a trailing slash; fixed words win over `*`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.errors import Refusal, method_not_allowed, not_found
from icp_sync.simulator.server import Reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One endpoint. `pattern`: "sobjects/*/describe", each `*` a part that ends up in `Call.rest`.

    label: its name in statistics and fault rules, without the method; "" is the pattern with {id} for `*`.
    free: whether it needs no slot of the day's limit.
    """

    method: str
    pattern: str
    run: Callable[[Call], Reply]
    label: str = ""
    free: bool = False

    @property
    def title(self) -> str:
        """`GET query`, as statistics and faults name it."""
        return f"{self.method} {self.label or self.pattern.replace('*', '{id}')}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where a request goes, or why it goes nowhere. `version`: "66.0"; "" outside of /services/data/."""

    title: str
    route: Route | None = None
    version: str = ""
    rest: tuple[str, ...] = ()
    refusal: Refusal | None = None


class Routes:
    """All endpoints, found by method and path."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self.by_length: dict[int, list[tuple[tuple[str, ...], Route]]] = {}
        for route in routes:
            parts = tuple(part for part in route.pattern.lower().split("/") if part)
            self.by_length.setdefault(len(parts), []).append((parts, route))
        for found in self.by_length.values():
            found.sort(key=lambda one: [part == "*" for part in one[0]])

    def find(self, method: str, segments: Sequence[str]) -> Target:
        """The endpoint for a path's parts (without services, data and the version)."""
        lowered = tuple(part.lower() for part in segments)
        allowed = []
        pattern: tuple[str, ...] | None = None
        for parts, route in self.by_length.get(len(lowered), ()):
            if pattern not in (None, parts) or not _matches(parts, lowered):
                continue
            pattern = parts
            if route.method == method:
                rest = tuple(given for part, given in zip(parts, segments, strict=True) if part == "*")
                return Target(title=route.title, route=route, rest=rest)
            allowed.append(route.method)
        refusal = method_not_allowed(method, allowed) if allowed else not_found()
        return Target(title=f"{method} (unknown)", refusal=refusal)


def _matches(parts: Sequence[str], given: Sequence[str]) -> bool:
    return all(part in ("*", word) for part, word in zip(parts, given, strict=True))
