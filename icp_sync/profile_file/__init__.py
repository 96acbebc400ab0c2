"""Profiles as people write them: YAML files to the domain's `Profile`, every problem at once.

`parse` and `parse_all` raise `ConfigError` with one `Problem` per mistake, each at file:line:column and
where possible with a suggestion. `advice` is what is allowed but unwise. Reads no CRM and no journal.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icp_sync.domain.facts import CATALOGUE, LEVELS, FactType
from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.advice import advice
from icp_sync.profile_file.building import NAME, build
from icp_sync.profile_file.reading import MAX_BYTES, Report, read, suggestion
from icp_sync.profile_file.schema import json_schema
from icp_sync.profile_file.variants import alone, extended, written_out

__all__ = ["Loaded", "advice", "json_schema", "load", "load_all", "parse", "parse_all"]

NEXT_STEP = "icp-sync profile check"


Find = Callable[[str, str], tuple[str, str] | None]


def nowhere(name: str, source: str) -> None:
    """No profile is found beyond the documents themselves."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A profile with its text, which is what the journal keeps: the file's own, or a variant written out."""

    profile: Profile
    text: str
    path: Path


def parse(text: str, source: str, *, types: Mapping[str, FactType] | None = None) -> Profile:
    """The profile in `text`. `source` names it in problems; `types` are custom facts beside the catalogue.

    Raises ConfigError with every problem at once, in file order.
    """
    return parse_all([(text, source)], types=types)[0]


def parse_all(
    documents: Sequence[tuple[str, str]],
    *,
    types: Mapping[str, FactType] | None = None,
    find: Find = nowhere,
) -> tuple[Profile, ...]:
    """The profiles of several (text, source) documents, whose names are unique.

    find: where to look for a profile that one of them extends and that is not among them: its name and the
    source that asks → (text, source), or None. Raises ConfigError with every problem of every document.
    """
    return tuple(one.profile for one in _parse(documents, types, find) if one.profile is not None)


def load(path: Path, *, types: Mapping[str, FactType] | None = None) -> Loaded:
    """The profile in a UTF-8 file. Raises ConfigError."""
    return load_all([path], types=types)[0]


def load_all(paths: Sequence[Path], *, types: Mapping[str, FactType] | None = None) -> tuple[Loaded, ...]:
    """The profiles of several files, in order. Raises ConfigError with every problem of every file.

    One that extends another finds it among them, or as `<name>.yaml` beside itself.
    """
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            texts.append((_text(path), str(path)))
        except ConfigError as error:
            problems += error.problems
    try:
        parsed = _parse(texts, types, _beside)
    except ConfigError as error:
        raise ConfigError(problems + error.problems, next_step=NEXT_STEP) from None
    if problems:
        raise ConfigError(problems, next_step=NEXT_STEP)
    loaded = tuple(
        Loaded(profile=one.profile, text=one.whole or text, path=Path(source))
        for one, (text, source) in zip(parsed, texts, strict=True)
        if one.profile is not None
    )
    if unlike := [problem for one in parsed if one.whole for problem in _unlike(one, types)]:
        raise ConfigError(unlike, next_step=NEXT_STEP)
    return loaded


def _unlike(one: _One, types: Mapping[str, FactType] | None) -> list[Problem]:
    """Why the text of a variant written out does not give the same profile again, [] when it does.

    The journal keeps that text: one that says something else must not get there.
    """
    try:
        if parse(one.whole, one.source, types=types) == one.profile:
            return []
        why = "it would be another profile"
    except ConfigError as error:
        why = error.problems[0].what
    what = f"cannot be kept as one text with the profile it extends: {why}"
    return [Problem(where=one.source, what=what, hint="write it out by hand, without `extends`")]


def _text(path: Path) -> str:
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


def _beside(name: str, source: str) -> tuple[str, str] | None:
    """The file of a profile that is extended, in the folder of the one that extends it."""
    for suffix in (".yaml", ".yml"):
        path = Path(source).parent / f"{name}{suffix}"
        if path.is_file():
            return _text(path), str(path)
    return None


