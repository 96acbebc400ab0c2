"""By which ways a connection tells people, and what its journal keeps for whom."""

from __future__ import annotations

import threading
from collections.abc import Callable

from icp_sync.http import Webhook
from icp_sync.journal import OPERATOR, REP
from icp_sync.settings import Connection, Settings
from icp_sync.settings.telling import Webhook as Configured
from icp_sync.sync.telling.formats import JSON
from icp_sync.sync.telling.outgoing import Outgoing, Post


def quiet_of(settings: Settings, chosen: Connection) -> dict[str, float]:
    """Audience → seconds in which the same news is told once; nobody else listens."""
    quiet = {REP: chosen.telling.again_after} if chosen.telling.telling.on else {}
    return quiet | ({OPERATOR: settings.notify.quiet} if settings.notify.url else {})


def outgoing_of(
    settings: Settings,
    chosen: Connection,
    name: str,
    *,
    clock: Callable[[], float],
    stop: threading.Event,
) -> Outgoing | None:
    """None where nobody is told anything."""
    if not quiet_of(settings, chosen):
        return None
    said = chosen.telling
    return Outgoing(
        telling=said.telling,
        tasks=said.by == "task",
        reps=_post(said, name, clock, stop) if said.telling.on else None,
        operators=_post(settings.notify, name, clock, stop),
        task_due=said.task_due,
        record_url=said.record_url,
        down_after=settings.notify.down_after,
    )


def _post(said: Configured, name: str, clock: Callable[[], float], stop: threading.Event) -> Post | None:
    if said.url is None:
        return None
    webhook = Webhook(
        said.url, name=name, secret=said.secret, twice=said.format == JSON, stop=stop, clock=clock
    )
    return Post(webhook=webhook, format=said.format)
