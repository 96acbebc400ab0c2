"""The way in to the simulator's own controls, `/__simulator/…`. What each does is `controls`' business.

Nothing here counts as a request of the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from icp_sync.simulator.arguments import Unusable
from icp_sync.simulator.controls import CONTROLS, Json
from icp_sync.simulator.hubspot.portal import COMPANIES, CONTACTS, Portal
from icp_sync.simulator.server import Reply, Request


class Admin:
    """Carries out controls on one portal. `reset()` seeds it anew."""

    def __init__(self, portal: Portal, reset: Callable[[], None]) -> None:
        self._portal = portal
        self._reset = reset

    def answer(self, request: Request) -> Reply:
        """One control over HTTP: the body, or the query of a GET, holds its arguments."""
        try:
            given: object = json.loads(request.body) if request.body.strip() else dict(request.query)
            return Reply(body=self.run(request.method, request.segments[1:], given))
        except (ValueError, TypeError, OverflowError, RecursionError) as error:
            return Reply(status=400, body={"status": "error", "message": str(error)})

    def run(self, method: str, path: tuple[str, ...], given: object) -> Json:
        """Carry out a control. Raises ValueError saying what is wrong with it."""
        control = CONTROLS.get(f"{method} {path[0] if path else ''}")
        if control is None:
            raise Unusable(f"{method} {'/'.join(path)} is none of: {', '.join(CONTROLS)}")
        with self._portal.lock:
            self._portal.tick()
            arguments = given if isinstance(given, Mapping) else {"rules": given}
            if path[1:]:
                arguments = {**arguments, "id": path[1]}
            if control is CONTROLS["POST reset"]:
                self._reset()
            return control(self._seen(arguments), arguments)

    def _seen(self, arguments: Mapping[str, object]) -> Portal:
        """The portal through the `type` of records a control is about: companies unless it says otherwise."""
        match arguments.get("type", COMPANIES):
            case "companies":
                return self._portal
            case "contacts":
                return self._portal.contacts
            case other:
                raise Unusable(f"type: {other!r} is none of {COMPANIES}, {CONTACTS}")
