"""`icp-sync config promote`: what was tried on a test portal goes to production's files, after a look."""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from icp_sync.cli.options import AsJson
from icp_sync.errors import IcpSyncError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.check.examination import Examination
    from icp_sync.cli.config.sides import Moves, Side
    from icp_sync.cli.rendering import Screen

SHOWN = 12
WRITTEN = ("new", "changed")
"""States of files that are written."""
SHADOWED = (
    "The settings file differs, and what counts does not: the environment, a secret file or the defaults "
    "decide that."
)


def register(family: typer.Typer) -> None:
    family.command("promote")(promote)


def promote(
    source: Annotated[Path, typer.Option("--from", metavar="TEST.toml", help="The settings tried out.")],
    target: Annotated[Path, typer.Option("--to", metavar="PROD.toml", help="The settings to change.")],
    from_connection: Annotated[
        str | None, typer.Option("--from-connection", metavar="NAME", help="Which one, of several.")
    ] = None,
    to_connection: Annotated[
        str | None, typer.Option("--to-connection", metavar="NAME", help="Which one, of several.")
    ] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Write the files; without, only say.")] = False,
    force: Annotated[bool, typer.Option("--force", help="With --apply: although errors were found.")] = False,
    as_json: AsJson = False,
) -> None:
    """Move profiles, routing tables, facts map and outputs to another portal's settings.

    Shows what would differ, and what is missing there. Credentials, journal, limits, vendors, absences and
    whom to tell stay as they are. Activates nothing.
    """
    from icp_sync.cli.config import looking, sides
    from icp_sync.cli.rendering import Screen, document

    here, there = sides.side(source, from_connection), sides.side(target, to_connection)
    moves = sides.moves(here, there)
    with TemporaryDirectory(prefix="icp-sync-promote-") as folder:
        found, more = looking.look(here, there, moves, Path(folder))
    told = _report(here, there, moves, found, more)
    unread = any(one.severity == "error" and one.area == "settings" for one in found.findings)
    refused = apply and bool(found.errors) and (unread or not force)
    if apply and not refused:
        told["kept"] = _written(there, moves)
        told["applied"] = True
        _audited(here, there, told)
    if as_json:
        document(told)
    else:
        show(Screen.here(), told, found)
    if refused:
        what = f"{found.errors} of the findings are errors; nothing was written"
        step = "correct them" + ("" if unread else ", or repeat with --apply --force")
        raise UnsafePlanError(what, next_step=step)
    if found.exit_code and not told["applied"]:
        raise typer.Exit(found.exit_code)


def _report(
    here: Side, there: Side, moves: Moves, found: Examination, more: Mapping[str, Any]
) -> dict[str, Any]:
    from icp_sync.cli.config.sides import differing

    differs = differing(here, there, moves)
    plan = ["icp-sync", "profile", "plan", "--config", str(there.path)]
    plan += ["--connection", there.name] if len(there.settings.connections) > 1 else []
    return {
        "from": {"file": str(here.file), "connection": here.name},
        "to": {"file": str(there.file), "connection": there.name},
        "applied": False,
        "settings": [{"key": key, "now": now, "then": then} for key, now, then in differs],
        "shadowed": moves.text != there.text and not differs,
        "files": [{"source": str(m.source), "target": str(m.target), "state": m.state} for m in moves.files],
        **more,
        "ok": not found.errors,
        "problems": [finding.to_json() for finding in found.findings],
        "kept": [],
        "next": shlex.join(plan),
    }


def _written(there: Side, moves: Moves) -> list[str]:
    """Write every file that changes, the settings last; returns the copies of what stood there before.

    Raises IcpSyncError, saying how far it came, where one cannot be written.
    """
    from icp_sync.cli.placing import put

    mark = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    wanted = [(move.target, move.content) for move in moves.changing]
    if moves.text != there.text:
        wanted.append((there.file, moves.text.encode("utf-8")))
    kept: list[str] = []
    done: list[str] = []
    try:
        for path, _ in wanted:  # all copies first: what fails then has changed nothing
            if path.exists():
                copy = path.resolve().with_name(f"{path.resolve().name}.before-{mark}")
                put(copy, path.read_bytes(), 0o600, like=path)
                kept.append(str(copy))
        for path, content in wanted:
            path.parent.mkdir(parents=True, exist_ok=True)
            put(path, content, 0o644)
            done.append(str(path))
    except OSError as error:
        raise _half(error, done, kept) from error
    return kept


