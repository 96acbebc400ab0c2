"""What the operator decides: where the journal is, which portals, how often, under which names.

Read from the environment, `.env`, secret files and `config/icp-sync.toml`, in that order of precedence.
Knows nothing of what is done with a setting; `wiring` turns settings into objects.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field, PrivateAttr, ValidationError, field_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from icp_sync.errors import ConfigError, Problem
from icp_sync.observe import conceal
from icp_sync.settings.confidential import readable_by_others, secrets
from icp_sync.settings.connection import Connection, Quota, Schedule
from icp_sync.settings.console import ConsoleServer
from icp_sync.settings.inbound import InboundServer
from icp_sync.settings.loading import Sources, explained
from icp_sync.settings.outputs import NATIVES, Outputs
from icp_sync.settings.parts import Part, journal_url, known_keys
from icp_sync.settings.telling import Notify

__all__ = [
    "NATIVES",
    "Connection",
    "Health",
    "Log",
    "Outputs",
    "Quota",
    "Schedule",
    "Settings",
    "keys",
    "load",
]

NEXT_STEP = "icp-sync check"
CORRECT = f"correct the file, then {NEXT_STEP}"
BEGIN = "icp-sync init"

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
    connections: dict[Annotated[str, AfterValidator(_connection_name)], Connection] = Field(
        {}, description="The portals, by a name of your choice."
    )

    _looked_for: Path | None = PrivateAttr(None)  # the settings file there was none of
    _exposed: list[Problem] = PrivateAttr(default_factory=list)

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

    def connection(self, name: str | None = None) -> tuple[str, Connection]:
        """Name and settings of one connection: the one named, or the only one there is.

        Raises ConfigError that lists the names when there is none such, or several to choose from.
        """
        names = ", ".join(self.connections)
        if name is None and len(self.connections) == 1:
            return next(iter(self.connections.items()))
        if name is not None and name in self.connections:
            return name, self.connections[name]
        if not self.connections and self._looked_for:
            what = f"there is no connection, and no settings file {self._looked_for}"
            raise ConfigError([Problem(where="connections", what=what)], next_step=BEGIN)
        if not self.connections:
            what, hint = "there is no connection", "see config/icp-sync.example.toml"
        elif name is None:
            what, hint = f"there are several connections: {names}", "name one with --connection"
        else:
            what, hint = f"there is no connection '{name}'", f"there are: {names}"
        raise ConfigError([Problem(where="connections", what=what, hint=hint)], next_step=NEXT_STEP)


def load(
    path: Path | None = None,
    environ: Mapping[str, str] | None = None,
    *,
    dotenv: Path = Path(".env"),
    only: Collection[str] | None = None,
) -> Settings:
    """Settings from every source; from here on their secrets are blotted out of logs and errors.

    Raises ConfigError with every problem at once and its place; while a file cannot be read at all, only
    with that, as what it would have said is not missing.

    path: the TOML file; by default what `ICP_SYNC_CONFIG` names, else `config/icp-sync.toml` if it exists.
    environ: variables, by default the process's own. only: the connections that are read; what is said of
    others is passed over.
    """
    sources = Sources(Settings, path, os.environ if environ is None else environ, dotenv)
    if sources.broken:
        raise ConfigError(sources.broken, next_step=CORRECT)
    try:
        settings = Settings.model_validate(sources.merged(only))
    except ValidationError as error:
        details = error.errors(include_input=False, include_url=False)
        raise ConfigError(sources.problems + explained(details, sources), next_step=NEXT_STEP) from None
    if sources.problems:
        raise ConfigError(sources.problems, next_step=NEXT_STEP)
    settings._looked_for = sources.looked_for
    settings._exposed = readable_by_others(sources.confidential)
    conceal(*secrets(settings, os.environ if environ is None else environ))
    return settings


def keys() -> tuple[str, ...]:
    """Every setting's dotted key, in order; `<name>` stands for a name of the operator's choice."""
    return tuple(known_keys(Settings))
