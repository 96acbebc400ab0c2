"""Whether a good reply is of the form its manifest was written for; only then may nothing mean "not known".

A maintenance page in JSON must not be remembered as a company nobody knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from icp_sync.enrichers.manifest.expressions import compiled, gives
from icp_sync.enrichers.manifest.schema import Manifest, Step

_LEFTMOST = frozenset(
    (
        *("subexpression", "index_expression", "projection", "value_projection", "filter_projection"),
        *("flatten", "pipe", "slice"),
    )
)
"""Nodes that begin where their first child begins."""

_LOOKED_AT = 20  # elements of a list


def roots(path: str) -> frozenset[str] | None:
    """The keys of a document an expression begins at; None where it looks at the document as a whole."""
    expression = compiled(path)
    return frozenset() if expression is None else _roots(expression.parsed)


def _roots(node: Mapping[str, Any]) -> frozenset[str] | None:
    kind, children = node["type"], node["children"]
    if kind == "field":
        return frozenset((node["value"],))
    if kind in ("current", "identity"):
        return None
    if kind == "literal":
        return frozenset()
    below = children[:1] if kind in _LEFTMOST else children
    found: frozenset[str] = frozenset()
    for child in below:
        if isinstance(child, Mapping):
            here = _roots(child)
            if here is None:
                return None
            found |= here
    return found


def speaks_of(manifest: Manifest, body: Any) -> bool:
    """Whether a body holds at least one key the manifest looks for, or is an empty list where it looks at a
    list. No body, null and {} are what broken services say, too: where they mean "not known", a rule of the
    manifest says so."""
    at_once = roots(manifest.hit.record)
    if at_once is not None:
        return _holds(body, at_once)
    if body == []:
        return manifest.hit.record != "@"
    return _holds(body, _of_records(manifest), elements=True)


def step_speaks_of(step: Step, body: Any) -> bool:
    """The same of the reply to a step before the main request."""
    found = [step.found] if isinstance(step.found, str) else list(step.found.values())
    within = _together([step.name, *found])
    if not step.candidates:
        return (body == [] and within is None) or _holds(body, within, elements=within is None)
    at_once = roots(step.candidates)
    if at_once is not None:
        return _holds(body, at_once)
    listed = gives(step.candidates, body)
    return body == [] == listed or (
        isinstance(listed, list) and bool(listed) and _holds(listed, within, elements=True)
    )


def _holds(body: Any, wanted: frozenset[str] | None, *, elements: bool = False) -> bool:
    """Whether one of the keys is in it. elements: a list may stand for its elements."""
    if isinstance(body, Mapping):
        return bool(body) if wanted is None else any(key in body for key in wanted)
    if not isinstance(body, list) or not elements:
        return False
    objects = [one for one in body[:_LOOKED_AT] if isinstance(one, Mapping)]
    return bool(objects) and (wanted is None or any(key in one for one in objects for key in wanted))


def _of_records(manifest: Manifest) -> frozenset[str] | None:
    """The keys a record is looked at for; None where that is not to be told."""
    paths = [manifest.hit.when, manifest.match.name, manifest.match.domain, manifest.match.confidence]
    for lines in manifest.facts.values():
        for line in lines:
            paths += [*line.from_, line.low, line.high]
    return _together(paths)


def _together(paths: Iterable[str]) -> frozenset[str] | None:
    """The keys several paths begin at, None where that is not to be told."""
    found: frozenset[str] = frozenset()
    for path in filter(None, paths):
        here = roots(path)
        if here is None:
            return None
        found |= here
    return found
