"""What every section of the settings is made of: strict keys, durations, addresses, and lists of keys."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, SecretStr

_PLACEHOLDER = re.compile(
    r"[\s.x*-]*|<.*>|\$\{?\w+\}?|pat-\w+-x+[x-]*|"
    r"(change|replace)[ _-]?me|todo|secret|token|dummy|placeholder|(your|my)[ _-].*",
    re.IGNORECASE,
)
_SPANS = {"s": 1.0, "m": 60.0, "h": 3_600.0, "d": 86_400.0, "w": 604_800.0}
_SPAN = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([smhdw])")


class Part(BaseModel):
    """A section: every key is known, nothing changes after loading, no input is quoted in errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


def _seconds(raw: Any) -> float:
    match = _SPAN.fullmatch(raw.strip().lower()) if isinstance(raw, str) else None
    seconds = float(match[1]) * _SPANS[match[2]] if match else 0.0
    if seconds <= 0:
        raise ValueError("a duration is wanted, for example 60s, 5m, 24h or 7d")
    return seconds


Seconds = Annotated[float, BeforeValidator(_seconds)]
"""A duration above zero, written 60s, 5m, 24h, 7d or 2w; seconds once read."""


def duration(text: str) -> float:
    """Seconds of a default written the way people write it."""
    return _seconds(text)


def web_address(raw: str) -> str:
    """An https address without a trailing slash; plain http only to this machine, where the simulator is."""
    text = raw.strip()
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname or "", parts.port
    except ValueError:
        raise ValueError("not a web address, for example https://api.hubapi.com") from None
    if parts.scheme not in {"http", "https"} or not host:
        raise ValueError("not a web address, for example https://api.hubapi.com")
    if parts.username is not None or parts.password is not None or parts.query or parts.fragment:
        raise ValueError("an address holds no user, password, query or fragment")
    if parts.scheme == "http" and not _loopback(host):
        raise ValueError(
            "plain http would send the token in the clear; use https (http is for loopback only)"
        )
    return text.rstrip("/")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def journal_url(raw: str) -> str:
    """A SQLAlchemy URL of one of the two databases there is code for. Its text may hold a password."""
    text = raw.strip()
    if re.match(r"postgres(ql)?://", text):
        raise ValueError("the driver is missing: write postgresql+psycopg://…")
    if not re.match(r"sqlite:///.|postgresql\+psycopg://.", text):
        raise ValueError("not a journal; write sqlite:///state/icp-sync.sqlite or postgresql+psycopg://…")
    return text


def known_keys(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    """Every dotted key of a section, in order; `<name>` stands for a key of the operator's choice."""
    for name, field in model.model_fields.items():
        key = prefix + (field.alias or name)
        inner, free = inside(field.annotation)
        if inner is None:
            yield key
        else:
            yield from known_keys(inner, f"{key}.<name>." if free else f"{key}.")


def inside(annotation: Any) -> tuple[type[BaseModel] | None, bool]:
    """The section an annotation holds, and whether it does so under names of the operator's choice."""
    if get_origin(annotation) is UnionType:  # a section there may be
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    if get_origin(annotation) is dict:
        return inside(get_args(annotation)[1])[0], True
    return None, False


def credential(raw: Any) -> str:
    """A token or key as it was given, without what surrounds it. Raises ValueError for what cannot be one."""
    if isinstance(raw, SecretStr):
        raw = raw.get_secret_value()
    text = raw.strip() if isinstance(raw, str) else ""
    if _PLACEHOLDER.fullmatch(text):
        raise ValueError("empty, or a placeholder")
    if not text.isprintable() or not text.isascii() or " " in text:
        raise ValueError("holds blanks, line breaks or letters no token has")
    return text


_WORDS = (
    (r"Value error, (.*)", r"\1"),
    (r"Input should be a valid string.*", "a text is wanted"),
    (r"Input should be a valid (tuple|list|set).*", "a list is wanted"),
    (r"(Tuple|List|Set) should have at least (\d+) items?.*", r"at least \2 is wanted"),
    (r"Input should be a valid dictionary.*", "keys with values are wanted"),
    (r"Input should be a valid integer.*", "a whole number is wanted"),
    (r"Input should be a valid number.*", "a number is wanted"),
    (r"Input should be a valid boolean.*", "true or false is wanted"),
    (r"String should match pattern (.*)", r"must be written like the regular expression \1"),
    (r"(Input|String) should (.*)", r"should \2"),
)


def in_plain_words(said: str) -> str:
    """What pydantic says of a value, as somebody would who knows nothing of it: "a list is wanted"."""
    for pattern, words in _WORDS:
        if found := re.fullmatch(pattern, said, re.DOTALL):
            return found.expand(words)
    return said
