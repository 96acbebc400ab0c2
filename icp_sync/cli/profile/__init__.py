"""`icp-sync profile check | plan | activate | schema`: files are candidates, the journal's is active."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from icp_sync.cli.options import AsJson, Config, ConnectionName, Files
from icp_sync.cli.profile import accounts, backtest, diff, examples, filters, page, promote
from icp_sync.cli.profile.promote import Note
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from icp_sync.cli.rendering import Screen
    from icp_sync.profile_file import Loaded


def register(app: typer.Typer) -> None:
    family = typer.Typer(
        name="profile",
        help="The ICP as code: check it, try it, compare it, activate it.",
        no_args_is_help=True,
        rich_markup_mode=None,
    )
    family.command("check")(check)
    family.command("plan")(plan)
    family.command("activate")(activate)
    family.command("schema")(schema)
    examples.register(family)
    diff.register(family)
    accounts.register(family)
    page.register(family)
    filters.register(family)
    backtest.register(family)
    promote.register(family)
    app.add_typer(family)


def check(
    files: Files = None, config: Config = None, connection: ConnectionName = None, as_json: AsJson = False
) -> None:
    """Find every problem in profile files at once.

    Needs no CRM; with FILES, no settings either.
    """
    from datetime import UTC, datetime

    from icp_sync.cli.check.telling import unheard
    from icp_sync.cli.opening import candidates, read_settings
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.profile_file import advice, load_all

    paths, types, sources = candidates(files, config, connection)
    problems: list[Problem] = []
    loaded: tuple[Loaded, ...] = ()
    try:
        loaded = load_all(paths, types=types)
    except ConfigError as error:
        problems = error.problems
    profiles = [one.profile for one in loaded]
    today = datetime.now(UTC).date()
    warnings = advice(profiles, sources=sources, in_scope_firm=None, accounts=None, today=today)
    if not files:
        said = read_settings(config, offline=True, only=connection).connection(connection)[1].telling
        warnings = [*warnings, *unheard(profiles, said)]
    if as_json:
        document(
            {
                "ok": not problems,
                "profiles": [p.name for p in profiles],
                "problems": [_problem_json(p) for p in problems],
                "advice": [_problem_json(p) for p in warnings],
            }
        )
    else:
        _show_check(Screen.here(), paths, loaded, problems, warnings)
    if problems:
        raise typer.Exit(2)


def _problem_json(problem: Problem) -> dict[str, str]:
    return {"where": problem.where, "what": problem.what, "hint": problem.hint}


def _show_check(
    screen: Screen,
    paths: list[Path],
    loaded: Sequence[Loaded],
    problems: list[Problem],
    warnings: list[Problem],
) -> None:
    from icp_sync.reporting.text import counted

    for one in loaded:
        p = one.profile
        gates = sum(c.required for c in p.criteria)
        screen.say(
            f"{p.name}: {counted(len(p.criteria) - gates, 'criterion', 'criteria')}, "
            f"{counted(gates, 'gate')}, "
            f"{counted(len(p.flags), 'flag')}, {counted(len(p.timing), 'timing signal')}, "
            f"{counted(len(p.routes), 'route')}"
        )
    for severity, listed in (("error", problems), ("warning", warnings)):
        if listed:
            screen.table([severity, "what", "hint"], [(p.where, p.what, p.hint) for p in listed])
    if problems:
        screen.say(f"{counted(len(problems), 'problem')}; nothing was changed.")
    else:
        screen.say(f"No problem in {counted(len(paths), 'file')}, {counted(len(warnings), 'warning')}.")


def plan(
    files: Files = None,
    read: Annotated[
        bool, typer.Option("--read", help="Read the CRM now instead of the facts in the journal.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Show what activating these files would change."""
    from icp_sync.cli.opening import opened
    from icp_sync.cli.plan import plan as whole_plan
    from icp_sync.cli.profile.rehearsal import rehearse, show
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        paths = files or list(at.connection.profiles)
        rehearsed = None if read else rehearse(at, paths)
    if rehearsed is None:
        whole_plan(profile=paths, config=config, connection=connection, as_json=as_json)
    elif as_json:
        document(rehearsed.to_json())
    else:
        show(Screen.here(), rehearsed, files or ())


def activate(
    files: Files = None,
    note: Note = "",
    force: Annotated[
        bool, typer.Option("--force", help="Also one that was learned and never promoted.")
    ] = False,
    config: Config = None,
    connection: ConnectionName = None,
    as_json: AsJson = False,
) -> None:
    """Make these files the active profile.

    Requests the paced backfill that rolls it out. One that was learned needs `promote` first.
    """
    from icp_sync.cli.acting import who
    from icp_sync.cli.opening import opened
    from icp_sync.cli.profile import activation
    from icp_sync.cli.rendering import Screen, document

    with opened(config, connection) as at:
        loaded = activation.ready(at, files)
        unproven = activation.unproven(at, loaded)
        if not force:
            activation.refuse(unproven, files)
        forced = {"unproven": [one.profile.name for one in unproven]} if unproven else {}
        done = activation.make_active(at, loaded, note=note, what="profile activate", who=who(), **forced)
    if as_json:
        document(done.to_json())
    else:
        activation.show(Screen.here(), done)


def schema() -> None:
    """Print the JSON Schema of a profile file."""
    from icp_sync.cli.rendering import document
    from icp_sync.profile_file import json_schema

    document(json_schema())
