"""Whether those who may send events of companies can be listened to. Opens no port."""

from __future__ import annotations

from typing import TYPE_CHECKING

from icp_sync.cli.check.examination import WARNING, Examination
from icp_sync.errors import Problem

if TYPE_CHECKING:
    from icp_sync.settings import Settings
    from icp_sync.wiring import Wired


def look(found: Examination, settings: Settings, wired: Wired) -> None:
    """The sources of events, and whether anybody could call."""
    from icp_sync.daemon.senders import ears_of

    if not wired.settings.inbound:
        return
    found.attempt("inbound", lambda: ears_of(wired, settings.inbound), ", ".join)
    if not settings.inbound.port:
        what = "events are expected, and there is no port to send them to"
        hint = "set inbound.port"
        found.add(WARNING, "inbound", [Problem(where="inbound.port", what=what, hint=hint)])
