"""What a profile extends: another one by its name, the file of that name beside it, or a file by its path.

Finds and reads the document, lays the variant over it, and says what is wrong at the place that asked. A path
begins at the file that says it, so that a configuration can move. Knows nothing of what a profile means.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.building import NAME
from icp_sync.profile_file.reading import MAX_BYTES, Report, read, suggestion
from icp_sync.profile_file.variants import alone, extended, written_out

NEXT_STEP = "icp-sync profile check"
LONGEST_CHAIN = 10
"""Documents that may stand upon one another."""
HIGHEST = 3
"""Folders above that of the profile asked for in which what it stands upon may still be."""
SUFFIXES = (".yaml", ".yml")

Find = Callable[[str, str], tuple[str, str] | None]
"""What is extended and the source that says so → (text, source) of it, or None."""


@dataclass(slots=True, kw_only=True, eq=False)
class One:
    """What becomes of one document. whole: its text written out with what it extends, "" without."""

    source: str
    report: Report
    data: Any
    whole: str = ""

    def word(self, key: str) -> str:
        value = self.data.get(key, "") if isinstance(self.data, dict) else ""
        return value if isinstance(value, str) else ""

    @property
    def called(self) -> str:
        return self.word("profile") or self.source


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Where a base may be found: by name among all documents, by path, or beyond them.

    wholes: those laid over theirs, by source. beside: the documents nobody named, which some of those named
    stand upon.
    """

    names: dict[str, One]
    paths: dict[str, One]
    find: Find
    wholes: dict[str, Any] = field(default_factory=dict)
    beside: list[One] = field(default_factory=list)


def shelved(ones: Iterable[One], names: dict[str, One], find: Find) -> Shelf:
    """All documents where they can be found. names: the first of each name."""
    return Shelf(names=dict(names), paths={_key(one.source): one for one in ones}, find=find)


def one_of(text: str, source: str) -> One:
    report = Report(source)
    return One(source=source, report=report, data=read(text, report))


def whole(one: One, shelf: Shelf, below: tuple[One, ...] = ()) -> Any:
    """The document's data laid over what it extends, which is read and laid over its own base first.

    Where the base is lost, what the document says itself is left, and nothing counts as missing in it.
    below: the documents that stand upon this one.
    """
    if one.source in shelf.wholes:
        return shelf.wholes[one.source]
    above = one.data.get("extends") if isinstance(one.data, dict) else None
    if above is None:
        shelf.wholes[one.source] = one.data
        return one.data
    base = _base(one, above, shelf, (*below, one))
    theirs = None if base is None else whole(base, shelf, (*below, one))
    if base is None or not isinstance(theirs, dict):
        return alone(one.data, one.report)
    data = extended(one.data, one.report, theirs, base.report)
    if () in base.report.torn:
        return alone(data, one.report)
    one.whole = written_out(data, Path(one.source).name, str(above))
    shelf.wholes[one.source] = data
    return data


def is_path(above: str) -> bool:
    """Whether `extends` names a file; else it names a profile."""
    return "/" in above or above.endswith(SUFFIXES)


def led_to(above: str, source: str) -> str:
    """The file that a path said in `source` leads to."""
    return os.path.normpath(os.path.join(os.path.dirname(source), above))


def text_of(path: Path) -> str:
    """The text of a UTF-8 file, at most a little more than a profile may have. Raises ConfigError."""
    try:
        with path.open("rb") as file:
            return file.read(MAX_BYTES + 1).decode("utf-8-sig")
    except OSError as error:
        problem = Problem(where=str(path), what=f"cannot be read: {error.strerror or error}")
    except UnicodeDecodeError as error:
        problem = Problem(
            where=str(path), what=f"not UTF-8 text, at byte {error.start}", hint="save as UTF-8"
        )
    raise ConfigError([problem], next_step=NEXT_STEP)


