"""The way in to the simulator's own controls, `/__simulator/…`. What each does is `controls`' business.

Nothing here counts as a request of the API.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping

from icp_sync.simulator.controls import CONTROLS, Control
from icp_sync.simulator.desk import Desk, Json, Unusable
from icp_sync.simulator.server import Reply, Request


class Admin:
    """Carries out controls at a CRM's desk, `more` being those it alone has. `reset()` seeds it anew."""

    def __init__(self, desk: Desk, more: Mapping[str, Control], reset: Callable[[], None]) -> None:
        self._desk = desk
        self._controls = {**CONTROLS, **more}
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
        control = self._controls.get(f"{method} {path[0] if path else ''}")
        if control is None:
            raise Unusable(f"{method} {'/'.join(path)} is none of: {', '.join(self._controls)}")
        with self._desk.crm.lock:
            self._desk.crm.tick()
            arguments = given if isinstance(given, Mapping) else {"rules": given}
            if path[1:]:
                arguments = {**arguments, "id": path[1]}
            if control is CONTROLS["POST reset"]:
                self._reset()
            desk = self._desk.at(arguments["type"]) if "type" in arguments else self._desk
            return control(desk, arguments)
