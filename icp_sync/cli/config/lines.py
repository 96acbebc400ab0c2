"""A settings file with some of a connection's settings changed: every other line stays, byte for byte.

Only lines of a setting that changes are touched; comments and blank lines never are. A connection that is not
written under headers of its own, or in a file of its own, is refused. What comes out is read again before it
counts.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icp_sync.errors import ConfigError, Problem

Keys = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Said:
    """One header or setting: its lines from `start` to before `end`, and what it is about.

    header: the header it stands under, or is. path: of the setting, () for a header.
    """

    start: int
    end: int
    header: Keys
    path: Keys = ()

    @property
    def about(self) -> Keys:
        return self.path or self.header


def changed(text: str, where: Path, place: Keys, wanted: Mapping[str, Any]) -> str:
    """The text with these settings of one connection; None takes one out.

    place: the headers that begin it, () where the whole file is its own. Raises ConfigError where it is not
    written so.
    """
    here = _read(text, place) or {}
    lines = _Lines(text, where, place)
    for key, then in wanted.items():
        lines.set((*place, key), here.get(key), then)
    made = lines.text()
    expected = {**here, **wanted}
    if _read(made, place) != {key: value for key, value in expected.items() if value is not None}:
        called = f"its [{'.'.join(place)}] cannot" if place else "it cannot"
        hint = "write each section under a header of its own, once"
        problem = Problem(where=str(where), what=f"{called} be changed line by line", hint=hint)
        raise ConfigError([problem])
    return made


def _read(text: str, place: Keys) -> Any:
    try:
        read = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return None
    for key in place:
        read = read.get(key, {})
    return read


class _Lines:
    """The lines of a file, what they say, and what becomes of them."""

    def __init__(self, text: str, where: Path, place: Keys) -> None:
        self.lines = re.findall(r"[^\n]*\n|[^\n]+", text)
        self.end = "\r\n" if "\r\n" in text else "\n"
        self.place = place
        self.said = _statements(self.lines)
        self.instead: dict[int, str] = {}  # what stands in place of the statement that begins at this line
        self.gone: set[int] = set()
        self.behind: dict[int, str] = {}  # what is added before this line
        for one in self.said:
            if one.path and _touch(one.path, place) and one.header[: len(place)] != place:
                what = f"line {one.start + 1} says it by a dotted key or in braces"
                hint = f"write [{'.'.join(place)}] and what belongs to it below"
                raise ConfigError([Problem(where=str(where), what=what, hint=hint)])

    def set(self, path: Keys, now: Any, then: Any) -> None:
        """Let the setting at `path`, a value or a section, be `then`."""
        if now == then:
            return
        if isinstance(now, Mapping) and isinstance(then, Mapping) and self._headed(path):
            for key in dict.fromkeys([*now, *then]):
                self.set((*path, key), now.get(key), then.get(key))
            return
        old = [one for one in self.said if one.about[: len(path)] == path]
        for one in old:
            self.gone.update(range(one.start, one.end))
        if then is None:
            return
        line = {path[-1]: then}
        if isinstance(then, Mapping) or _tables(then):
            self._section(path[:-1], line)
        elif old and old[0].path and old[0].header == path[:-1]:
            self.instead[old[0].start] = self._rendered(line)
        elif last := self._last(path[:-1]):
            self._add(last.end, self._rendered(line))
        elif not path[:-1]:  # before the first header, or it would be a section's
            self._add(self.said[0].start if self.said else len(self.lines), self._rendered(line))
        else:
            self._section(path[:-1], line)

    def _section(self, above: Keys, content: Mapping[str, Any]) -> None:
        """Add headers of their own at the connection's end."""
        for key in reversed(above):
            content = {key: content}
        at = self._foot()
        blank = at in self.behind or (at > 0 and bool(self.lines[at - 1].strip()))
        self._add(at, (self.end if blank else "") + self._rendered(content).rstrip("\r\n") + self.end)

    def _headed(self, path: Keys) -> bool:
        """Whether exactly one header says this section."""
        return sum(one.header == path and not one.path for one in self.said) == 1

    def _last(self, header: Keys) -> _Said | None:
        return next((one for one in reversed(self.said) if one.header == header), None)

    def _foot(self) -> int:
        """The line at which the connection ends: before the next header that is another's, and before the
        comment that stands right above it."""
        mine = [n for n, one in enumerate(self.said) if one.header[: len(self.place)] == self.place]
        rest = self.said[mine[-1] + 1 :] if mine else ()
        if not rest:
            return len(self.lines)
        at = rest[0].start
        while self.lines[at - 1].lstrip().startswith("#"):
            at -= 1
        return at

    def _add(self, at: int, text: str) -> None:
        self.behind[at] = self.behind.get(at, "") + text

    def _rendered(self, value: Mapping[str, Any]) -> str:
        import tomlkit

        return tomlkit.dumps(value).replace("\n", self.end)

    def text(self) -> str:
        made = ""
        for number, line in enumerate([*self.lines, ""]):
            if number in self.behind:
                made += self.end if made and not made.endswith("\n") else ""
                made += self.behind[number]
            made += self.instead.get(number, "")
            made += "" if number in self.gone else line
        return made


def _tables(value: Any) -> bool:
    """Whether a value is written as [[headers]]."""
    return isinstance(value, list) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _touch(one: Keys, other: Keys) -> bool:
    """Whether one of two places lies in the other, or is it."""
    shorter = min(len(one), len(other))
    return one[:shorter] == other[:shorter]


def _statements(lines: Sequence[str]) -> list[_Said]:
    """Every header and setting in order. Each alone is a document of its own: that is how long it is."""
    found: list[_Said] = []
    header: Keys = ()
    at = 0
    while at < len(lines):
        line = lines[at].strip()
        if not line or line.startswith("#"):
            at += 1
            continue
        end, told = _whole(lines, at)
        path = _keys(told)
        if line.startswith("["):
            header = path
            found.append(_Said(at, end, header))
        else:
            found.append(_Said(at, end, header, (*header, *path)))
        at = end
    return found


def _whole(lines: Sequence[str], start: int) -> tuple[int, Mapping[str, Any]]:
    """The line after the statement that begins at `start`, and what it says."""
    for end in range(start + 1, len(lines) + 1):
        try:
            return end, tomllib.loads("".join(lines[start:end]))
        except tomllib.TOMLDecodeError:
            continue
    raise ValueError("not a TOML document")  # the caller has read it as one


def _keys(told: Any) -> Keys:
    """The keys down to where a statement says more than one thing, or a value."""
    found: list[str] = []
    while len(told) == 1 if isinstance(told, Mapping) else _tables(told) and len(told) == 1:
        if isinstance(told, Mapping):
            key, told = next(iter(told.items()))
            found.append(key)
        else:
            told = told[0]
    return tuple(found)
