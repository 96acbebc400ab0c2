"""One request as an endpoint sees it: parsed, authenticated, with the portal it is about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from icp_sync.simulator.hubspot.errors import Refusal, bad_json, error, wrong_type
from icp_sync.simulator.hubspot.portal import Portal, Token
from icp_sync.simulator.server import Request

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of one endpoint. `version`: v3, v4, 2026-03 or 2026-09. `rest`: the path's variable parts."""

    portal: Portal
    request: Request
    token: Token
    version: str
    rest: tuple[str, ...] = ()

    @property
    def archived(self) -> bool:
        """`archived=true`, however the client spells it."""
        return self.request.one("archived").lower() == "true"

    def json(self) -> Json:
        """The body, which must be a JSON object. Raises Refusal."""
        try:
            body = json.loads(self.request.body or b"{}", parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise bad_json("Unexpected character: was expecting a JSON value") from None
        if not isinstance(body, dict):
            raise wrong_type("com.hubspot.inbounddb.publicobject.core.v2.PublicObject$Json", token_of(body))
        return body

    def count(self, default: int, most: int) -> int:
        """The `limit` parameter. Raises Refusal when it is no number from 1 to `most`."""
        text = self.request.one("limit")
        if not text:
            return default
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= most:
            raise Refusal(
                400,
                error(
                    f"limit must be between 1 and {most}, was {text[:20]}",
                    category="VALIDATION_ERROR",
                ),
            )
        return int(text)


def _no_constant(name: str) -> object:
    raise ValueError(name)


def token_of(value: object) -> str:
    """What Jackson calls a value it did not expect."""
    if isinstance(value, list):
        return "Array value (token `JsonToken.START_ARRAY`)"
    if isinstance(value, dict):
        return "Object value (token `JsonToken.START_OBJECT`)"
    return f"String value ('{value}')"


def strings(body: Json, key: str) -> list[str]:
    """A list of strings in a body; absent or null is none. Raises Refusal."""
    given = body.get(key)
    if given is None:
        return []
    if not isinstance(given, list):
        raise wrong_type("java.util.LinkedHashSet<java.lang.String>", token_of(given))
    return [str(item) for item in given]


def values_of(given: object) -> dict[str, str]:
    """`properties` of a write as strings; null clears like "". Raises Refusal for what is no scalar."""
    if not isinstance(given, Mapping):
        raise wrong_type("java.util.LinkedHashMap<java.lang.String,java.lang.String>", token_of(given))
    return {str(name): text_of(value) for name, value in given.items()}


def text_of(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | dict):
        raise wrong_type("java.lang.String", token_of(value))
    return str(value)
