"""Profiles as people write them: YAML files to the domain's `Profile`, every problem at once.

`parse` and `parse_all` raise `ConfigError` with one `Problem` per mistake, each at file:line:column and
where possible with a suggestion. `advice` is what is allowed but unwise. Reads no CRM and no journal.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file.advice import advice
from icp_sync.profile_file.building import build
from icp_sync.profile_file.reading import MAX_BYTES, Report, read
from icp_sync.profile_file.schema import json_schema

__all__ = ["Loaded", "advice", "json_schema", "load", "load_all", "parse", "parse_all"]

NEXT_STEP = "icp-sync profile check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """A profile with the text it was read from, which is what the journal keeps."""

    profile: Profile
    text: str
    path: Path


def parse(text: str, source: str, *, types: Mapping[str, FactType] | None = None) -> Profile:
    """The profile in `text`. `source` names it in problems; `types` are custom facts beside the catalogue.

    Raises ConfigError with every problem at once, in file order.
    """
    return parse_all([(text, source)], types=types)[0]


def parse_all(
    documents: Sequence[tuple[str, str]], *, types: Mapping[str, FactType] | None = None
) -> tuple[Profile, ...]:
    """The profiles of several (text, source) documents, whose names are unique.

    Raises ConfigError with every problem of every document.
    """
    known = {**CATALOGUE, **(types or {})}
    read_ones = [_parse_one(text, source, known) for text, source in documents]
    _check_names(read_ones)
    problems = [problem for one in read_ones for problem in one.report.ordered()]
    if problems:
        raise ConfigError(problems, next_step=NEXT_STEP)
    return tuple(one.profile for one in read_ones if one.profile is not None)


def load(path: Path, *, types: Mapping[str, FactType] | None = None) -> Loaded:
    """The profile in a UTF-8 file. Raises ConfigError."""
    return load_all([path], types=types)[0]


def load_all(paths: Sequence[Path], *, types: Mapping[str, FactType] | None = None) -> tuple[Loaded, ...]:
    """The profiles of several files, in order. Raises ConfigError with every problem of every file."""
    texts: list[tuple[str, str]] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            texts.append((_text(path), str(path)))
        except ConfigError as error:
            problems += error.problems
    try:
        profiles = parse_all(texts, types=types)
    except ConfigError as error:
        raise ConfigError(problems + error.problems, next_step=NEXT_STEP) from None
    if problems:
        raise ConfigError(problems, next_step=NEXT_STEP)
    return tuple(
        Loaded(profile=profile, text=text, path=Path(source))
        for profile, (text, source) in zip(profiles, texts, strict=True)
    )


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


@dataclass(frozen=True, slots=True, kw_only=True)
class _One:
    """What became of one document."""

    source: str
    report: Report
    data: Any
    profile: Profile | None

    def word(self, key: str) -> str:
        value = self.data.get(key, "") if isinstance(self.data, dict) else ""
        return value if isinstance(value, str) else ""


def _parse_one(text: str, source: str, types: Mapping[str, FactType]) -> _One:
    report = Report(source)
    data = read(text, report)
    profile = None if data is None else build(data, types, report)
    return _One(source=source, report=report, data=data, profile=profile)


def _check_names(read_ones: Sequence[_One]) -> None:
    """Names that two documents share, and profiles that extend one another in a circle."""
    first: dict[str, _One] = {}
    for one in read_ones:
        name = one.word("profile")
        if name and first.setdefault(name, one) is not one:
            what = f"the profile '{name}' is also in {first[name].source}"
            one.report.value(("profile",), what, "rename one")
    for one in read_ones:
        chain = [one]
        while (above := first.get(chain[-1].word("extends"))) and above not in chain[1:]:
            chain.append(above)
            if above is one:
                circle = " → ".join(link.word("profile") for link in chain)
                one.report.value(("extends",), f"'extends' runs in a circle: {circle}")
                break
