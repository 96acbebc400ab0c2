"""The two sides of a move between settings files, and what moves: texts and tables, never who may open what.

What says which companies are good ones, what is read and what is written moves. What opens a portal, where it
keeps its state, how much it may do and spend, and who is told stays where it is. Talks to no CRM.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.cli.config.files import Move, bases, moved_from, staged
from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from icp_sync.settings import Connection, Settings

MOVES = ("custom_facts", "facts", "outputs", "deals", "learning", "watch")
"""Sections of a connection that move whole. Its profiles and the tables of their routes move as files."""
STAYS = frozenset(
    {
        *("crm", "token", "salesforce", "base_url", "path_version", "secrets"),  # what opens the portal
        *("enrichers", "enrichment", "inbound", "schedule", "quota", "backfill", "guard", "retries"),
        *("editors", "retention", "alerts", "telling", "apply"),
    }
)
_PATHS = ("path", "manifest", "fingerprints")
"""Keys of an enricher that name a file."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One connection of one settings file. Paths of `settings` and its connections lead to files as they are.

    path: the settings file. file: that which says the connection, its own or the same; text: what stands
    there, from `place` on. said: the connection with the defaults below it, as plain data. profiles: as the
    file names them.
    """

    path: Path
    file: Path
    text: str
    place: tuple[str, ...]
    said: Mapping[str, Any]
    settings: Settings
    name: str
    profiles: tuple[str, ...]

    @property
    def connection(self) -> Connection:
        return self.settings.connections[self.name]


@dataclass(slots=True, kw_only=True)
class Moves:
    """Everything that moves. text: the file of the connection as it will be. named: the profiles as it names
    them."""

    profiles: list[Move] = field(default_factory=list)
    tables: list[Move] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    text: str = ""

    @property
    def files(self) -> Iterator[Move]:
        yield from self.profiles
        yield from self.tables

    @property
    def changing(self) -> list[Move]:
        return [move for move in self.files if move.state in ("new", "changed")]


def side(path: Path, name: str | None) -> Side:
    """Read one settings file, and of what is said elsewhere only what is about its connections. Raises
    ConfigError with every problem."""
    from icp_sync.cli.opening import read_each, read_settings
    from icp_sync.settings.defaults import below
    from icp_sync.settings.folder import listed

    folder = read_settings(path, offline=True, only=()).connections_folder  # and what is wrong with the file
    files = listed(folder) if folder else {}
    said = tomllib.loads(path.read_bytes().decode("utf-8")).get("connections", {})
    each = read_each(path, offline=True, only=[*said, *files])
    if name is not None and name in each.broken:
        raise ConfigError(list(each.broken[name]))
    settings = each.settings
    name, connection = settings.connection(name)
    update: dict[str, Any] = {
        "seal_file": located(settings.seal_file, path),
        "connections": {key: _placed(one, path) for key, one in settings.connections.items()},
    }
    if settings.journal.startswith("sqlite:///"):
        file = located(Path(settings.journal.removeprefix("sqlite:///")), path)
        update["journal"] = f"sqlite:///{file}"
    text = files.get(name, path).read_bytes().decode("utf-8")
    return Side(
        path=path,
        file=files.get(name, path),
        text=text,
        place=() if name in files else ("connections", name),
        said=below(settings.defaults, tomllib.loads(text) if name in files else said[name]),
        settings=settings.model_copy(update=update),
        name=name,
        profiles=tuple(map(str, connection.profiles)),
    )


def _placed(connection: Connection, config: Path) -> Connection:
    """With every path of a file leading to it."""
    entries = [
        {
            k: str(located(Path(v), config)) if k in _PATHS and isinstance(v, str) else v
            for k, v in one.items()
        }
        for one in connection.enrichers
    ]
    placed = {
        "profiles": [located(one, config) for one in connection.profiles],
        "tables": located(connection.tables, config) if connection.tables else None,
        "enrichers": entries,
    }
    return connection.model_copy(update=placed)


def located(path: Path, config: Path) -> Path:
    """Where a path of a settings file leads. Relative ones begin where the program is run: here, or in a
    folder the settings file lies in."""
    if path.is_absolute():
        return path
    bases = [Path.cwd(), config.absolute().parent, config.absolute().parent.parent]
    there = [base / path for base in bases if (base / path).exists()]
    usual = bases[2] if path.parts[:1] == (config.absolute().parent.name,) else bases[0]
    return there[0] if there else usual / path


def moves(source: Side, target: Side) -> Moves:
    """What would move between them. Raises ConfigError where the two cannot be moved between."""
    from icp_sync.cli.config.lines import changed
    from icp_sync.profile_file import load_all
    from icp_sync.roster_file.loading import table_names
    from icp_sync.wiring import facts_of

    _refuse_unlike(source, target)
    done = Moves()
    for at in source.connection.profiles:
        named, place = _place(at, source, target)
        done.named.append(named)
        done.profiles.append(moved_from(at, place))
    types = facts_of(source.connection)[1]
    profiles = [one.profile for one in load_all(source.connection.profiles, types=types)]
    moved = {one.name for one in profiles}
    for move in list(done.profiles):
        done.profiles += bases(move, moved)
    done.profiles = staged({move.target: move for move in done.profiles}.values())
    tables = table_names(profiles)
    for name in dict.fromkeys((*tables.territories, *tables.named)):
        table = source.connection.tables_folder / name
        if table.exists():  # one that is missing is told as such when the whole is looked at
            move = moved_from(table, target.connection.tables_folder / name)
            done.tables.append(replace(move, staged=Path(name)))
    wanted: dict[str, Any] = {
        key: source.said.get(key) for key in MOVES if source.said.get(key) != target.said.get(key)
    }
    if list(target.profiles) != done.named:
        wanted["profiles"] = done.named
    done.text = changed(target.text, target.file, target.place, wanted)
    return done


def _place(at: Path, source: Side, target: Side) -> tuple[str, Path]:
    """What the target calls one of the source's profiles, and where that is: a file of that name it has, or
    a new one beside its first; never the very file the source reads, unless the target reads it already."""
    own = f"{at.stem}-{target.name if target.name != source.name else target.path.stem}{at.suffix}"
    for name in (at.name, own):
        for named, place in zip(target.profiles, target.connection.profiles, strict=True):
            if place.name == name:
                return named, place
    first, folder = Path(target.profiles[0]).parent, target.connection.profiles[0].parent
    taken = (folder / at.name).exists() and (folder / at.name).samefile(at)
    name = own if taken else at.name
    return str(first / name), folder / name


def _refuse_unlike(source: Side, target: Side) -> None:
    if source.file.resolve() == target.file.resolve() and source.name == target.name:
        what = "both sides are the same connection"
        raise ConfigError(what, next_step="icp-sync config promote --from TEST.toml --to PROD.toml")
    if source.connection.crm != target.connection.crm:
        what = f"{source.name} is on {source.connection.crm}, {target.name} on {target.connection.crm}"
        hint = "fields have other names there; move between portals of one CRM"
        raise ConfigError([Problem(where="config promote", what=what, hint=hint)])
    for one in (source, target):
        files = {path.name: path for path in one.connection.profiles}
        for path in one.connection.profiles:
            if files[path.name] != path:
                what = f"{path} and {files[path.name]} have one name, and files move by their names"
                where = f"{one.path}, connections.{one.name}.profiles"
                raise ConfigError([Problem(where=where, what=what, hint="rename one")])


def differing(source: Side, target: Side, moved: Moves) -> list[tuple[str, Any, Any]]:
    """(key, value there now, value that would be), of every setting that would change."""
    found: list[tuple[str, Any, Any]] = []
    if list(target.profiles) != moved.named:
        found.append(("profiles", ", ".join(target.profiles), ", ".join(moved.named)))
    for key in MOVES:
        now, then = (leaves(one.connection, key) for one in (target, source))
        found += [
            (name, now.get(name), then.get(name))
            for name in dict.fromkeys([*now, *then])
            if now.get(name) != then.get(name)
        ]
    return found


def leaves(connection: Connection, key: str) -> dict[str, Any]:
    """A section that moves as dotted key → value."""
    return dict(_leaves(key, _told(connection, key)))


def _told(connection: Connection, key: str) -> Any:
    """A section as plain data; entries of the facts map by what they feed from where."""
    value = connection.model_dump(mode="json", include={key}, by_alias=True)[key]
    if key != "facts":
        return value
    return {f"{one.get('property')} → {one.get('fact', 'ignored')}": _rest(one) for one in value}


def _rest(entry: Mapping[str, Any]) -> str:
    rest = [f"{key} {value}" for key, value in entry.items() if key not in ("property", "fact")]
    return ", ".join(rest) or "as usual"


def _leaves(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(f"{name}.{key}", inner)
    else:
        yield name, value
