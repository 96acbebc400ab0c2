"""The two sides of a move between settings files, and what moves: texts and tables, never who may open what.

What says which companies are good ones, what is read and what is written moves. What opens a portal, where it
keeps its state, how much it may do and spend, and who is told stays where it is. Talks to no CRM.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

    text, said: the file, and the connection's part of it as plain data. profiles: as the file names them.
    """

    path: Path
    text: str
    said: Mapping[str, Any]
    settings: Settings
    name: str
    profiles: tuple[str, ...]

    @property
    def connection(self) -> Connection:
        return self.settings.connections[self.name]


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file that moves. before: what stands there now, None for nothing."""

    source: Path
    target: Path
    content: bytes
    before: bytes | None

    @property
    def state(self) -> str:
        """What becomes of the target: "shared" where both sides read one and the same file."""
        if self.before is None:
            return "new"
        if self.target.samefile(self.source):
            return "shared"
        return "same" if self.before == self.content else "changed"


@dataclass(slots=True, kw_only=True)
class Moves:
    """Everything that moves. text: the settings file as it will be. named: the profiles as it names them."""

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
    from icp_sync.cli.opening import read_settings

    read_settings(path, offline=True, only=())  # says what is wrong with the file as such
    text = path.read_bytes().decode("utf-8")
    said = tomllib.loads(text).get("connections", {})
    settings = read_settings(path, offline=True, only=said)
    name, connection = settings.connection(name)
    update: dict[str, Any] = {
        "seal_file": located(settings.seal_file, path),
        "connections": {key: _placed(one, path) for key, one in settings.connections.items()},
    }
    if settings.journal.startswith("sqlite:///"):
        file = located(Path(settings.journal.removeprefix("sqlite:///")), path)
        update["journal"] = f"sqlite:///{file}"
    return Side(
        path=path,
        text=text,
        said=said[name],
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
        done.profiles.append(_move(at, place))
    types = facts_of(source.connection)[1]
    profiles = [one.profile for one in load_all(source.connection.profiles, types=types)]
    moved = {one.name for one in profiles}
    for move in list(done.profiles):
        done.profiles += [
            _move(base, move.target.with_name(base.name)) for base in _bases(move.source, moved)
        ]
    done.profiles = list({move.target: move for move in done.profiles}.values())
    tables = table_names(profiles)
    for name in dict.fromkeys((*tables.territories, *tables.named)):
        table = source.connection.tables_folder / name
        if table.exists():  # one that is missing is told as such when the whole is looked at
            done.tables.append(_move(table, target.connection.tables_folder / name))
    wanted: dict[str, Any] = {key: source.said.get(key) for key in MOVES}
    if list(target.profiles) != done.named:
        wanted["profiles"] = done.named
    done.text = changed(target.text, target.path, target.name, wanted)
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


def _bases(path: Path, moved: set[str], seen: tuple[str, ...] = ()) -> Iterator[Path]:
    """The files a profile stands upon, and theirs. moved: names of profiles that move anyway."""
    from icp_sync.profile_file.reading import Report, read

    said = read(path.read_text(encoding="utf-8-sig"), Report(str(path)))
    base = str(said.get("extends", "")) if isinstance(said, Mapping) else ""
    if not base or base in moved or base in seen:
        return
    for beside in (path.with_name(f"{base}.yaml"), path.with_name(f"{base}.yml")):
        if beside.is_file():
            yield beside
            yield from _bases(beside, moved, (*seen, base))
            return


def _refuse_unlike(source: Side, target: Side) -> None:
    if source.path.resolve() == target.path.resolve() and source.name == target.name:
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


def _move(source: Path, target: Path) -> Move:
    try:
        content = source.read_bytes()
        before = target.read_bytes() if target.exists() else None
    except OSError as error:
        raise ConfigError(
            [Problem(where=str(error.filename), what=f"cannot be read: {error.strerror}")]
        ) from None
    return Move(source=source, target=target, content=content, before=before)


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
