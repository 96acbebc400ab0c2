"""A folder of connections: one TOML file a portal, named like its connection.

What a file says is what `[connections.NAME]` of the settings file would say. A file that cannot be read is
a problem of its connection alone. Knows nothing of what a connection is made of.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from icp_sync.errors import Problem
from icp_sync.settings.layers import Layer, Loc, Unreadable, toml

CONNECTIONS = "connections"
BESIDE = Path(CONNECTIONS)
"""Where the folder is unless told otherwise: beside the settings file, if it is there."""
SUFFIX = ".toml"


@dataclass(slots=True, kw_only=True)
class Folder:
    """The files of a folder of connections. files: connection → its file, in order of the names.

    layers: of the files that were read. broken: connection → what is wrong with its file.
    """

    files: dict[str, Path] = field(default_factory=dict)
    layers: list[Layer] = field(default_factory=list)
    broken: dict[str, list[Problem]] = field(default_factory=dict)

    def refuse_twice(self, others: Mapping[str, str]) -> None:
        """A connection has one place. others: connection → the place that says it too."""
        for name in self.files.keys() & others.keys():
            what = f"the connection '{name}' is also in {others[name]}"
            problem = Problem(where=str(self.files[name]), what=what, hint="keep one of the two")
            self.broken.setdefault(name, []).append(problem)
            self.layers = [one for one in self.layers if one.under != (CONNECTIONS, name)]


def there(folder: Path) -> bool:
    """Whether a folder nobody asked for is there; one that cannot be looked at is not."""
    try:
        return folder.is_dir()
    except OSError:
        return False


def listed(folder: Path) -> dict[str, Path]:
    """Connection → its file. Names with a dot before them, and files that are no `.toml`, are passed over.
    A name no terminal shows is spelled out. Raises Unreadable where the folder cannot be listed."""
    try:
        found = sorted(path for path in folder.iterdir() if path.suffix == SUFFIX and path.name[0] != ".")
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else str(error)
        what = f"the folder of connections cannot be listed: {why}"
        raise Unreadable(Problem(where=str(folder), what=what)) from None
    return {path.stem if path.stem.isprintable() else ascii(path.stem)[1:-1]: path for path in found}


def read(folder: Path, wanted: Callable[[str], bool]) -> Folder:
    """Every file of the folder; only what is wanted is opened. Raises Unreadable."""
    found = Folder(files=listed(folder))
    for name, path in found.files.items():
        if not wanted(name):
            continue
        if name != path.stem:
            where, what = str(folder / (name + SUFFIX)), "its name has characters no terminal shows"
            found.broken[name] = [Problem(where=where, what=what, hint="rename it")]
            continue
        try:
            said = toml(path)
        except Unreadable as why:
            found.broken[name] = [why.problem]
            continue
        if problem := _wrapped(path, said, name):
            found.broken[name] = [problem]
            continue
        under: Loc = (CONNECTIONS, name)
        found.layers.append(Layer(str(path), {CONNECTIONS: {name: said}}, under=under))
    return found


def _wrapped(path: Path, said: Mapping[str, Any], name: str) -> Problem | None:
    """What a whole settings file says in the place of one connection's."""
    if CONNECTIONS not in said:
        return None
    what = f"is the file of the one connection '{name}', and has sections of [{CONNECTIONS}]"
    hint = f"write its keys without `{CONNECTIONS}.{name}` before them"
    return Problem(where=f"{path}: {CONNECTIONS}", what=what, hint=hint)


def places(layer: Layer) -> Iterable[tuple[str, str]]:
    """(connection, where) of each that a settings file says."""
    said = layer.tree.get(CONNECTIONS)
    if isinstance(said, Mapping):
        for name in said:
            yield str(name), layer.where((CONNECTIONS, name))