@dataclass(slots=True, kw_only=True)
class _One:
    """What becomes of one document. whole: its text written out with what it extends, "" without."""

    source: str
    report: Report
    data: Any
    profile: Profile | None = None
    whole: str = ""

    def word(self, key: str) -> str:
        value = self.data.get(key, "") if isinstance(self.data, dict) else ""
        return value if isinstance(value, str) else ""


@dataclass(slots=True, kw_only=True)
class _Shelf:
    """Where a base may be found: by name among all documents, or beside them. wholes: those laid over theirs,
    by source. beside: the documents nobody named, which some of those named stand upon."""

    names: dict[str, _One]
    find: Find
    wholes: dict[str, Any] = field(default_factory=dict)
    beside: list[_One] = field(default_factory=list)


def _parse(
    documents: Sequence[tuple[str, str]], types: Mapping[str, FactType] | None, find: Find
) -> list[_One]:
    known = {**CATALOGUE, **(types or {})}
    known |= {f"{level}.{name}": kind for level in LEVELS for name, kind in known.items()}
    ones = [_read(text, source) for text, source in documents]
    names: dict[str, _One] = {}
    for one in ones:
        name = one.word("profile")
        if name and names.setdefault(name, one) is not one:
            what = f"the profile '{name}' is also in {names[name].source}"
            one.report.value(("profile",), what, "rename one")
    shelf = _Shelf(names=names, find=find)
    for one in ones:
        one.data = _whole(one, shelf, ())
    for one in ones:
        one.profile = None if one.data is None else build(one.data, known, one.report)
    problems = [problem for one in (*ones, *shelf.beside) for problem in one.report.ordered()]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)), next_step=NEXT_STEP)
    return ones


def _read(text: str, source: str) -> _One:
    report = Report(source)
    return _One(source=source, report=report, data=read(text, report))


def _whole(one: _One, shelf: _Shelf, below: tuple[str, ...]) -> Any:
    """The document's data laid over what it extends, which is read and laid over its own base first.

    Where the base is lost, what the document says itself is left, and nothing counts as missing in it.
    """
    if one.source in shelf.wholes:
        return shelf.wholes[one.source]
    above = one.data.get("extends") if isinstance(one.data, dict) else None
    if above is None:
        shelf.wholes[one.source] = one.data
        return one.data
    base = _base(one, above, shelf, below)
    theirs = None if base is None else _whole(base, shelf, (*below, one.word("profile")))
    if base is None or not isinstance(theirs, dict):
        return alone(one.data, one.report)
    data = extended(one.data, one.report, theirs, base.report)
    if () in base.report.torn:
        return alone(data, one.report)
    one.whole = written_out(data, Path(one.source).name, str(above))
    shelf.wholes[one.source] = data
    return data


def _base(one: _One, above: Any, shelf: _Shelf, below: tuple[str, ...]) -> _One | None:
    """The document that one extends; None, with the problem reported, when there is none or a circle."""
    chain = (*below, one.word("profile"))
    if not isinstance(above, str) or not NAME.fullmatch(above):
        one.report.value(("extends",), "'extends' names another profile", "for example extends: b2b-saas")
    elif above in chain:
        circle = " → ".join([*chain[chain.index(above) :], above])
        one.report.value(("extends",), f"'extends' runs in a circle: {circle}")
    elif above in shelf.names:
        return shelf.names[above]
    else:
        return _found(one, above, shelf)
    return None


def _found(one: _One, above: str, shelf: _Shelf) -> _One | None:
    """The base as a document nobody named; None, with the problem reported, when there is none."""
    try:
        found = shelf.find(above, one.source)
    except ConfigError as error:
        one.report.value(("extends",), f"'{above}' cannot be read: {error.problems[0].what}")
        return None
    if found is None:
        near = suggestion(above, shelf.names)
        hint = near or f"name it on the command line too, or put {above}.yaml beside it"
        one.report.value(("extends",), f"there is no profile '{above}' to extend", hint)
        return None
    base = _read(*found)
    shelf.beside.append(base)
    if base.word("profile") == above:
        shelf.names[above] = base
        return base
    if base.data is not None:  # else it says itself why it cannot be read
        one.report.value(("extends",), f"{found[1]} does not hold the profile '{above}'")
    return None
