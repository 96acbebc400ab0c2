"""What the operator decides: where the journal is, which portals, how often, under which names.

Read from the environment, `.env`, secret files and `config/icp-sync.toml`, in that order of precedence.
Knows nothing of what is done with a setting; `wiring` turns settings into objects.
"""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from icp_sync.errors import ConfigError, Problem
from icp_sync.observe import conceal
from icp_sync.settings.cluster import Cluster
from icp_sync.settings.confidential import readable_by_others, secrets
from icp_sync.settings.connection import Connection, Quota, Schedule
from icp_sync.settings.console import ConsoleServer
from icp_sync.settings.explaining import explained
from icp_sync.settings.inbound import InboundServer
from icp_sync.settings.loading import Sources
from icp_sync.settings.outputs import NATIVES, Outputs
from icp_sync.settings.parts import Part, journal_url, known_keys
from icp_sync.settings.telling import Notify

__all__ = [
    "NATIVES",
    "Connection",
    "Each",
    "Health",
    "Log",
    "Outputs",
    "Quota",
    "Schedule",
    "Settings",
    "keys",
    "load",
    "load_each",
]

NEXT_STEP = "icp-sync check"
CORRECT = f"correct the file, then {NEXT_STEP}"
BEGIN = "icp-sync init"
MOST_LISTED = 12
"""Names of connections in one message."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


def _connection_name(raw: str) -> str:
    if not _NAME.fullmatch(raw) or len(raw) > 32:
        raise ValueError(
            f"'{raw[:40]}' is no name for a connection: lower-case letters and digits, joined by single "
            "underscores, at most 32, so that an environment variable can name it"
        )
    return raw


class Log(Part):
    """How the program speaks to its operator."""

    level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(lambda raw: str(raw).lower())
    ] = "info"
    as_json: bool = Field(False, alias="json", description="One JSON object a line instead of aligned text.")


class Health(Part):
    """Where `/healthz`, `/readyz` and `/metrics` answer."""

    host: str = Field("127.0.0.1", min_length=1)
    port: int = Field(8787, ge=0, le=65_535, description="0 turns it off.")


class Settings(BaseSettings):
    """Everything configured. Made by `load`; constructing it directly reads nothing from outside."""

    model_config = SettingsConfigDict(
        extra="forbid",
        frozen=True,
        env_prefix="ICP_SYNC_",
        env_nested_delimiter="__",
        hide_input_in_errors=True,
    )

    journal: str = Field(
        "sqlite:///state/icp-sync.sqlite",
        repr=False,  # a PostgreSQL URL may carry a password
        description="sqlite:///path, or postgresql+psycopg://… for several machines.",
    )
    seal_file: Path = Field(
        Path("state/seal.key"), description="Installation id and seal key, made by the first provision."
    )
    log: Log = Log()
    health: Health = Health()
    inbound: InboundServer = InboundServer()
    notify: Notify = Notify()
    console: ConsoleServer = ConsoleServer()
    cluster: Cluster = Cluster()
    connections_folder: Path | None = Field(
        None, description="A file a portal, NAME.toml; by default `connections` beside this file, if there."
    )
    defaults: dict[str, Any] = Field(
        {}, repr=False, description="What every connection has unless it says otherwise; no credentials."
    )
    connections: dict[Annotated[str, AfterValidator(_connection_name)], Connection] = Field(
        {}, description="The portals, by a name of your choice."
    )

    _looked_for: Path | None = PrivateAttr(None)  # the settings file there was none of
    _exposed: list[Problem] = PrivateAttr(default_factory=list)
    _names: tuple[str, ...] = PrivateAttr(())
    _left_out: tuple[str, ...] = PrivateAttr(())  # connections that cannot be used
    _files: tuple[Path, ...] = PrivateAttr(())

    _journal_url = field_validator("journal")(journal_url)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @property
    def exposed(self) -> list[Problem]:
        """Files with secrets, `.env` among them, that others on this machine may read."""
        return self._exposed

    @property
    def names(self) -> tuple[str, ...]:
        """Every connection something is said of, those too that were not read."""
        return self._names or tuple(self.connections)

    @property
    def files(self) -> tuple[Path, ...]:
        """All that these settings came from, or would come from if it were there: files, and folders whose
        files count. The environment is not among them: it cannot change while a program runs."""
        return self._files

    def connection(self, name: str | None = None) -> tuple[str, Connection]:
        """Name and settings of one connection: the one named, or the only one there is.

        Raises ConfigError that lists the names when there is none such, or several to choose from.
        """
        if name is None and len(self.connections) == 1 and not self._left_out:
            return next(iter(self.connections.items()))
        found = self.named(name)
        if found in self.connections:
            return found, self.connections[found]
        what, hint = f"the connection '{found}' cannot be used", f"icp-sync check --connection {found}"
        raise ConfigError([Problem(where="connections", what=what, hint=hint)], next_step=NEXT_STEP)

    def named(self, name: str | None = None) -> str:
        """The name of one connection, whether it can be used or not. Raises ConfigError as above."""
        if name is None and len(self.names) == 1:
            return self.names[0]
        if name is not None and name in self.names:
            return name
        if not self.names and self._looked_for:
            what = f"there is no connection, and no settings file {self._looked_for}"
            raise ConfigError([Problem(where="connections", what=what)], next_step=BEGIN)
        if not self.names:
            what, hint = "there is no connection", "see config/icp-sync.example.toml"
        elif name is None:
            what, hint = f"there are several connections: {_listed(self.names)}", "name one with --connection"
        else:
            what, hint = f"there is no connection '{name[:40]}'", _meant(name, self.names)
        raise ConfigError([Problem(where="connections", what=what, hint=hint)], next_step=NEXT_STEP)


def _listed(names: Sequence[str]) -> str:
    """All names, or of many the first ones: a message is read, not searched."""
    if len(names) <= MOST_LISTED:
        return ", ".join(names)
    return f"{', '.join(names[: MOST_LISTED - 1])} and {len(names) - MOST_LISTED + 1} more"


def _meant(name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name.lower(), names, n=3, cutoff=0.6)
    if near and len(names) > MOST_LISTED:
        return f"did you mean {' or '.join(near)}?"
    return f"there are: {_listed(names)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Each:
    """Settings whose connections can all be used, and those that cannot.

    broken: connection → every problem of it. Whoever goes on without it tells so. in_files: connections that
    a TOML file names; of others only variables and secret files speak. main: the settings file, if any.
    """

    settings: Settings
    broken: Mapping[str, tuple[Problem, ...]]
    in_files: Set[str] = frozenset()
    main: Path | None = None


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path = Path(".env"),
    only: Collection[str] | None = None,
    folder: Path | None = None,
) -> Settings:
    """Settings from every source; from here on their secrets are blotted out of logs and errors.

    Raises ConfigError with every problem at once and its place; while a file cannot be read at all, only
    with that, as what it would have said is not missing. Of a connection's own file that holds for this one.

    path: the TOML file; by default what `ICP_SYNC_CONFIG` names, else `config/icp-sync.toml` if it exists.
    environ: variables, by default the process's own. only: the connections that are read; what is said of
    others is passed over. folder: of connections, in place of the one the settings say.
    """
    each = load_each(path, environ, dotenv=dotenv, only=only, folder=folder, strict=True)
    return each.settings


def load_each(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path = Path(".env"),
    only: Collection[str] | None = None,
    folder: Path | None = None,
    strict: bool = False,
) -> Each:
    """The same with a connection that cannot be used left out and told, so that it stops no other.

    Raises ConfigError where the fault is everybody's, or none of the connections is left. strict: for one
    that cannot be used, too.
    """
    environ = os.environ if environ is None else environ
    sources = Sources(Settings, path, environ, dotenv, only=only, folder=folder)
    if sources.broken:
        raise ConfigError(sources.broken, next_step=CORRECT)
    broken = {name: list(found) for name, found in sources.broken_of.items() if only is None or name in only}
    tree = sources.merged()
    broken |= {name: [problem] for name, problem in sources.forgotten().items() if name not in broken}
    settings, problems = _validated(_without(tree, broken), sources, broken)
    problems = [*sources.problems, *problems]
    left = settings is not None and (settings.connections or not broken)
    if settings is None or problems or (broken and (strict or not left)):
        everything = [*problems, *(problem for found in broken.values() for problem in found)]
        step = NEXT_STEP if problems or not sources.broken_of.keys() & broken else CORRECT
        raise ConfigError(list(dict.fromkeys(everything)), next_step=step)
    settings._looked_for = sources.looked_for
    settings._names, settings._left_out = sources.names, tuple(broken)
    settings._files = tuple(dict.fromkeys(sources.files))
    settings._exposed = readable_by_others(sources.confidential)
    conceal(*secrets(settings, environ))
    told = {name: tuple(found) for name, found in broken.items()}
    return Each(settings=settings, broken=told, in_files=frozenset(sources.in_files), main=sources.main)


def _validated(
    tree: dict[str, Any], sources: Sources, broken: dict[str, list[Problem]]
) -> tuple[Settings | None, list[Problem]]:
    """The settings without the connections that turn out to be broken, which are added to those; and the
    problems that are everybody's."""
    try:
        return Settings.model_validate(tree), []
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
    problems = []
    for detail, problem in zip(details, explained(details, sources), strict=True):
        if detail["loc"][:1] == ("connections",) and detail["loc"][1:]:
            broken.setdefault(str(detail["loc"][1]), []).append(problem)
        else:
            problems.append(problem)
    if problems:
        return None, problems
    return Settings.model_validate(_without(tree, broken)), []


def _without(tree: dict[str, Any], names: Collection[str]) -> dict[str, Any]:
    said = tree.get("connections")
    if not isinstance(said, Mapping):
        return tree
    return {**tree, "connections": {name: one for name, one in said.items() if name not in names}}


def keys() -> tuple[str, ...]:
    """Every setting's dotted key, in order; `<name>` stands for a name of the operator's choice."""
    return tuple(known_keys(Settings))
