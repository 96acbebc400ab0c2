"""`icp-sync provision` and `bind`: making our properties in a CRM, and tying a journal to it."""

from __future__ import annotations

import time
from collections import Counter
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from pathlib import Path

    from icp_sync.cli.rendering import Screen
    from icp_sync.ports import Identity, Step
    from icp_sync.wiring import Wired

LOOKED_AT = 2_000
"""Accounts read to learn whose seals a CRM carries."""


def register(app: typer.Typer) -> None:
    app.command()(provision)
    app.command()(bind)


def provision(
    apply: Annotated[bool, typer.Option("--apply", help="Make them; without it nothing is changed.")] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Make our properties in the CRM.

    Safe to repeat: what fits is kept, options are only added, nobody else's property is touched.
    """
    from icp_sync.cli.opening import read_settings, wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import seal_key

    made_seal = False
    if apply:
        settings = read_settings(config)
        settings.connection(connection)
        made_seal = not settings.seal_file.exists()
        seal_key(settings.seal_file, create=True)
    with wired(config, connection) as (settings, parts):
        loaded = load_all(parts.settings.profiles, types=parts.types)
        profiles = tuple(one.profile for one in loaded)
        identity = parts.crm.identity()
        was_bound = bool(parts.journal.bound_to())
        if apply:
            parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time())
        blueprint = parts.blueprint(profiles)
        steps = parts.crm.provision(blueprint, apply=apply)
        left = parts.crm.provision(blueprint, apply=False) if apply else steps
        done = _done(identity, steps, left, apply=apply, seal=made_seal, bound=apply and not was_bound)
        if as_json:
            document({"connection": parts.name, **done})
        else:
            _show(Screen.here(), parts, settings.seal_file, steps, done)
    if any(step.kind.value == "conflict" for step in left):
        raise typer.Exit(2)


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
    from icp_sync.cli.text import counted

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
    if done["bound_now"]:
        screen.say(f"Bound the journal to {done['identity']}.")
    changed, left = int(str(done["changed"])), int(str(done["left"]))
    screen.say(f"{counted(changed, 'change')} made, {counts['keep']} already as they should be.")
    if left or done["conflicts"]:
        screen.say(f"Read again: {left} still to make, {counted(int(str(done['conflicts'])), 'conflict')}.")
    elif parts.journal.active() is None:
        screen.say("next: icp-sync profile activate")


def bind(
    rebind: Annotated[
        bool, typer.Option("--rebind", help="The CRM behind the credentials changed, and that is meant.")
    ] = False,
    take_over: Annotated[
        bool,
        typer.Option(
            "--take-over", help="Declare other installations' seals void: their values count as people's."
        ),
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Tie the journal to the CRM the credentials open."""
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.wiring import seal_key
    from icp_sync.wiring import take_over as void

    with wired(config, connection) as (settings, parts):
        identity = parts.crm.identity()
        before = parts.journal.bound_to()
        parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time(), rebind=rebind)
        voided: Counter[str] = Counter()
        if take_over:
            seal_key(settings.seal_file, create=True)
            voided = _foreign_seals(parts)
            for installation in sorted(voided):
                void(settings.seal_file, installation)
            if voided:
                parts.journal.request_backfill("took over from another installation", time.time())
    if as_json:
        document({"identity": identity.id, "before": before, "taken_over": dict(voided)})
        return
    screen = Screen.here()
    if before == identity.id:
        screen.say(f"Already bound to {identity.id}.")
    else:
        moved = f", before {before}; a backfill is requested." if before else "."
        screen.say(f"Bound to {identity.id}{moved}")
    if take_over:
        _show_voided(screen, voided)


def _show_voided(screen: Screen, voided: Counter[str]) -> None:
    for installation, accounts in sorted(voided.items()):
        screen.say(f"Installation {installation} ({accounts} accounts seen): its seals are void from now on.")
    if not voided:
        screen.say(f"No foreign seal among the first {LOOKED_AT:,} accounts; nothing to take over.")


def _foreign_seals(parts: Wired) -> Counter[str]:
    """Installation id → accounts it sealed, among the first ones of the CRM."""
    from icp_sync.domain.seal import read_seal
    from icp_sync.ports import Query, Stream

    found: Counter[str] = Counter()
    for page in parts.crm.pages(Query(stream=Stream.SWEEP, limit=LOOKED_AT)):
        for account in page.accounts:
            seal = account.live.get("seal", "")
            if read_seal(seal, parts.key).foreign:
                found[seal.strip().split(";")[1]] += 1
    return found


def refuse_unready(seal: Path, bound_to: str, active: bool) -> None:
    """Raise ConfigError with everything that must be done before a connection may write."""
    problems = []
    if not seal.exists():
        problems.append(
            Problem(where=str(seal), what="there is no seal key yet", hint="icp-sync provision --apply")
        )
    if not bound_to:
        hint = "icp-sync provision --apply"
        problems.append(Problem(where="journal", what="it is not bound to a CRM yet", hint=hint))
    if not active:
        hint = "icp-sync profile activate"
        problems.append(Problem(where="profile", what="none is active yet", hint=hint))
    if problems:
        raise ConfigError(problems, next_step=problems[0].hint)
