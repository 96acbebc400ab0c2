"""The loop: change an input, run the target under a trace, keep what reaches a new edge, stop at what breaks.

An edge is a step from one line of the program to another. Everything follows from the seed of the dice, but
for the moment at which a budget of seconds ends. Readers that remember their answers are made to forget them.
"""

from __future__ import annotations

import functools
import gc
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from types import FrameType
from typing import Any

import icp_sync

CORPUS = Path(__file__).with_name("corpus")
WATCHED = str(Path(icp_sync.__file__).parent)
LONGEST = 4096
Target = Callable[[bytes], None]
Edge = tuple[str, int, int]


class BrokenError(Exception):
    """`data` broke the target; the cause says how."""

    def __init__(self, data: bytes) -> None:
        super().__init__(f"{data[:200]!r} breaks it")
        self.data = data


@dataclass(slots=True)
class Found:
    """tried: inputs. kept: those that reached something new, in order. edges: all that were reached."""

    tried: int = 0
    kept: list[bytes] = field(default_factory=list)
    edges: set[Edge] = field(default_factory=set)


def edges_of(target: Target, data: bytes, watched: str = WATCHED) -> set[Edge]:
    """What one input reaches in files below a path. Raises BrokenError from what the target raises."""
    reached: set[Edge] = set()

    def call(frame: FrameType, event: str, arg: object) -> Callable[..., object] | None:
        path = frame.f_code.co_filename
        if not path.startswith(watched):
            return None
        last = -frame.f_code.co_firstlineno

        def line(frame: FrameType, event: str, arg: object) -> Callable[..., object]:
            nonlocal last
            reached.add((path, last, frame.f_lineno))
            last = frame.f_lineno
            return line

        return line

    for cache in _remembering():
        cache.cache_clear()
    before = sys.gettrace()
    sys.settrace(call)
    try:
        target(data)
    except Exception as error:
        raise BrokenError(data) from error
    finally:
        sys.settrace(before)
    return reached


@functools.cache
def _remembering() -> tuple[Any, ...]:
    """Bounded caches of the program: they hold what was read. The others hold tables."""
    wrappers = [thing for thing in gc.get_objects() if isinstance(thing, functools._lru_cache_wrapper)]
    mine = [one for one in wrappers if str(one.__module__).startswith("icp_sync.")]
    return tuple(one for one in mine if one.cache_parameters()["maxsize"] is not None)


def fuzz(
    target: Target,
    seeds: Iterable[bytes],
    words: Sequence[bytes],
    *,
    dice: random.Random,
    most: int | None = None,
    seconds: float | None = None,
    watched: str = WATCHED,
) -> Found:
    """Try the seeds, then changed inputs: `most` of them, or for so many seconds. Raises BrokenError."""
    found, pool = Found(), []
    ends = None if seconds is None else time.monotonic() + seconds
    for data in seeds:
        found.edges |= edges_of(target, data, watched)
        pool.append(data)
    while (most is None or found.tried < most) and (ends is None or time.monotonic() < ends):
        data = changed(dice.choice(pool), pool, words, dice)
        found.tried += 1
        reached = edges_of(target, data, watched)
        if reached - found.edges:
            found.edges |= reached
            found.kept.append(data)
            pool.append(data)
    return found


def changed(data: bytes, pool: Sequence[bytes], words: Sequence[bytes], dice: random.Random) -> bytes:
    """The input after one to eight small accidents."""
    made = bytearray(data)
    for _ in range(1 << dice.randrange(4)):
        at = dice.randrange(len(made) + 1)
        length = min(dice.randrange(1, 17), len(made) - at)
        match dice.randrange(7):
            case 0:
                made[at : at + length] = b""
            case 1:
                made[at:at] = dice.choice(words)
            case 2:
                made[at : at + length] = dice.choice(words)
            case 3:
                made[at:at] = dice.randbytes(dice.randrange(1, 4))
            case 4:
                made[at:at] = made[at : at + length]
            case 5:
                other = dice.choice(pool)
                start = dice.randrange(len(other) + 1)
                made[at:] = other[start : start + LONGEST]
            case 6:
                lines = bytes(made).splitlines(keepends=True) or [b""]
                lines[dice.randrange(len(lines))] = dice.choice(lines)
                made = bytearray(b"".join(lines))
    return bytes(made[:LONGEST])


def fewest(target: Target, inputs: Iterable[bytes], watched: str = WATCHED) -> list[bytes]:
    """Those that together reach what all reach: the shortest first, each for something new."""
    reached: set[Edge] = set()
    kept = []
    for data in sorted(set(inputs), key=lambda one: (len(one), one)):
        mine = edges_of(target, data, watched)
        if mine - reached:
            reached |= mine
            kept.append(data)
    return kept


def corpus(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((CORPUS / name).glob("*"))]


def keep(name: str, inputs: Iterable[bytes]) -> int:
    """Make these the corpus of a target; how many there are."""
    folder = CORPUS / name
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {sha256(data).hexdigest()[:12]: data for data in inputs}
    for path in folder.glob("*"):
        if path.name not in wanted:
            path.unlink()
    for known, data in wanted.items():
        (folder / known).write_bytes(data)
    return len(wanted)
