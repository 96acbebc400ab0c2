"""`icp-sync provision` and `bind`: making our properties in a CRM, and tying a journal to it."""

from __future__ import annotations

import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName
from icp_sync.errors import ConfigError, Problem, UnavailableError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.journal import Journal
    from icp_sync.ports import Identity, Step
    from icp_sync.settings import Settings
    from icp_sync.wiring import Wired

LOOKED_AT = 2_000
"""Accounts read to learn whose seals a CRM carries."""


def register(app: typer.Typer) -> None:
    app.command()(provision)
    app.command()(bind)


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
        was_bound = bool(parts.journal.bound_to())
        if apply:
            parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time())
        blueprint = parts.blueprint(profiles)
        steps = parts.crm.provision(blueprint, apply=apply)
        left = parts.crm.provision(blueprint, apply=False) if apply else steps
        done = _done(identity, steps, left, apply=apply, seal=made_seal, bound=apply and not was_bound)
        done["replaced"] = new_key
        if apply:
            made = [step.what for step in steps if step.done]
            counts = {"made": made, "left": done["left"], "new_key": new_key}
            parts.journal.audit("provision", who=who(), now=time.time(), crm=identity.id, **counts)
        if as_json:
            document({"connection": parts.name, **done})
        else:
            _show(Screen.here(), parts, settings.seal_file, steps, done)
    if any(step.kind.value == "conflict" for step in left):
        raise typer.Exit(2)


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
            _make_seal(at.settings, at.journal)
    return not there


def _make_seal(settings: Settings, journal: Journal) -> None:
    """Make the seal key. From here on every connection's audit is signed with it."""
    from icp_sync.cli.acting import who
    from icp_sync.wiring import seal_key

    key = seal_key(settings.seal_file, create=True)
    journal.signing_with(key)
    for name in settings.connections:
        one = journal.for_connection(name)
        if one.audited(limit=1):
            one.audit("seal key made", who=who(), now=time.time(), installation=key.installation)


def refuse_lost_seal(path: Path, journal: Journal) -> None:
    """Raises UnsafePlanError when the missing key is one we sealed values with."""
    from icp_sync.sync.foreign import RESTORE

    if journal.ever_wrote():
        raise UnsafePlanError(
            f"the seal key {path} is gone, and the journal shows values written with it: under a new key "
            "they would look like another installation's, and their accounts would be held",
            next_step=RESTORE,
        )


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
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.wiring import seal_key
    from icp_sync.wiring import take_over as void

    with wired(config, connection) as (settings, parts):
        identity = _asked_anew(parts) if rebind else parts.crm.identity()
        before = parts.journal.bound_to()
        parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time(), rebind=rebind)
        voided: Counter[str] = Counter()
        if take_over:
            if settings.seal_file.exists():
                seal_key(settings.seal_file)
            else:
                refuse_lost_seal(settings.seal_file, parts.journal)
                _make_seal(settings, parts.journal)
            voided = _foreign_seals(parts)
            for installation in sorted(voided):
                void(settings.seal_file, installation)
            if voided:
                parts.journal.request_backfill("took over from another installation", time.time())
        if voided or before != identity.id:
            changed = {"before": before, "after": identity.id, "taken_over": dict(voided)}
            parts.journal.audit("bind", who=who(), now=time.time(), **changed)
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


def _asked_anew(parts: Wired) -> Identity:
    """Who is there now. The limits the journal knows may be those of the portal that was there before: where
    they forbid to ask, they are forgotten."""
    try:
        return parts.crm.identity()
    except UnavailableError:
        parts.journal.forget_quota()
        return parts.crm.identity()


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


def refuse_unready(seal: Path, journal: Journal) -> None:
    """Raise ConfigError with everything that must be done before a connection may write."""
    from icp_sync.daemon.portal import no_seal
    from icp_sync.wiring import seal_key

    problems = []
    if not seal.exists():
        what, hint = no_seal(journal)
        problems.append(Problem(where=str(seal), what=what, hint=hint))
    else:
        try:
            seal_key(seal)
        except ConfigError as error:
            problems += [replace(problem, hint=error.next_step) for problem in error.problems]
    if not journal.bound_to():
        hint = "icp-sync provision --apply"
        problems.append(Problem(where="journal", what="it is not bound to a CRM yet", hint=hint))
    if journal.active() is None:
        hint = "icp-sync profile activate"
        problems.append(Problem(where="profile", what="none is active yet", hint=hint))
    if problems:
        raise ConfigError(problems, next_step=problems[0].hint)
