"""A profile that `extends` another: what it says itself, laid over what the other one says.

Works on plain data and the places of its parts, before anything is understood, so that a problem in the
result still points at the line of whichever file said it.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.nodes import ScalarNode
from ruamel.yaml.representer import SafeRepresenter

from icp_sync.profile_file.names import unique
from icp_sync.profile_file.reading import MAX_BYTES, Path, Report, scalar, suggestion
from icp_sync.profile_file.schema import Question

NAMED_LISTS = {"criteria": "criterion", "timing": "timing signal", "flags": "flag"}
"""Lists whose entries are told apart by name, and what such an entry is called: one of the same name changes
it, `drop: true` leaves it out."""

OVERLAID = ("review", "scope", "tiers", "timing_grades", "pools", "examples")
"""Mappings that are overlaid key by key. Everything else, `routes` too, is replaced whole."""

_QUESTION = frozenset(Question.model_fields) | {"when", "level"}


def extended(
    data: Mapping[str | int, Any], report: Report, base: Any, base_report: Report
) -> dict[str | int, Any]:
    """`data` laid over `base`; afterwards `report` knows the places of the whole."""
    grown = _Grown(Report(report.source))
    merged: dict[str | int, Any] = {}
    for key in [*base, *(k for k in data if k not in base)]:
        if key == "extends":
            continue
        mine, theirs = data.get(key), base.get(key)
        path: Path = (key,)
        if key not in data:
            merged[key] = grown.graft(path, theirs, path, base_report)
        elif key in NAMED_LISTS and isinstance(mine, list) and isinstance(theirs, list):
            merged[key] = _merged_list(grown, path, mine, report, theirs, base_report)
        elif key in OVERLAID and isinstance(mine, dict) and isinstance(theirs, dict):
            merged[key] = _overlaid(grown, path, mine, report, path, theirs, base_report, path)
        else:
            merged[key] = grown.graft(path, mine, path, report)
    grown.report.values[()] = report.values.get((), (1, 1))
    report.keys, report.values = grown.report.keys, grown.report.values
    return merged


def alone(data: Mapping[str | int, Any], report: Report) -> dict[str | int, Any]:
    """What a variant says itself when the profile it extends is lost, or stands upon one that is.

    What the lost one would have said is neither missing nor misnamed: `report` keeps silent about it.
    """
    left = {key: value for key, value in data.items() if key != "extends"}
    report.torn.add(())
    for key in NAMED_LISTS.keys() & left.keys():
        if isinstance(left[key], list):
            left[key] = [_without_drop(item) for item in left[key]]
            report.torn |= {(key, index) for index in range(len(left[key]))}
    return left


def _without_drop(item: Any) -> Any:
    return {key: value for key, value in item.items() if key != "drop"} if isinstance(item, dict) else item


def written_out(data: Mapping[str | int, Any], source: str, base: str) -> str:
    """A variant's whole text, complete in itself: what the journal keeps.

    source: the variant's file name. What is read of the text is `data` again.
    """
    stream = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.Representer = _Quoting
    yaml.default_flow_style = False
    yaml.width = MAX_BYTES  # a folded key or name would be read as something else
    yaml.allow_unicode = True
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment]
    yaml.dump(dict(data), stream)
    said = f"# {source} written out with the profile '{base}' it extends"
    comment = "".join(letter if letter.isprintable() else "·" for letter in said)
    return f"{comment}\n{stream.getvalue()}"


class _Quoting(SafeRepresenter):
    """Puts text in quotes that our reader would take for something else, or that is not plain letters."""

    def represent_str(self, data: str) -> ScalarNode:
        plain = data.isprintable() and isinstance(scalar(data), str)
        return self.represent_scalar("tag:yaml.org,2002:str", data, style=None if plain else '"')

    def ignore_aliases(self, data: Any) -> bool:
        return True


_Quoting.add_representer(str, _Quoting.represent_str)


class _Grown:
    """Copies pieces of data together with the places they come from."""

    def __init__(self, report: Report) -> None:
        self.report = report

    def graft(self, to: Path, data: Any, path: Path, source: Report) -> Any:
        """`data`, which stands at `path` of `source`, at `to` of the new whole."""
        self.place(to, path, source)
        if isinstance(data, list):
            return [self.graft((*to, i), item, (*path, i), source) for i, item in enumerate(data)]
        if isinstance(data, dict):
            return {k: self.graft((*to, k), item, (*path, k), source) for k, item in data.items()}
        return data

    def place(self, to: Path, path: Path, source: Report) -> None:
        for known, found in ((self.report.keys, source.keys), (self.report.values, source.values)):
            if path in found:
                known[to] = source.placed(path, found)


def _overlaid(
    grown: _Grown,
    to: Path,
    mine: Mapping[str | int, Any],
    report: Report,
    path: Path,
    theirs: Mapping[str | int, Any],
    base_report: Report,
    base_path: Path,
) -> dict[str | int, Any]:
    grown.place(to, path, report)
    return {
        key: grown.graft((*to, key), mine[key], (*path, key), report)
        if key in mine
        else grown.graft((*to, key), theirs[key], (*base_path, key), base_report)
        for key in [*theirs, *(k for k in mine if k not in theirs)]
    }


def _merged_list(
    grown: _Grown, path: Path, mine: list[Any], report: Report, theirs: list[Any], base_report: Report
) -> list[Any]:
    """The base's entries in its order, changed or dropped by name, then the new ones."""
    grown.place(path, path, report)
    own = _by_name(mine, path, report)
    names = {_name(item) for item in theirs}
    found: list[Any] = []
    for at, item in enumerate(theirs):
        to: Path = (*path, len(found))
        index = own.get(_name(item)) if _name(item) else None
        if index is None:
            found.append(grown.graft(to, item, (*path, at), base_report))
            continue
        change = mine[index]
        if change.get("drop") is True:
            continue
        if _QUESTION & change.keys():  # a new question replaces the old one whole
            item = {key: value for key, value in item.items() if key not in _QUESTION}
        found.append(_overlaid(grown, to, change, report, (*path, index), item, base_report, (*path, at)))
    for index, item in enumerate(mine):
        if _name(item) in names and _name(item):
            continue
        if isinstance(item, dict) and item.get("drop") is True and () not in base_report.torn:
            hint = suggestion(_name(item), names) or "drop names an entry of the profile it extends"
            report.value((*path, index), f"there is no '{_name(item)}' to drop", hint)
            continue
        found.append(grown.graft((*path, len(found)), item, (*path, index), report))
    return found


def _by_name(items: list[Any], path: Path, report: Report) -> dict[str, int]:
    """Name → index. An entry named twice is reported, as for a profile of its own; the first counts."""
    found: dict[str, int] = {}
    seen: dict[str, Path] = {}
    for index, item in enumerate(items):
        if name := _name(item):
            unique(item["name"], seen, (*path, index, "name"), NAMED_LISTS[str(path[0])], report)
            found.setdefault(name, index)
    return found


def _name(item: Any) -> str:
    name = item.get("name", "") if isinstance(item, dict) else ""
    return name.casefold() if isinstance(name, str) else ""
