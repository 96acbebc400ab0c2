"""What of the settings is secret: which texts must never be seen, and which files others may read.

Knows where secrets stand, not what they open.
"""

from __future__ import annotations

import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, get_args
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import BaseModel, SecretStr

from icp_sync.errors import Problem
from icp_sync.settings.parts import inside

OTHERS = stat.S_IRWXG | stat.S_IRWXO
_PROXIES = ("http_proxy", "https_proxy", "all_proxy", "ftp_proxy")
_IN_URLS = ("password", "sslpassword", "passfile", "sslkey")
"""Parameters of a PostgreSQL URL that are confidential: its documentation, section 32.1.2."""

SECRETS_OF = {
    "token": "a HubSpot Service Key",
    "consumer_secret": "the app's consumer secret",
    "private_key": "the private key",
    "session_id": "a session id",
    "secret": "what the sender of events shares with us",
}
"""Settings that are secrets, and what each of them is."""
ANY = "<name>"
"""Stands for a name of the operator's choice in the place of a secret."""


def secret_places(model: type[BaseModel], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Where a section holds secrets, key by key."""
    for name, field in model.model_fields.items():
        section, free = inside(field.annotation)
        if section is not None:
            yield from secret_places(section, (*above, name, *((ANY,) if free else ())))
        elif _mentions(field.annotation):
            yield (*above, name)


def _mentions(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_mentions, get_args(annotation)))


def secrets(settings: BaseModel, environ: Mapping[str, str]) -> Iterator[str]:
    """Every secret text of these settings, and of the proxies the environment names."""
    yield from _held(settings)
    urls = [getattr(settings, "journal", "")]
    urls += [value for name, value in environ.items() if name.lower() in _PROXIES]
    for url in urls:
        yield from _in_url(str(url))


def readable_by_others(files: Iterable[Path]) -> list[Problem]:
    """One problem for each file with secrets that is not its owner's alone."""
    found = []
    for path in files:
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & OTHERS:
            what = f"holds a secret, and others on this machine may read it (mode {stat.S_IMODE(mode):o})"
            found.append(Problem(where=str(path), what=what, hint=f"chmod 600 {path}"))
    return found


def _held(value: Any) -> Iterator[str]:
    if isinstance(value, SecretStr):
        yield value.get_secret_value()
    elif isinstance(value, BaseModel):
        for name in type(value).model_fields:
            yield from _held(getattr(value, name))
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from _held(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _held(inner)


def _in_url(url: str) -> Iterator[str]:
    """The password of an address, as it is written and as it is meant."""
    try:
        parts = urlsplit(url)
        given = [parts.password or "", *(value for name, value in parse_qsl(parts.query) if name in _IN_URLS)]
    except ValueError:
        return
    for text in filter(None, given):
        yield text
        yield unquote(text)
