"""A plan as a file: one JSON document with an account a line, written and read without holding it whole.

    {"icp_sync_plan": 1, "header": {…}, "accounts": [
    {"id": …, "name": …, "stamp": …, "facts": …, "open_deal": …, "changes": [{"field": …, "live": …, …}]}
    ,{…}
    ], "summary": {…},
    "digest": "sha256:…"}

The digest is over every byte before its own line, so a plan that was edited is no plan any more. Knows what a
plan says, neither how it is made nor how it is applied.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from icp_sync.errors import ConfigError, Problem

FORMAT = 1
BEGINS = b'{"icp_sync_plan": '
AGAIN = "icp-sync plan --out plan.json"

_LONGEST = 4_000_000
"""Bytes of the longest line that is read; an account takes some thousand."""
_ALGORITHM = "sha256:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Header:
    """What a plan is bound to, and who made it.

    identity: of the portal or org. profile: the digest of the profiles' documents. outputs: logical field →
    property of the CRM. made_at: epoch seconds. selection: what the plan was restricted to, "" for nothing.
    """

    connection: str
    crm: str
    identity: str
    mode: str
    profile: str
    profile_version: int
    profile_names: tuple[str, ...]
    engine: int
    outputs: Mapping[str, str]
    author: str
    made_at: float
    selection: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """One field of one account. ours: the value we last knew to be ours there, None where there was none."""

    field: str
    live: str
    desired: str
    ours: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One account's changes. stamp: of the record as it was read, ms. facts: a mark of what it said then, see
    `inputs`. open_deal: whether it had one."""

    id: str
    name: str
    stamp: int
    facts: str
    open_deal: bool
    changes: tuple[Planned, ...]


class PlanWriter:
    """Writes a plan to a text stream, row by row."""

    def __init__(self, stream: TextIO, header: Header) -> None:
        self._stream = stream
        self._hash = sha256()
        self.rows = 0
        self._put(f'{{"icp_sync_plan": {FORMAT}, "header": {json.dumps(asdict(header))}, "accounts": [\n')

    def row(self, row: Row) -> None:
        self._put(f"{',' if self.rows else ''}{json.dumps(_plain(row))}\n")
        self.rows += 1

    def end(self, summary: Mapping[str, object]) -> str:
        """Finish the document; returns its digest."""
        self._put(f'], "summary": {json.dumps(summary)},\n')
        digest = _ALGORITHM + self._hash.hexdigest()
        self._stream.write(f'"digest": {json.dumps(digest)}}}\n')
        return digest

    def _put(self, line: str) -> None:
        self._hash.update(line.encode("ascii"))
        self._stream.write(line)


def _plain(row: Row) -> dict[str, object]:
    """As `asdict`, which takes ten times as long: a large plan has a million rows."""
    changes = [
        {"field": c.field, "live": c.live, "ours": c.ours, "desired": c.desired, "reason": c.reason}
        for c in row.changes
    ]
    return {
        "id": row.id,
        "name": row.name,
        "stamp": row.stamp,
        "facts": row.facts,
        "open_deal": row.open_deal,
        "changes": changes,
    }


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanFile:
    """A plan that was read once, whole and unchanged. accounts: how many rows it has."""

    path: Path
    header: Header
    accounts: int
    summary: Mapping[str, Any] = field(repr=False)
    digest: str

    def rows(self, skip: int = 0) -> Iterator[Row]:
        """Its accounts in order, without the first `skip`. Raises ConfigError when it changed meanwhile."""
        lines = _Lines(self.path)
        with self.path.open("rb") as stream:
            lines.header(stream)
            for index, text in enumerate(lines.rows(stream)):
                if index >= skip:
                    yield lines.row(text)
            lines.summary()
            if lines.digest(stream) != self.digest:
                raise lines.broken("it changed while it was read")

    def refuse_another(self, digest: str) -> None:
        """Raise ConfigError unless this is the plan with that digest."""
        if digest != self.digest:
            raise _Lines(self.path).broken("it is another plan than the one that was asked for")


