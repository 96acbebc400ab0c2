"""`icp-sync provision`: making our properties in a CRM."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.ports import Blueprint, Identity, Step
    from icp_sync.wiring import Wired


def register(app: typer.Typer) -> None:
    app.command()(provision)


def provision(
    apply: Annotated[bool, typer.Option("--apply", help="Make them; without it nothing is changed.")] = False,
    new_key: Annotated[
        bool, typer.Option("--new-key", help="With --apply: make another seal key; the old one is lost.")
    ] = False,
    sfdx: Annotated[
        Path | None,
        typer.Option(
            "--sfdx",
            metavar="FOLDER",
            help="Salesforce: write an SFDX project an admin can deploy; changes nothing in the org.",
        ),
    ] = None,
    views: Annotated[
        bool,
        typer.Option("--views", help="The lists or list views reps work from, instead of properties."),
    ] = False,
    remove: Annotated[
        bool,
        typer.Option("--remove", help="Take them away again; without --apply only show what would go."),
    ] = False,
    force: Annotated[
        bool,
        typer.Option(
            "--force",
            help="With --remove --apply: also when something depends on them. "
            "With --views --apply: also what people changed.",
        ),
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Make our properties in the CRM, or take them away.

    Safe to repeat: what fits is kept, options are only added, nobody else's property is touched.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.cli.sfdx import write_project
    from icp_sync.profile_file import load_all

    if views and sfdx is None:
        _views(config, connection, apply=apply, remove=remove, force=force, as_json=as_json, beside=new_key)
        return
    if remove:
        _remove(config, connection, apply=apply, force=force, as_json=as_json, beside=new_key or sfdx)
        return
    if force:
        raise ConfigError("--force goes with --remove --apply, or with --views --apply")
    if new_key and not apply:
        raise ConfigError("--new-key goes with --apply")
    if sfdx is not None:
        if apply:
            raise ConfigError("--sfdx writes files and --apply asks the org: choose one")
        write_project(sfdx, config, connection, views=views)
        return
    made_seal = apply and _made_seal(config, connection, new_key=new_key)
    with wired(config, connection) as (settings, parts):
        loaded = load_all(parts.settings.profiles, types=parts.types)
        profiles = tuple(one.profile for one in loaded)
        identity = parts.crm.identity()
        parts.journal.refuse_taken(identity.id)
        was_bound = bool(parts.journal.bound_to())
        if apply:
            parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time())
        known = {key: view.id for key, view in parts.journal.views().items()}
        blueprint = replace(parts.blueprint(profiles), views=known)
        if apply:
            _begun(parts, blueprint, identity.id)
        steps = parts.crm.provision(blueprint, apply=apply)
        left = parts.crm.provision(blueprint, apply=False) if apply else steps
        done = _done(identity, steps, left, apply=apply, seal=made_seal, bound=apply and not was_bound)
        done["replaced"] = new_key
        if apply:
            made = [step.what for step in steps if step.done and step.kind.value == "create"]
            changed = [step.what for step in steps if step.done and step.what not in made]
            counts = {"made": made, "changed": changed, "left": done["left"], "new_key": new_key}
            parts.journal.audit("provision", who=who(), now=time.time(), crm=identity.id, **counts)
        if as_json:
            document({"connection": parts.name, **done})
        else:
            _show(Screen.here(), parts, settings.seal_file, steps, done)
    if any(step.kind.value == "conflict" for step in left):
        raise typer.Exit(2)


def _begun(parts: Wired, blueprint: Blueprint, identity: str) -> None:
    """Write down what is about to be made: by that a removal knows it as ours, however this ends."""
    from icp_sync.cli.acting import who

    planned = parts.crm.provision(blueprint, apply=False)
    making = [step.what for step in planned if step.kind.value == "create"]
    if making:
        parts.journal.audit("provision begun", who=who(), now=time.time(), crm=identity, making=making)


def _remove(
    config: Path | None, connection: str | None, *, apply: bool, force: bool, as_json: bool, beside: object
) -> None:
    from icp_sync.cli.removing import remove

    if beside:
        raise ConfigError("--remove goes with neither --new-key nor --sfdx")
    if force and not apply:
        raise ConfigError("--force goes with --remove --apply")
    done = remove(config, connection, apply=apply, force=force, as_json=as_json)
    if apply and done["conflict"]:
        raise typer.Exit(2)


def _views(
    config: Path | None,
    connection: str | None,
    *,
    apply: bool,
    remove: bool,
    force: bool,
    as_json: bool,
    beside: object,
) -> None:
    from icp_sync.cli.views import provide

    if beside:
        raise ConfigError("--new-key does not go with --views")
    if force and not apply:
        raise ConfigError("--force goes with --views --apply")
    done = provide(config, connection, apply=apply, remove=remove, force=force, as_json=as_json)
    if done["conflicts"]:
        raise typer.Exit(2)


def _made_seal(config: Path | None, connection: str | None, *, new_key: bool) -> bool:
    """See to it that there is a seal key; whether it was made just now.

    Raises UnsafePlanError when one is missing beside values it sealed, ConfigError for an unreadable one or
    for `new_key` where there is one: a key is never overwritten.
    """
    from icp_sync.cli.binding import make_seal, refuse_lost_seal
    from icp_sync.cli.opening import opened
    from icp_sync.wiring import seal_key

    with opened(config, connection) as at:
        path, there = at.settings.seal_file, at.settings.seal_file.exists()
        if there and new_key:
            what = "there is a seal key, and --new-key never overwrites one"
            hint = "restore your backup over it, or move it away first"
            raise ConfigError([Problem(where=str(path), what=what, hint=hint)])
        if not there and not new_key:
            refuse_lost_seal(path, at.journal)
        if there:
            seal_key(path)
        else:
            make_seal(at.settings, at.journal)
    return not there


def _done(
    identity: Identity, steps: list[Step], left: list[Step], *, apply: bool, seal: bool, bound: bool
) -> dict[str, object]:
    return {
        "identity": identity.id,
        "applied": apply,
        "seal_made": seal,
        "bound_now": bound,
        "changed": sum(step.done for step in steps),
        "left": sum(step.kind.value in ("create", "add option") for step in left),
        "conflicts": sum(step.kind.value == "conflict" for step in left),
        "steps": [
            {"step": step.kind.value, "what": step.what, "detail": step.detail, "done": step.done}
            for step in steps
        ],
    }


def _show(screen: Screen, parts: Wired, seal: Path, steps: list[Step], done: dict[str, object]) -> None:
    from icp_sync.reporting.text import counted

    screen.say(f"{parts.crm.kind} {done['identity']}, connection {parts.name}")
    counts = Counter(step.kind.value for step in steps)
    shown = [step for step in steps if step.kind.value != "keep"]
    if shown:
        rows = [(s.kind.value, s.what, s.detail, "done" if s.done else "") for s in shown]
        screen.table(["step", "what", "detail", ""], rows)
    if not done["applied"]:
        if shown:
            screen.say(f"Nothing was changed; {counts['keep']} already as they should be.")
            screen.say("next: icp-sync provision --apply")
        else:
            screen.say("Everything is there already; nothing to do.")
        return
    if done["seal_made"]:
        screen.say(f"Made the seal key {seal}. Back it up: it is how we know our own values.")
        if done["replaced"]:
            screen.say("What the lost key sealed is held until its seals are void: icp-sync bind --take-over")
    if done["bound_now"]:
        screen.say(f"Bound the journal to {done['identity']}.")
    changed, left = int(str(done["changed"])), int(str(done["left"]))
    screen.say(f"{counted(changed, 'change')} made, {counts['keep']} already as they should be.")
    if left or done["conflicts"]:
        screen.say(f"Read again: {left} still to make, {counted(int(str(done['conflicts'])), 'conflict')}.")
    elif parts.journal.active() is None:
        screen.say("next: icp-sync profile activate")
