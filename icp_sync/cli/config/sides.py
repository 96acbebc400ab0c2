"""The two sides of a move between settings files, and what moves: texts and tables, never who may open what.

What says which companies are good ones, what is read and what is written moves. What opens a portal, where it
keeps its state, how much it may do and spend, and who is told stays where it is. Talks to no CRM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from icp_sync.errors import ConfigError, Problem

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

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
_EXTENDS = re.compile(r"^extends:\s*['\"]?([^'\"#\s]+)", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One connection of one settings file. Paths of `settings` and `connection` lead to files as they are."""

    path: Path
    document: TOMLDocument
    settings: Settings
    name: str
    connection: Connection
    profiles: tuple[str, ...]  # as the file names them

    @property
    def section(self) -> Any:
        """The connection's own table of the document. Raises ConfigError where the file has none."""
        section = self.document.get("connections", {}).get(self.name)
        if section is None:
            what = f"has no [connections.{self.name}]; it comes from elsewhere"
            raise ConfigError([Problem(where=str(self.path), what=what)])
        return section


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file that moves. before: what stands there now, None for nothing."""

    source: Path
    target: Path
    content: bytes
    before: bytes | None

    @property
    def state(self) -> str:
        return "new" if self.before is None else "same" if self.before == self.content else "changed"


@dataclass(slots=True, kw_only=True)
class Moves:
    """Everything that moves. text: the settings file as it will be. profiles: as it will name them."""

    profiles: list[Move] = field(default_factory=list)
    tables: list[Move] = field(default_factory=list)
    named: list[str] = field(default_factory=list)
    text: str = ""

    @property
    def files(self) -> Iterator[Move]:
        yield from self.profiles
        yield from self.tables


def side(path: Path, name: str | None) -> Side:
    """Read one settings file. Raises ConfigError with every problem."""
    import tomlkit

    from icp_sync.cli.opening import read_settings

    settings = read_settings(path, offline=True)
    name, connection = settings.connection(name)
    document = tomlkit.parse(path.read_text(encoding="utf-8"))
    named = tuple(map(str, connection.profiles))
    placed = connection.model_copy(
        update={
            "profiles": [located(one, path) for one in connection.profiles],
            "tables": located(connection.tables, path) if connection.tables else None,
        }
    )
    update = {"seal_file": located(settings.seal_file, path), "connections": {name: placed}}
    if settings.journal.startswith("sqlite:///"):
        file = located(Path(settings.journal.removeprefix("sqlite:///")), path)
        update["journal"] = f"sqlite:///{file}"
    return Side(
        path=path,
        document=document,
        settings=settings.model_copy(update=update),
        name=name,
        connection=placed,
        profiles=named,
    )


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
    from icp_sync.profile_file import load_all
    from icp_sync.roster_file.loading import table_names
    from icp_sync.wiring import facts_of

    _refuse_unlike(source, target)
    done = Moves()
    kept = {Path(named).name: (named, at) for named, at in _named(target)}
    first, folder = Path(target.profiles[0]).parent, target.connection.profiles[0].parent
    for at in source.connection.profiles:
        named, place = kept.get(at.name, (str(first / at.name), folder / at.name))
        done.named.append(named)
        done.profiles.append(_move(at, place))
        for base in _EXTENDS.findall(done.profiles[-1].content.decode("utf-8", "replace")):
            beside = at.with_name(f"{base}.yaml")
            if beside.exists() and beside not in source.connection.profiles:
                done.profiles.append(_move(beside, place.with_name(beside.name)))
    profiles = [
        one.profile for one in load_all(source.connection.profiles, types=facts_of(source.connection)[1])
    ]
    tables = table_names(profiles)
    for name in dict.fromkeys((*tables.territories, *tables.named)):
        table = source.connection.tables_folder / name
        if table.exists():  # one that is missing is told as such when the whole is looked at
            done.tables.append(_move(table, target.connection.tables_folder / name))
    done.text = _rewritten(source, target, done.named)
    return done


def _named(one: Side) -> Iterator[tuple[str, Path]]:
    yield from zip(one.profiles, one.connection.profiles, strict=True)


def _refuse_unlike(source: Side, target: Side) -> None:
    if source.path.resolve() == target.path.resolve() and source.name == target.name:
        what = "both sides are the same connection"
        raise ConfigError(what, next_step="icp-sync config promote --from TEST.toml --to PROD.toml")
    if source.connection.crm != target.connection.crm:
        what = f"{source.name} is on {source.connection.crm}, {target.name} on {target.connection.crm}"
        hint = "fields have other names there; move between portals of one CRM"
        raise ConfigError([Problem(where="config promote", what=what, hint=hint)])


def _move(source: Path, target: Path) -> Move:
    try:
        content = source.read_bytes()
        before = target.read_bytes() if target.exists() else None
    except OSError as error:
        raise ConfigError(
            [Problem(where=str(error.filename), what=f"cannot be read: {error.strerror}")]
        ) from None
    return Move(source=source, target=target, content=content, before=before)


def _rewritten(source: Side, target: Side, profiles: list[str]) -> str:
    """The target's settings file with the moved sections; every other line of it stays as it is."""
    import tomlkit

    document = tomlkit.parse(tomlkit.dumps(target.document))
    section = document["connections"][target.name]
    theirs = source.section
    target.section  # noqa: B018 - raises where there is none
    if list(target.profiles) != profiles:
        section["profiles"] = profiles
    for key in MOVES:
        now, then = (_plain(one.get(key)) for one in (section, theirs))
        if now == then:
            continue
        if then is None:
            section.remove(key)
        else:
            section[key] = then
    return tomlkit.dumps(document)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def differing(source: Side, target: Side) -> list[tuple[str, Any, Any]]:
    """(key, value there now, value that would be), of every setting that would change."""
    found = []
    for key in MOVES:
        now, then = (dict(_leaves(key, _told(one.connection, key))) for one in (target, source))
        found += [
            (name, now.get(name), then.get(name))
            for name in dict.fromkeys([*now, *then])
            if now.get(name) != then.get(name)
        ]
    return found


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