def read_plan(path: Path) -> PlanFile:
    """Read a plan and hold it against its digest. Raises ConfigError when it is none, or was changed."""
    lines = _Lines(path)
    try:
        with path.open("rb") as stream:
            header = lines.header(stream)
            accounts = sum(1 for _ in lines.rows(stream))
            summary = lines.summary()
            digest = lines.digest(stream)
    except OSError as error:
        raise ConfigError([Problem(where=str(path), what=error.strerror or "cannot be read")]) from None
    return PlanFile(path=path, header=header, accounts=accounts, summary=summary, digest=digest)


def is_plan(path: Path) -> bool:
    """Whether a file begins like a plan."""
    try:
        with path.open("rb") as stream:
            return stream.read(len(BEGINS)) == BEGINS
    except OSError:
        return False


class _Lines:
    """The lines of one plan file as they are read, and the digest of what was read so far."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._hash = sha256()
        self._last = b""

    def header(self, stream: BinaryIO) -> Header:
        first = self._line(stream)
        if not first.startswith(BEGINS) or not first.endswith(b'"accounts": [\n'):
            raise self.broken("is no plan of icp-sync")
        self._hash.update(first)
        said = self._json(first.strip() + b"]}")
        if said.get("icp_sync_plan") != FORMAT:
            raise self.broken(f"is a plan in format {said.get('icp_sync_plan')}; this version reads {FORMAT}")
        return _header(said.get("header"), self)

    def rows(self, stream: BinaryIO) -> Iterator[bytes]:
        while (line := self._line(stream)) and not line.startswith(b"],"):
            self._hash.update(line)
            yield line
        self._hash.update(line)
        self._last = line

    def row(self, text: bytes) -> Row:
        said = self._json(text.lstrip(b","))
        try:
            changes = tuple(
                Planned(
                    field=str(c["field"]),
                    live=str(c["live"]),
                    desired=str(c["desired"]),
                    ours=None if c["ours"] is None else str(c["ours"]),
                    reason=str(c["reason"]),
                )
                for c in said["changes"]
            )
            return Row(
                id=str(said["id"]),
                name=str(said["name"]),
                stamp=int(said["stamp"]),
                facts=str(said["facts"]),
                open_deal=bool(said["open_deal"]),
                changes=changes,
            )
        except (KeyError, TypeError, ValueError):
            raise self.broken("one of its lines cannot be read") from None

    def summary(self) -> Mapping[str, Any]:
        said = self._json(b"{" + self._last[2:].strip().rstrip(b",") + b"}")
        found = said.get("summary")
        if not isinstance(found, dict):
            raise self.broken("it is cut short")
        return found

    def digest(self, stream: BinaryIO) -> str:
        said = self._json(b"{" + self._line(stream))
        if self._line(stream) or said.get("digest") != (made := _ALGORITHM + self._hash.hexdigest()):
            raise self.broken("it was changed since it was made: its digest does not match")
        return made

    def broken(self, what: str) -> ConfigError:
        return ConfigError([Problem(where=str(self._path), what=what)], next_step=AGAIN)

    def _line(self, stream: BinaryIO) -> bytes:
        line = stream.readline(_LONGEST)
        if len(line) >= _LONGEST:
            raise self.broken("is no plan of icp-sync: a line has no end")
        return line

    def _json(self, text: bytes) -> dict[str, Any]:
        try:
            said = json.loads(text)
        except (ValueError, RecursionError):
            said = None
        if not isinstance(said, dict):
            raise self.broken("it is cut short or was changed since it was made")
        return said


def _header(said: object, lines: _Lines) -> Header:
    if isinstance(said, dict):
        try:
            return Header(
                connection=str(said["connection"]),
                crm=str(said["crm"]),
                identity=str(said["identity"]),
                mode=str(said["mode"]),
                profile=str(said["profile"]),
                profile_version=int(said["profile_version"]),
                profile_names=tuple(map(str, said["profile_names"])),
                engine=int(said["engine"]),
                outputs={str(name): str(prop) for name, prop in dict(said["outputs"]).items()},
                author=str(said["author"]),
                made_at=float(said["made_at"]),
                selection=str(said["selection"]),
            )
        except (KeyError, TypeError, ValueError, OverflowError):
            pass
    raise lines.broken("its header cannot be read")
