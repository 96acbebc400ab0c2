"""One more portal beside those there are: a file in the folder of connections, and a profile for it.

Reads the settings as far as they are nobody's own; opens no journal and talks to no CRM.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from datetime import date

    from icp_sync.cli.init import Wish


def added(wish: Wish, base: Path | None, today: date) -> dict[Path, str]:
    """The files of a further portal: its profile, and its own file last.

    base: the profile it says its differences from; without one its profile is of the wished industry. Raises
    ConfigError where there are no settings yet, they say this connection already, or there is no such base.
    """
    from icp_sync.cli.init import PROFILES, begun_profile
    from icp_sync.cli.init.files import connection_text

    place = _place(wish.name, wish.folder)
    if base is None:
        path, text, lines = begun_profile(wish, today)
    else:
        path, lines = PROFILES / f"{wish.name.replace('_', '-')}.yaml", []
        text = _variant(wish.folder / path, base, today)
    return {wish.folder / path: text, place: connection_text(wish.crm, wish.name, path, lines, today)}


def show(wish: Wish, files: Sequence[Path]) -> None:
    """What was written, and the next commands."""
    from icp_sync.cli.init.files import secret_of
    from icp_sync.cli.rendering import Screen

    screen = Screen.here()
    screen.say("Written:")
    for path in files:
        screen.say(f"  {path}")
    steps = [f"export {secret_of(wish.crm, wish.name)}", f"icp-sync check --connection {wish.name}"]
    steps.append(f"icp-sync profile check --connection {wish.name}")
    if wish.crm == "salesforce":
        steps.insert(0, f"fill in my_domain and consumer_key in {files[-1]}")
    here = "" if wish.folder == Path() else f", in {wish.folder}"
    screen.say()
    screen.say(f"Next{here}:")
    for step in steps:
        screen.say(f"  {step}")


def _place(name: str, folder: Path) -> Path:
    """The file of a new connection. folder: what `config/` lies in."""
    from icp_sync.cli.opening import read_settings
    from icp_sync.settings.folder import CONNECTIONS
    from icp_sync.settings.layers import toml
    from icp_sync.settings.loading import CONFIG, DEFAULT_CONFIG

    here = folder == Path()
    config = Path(os.environ.get(CONFIG) or DEFAULT_CONFIG) if here else folder / DEFAULT_CONFIG
    if not config.exists():
        what = f"there are no settings at {config} to add a connection to"
        raise ConfigError(
            [Problem(where="--connection", what=what)], next_step=f"icp-sync init --name {name}"
        )
    settings = read_settings(config, offline=True, only=())
    if name in toml(config).get(CONNECTIONS, {}):
        what = f"{config} has a connection '{name}' already"
        raise ConfigError([Problem(where="--connection", what=what)], next_step="icp-sync init --help")
    told = settings.connections_folder or config.parent / CONNECTIONS
    elsewhere = not (here or told.is_absolute() or told.is_relative_to(folder))
    return (folder / told if elsewhere else told) / f"{name}.toml"


def _variant(profile: Path, base: Path, today: date) -> str:
    from icp_sync.cli.init.files import variant_text

    if not base.is_file():
        problem = Problem(where="--extends", what=f"there is no file {base}", hint="name a profile's file")
        raise ConfigError([problem], next_step="icp-sync init --help")
    way = os.path.relpath(base.absolute(), profile.absolute().parent)
    return variant_text(profile.stem, way if "/" in way else f"./{way}", today)
