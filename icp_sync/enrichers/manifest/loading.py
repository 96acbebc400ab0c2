"""A manifest's file becomes a `Manifest`, or every problem in it is named with line and column.

Reads files, sends nothing. Beside each manifest lie samples of its vendor's replies; one that is not read as
it says is a problem of the manifest.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from icp_sync.enrichers.manifest.consistency import inconsistencies
from icp_sync.enrichers.manifest.rehearsal import rehearse
from icp_sync.enrichers.manifest.samples import samples_of
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.errors import ConfigError
from icp_sync.profile_file.reading import Report, read, suggestion
from icp_sync.settings.parts import in_plain_words

VENDORS = Path(__file__).parent.parent / "vendors"
"""Where the manifests that come with the engine lie."""

_NEXT = "the language is explained in icp_sync/enrichers/README.md"


def shipped() -> Mapping[str, Path]:
    """Name of each vendor that comes with the engine → its manifest, in alphabetical order."""
    return {path.stem: path for path in sorted(VENDORS.glob("*.yaml"))}


def load(path: Path | str, *, rehearsed: bool = True) -> Manifest:
    """The manifest in a file. Raises ConfigError with every problem as file:line:col and a suggestion.

    rehearsed: its samples are read with it too; False where they are somebody else's business.
    """
    path = Path(path)
    report = Report(str(path))
    manifest = _parsed(path, report)
    if manifest is not None:
        inconsistencies(manifest, report)
    if manifest is not None and not report.problems and rehearsed:
        rehearse(manifest, samples_of(path, manifest.vendor, report), report)
    if manifest is None or report.problems:
        raise ConfigError(report.ordered(), next_step=_NEXT)
    return manifest


def _parsed(path: Path, report: Report) -> Manifest | None:
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        report.at((1, 1), f"cannot be read: {reason}")
        return None
    data = read(text, report)
    if report.problems:
        return None
    if not isinstance(data, dict):
        report.at((1, 1), "a manifest is a mapping", "begin with `vendor: <name>`")
        return None
    try:
        return Manifest.model_validate(data)
    except ValidationError as error:
        for problem in error.errors(include_url=False, include_input=False):
            _told(problem["type"], problem["loc"], problem["msg"], report)
        return None


def _told(kind: str, loc: tuple[str | int, ...], said: str, report: Report) -> None:
    """One of pydantic's problems, where it stands in the file."""
    written = _written(loc, report)
    if kind == "extra_forbidden":
        report.key(written, f"unknown key '{written[-1]}'", suggestion(str(written[-1]), _keys_at(loc[:-1])))
    elif kind == "missing":
        report.absent(written[:-1], f"'{written[-1]}' is missing")
    else:
        report.value(written, in_plain_words(said))


_TAGS = frozenset(("str", "float"))
"""What pydantic adds to a place where a value may be of two types."""


def _written(loc: tuple[str | int, ...], report: Report) -> tuple[str | int, ...]:
    """A place as it stands in the file: one value may be written where the schema has a list of them."""
    path: tuple[str | int, ...] = ()
    for part in loc:
        here = (*path, part)
        if here in report.values or here in report.keys or not (isinstance(part, int) or part in _TAGS):
            path = here
    return path


def _keys_at(loc: tuple[str | int, ...]) -> list[str]:
    """The keys the schema knows at a place; all it knows where it cannot be told."""
    model: Any = Manifest
    for part in loc:
        if isinstance(part, int) or not (isinstance(model, type) and issubclass(model, BaseModel)):
            continue
        fields = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in fields:
            model = _model_in(fields[part].annotation) or model
    return [field.alias or name for name, field in model.model_fields.items()]


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    found = (_model_in(inner) for inner in get_args(annotation))
    return next((model for model in found if model is not None), None)
