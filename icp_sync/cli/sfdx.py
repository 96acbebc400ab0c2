"""`icp-sync provision --sfdx`: our fields as a project an administrator deploys, in place of us."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import AuthError, ConfigError, Problem, UnavailableError

if TYPE_CHECKING:
    from icp_sync.ports import Blueprint, Step


def write_project(folder: Path, config: Path | None, connection: str | None, *, views: bool = False) -> None:
    """Write the project for a connection, with what its org has where that can be asked; say what to do next.

    Raises ConfigError for a connection that is no Salesforce org, or a folder that holds such files.
    """
    from icp_sync.cli.init.files import write_new
    from icp_sync.cli.opening import read_settings
    from icp_sync.crm.salesforce.provisioning.packaging import sfdx
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import blueprint, facts_of

    name, chosen = read_settings(config, offline=True, only=connection).connection(connection)
    if chosen.salesforce is None:
        problem = Problem(where="--sfdx", what=f"connection {name} is no Salesforce org")
        raise ConfigError([problem], next_step="icp-sync provision")
    profiles = tuple(one.profile for one in load_all(chosen.profiles, types=facts_of(chosen)[1]))
    wanted = blueprint(chosen, profiles)
    by_hand: list[Step] = []
    try:
        files, by_hand = _asked_project(config, connection, wanted, views=views)
        unasked = ""
    except (AuthError, ConfigError, UnavailableError) as error:
        files = sfdx(wanted, transfer=chosen.outputs.owner, views=views)
        unasked = " ".join(str(error).split())
    if not any(path.endswith(".xml") for path in files):
        files = {}
    write_new({folder / path: text for path, text in files.items()}, elsewhere="name another folder")
    _say(folder, files, unasked, by_hand)


def _asked_project(
    config: Path | None, connection: str | None, wanted: Blueprint, *, views: bool
) -> tuple[Mapping[str, str], list[Step]]:
    """The project for what the org still needs. Raises what opening and asking it raises."""
    from icp_sync.cli.opening import wired
    from icp_sync.crm.salesforce import Salesforce
    from icp_sync.domain.views import marked

    with wired(config, connection) as (_, parts):
        if not isinstance(parts.crm, Salesforce):
            raise ConfigError(f"connection {parts.name} is no Salesforce org")
        return parts.crm.project(wanted, marked(wanted.mark) if views else ())


def _say(folder: Path, files: Mapping[str, str], unasked: str, by_hand: list[Step]) -> None:
    from icp_sync.cli.rendering import Screen
    from icp_sync.reporting.text import counted

    screen = Screen.here()
    if files:
        screen.say(f"{counted(len(files), 'file')} in {folder}. An admin deploys them from there:")
        screen.say("  sf project deploy start --target-org ALIAS")
        screen.say(
            "then assigns the permission set ICP Sync Integration to the integration user, ICP Sync Readers"
        )
        screen.say("to everybody who shall see the fields, and: icp-sync check")
    else:
        screen.say("The org has everything a project could bring; nothing was written.")
    if unasked:
        screen.say(f"The org was not asked ({unasked}): the project knows none of its record types, and")
        screen.say("replaces the fields and permission sets it may have of these names.")
    if by_hand:
        screen.say("Not in the project, for the admin's own hands:")
        screen.table(["what", "detail"], [(step.what, step.detail) for step in by_hand])
