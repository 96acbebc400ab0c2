"""Ways to stumble at a fault point: an exception there, or a process that is gone without a word."""

from __future__ import annotations

import os
import pickle
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from icp_sync import observe

DIED = 137


class Fault(Exception):
    """What nobody foresaw happened here."""


@contextmanager
def armed(hook: Callable[[str], None]) -> Iterator[None]:
    observe.arm_faults(hook)
    try:
        yield
    finally:
        observe.arm_faults(None)


def at(point: str, passage: int, act: Callable[[], None]) -> Callable[[str], None]:
    """A hook that acts at the n-th passage of a point, once."""
    left = [passage]

    def reached(name: str) -> None:
        if name == point:
            left[0] -= 1
            if left[0] == 0:
                act()

    return reached


def passages(act: Callable[[], object]) -> list[tuple[str, int]]:
    """Every (point, passage) that an undisturbed act comes by, in order."""
    met: list[tuple[str, int]] = []
    seen: dict[str, int] = {}

    def reached(name: str) -> None:
        seen[name] = seen.get(name, 0) + 1
        met.append((name, seen[name]))

    with armed(reached):
        act()
    return met


def raises(point: str, passage: int, act: Callable[[], object]) -> bool:
    """Run the act with an exception at a point; whether it was reached."""
    reached = []

    def fail() -> None:
        reached.append(point)
        raise Fault(point)

    with armed(at(point, passage, fail)), suppress(Fault):
        act()
    return bool(reached)


def dies(
    point: str, passage: int, act: Callable[[], object], survives: Callable[[], Any]
) -> tuple[bool, Any]:
    """Run the act in a forked process that ends at a point, with status 137 and nothing else done.

    survives: asked in that process as it dies: what the world outside would still know. Returns whether the
    point was reached, and that. The caller has closed every file and connection that a child must not share.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        _child(point, passage, act, survives, writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        told = pipe.read()
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert code in (0, DIED), f"the process ended with {code}: {told[-2000:]!r}"
    return code == DIED, pickle.loads(told)


def _child(
    point: str, passage: int, act: Callable[[], object], survives: Callable[[], Any], writing: int
) -> None:
    signal.setitimer(signal.ITIMER_REAL, 0)  # the test's time limit is the parent's business

    def end(code: int, told: bytes) -> None:
        view = memoryview(told)
        while view:
            view = view[os.write(writing, view) :]
        os._exit(code)

    try:
        observe.arm_faults(at(point, passage, lambda: end(DIED, pickle.dumps(survives()))))
        act()
        end(0, pickle.dumps(survives()))
    except BaseException:
        end(1, traceback.format_exc().encode())
