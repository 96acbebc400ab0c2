"""The admin console: where it answers, under which names, and who may do what in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr, field_validator, model_validator

from icp_sync.settings.parts import Part

_USER = re.compile(r"[a-z][a-z0-9._-]{0,63}")
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]{0,252}[a-z0-9])?")
_HASH = re.compile(r"scrypt:\d{1,2}:[A-Za-z0-9_-]{16,}:[A-Za-z0-9_-]{32,}")

Role = Literal["viewer", "operator", "approver"]


def _user_name(raw: str) -> str:
    if not _USER.fullmatch(raw):
        raise ValueError("a user's name is lower-case letters, digits, dots, dashes; at most 64")
    return raw


class ConsoleUser(Part):
    """Somebody who may log in."""

    role: Role = Field(
        "viewer",
        description="viewer: looks. operator: also retries, releases, pauses. approver: also lets held "
        "changes pass, undoes runs, starts backfills, activates profiles.",
    )
    password: SecretStr = Field(description="What `icp-sync console password` printed; never the password.")

    @field_validator("password", mode="before")
    @classmethod
    def _hashed(cls, raw: Any) -> Any:
        text = raw.get_secret_value() if isinstance(raw, SecretStr) else raw
        if not isinstance(text, str) or not _HASH.fullmatch(text.strip()):
            raise ValueError("not what `icp-sync console password` prints")
        return text.strip()


class ConsoleServer(Part):
    """Beyond this machine's loopback, users and TLS are required."""

    listen: str = Field(
        "", description="HOST:PORT, for example 127.0.0.1:8800; `run --console` says it, too."
    )
    local: Role = Field(
        "operator", description="What whoever reaches loopback may do while there are no users."
    )
    users: dict[Annotated[str, AfterValidator(_user_name)], ConsoleUser] = Field(
        {}, description="Who may log in, by name. With any, a login is asked for everywhere."
    )
    hosts: list[str] = Field([], description="Names the console is reached by, as a proxy passes them on.")
    certificate: Path | None = Field(None, description="A PEM file with the certificate chain, to speak TLS.")
    key: Path | None = Field(None, description="A PEM file with its private key.")
    proxy: bool = Field(False, description="A proxy before it speaks TLS, so that it need not.")

    @field_validator("listen")
    @classmethod
    def _listen(cls, raw: str) -> str:
        if raw:
            address(raw)
        return raw

    @field_validator("hosts")
    @classmethod
    def _hosts(cls, hosts: list[str]) -> list[str]:
        names = [host.strip().lower() for host in hosts]
        for name in names:
            if not _HOST.fullmatch(name):
                raise ValueError(f"'{name[:80]}' is no host name; write icp.example.com, without https://")
        return names

    @model_validator(mode="after")
    def _both_files(self) -> ConsoleServer:
        if (self.certificate is None) is not (self.key is None):
            raise ValueError("certificate and key go together")
        return self


def address(raw: str) -> tuple[str, int]:
    """Host and port of "127.0.0.1:8800" or "[::1]:8800". Raises ValueError."""
    host, colon, port = raw.strip().rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not colon or not host or not port.isdecimal() or not 0 <= int(port) <= 65_535:
        raise ValueError("HOST:PORT is wanted, for example 127.0.0.1:8800")
    return host, int(port)
