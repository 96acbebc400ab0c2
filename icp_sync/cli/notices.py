"""`icp-sync notices`: what reps and operators are told, would be told now, and were."""

from __future__ import annotations

import secrets
import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.opened import Opened

Data = dict[str, Any]
_NEXT = "set [connections.NAME.telling] or [notify], see config/README.md"


def register(app: typer.Typer) -> None:
    app.command()(notices)


def notices(
    test: Annotated[bool, typer.Option("--test", help="Send a test message to every webhook.")] = False,
    retry: Annotated[bool, typer.Option("--retry", help="What was given up is tried again.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, help="Notices listed at most.")] = 20,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """What reps and operators are told: what would go out now, what waits, what went.

    Sends nothing but, with --test, a test message. The worker sends, and run --once.
    """
    if test and retry:
        what = "--test and --retry do not go together"
        raise ConfigError([Problem(where="notices", what=what)], next_step="icp-sync notices --retry")
    from icp_sync.cli.opening import opened
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.reporting.notices import notices as collected

    with opened(config, connection) as at:
        data: Data = {"connection": at.name}
        if test:
            data["tested"] = _tested(at)
        elif retry:
            data["retried"] = _retried(at)
        else:
            data |= collected(at, limit=limit)
    if as_json:
        document(data)
        return
    screen = Screen.here()
    if retry:
        from icp_sync.reporting.text import counted

        screen.say(f"{counted(data['retried'], 'notice')} due again")
        if data["retried"]:
            screen.say("A running worker sends within a minute or so; without one: icp-sync run --once")
        return
    if test:
        for name, place in data["tested"].items():
            screen.say(f"{name}: a test message arrived at {place}")
        return
    show(screen, data)


def _retried(at: Opened) -> int:
    """How many notices that were given up wait again."""
    from icp_sync.cli.acting import who

    now = time.time()
    found = at.journal.retry_notices(now=now)
    if found:
        at.journal.audit("notices.retry", who=who(), now=now, notices=found)
    return found


def _tested(at: Opened) -> dict[str, str]:
    """Who was sent a test message, and at which host. Raises UnavailableError naming who did not take it."""
    import threading

    from icp_sync.sync.telling.formats import FORMATS
    from icp_sync.sync.telling.message import test_message
    from icp_sync.wiring.telling import outgoing_of

    outgoing = outgoing_of(at.settings, at.connection, at.name, clock=time.time, stop=threading.Event())
    posts = {
        name: post
        for name, post in (
            ("reps", outgoing.reps if outgoing else None),
            ("operators", outgoing.operators if outgoing else None),
        )
        if post is not None
    }
    if outgoing is None or not posts:
        what = "has no webhook that could be tested"
        raise ConfigError([Problem(where=f"connection {at.name}", what=what)], next_step=_NEXT)
    tested = {}
    try:
        for name, post in posts.items():
            key = secrets.token_hex(6)
            message = test_message(key, name, connection=at.name, now=time.time())
            delivery = post.webhook.post(FORMATS[post.format](message), key)
            if delivery.why:
                what = f"{post.webhook.place} did not take the test message for {name}: {delivery.why}"
                raise UnavailableError(what, next_step="check the url of the webhook in the settings")
            tested[name] = post.webhook.place
    finally:
        outgoing.close()
    return tested


def show(screen: Screen, data: Data) -> None:
    """For people. `data` is what `reporting.notices` collects."""
    from icp_sync.reporting.text import ago, clean, instant

    ways = {
        "off": "reps are told nothing",
        "webhook": "reps are told by a webhook",
        "task": "reps get tasks",
    }
    operators = "operators are told of alerts" if data["operators"] else "operators are told nothing"
    screen.say(f"{data['connection']}: {ways[data['by']]}, {operators}", "bold")
    if data["next_digest"]:
        screen.say(f"the next digest goes out {instant(data['next_digest'])}")
    if data["tasks_wait"]:
        screen.say("tasks wait: in mode observe nothing is written to the CRM. next: icp-sync mode write")
    if data["silent"]:
        screen.say(f"{data['silent']:,} kept silent so far, as backfills and first readings are")
    if data["due"]:
        screen.heading("Would go out now")
    for message in data["due"]:
        tried = f" (tried {message['attempts']} times)" if message["attempts"] else ""
        screen.say(f"{clean(message['title'])}{tried}")
        for line in message["lines"]:
            screen.say(f"  {clean(line)}")
        if message["more"]:
            screen.say(f"  and {message['more']} more")
    _table(screen, "Waiting", data["waiting_notices"], ago)
    _table(screen, "Latest", data["latest"], ago)
    if not (data["waiting_notices"] or data["latest"]):
        screen.say("Nobody was told anything so far.")


def _table(screen: Screen, heading: str, rows: list[Data], ago: Any) -> None:
    if not rows:
        return
    screen.heading(heading)
    screen.table(
        ["since", "kind", "about", "to", "state", "why"],
        [
            (ago(row["at"]), row["kind"], row["name"] or row["subject"], row["to"], row["state"], _why(row))
            for row in rows
        ],
    )


def _why(row: Data) -> str:
    return "" if row["state"] == "sent" else str(row["message"])
