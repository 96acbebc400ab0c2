"""JMESPath over what a vendor said: compiled once, and harmless whatever the document is.

The language is that of jmespath.org, with a few functions a mapping cannot do without.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from types import new_class
from typing import Any

import jmespath
from jmespath import functions
from jmespath.exceptions import JMESPathError
from jmespath.parser import ParsedResult

from icp_sync.normalize import domains
from icp_sync.normalize.titles import roles


def _lower(_: object, text: str | None) -> str | None:
    return None if text is None else text.lower()


def _split(_: object, text: str | None, separator: str) -> list[str] | None:
    return text.split(separator) if text and separator else None


def _zfill(_: object, text: Any, width: float) -> str | None:
    return None if text is None else str(text).zfill(min(int(width), 40))


def _host(_: object, text: str | None) -> str | None:
    """The registrable domain of an address."""
    return domains.registrable(text) or None if text else None


def _roles(_: object, titles: list[Any] | None) -> list[str] | None:
    """The roles job titles state, in the words profiles ask for them."""
    if titles is None:
        return None
    return sorted({role for title in titles if isinstance(title, str) for role in roles(title)})


def _distinct(_: object, values: list[Any] | None) -> list[Any] | None:
    return None if values is None else list({repr(value): value for value in values}.values())


_TEXT, _LIST = ("string", "null"), ("array", "null")
_OURS: Mapping[str, tuple[Callable[..., Any], tuple[tuple[str, ...], ...]]] = {
    "lower": (_lower, (_TEXT,)),
    "split": (_split, (_TEXT, ("string",))),
    "zfill": (_zfill, (("string", "number", "null"), ("number",))),
    "host": (_host, (_TEXT,)),
    "roles": (_roles, (_LIST,)),
    "distinct": (_distinct, (_LIST,)),
}
"""Functions beside the standard ones, with the types of their arguments; each answers null to null."""


def _with_ours() -> Any:
    """The standard functions and ours, as the library wants them: methods that say what they take."""
    methods: dict[str, Any] = {}
    for name, (function, takes) in _OURS.items():
        method: Any = functions.signature(*({"types": list(types)} for types in takes))(function)
        methods[f"_func_{name}"] = method
    return new_class("Functions", (functions.Functions,), exec_body=lambda body: body.update(methods))


_ALL = _with_ours()
_OPTIONS = jmespath.Options(custom_functions=_ALL())

KNOWN_FUNCTIONS: frozenset[str] = frozenset(_ALL.FUNCTION_TABLE)


class UnreadableError(ValueError):
    """This document is not of the form the path was written for."""


@cache
def compiled(text: str) -> ParsedResult | None:
    """The expression, None of an empty one. Raises ValueError with what is wrong with it in words."""
    if not text:
        return None
    try:
        made = jmespath.compile(text)
    except JMESPathError as error:
        said = str(error).splitlines()[0]
        raise ValueError(f"not a JMESPath expression: {said}") from None
    unknown = sorted(set(_calls(made.parsed)) - KNOWN_FUNCTIONS)
    if unknown:
        raise ValueError(f"JMESPath has no function {unknown[0]}()")
    return made


def _calls(node: Mapping[str, Any]) -> list[str]:
    """The functions an expression calls, wherever they stand."""
    found = [node["value"]] if node["type"] == "function_expression" else []
    for child in node["children"]:
        if isinstance(child, Mapping):
            found += _calls(child)
    return found


def fields(text: str) -> frozenset[str]:
    """Every key of a document an expression looks at, wherever it stands."""
    made = compiled(text)
    return frozenset() if made is None else frozenset(_fields(made.parsed))


def _fields(node: Mapping[str, Any]) -> list[str]:
    found = [str(node["value"])] if node["type"] == "field" else []
    for child in node["children"]:
        if isinstance(child, Mapping):
            found += _fields(child)
    return found


def search(text: str, document: Any) -> Any:
    """What stands there; None where nothing does. Raises UnreadableError where the expression cannot be
    applied to this document (a function given a text where it wants a list)."""
    expression = compiled(text)
    if expression is None:
        return None
    try:
        return expression.search(document, options=_OPTIONS)
    except (JMESPathError, RecursionError, ValueError, TypeError, AttributeError, ArithmeticError) as error:
        raise UnreadableError(f"{text[:100]}: {type(error).__name__}") from None


def gives(text: str, document: Any) -> Any:
    """What stands there, None also where the document is of another form than the path was written for."""
    try:
        return search(text, document)
    except UnreadableError:
        return None


def truthy(value: Any) -> bool:
    """As JMESPath has it, so 0 is true; and true is also every number."""
    return value is not None and value is not False and value != "" and value != [] and value != {}
