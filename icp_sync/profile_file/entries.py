"""Plain data to the entries of `schema`, piece by piece, so that one bad piece hides no other's problems.

Turns pydantic's complaints into sentences with a place and a suggestion. Knows no profile rule.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.values import shown

Model = TypeVar("Model", bound=BaseModel)

_WANTED = {
    "string_type": "text",
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list",
    "model_type": "a mapping",
    "dict_type": "a mapping",
}
_HINTS = {
    "string_type": "put it in quotes",
    "list_type": "write it in brackets: [{value}]",
    "model_type": "write keys and values: {{key: value}}",
    "dict_type": "write keys and values: {{key: value}}",
}


def entry(model: type[Model], data: Any, path: Path, report: Report) -> Model | None:
    """`data` as one entry with every problem reported; what cannot be used is left out of it.

    Returns None when too little is left. `report.torn` remembers where something was left out.
    """
    try:
        return model.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)
    for detail in details:
        _tell(model, detail, path, report)
    rest = data
    for detail in details:
        if detail["type"] != "missing":
            rest = _without(rest, detail["loc"], path, report)
    try:
        return model.model_validate(rest)
    except ValidationError:
        return None


def _without(data: Any, below: tuple[int | str, ...], path: Path, report: Report) -> Any:
    """`data` without the key at the end of `below`, or the key that holds the list it lies in."""
    if not isinstance(data, dict | list) or not below:
        return data
    here = (*path, below[0])
    if isinstance(data, list):
        return [
            _without(item, below[1:], here, report) if index == below[0] else item
            for index, item in enumerate(data)
        ]
    keeps = len(below) > 1 and any(isinstance(part, str) for part in below[1:])
    if keeps and below[0] in data:
        return {**data, below[0]: _without(data[below[0]], below[1:], here, report)}
    report.torn.add(path)
    return {key: value for key, value in data.items() if key != below[0]}


def listed(model: type[Model], data: Any, path: Path, report: Report) -> Iterator[tuple[Path, Model]]:
    """The entries of a list that have the right shape, each with its path."""
    if not isinstance(data, list):
        report.value(path, f"'{path[-1]}' should be a list", "begin each item with a dash")
        return
    for index, item in enumerate(data):
        if (found := entry(model, item, (*path, index), report)) is not None:
            yield (*path, index), found


def named(data: Any, path: Path, report: Report) -> Iterator[tuple[str, Path, Any]]:
    """Key, path and value of a mapping whose keys are names."""
    if not isinstance(data, dict):
        report.value(path, f"'{path[-1]}' should be a mapping", "write keys and values: {name: …}")
        return
    for key, value in data.items():
        if isinstance(key, str):
            yield key, (*path, key), value
        else:
            report.key((*path, key), f"the key {key} should be text", "put it in quotes")


def unknown_key(key: object, path: Path, model: type[BaseModel], report: Report) -> None:
    known = _keys(model)
    report.key(path, f"unknown key '{key}'", suggestion(str(key), known) or f"known here: {', '.join(known)}")


def _tell(model: type[BaseModel], detail: ErrorDetails, path: Path, report: Report) -> None:
    below, kind = detail["loc"], detail["type"]
    at: Path = (*path, *below)
    key = next((part for part in reversed(at) if isinstance(part, str)), "")
    if kind == "extra_forbidden":
        unknown_key(below[-1], at, _model_at(model, below[:-1]), report)
    elif kind == "missing":
        report.absent(at[:-1], f"'{below[-1]}' is missing")
    elif kind == "too_short" and key != "between":
        report.value(at, f"'{key}' is empty", "name at least one, or leave the key out")
    elif kind in {"too_short", "too_long"}:
        report.value(at, f"'{key}' takes two values, the lowest and the highest", "for example [50, 500]")
    elif kind in _WANTED:
        value = detail["input"]
        given = "" if isinstance(value, dict | list) else f", not {shown(value)}"
        quoted = value if isinstance(value, str | int | float) else "…"
        hint = "" if isinstance(value, dict | list) else _HINTS.get(kind, "").format(value=quoted)
        report.value(at, f"'{key}' should be {_WANTED[kind]}{given}", hint)
    else:
        said = detail.get("ctx", {}).get("error")
        report.value(at, f"'{key}': {said or detail['msg']}")


def _keys(model: type[BaseModel]) -> list[str]:
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_at(model: type[BaseModel], below: tuple[int | str, ...]) -> type[BaseModel]:
    """The model that stands at the end of a path inside `model`."""
    for part in below:
        fields = model.model_fields.items()
        annotation = next((f.annotation for name, f in fields if part == (f.alias or name)), None)
        model = _model_in(annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
