"""Files that move: what becomes of each, those a profile stands upon, and where they lie when looked at.

Reads files; writes none.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from icp_sync.errors import ConfigError, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """One file that moves. before: what stands there now, None for nothing. staged: where it lies in a spare
    folder, so that files that name one another find each other there, too."""

    source: Path
    target: Path
    content: bytes
    before: bytes | None
    staged: Path = Path()

    @property
    def state(self) -> str:
        """What becomes of the target: "shared" where both sides read one and the same file."""
        if self.before is None:
            return "new"
        if self.target.samefile(self.source):
            return "shared"
        return "same" if self.before == self.content else "changed"


def moved_from(source: Path, target: Path) -> Move:
    """Raises ConfigError where one of the two cannot be read."""
    try:
        content = source.read_bytes()
        before = target.read_bytes() if target.exists() else None
    except OSError as error:
        raise ConfigError(
            [Problem(where=str(error.filename), what=f"cannot be read: {error.strerror}")]
        ) from None
    return Move(source=source, target=target, content=content, before=before)


def bases(move: Move, moved: set[str], seen: frozenset[Path] = frozenset()) -> Iterator[Move]:
    """The files a profile stands upon, and theirs. moved: names of profiles that move anyway."""
    from icp_sync.profile_file.bases import SUFFIXES, is_path, led_to
    from icp_sync.profile_file.reading import Report, read

    said = read(move.content.decode("utf-8-sig"), Report(str(move.source)))
    base = str(said.get("extends", "")) if isinstance(said, Mapping) else ""
    if is_path(base):
        places = [(Path(led_to(base, str(move.source))), Path(led_to(base, str(move.target))))]
    elif base and base not in moved:
        names = [f"{base}{suffix}" for suffix in SUFFIXES]
        places = [(move.source.with_name(name), move.target.with_name(name)) for name in names]
    else:
        return
    for source, target in places:
        if source.is_file() and source not in seen:
            found = moved_from(source, target)
            yield found
            yield from bases(found, moved, seen | {source})
            return


def staged(moves: Iterable[Move]) -> list[Move]:
    """With places in a spare folder that lie to one another as their targets do."""
    moves = list(moves)
    targets = [os.path.abspath(move.target) for move in moves]
    root = os.path.commonpath([os.path.dirname(target) for target in targets])
    places = [Path("profiles", os.path.relpath(target, root)) for target in targets]
    return [replace(move, staged=place) for move, place in zip(moves, places, strict=True)]
