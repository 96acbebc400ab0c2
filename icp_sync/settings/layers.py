"""One source of settings as a tree that knows its place, and files of settings as such trees.

Knows TOML and places, not what a setting means. No value is ever quoted: it may be a secret.
"""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icp_sync.errors import Problem

LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 40
"""Sections within sections; nothing we know is so deep."""
UTF_8 = "save as UTF-8"

Loc = tuple[int | str, ...]


@dataclass(frozen=True, slots=True)
class Layer:
    """One source: its tree of settings, and how it names the place of one.

    label: the file, "" for the environment. names: variable names of the tree's leaves, where it has any.
    under: where in the tree of all settings this source's own begins, as a connection's file does.
    """

    label: str
    tree: Mapping[str, Any]
    names: Mapping[Loc, str] = field(default_factory=dict)
    under: Loc = ()

    def holds(self, loc: Loc) -> bool:
        here: Any = self.tree
        for part in loc:
            below = dict(enumerate(here)) if isinstance(here, list) else here
            if not isinstance(below, Mapping):
                return True  # a whole value stands above the place asked for
            if part not in below:
                return False
            here = below[part]
        return True

    def where(self, loc: Loc) -> str:
        name = next((self.names[loc[:n]] for n in range(len(loc), 0, -1) if loc[:n] in self.names), "")
        return ": ".join(filter(None, (self.label, name or dotted(loc[len(self.under) :]))))


class Unreadable(Exception):
    """Nothing can be read from a file; the problem says why."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.what)
        self.problem = problem


def dotted(loc: Loc) -> str:
    return ".".join(map(str, loc))


def over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    """`above` laid over `below`, section by section; lists are replaced whole."""
    merged = dict(below)
    for key, value in above.items():
        both = isinstance(value, Mapping) and isinstance(merged.get(key), Mapping)
        merged[key] = over(merged[key], value) if both else value
    return merged


def toml(path: Path) -> dict[str, Any]:
    """What a TOML file says. Raises Unreadable."""
    where = str(path)
    try:
        kind = path.stat()
        if stat.S_ISDIR(kind.st_mode):
            raise _unreadable(where, "is a directory; a settings file is wanted")
        if not stat.S_ISREG(kind.st_mode):
            raise _unreadable(where, "is no regular file")
        if kind.st_size > LARGEST_FILE:
            raise _unreadable(where, f"larger than {LARGEST_FILE:,} bytes")
        with path.open("rb") as file:
            found = tomllib.load(file)
    except OSError as error:
        raise _unreadable(where, f"cannot be read: {error.strerror}") from None
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+), column (\d+)\)", str(error))
        what = str(error).split(" (at ")[0]
        raise _unreadable(f"{where}:{at[1]}:{at[2]}" if at else where, f"not valid TOML: {what}") from None
    except UnicodeDecodeError:
        raise _unreadable(where, "not UTF-8 text", UTF_8) from None
    except RecursionError:
        raise _unreadable(where, "nested too deeply") from None
    except ValueError as error:
        raise _unreadable(where, f"cannot be read: {error}") from None
    if _too_deep(found):
        raise _unreadable(where, "nested too deeply")
    return found


def _too_deep(tree: Any) -> bool:
    level = [tree]
    for _ in range(DEEPEST):
        inner = [below for one in level for below in (one.values() if isinstance(one, dict) else one)]
        level = [one for one in inner if isinstance(one, dict | list)]
    return bool(level)


def _unreadable(where: str, what: str, hint: str = "") -> Unreadable:
    return Unreadable(Problem(where=where, what=what, hint=hint))
