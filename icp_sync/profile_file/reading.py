"""YAML text to plain data with the place of every key and value. Knows YAML, nothing of profiles.

The subset is deliberate: YAML 1.2 (`NO` stays Norway), one document, no tags, bounded in size, depth and
what aliases may expand to. The parser is ruamel.yaml's; nodes are built here, so nothing is constructed
that is not a string, number, truth value, list or mapping.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ruamel.yaml import YAML
from ruamel.yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from icp_sync.errors import Problem

MAX_BYTES = 1_000_000
MAX_DEPTH = 40
LONGEST_SAID = 400  # characters of one problem, whatever it quotes
MOST_SAID = 100  # problems of one source; nobody corrects more at once
MAX_NODES = 50_000  # after aliases are expanded: a larger document is no profile but a bomb

Path = tuple[str | int, ...]
Place = tuple[int, int] | tuple[int, int, str]
"""Line and column, from 1, and the source where it is another one than the report's own."""

_NULL = re.compile(r"~|null|Null|NULL|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_INTEGER = re.compile(r"[-+]?[0-9]{1,300}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_INFINITE = re.compile(r"[-+]?\.(inf|Inf|INF)")
_NAN = re.compile(r"\.(nan|NaN|NAN)")


@dataclass(slots=True)
class Report:
    """Problems of one source, each at the place of the key or value it is about."""

    source: str
    problems: dict[Problem, None] = field(default_factory=dict)  # each once, in order of discovery
    keys: dict[Path, Place] = field(default_factory=dict)
    values: dict[Path, Place] = field(default_factory=dict)
    torn: set[Path] = field(default_factory=set)  # mappings some of whose values could not be used

    def at(self, place: Place, what: str, hint: str = "") -> None:
        said = "".join(letter if letter.isprintable() else "·" for letter in what)
        said = said if len(said) <= LONGEST_SAID else said[: LONGEST_SAID - 1] + "…"
        source = place[2] if len(place) > 2 else self.source
        self.problems[Problem(where=f"{source}:{place[0]}:{place[1]}", what=said, hint=hint)] = None

    def value(self, path: Path, what: str, hint: str = "") -> None:
        """A problem with the value at `path`, or with the nearest thing above that is written down."""
        while path and path not in self.values:
            path = path[:-1]
        self.at(self.values.get(path, (1, 1)), what, hint)

    def key(self, path: Path, what: str, hint: str = "") -> None:
        """A problem with the key at the end of `path`."""
        if path in self.keys:
            self.at(self.keys[path], what, hint)
        else:
            self.value(path, what, hint)

    def absent(self, path: Path, what: str, hint: str = "", *, beside: str = "") -> None:
        """Something the mapping at `path` lacks; nothing where a key of it has been reported as unusable.

        beside: the key of it to point at.
        """
        if path not in self.torn:
            self.value((*path, beside) if beside else path, what, hint)

    def line(self, path: Path) -> int:
        return self.values.get(path, (1, 1))[0]

    def placed(self, path: Path, places: Mapping[Path, Place]) -> Place:
        """A place of this report as another one may say it."""
        place = places[path]
        return place if len(place) > 2 else (place[0], place[1], self.source)

    def ordered(self) -> list[Problem]:
        """The problems from the top of each file down, this source's first; of very many, the first ones."""

        def place(problem: Problem) -> tuple[object, ...]:
            source, line, column = problem.where.rsplit(":", 2)
            return source != self.source, source, int(line), int(column)

        found = sorted(self.problems, key=place)
        if len(found) <= MOST_SAID:
            return found
        what = f"and {len(found) - MOST_SAID:,} more problems from here on"
        return [*found[:MOST_SAID], Problem(where=found[MOST_SAID].where, what=what)]


def suggestion(word: str, known: Iterable[str]) -> str:
    """ "did you mean 'x'?" for the nearest of `known`, or ""."""
    near = difflib.get_close_matches(word[:64].casefold(), {k.casefold(): k for k in known}, n=1, cutoff=0.6)
    return f"did you mean '{next(k for k in known if k.casefold() == near[0])}'?" if near else ""


class _Stop(Exception):
    """The document cannot be read any further."""

    def __init__(self, place: Place, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.place, self.what, self.hint = place, what, hint


class _Node(NamedTuple):
    """What the parser saw: a scalar's Python value, a list of nodes, or (key, key place, node) triples."""

    content: Any
    place: Place
    size: int
    depth: int


@dataclass(slots=True)
class _Open:
    """A list or mapping whose end has not been read yet."""

    place: Place
    mapping: bool
    anchor: str | None
    children: list[_Node] = field(default_factory=list)


def read(text: str, report: Report) -> Any:
    """The document as plain data, or None when it cannot be read; problems and places go to `report`."""
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        report.at((1, 1), f"the file is larger than {MAX_BYTES:,} bytes", "a profile fits on a page")
        return None
    try:
        root = _compose(_events(text), report)
    except _Stop as stop:
        report.at(stop.place, stop.what, stop.hint)
        return None
    if root is None or root.content is None:
        report.at((1, 1), "the file is empty", "start with `profile: <name>`")
        return None
    return _expand(root, (), report)


def _events(text: str) -> Iterator[Event]:
    try:
        yield from YAML(typ="safe", pure=True).parse(text)
    # The parser meets arbitrary text here and raises more than its own errors (OverflowError, IndexError…).
    except Exception as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        place = (mark.line + 1, mark.column + 1) if mark else _offset(text, getattr(error, "position", 0))
        context = getattr(error, "context", None)
        what = getattr(error, "problem", None) or getattr(error, "reason", None) or "an impossible escape"
        raise _Stop(place, f"not valid YAML: {what}" + (f" {context}" if context else "")) from None


def _offset(text: str, position: object) -> Place:
    before = text[: position if isinstance(position, int) else 0]
    return before.count("\n") + 1, len(before) - (before.rfind("\n") + 1) + 1


def _compose(events: Iterator[Event], report: Report) -> _Node | None:
    """Build nodes from events with a stack of our own: no depth of nesting can exhaust Python's."""
    anchors: dict[str, _Node] = {}
    stack: list[_Open] = []
    root: _Node | None = None
    for count, event in enumerate(events):
        place = (event.start_mark.line + 1, event.start_mark.column + 1)
        if count > MAX_NODES:
            raise _Stop(place, "more than a profile can hold", "a profile fits on a page")
        if isinstance(event, DocumentStartEvent) and root is not None:
            raise _Stop(place, "a second document begins here", "write one profile per file")
        if isinstance(event, MappingStartEvent | SequenceStartEvent):
            _refuse_tag(event, place)
            if len(stack) >= MAX_DEPTH:
                raise _Stop(place, f"nested more than {MAX_DEPTH} levels deep")
            stack.append(_Open(place, isinstance(event, MappingStartEvent), event.anchor))
            continue
        node = _finished(event, place, stack, anchors, report)
        if node is None:
            continue
        if stack:
            stack[-1].children.append(node)
        else:
            root = node
    return root


def _finished(
    event: Event, place: Place, stack: list[_Open], anchors: dict[str, _Node], report: Report
) -> _Node | None:
    """The node that ends with this event, if one does."""
    if isinstance(event, ScalarEvent):
        _refuse_tag(event, place)
        if any("\ud800" <= letter <= "\udfff" for letter in event.value):
            raise _Stop(place, "half a surrogate pair is no character")
        plain = event.style is None and event.tag is None
        node = _Node(scalar(event.value) if plain else event.value, place, 1, 0)
        anchor = event.anchor
    elif isinstance(event, AliasEvent):
        if event.anchor not in anchors:
            raise _Stop(place, f"the alias *{event.anchor} names nothing written before it")
        return anchors[event.anchor]
    elif isinstance(event, MappingEndEvent | SequenceEndEvent):
        opened = stack.pop()
        node, anchor = _collection(opened, report), opened.anchor
    else:
        return None
    if anchor:
        anchors[anchor] = node
    return node


def _refuse_tag(event: Any, place: Place) -> None:
    if event.tag is not None and str(event.tag) not in {"!", "tag:yaml.org,2002:str"}:
        raise _Stop(place, f"the tag {event.tag} is not part of the language", "write the plain value")


def _collection(opened: _Open, report: Report) -> _Node:
    """A finished list or mapping; a key that comes twice is reported with both lines, the first counts."""
    size = 1 + sum(child.size for child in opened.children)
    depth = 1 + max((child.depth for child in opened.children), default=0)
    if size > MAX_NODES or depth > MAX_DEPTH:
        raise _Stop(opened.place, "aliases expand to more than a profile can hold")
    if not opened.mapping:
        return _Node(opened.children, opened.place, size, depth)
    pairs: dict[str | int, tuple[Place, _Node]] = {}
    for key, value in zip(opened.children[::2], opened.children[1::2], strict=True):
        name = key.content
        if not isinstance(name, str | int) or isinstance(name, bool):
            report.at(key.place, "a key must be a word or a whole number")
        elif name in pairs:
            first = pairs[name][0][0]
            report.at(key.place, f"the key '{name}' is written twice, first on line {first}", "keep one")
        else:
            pairs[name] = (key.place, value)
    return _Node(pairs, opened.place, size, depth)


def scalar(text: str) -> Any:
    """What text without quotes means, as in the core of YAML 1.2: null, a truth value, a number; everything
    else, dates too, stays text."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _INTEGER.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    if _INFINITE.fullmatch(text) or _NAN.fullmatch(text):
        return float(text.replace(".", "", 1))
    return text


def _expand(node: _Node, path: Path, report: Report) -> Any:
    """Plain data, with the place of everything; a key without a value is reported and left out."""
    report.values[path] = node.place
    if isinstance(node.content, list):
        return [_expand(child, (*path, index), report) for index, child in enumerate(node.content)]
    if not isinstance(node.content, dict):
        return node.content
    data: dict[str | int, Any] = {}
    for name, (place, child) in node.content.items():
        below = (*path, name)
        report.keys[below] = place
        if child.content is None:
            report.at(place, f"'{name}' has no value", "give it one, or leave the key out")
            report.values[below] = place
        else:
            data[name] = _expand(child, below, report)
    return data
