"""Profiles as people write them: YAML files to the domain's `Profile`, every problem at once.

`parse` and `parse_all` raise `ConfigError` with one `Problem` per mistake, each at file:line:column and
where possible with a suggestion. `advice` is what is allowed but unwise. Reads no CRM and no journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from icp_sync.domain.facts import CATALOGUE, LEVELS, FactType
from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.advice import advice
from icp_sync.profile_file.bases import NEXT_STEP, Find, One, in_files, one_of, shelved, text_of, whole
from icp_sync.profile_file.building import build
from icp_sync.profile_file.schema import json_schema

__all__ = ["Loaded", "advice", "json_schema", "load", "load_all", "parse", "parse_all"]


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

    find: where to look for a profile that one of them extends and that is not among them: its name or path,
    and the source that asks → (text, source), or None. Raises ConfigError with every problem of all of them.
    """
    return tuple(one.profile for one in _parse(documents, types, find) if one.profile is not None)


def load(path: Path, *, types: Mapping[str, FactType] | None = None) -> Loaded:
    """The profile in a UTF-8 file. Raises ConfigError."""
    return load_all([path], types=types)[0]


def load_all(paths: Sequence[Path], *, types: Mapping[str, FactType] | None = None) -> tuple[Loaded, ...]:
    """The profiles of several files, in order. Raises ConfigError with every problem of every file.

    One that extends another finds it among them, as `<name>.yaml` beside itself, or at a path from itself on.
    """
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            texts.append((text_of(path), str(path)))
        except ConfigError as error:
            problems += error.problems
    try:
        parsed = _parse(texts, types, in_files)
    except ConfigError as error:
        raise ConfigError(problems + error.problems, next_step=NEXT_STEP) from None
    if problems:
        raise ConfigError(problems, next_step=NEXT_STEP)
    loaded = tuple(
        Loaded(profile=read.profile, text=read.one.whole or text, path=Path(source))
        for read, (text, source) in zip(parsed, texts, strict=True)
        if read.profile is not None
    )
    if unlike := [problem for read in parsed if read.one.whole for problem in _unlike(read, types)]:
        raise ConfigError(unlike, next_step=NEXT_STEP)
    return loaded


def _unlike(read: _Read, types: Mapping[str, FactType] | None) -> list[Problem]:
    """Why the text of a variant written out does not give the same profile again, [] when it does.

    The journal keeps that text: one that says something else must not get there.
    """
    try:
        if parse(read.one.whole, read.one.source, types=types) == read.profile:
            return []
        why = "it would be another profile"
    except ConfigError as error:
        why = error.problems[0].what
    what = f"cannot be kept as one text with the profile it extends: {why}"
    return [Problem(where=read.one.source, what=what, hint="write it out by hand, without `extends`")]


@dataclass(slots=True, kw_only=True)
class _Read:
    """One document and the profile in it, None while something is wrong with it."""

    one: One
    profile: Profile | None = None


def _parse(
    documents: Sequence[tuple[str, str]], types: Mapping[str, FactType] | None, find: Find
) -> list[_Read]:
    known = {**CATALOGUE, **(types or {})}
    known |= {f"{level}.{name}": kind for level in LEVELS for name, kind in known.items()}
    ones = [one_of(text, source) for text, source in documents]
    names: dict[str, One] = {}
    for one in ones:
        name = one.word("profile")
        if name and names.setdefault(name, one) is not one:
            what = f"the profile '{name}' is also in {names[name].source}"
            one.report.value(("profile",), what, "rename one")
    unnamed = [one for one in ones if not one.word("profile")]
    shelf = shelved(ones, names, find)
    for one in ones:
        one.data = whole(one, shelf)
    for one in unnamed:
        name = one.word("profile")
        if name and names.setdefault(name, one) is not one:
            what = f"it is called '{name}' like what it extends, and so is {names[name].source}"
            one.report.at((1, 1), what, "give it a `profile` of its own")
    made = [
        _Read(one=one, profile=None if one.data is None else build(one.data, known, one.report))
        for one in ones
    ]
    problems = [problem for one in (*ones, *shelf.beside) for problem in one.report.ordered()]
    if problems:
        raise ConfigError(list(dict.fromkeys(problems)), next_step=NEXT_STEP)
    return made