def in_files(above: str, source: str) -> tuple[str, str] | None:
    """What is extended, as a file: at its path, or in the folder of the one that extends it. ConfigError
    where it cannot be read."""
    paths = (
        [Path(led_to(above, source))]
        if is_path(above)
        else [Path(source).parent / f"{above}{suffix}" for suffix in SUFFIXES]
    )
    for path in paths:
        if _is_file(path):
            return text_of(path), str(path)
    return None


def _is_file(path: Path) -> bool:
    """Raises ConfigError for what is there and no file, or cannot be looked at."""
    try:
        if path.is_file() or not path.exists():
            return path.is_file()
        what = "it is no regular file"
    except OSError as error:
        what = error.strerror or str(error)
    raise ConfigError([Problem(where=str(path), what=what)], next_step=NEXT_STEP)


def _base(one: One, above: Any, shelf: Shelf, chain: tuple[One, ...]) -> One | None:
    """The document that one extends; None, with the problem reported, when there is none or a circle.
    chain: the documents that lead there, `one` the last."""
    if not isinstance(above, str) or not above.isprintable() or not (is_path(above) or NAME.fullmatch(above)):
        hint = "for example extends: b2b-saas, or extends: ../shared/b2b-saas.yaml"
        one.report.value(("extends",), "'extends' names another profile, or its file", hint)
        return None
    if is_path(above):
        if problem := _astray(above, one, chain[0]):
            one.report.value(("extends",), *problem)
            return None
        base = shelf.paths.get(_key(led_to(above, one.source)))
    else:
        base = shelf.names.get(above)
    if base is not None and base in chain:
        circle = " → ".join(each.called for each in [*chain[chain.index(base) :], base])
        one.report.value(("extends",), f"'extends' runs in a circle: {circle}")
        return None
    if len(chain) >= LONGEST_CHAIN:
        what = f"more than {LONGEST_CHAIN} profiles would stand upon one another"
        one.report.value(("extends",), what, "extend one further up")
        return None
    return base or _found(one, above, shelf)


def _astray(above: str, one: One, first: One) -> tuple[str, str] | None:
    """What is wrong with a path before it is looked at, and the way out."""
    said = above[:120]
    if not above.endswith(SUFFIXES):
        return f"'{said}' is no profile file", "its name ends in .yaml or .yml"
    if "://" in above or above.startswith(("/", "~")):
        return f"'{said}' is no path from this file on", "for example ../shared/b2b-saas.yaml"
    place = os.path.relpath(led_to(above, one.source), os.path.dirname(first.source) or ".")
    if place.split(os.sep).count(os.pardir) > HIGHEST:
        what = f"'{said}' leaves the folders around {first.source}: more than {HIGHEST} above it"
        return what, "keep what profiles share near them"
    return None


def _found(one: One, above: str, shelf: Shelf) -> One | None:
    """The base as a document nobody named; None, with the problem reported, when there is none."""
    try:
        found = shelf.find(above, one.source)
    except ConfigError as error:
        one.report.value(("extends",), f"'{above}' cannot be read: {error.problems[0].what}")
        return None
    if found is None:
        one.report.value(("extends",), *_absent(one, above, shelf))
        return None
    base = one_of(*found)
    shelf.beside.append(base)
    if is_path(above):
        shelf.paths[_key(base.source)] = base
        if isinstance(base.data, dict):
            return base
    elif base.word("profile") == above:
        shelf.names[above] = shelf.paths[_key(base.source)] = base
        return base
    if base.data is not None:  # else it says itself why it cannot be read
        wanted = "a profile" if is_path(above) else f"the profile '{above}'"
        one.report.value(("extends",), f"{found[1]} does not hold {wanted}")
    return None


def _absent(one: One, above: str, shelf: Shelf) -> tuple[str, str]:
    if is_path(above):
        return f"there is no file '{above}' to extend", f"looked for at {led_to(above, one.source)}"
    near = suggestion(above, shelf.names)
    hint = near or f"name it on the command line too, or put {above}.yaml beside it"
    return f"there is no profile '{above}' to extend", hint


def _key(path: str) -> str:
    return os.path.abspath(path)
