"""What `icp-sync init` writes: the text of a settings file, and new files all at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import date
from pathlib import Path

from icp_sync.errors import ConfigError, Problem

ELSEWHERE = "icp-sync init --dir ANOTHER_FOLDER"


def secret_of(crm: str, connection: str) -> str:
    """The variable that opens a connection, and what its value looks like."""
    key = f"ICP_SYNC_CONNECTIONS__{connection.upper()}__"
    return f"{key}TOKEN=pat-…" if crm == "hubspot" else f"{key}SALESFORCE__CONSUMER_SECRET=…"


def settings_text(
    crm: str, connection: str, profile: Path, mappings: Sequence[Sequence[str]], today: date
) -> str:
    """A small settings file for one portal or org, without any secret.

    profile: as the settings name it. mappings: the lines of each fact a field of the portal's own could
    feed; they are written commented out.
    """
    variable = secret_of(crm, connection)
    hubspot = crm == "hubspot"
    org = [
        "",
        f"[connections.{connection}.salesforce]",
        '# my_domain = "acme.my"      # of https://acme.my.salesforce.com; a sandbox: acme--uat.sandbox.my',
        '# consumer_key = "3MVG9…"    # of the External Client App, client credentials flow',
        '# vacant_owners = ["unassigned@acme.com"]  # users who stand for nobody: their accounts are free',
    ]
    fields = [
        "",
        "# Fields of your own, for facts the profile asks for and no standard field tells. Take the marks",
        "# off and write the field's internal name as `property`.",
    ]
    for lines in mappings:
        fields += [*(f"# {line}" for line in lines), ""]
    return "\n".join(
        [
            f"# Settings of icp-sync, written by `icp-sync init` on {today}. What is commented out shows its",
            "# default or an example. All keys: the project's config/README.md.",
            "",
            '# journal = "sqlite:///state/icp-sync.sqlite"',
            '# seal_file = "state/seal.key"  # made by the first provision; back it up with the journal',
            "",
            f"[connections.{connection}]",
            f'crm = "{crm}"',
            f'profiles = ["{profile.as_posix()}"]',
            *([] if hubspot else org),
            f"# The {'token' if hubspot else 'consumer secret'} does not belong here. Set it as the variable",
            f"#   {variable}",
            "# or as a secret file in $CREDENTIALS_DIRECTORY, named like the variable in small letters from",
            "# `connections` on.",
            *(fields if mappings else [""]),
            "# Sources beside the CRM, asked only for what could change a tier.",
            f"# [[connections.{connection}.enrichers]]",
            '# use = "contacts"     # roles of the people you know there'
            + ("; scope crm.objects.contacts.read" if hubspot else ""),
            "",
            f"# [[connections.{connection}.enrichers]]",
            '# use = "csv"',
            '# path = "config/accounts.csv"',
            "",
            '# Others: "website" (technologies a company\'s home page gives away; free) and vendors such as',
            '# "apollo": icp-sync vendors --all lists them. The key of that one goes into the variable',
            f"#   ICP_SYNC_CONNECTIONS__{connection.upper()}__SECRETS__APOLLO__KEY",
            "# Only a fact that can still change a tier, a flag or a route is bought; nothing in observe.",
            f"# [connections.{connection}.enrichment.budgets]",
            "# account = 10         # credits on one company in any 30 days",
            "# month = 20000",
            "",
            f"# [connections.{connection}.outputs]",
            "# owner = false        # true: write the CRM's own owner as well, in mode route",
            "",
            f"# [connections.{connection}.schedule]",
            '# poll = "60s"         # how often what changed is read',
            "",
        ]
    )


def connection_text(
    crm: str, connection: str, profile: Path, mappings: Sequence[Sequence[str]], today: date
) -> str:
    """The same for a connection's own file in the folder of connections."""
    header = f"[connections.{connection}]\n"
    own = settings_text(crm, connection, profile, mappings, today).split(header, 1)[1]
    return (
        f"# The connection `{connection}`, written by `icp-sync init` on {today}. What is commented out\n"
        "# shows its default or an example; what all of them have: [defaults] of the settings file.\n\n"
        + own.replace(f"connections.{connection}.", "")
    )


def variant_text(profile: str, base: str, today: date) -> str:
    """A profile that says only what differs from the one it extends. base: its path from this file on."""
    return "\n".join(
        [
            f"# Written by `icp-sync init` on {today}: what this client has otherwise than {base}.",
            f"profile: {profile}",
            f"extends: {base}",
            "",
            "# Criteria, timing signals and flags are changed, added and dropped by their names.",
            "# criteria:",
            "#   - {name: 50–500 employees, weight: 30}",
            "#   - {name: DACH, layer: firmographic, fact: country, any_of: [DE, AT, CH], weight: 10}",
            "# flags:",
            "#   - {name: Partner, drop: true}",
            "# tiers: {A: 75}",
            "",
        ]
    )


def write_new(files: Mapping[Path, str], elsewhere: str = ELSEWHERE) -> None:
    """Write files that must not exist yet, with their folders: all of them, or none.

    Raises ConfigError that names every file that exists, or the one that cannot be written.
    """
    there = [path for path in files if path.exists() or path.is_symlink()]
    if there:
        problems = [
            Problem(where=str(path), what="exists already, and is never overwritten") for path in there
        ]
        raise ConfigError(problems, next_step=elsewhere)
    made: list[Path] = []
    try:
        for path, text in files.items():
            _make_folders(path.parent, made)
            with path.open("x", encoding="utf-8", newline="\n") as file:
                made.append(path)
                file.write(text)
    except BaseException as error:
        for path in reversed(made):
            with suppress(OSError):
                path.rmdir() if path.is_dir() else path.unlink()
        if isinstance(error, OSError):
            problem = Problem(where=str(error.filename or ""), what=f"cannot be written: {error.strerror}")
            raise ConfigError([problem], next_step=elsewhere) from error
        raise


def _make_folders(folder: Path, made: list[Path]) -> None:
    missing = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(missing):
        one.mkdir()
        made.append(one)