def _half(error: OSError, done: Sequence[str], kept: Sequence[str]) -> IcpSyncError:
    what = f"{error.filename}: {error.strerror}; "
    what += f"already written: {', '.join(done)}" if done else "nothing was written"
    if kept:
        what += f"; what stood there before is kept: {', '.join(kept)}"
    step = "correct that, then the same command again: it writes what is left"
    return IcpSyncError(what, next_step=step + ("; or put the kept files back" if done else ""))


def _audited(here: Side, there: Side, told: Mapping[str, Any]) -> None:
    """An entry in the journal the settings lead to, where there is one."""
    from icp_sync.cli.acting import who
    from icp_sync.wiring import open_journal

    url = there.settings.journal
    if url.startswith("sqlite:///") and not Path(url.removeprefix("sqlite:///")).exists():
        return
    journal = open_journal(there.settings, there.name)
    try:
        keys = [one["key"] for one in told["settings"]]
        files = [Path(one["target"]).name for one in told["files"] if one["state"] in WRITTEN]
        source = f"{here.file.name}, {here.name}"
        profiles = [one for one in told["settings"] if one["key"] == "profiles"]
        more = {"profiles": [profiles[0]["now"], profiles[0]["then"]]} if profiles else {}
        journal.audit(
            "config promote", who=who(), now=time.time(), source=source, keys=keys, files=files, **more
        )
    finally:
        journal.close()


def show(screen: Screen, told: Mapping[str, Any], found: Examination) -> None:
    """What differs, what would move, what is missing there, and how to go on."""
    from icp_sync.cli.check.examination import ERROR
    from icp_sync.reporting.text import counted, short

    sides = [f"{told[end]['connection']} ({told[end]['file']})" for end in ("from", "to")]
    screen.say(f"From {sides[0]} to {sides[1]}", "bold")
    changed = [one for one in told["files"] if one["state"] in WRITTEN]
    if changed:
        screen.table(["file", "", "from"], [(f["target"], f["state"], f["source"]) for f in changed])
    if told["settings"]:
        screen.heading("Settings that change")
        rows = [(s["key"], _said(s["now"]), _said(s["then"])) for s in told["settings"]]
        screen.table(["key", "now", "then"], rows)
    if not changed and not told["settings"]:
        screen.say("Nothing differs." if not told["shadowed"] else SHADOWED)
    if profile := told["profile"]:
        screen.heading("The profile, against the one active there")
        moved, accounts = profile["moved"], counted(profile["accounts"], "account")
        screen.say(f"{accounts} in the journal, {moved:,} would change tier; all of it: {told['next']}")
        for change in profile["changes"][:SHOWN]:
            screen.say(f"- {short(change, 200)}")
        if len(profile["changes"]) > SHOWN:
            screen.say(f"- and {len(profile['changes']) - SHOWN} more")
    if found.findings:
        screen.heading("What is missing there")
        ordered = sorted(found.findings, key=lambda f: f.severity != ERROR)
        screen.table(["", "where", "what", "next"], [(f.severity, f.where, f.what, f.next) for f in ordered])
    screen.say()
    if not told["applied"]:
        screen.say("Nothing was written. To do it: the same command with --apply")
        return
    for copy in told["kept"]:
        screen.say(f"kept: {copy}")
    screen.say("A worker reads the tables at once, facts map and outputs when it is restarted.")
    screen.say(f"Nothing was activated. next: {told['next']}")


def _said(value: object) -> str:
    from icp_sync.reporting.text import short

    return "–" if value is None else short(value, 60)
