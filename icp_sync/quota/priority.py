"""Whom a call is made for: what is urgent goes before what can wait. Knows no limit and no CRM.

The priority belongs to the code that is running, not to a call's arguments: nothing between a stream and
the wire needs to know of it. Threads working for somebody are started by `Carrying`, or in a copied context.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from enum import IntEnum
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class Priority(IntEnum):
    """The lower goes first. What says nothing, as a command a person waits for, is urgent."""

    INCREMENTAL = 0
    SWEEP = 1
    BACKFILL = 2


OF_STREAM: Mapping[str, Priority] = {
    "sweep": Priority.SWEEP,
    "backfill": Priority.BACKFILL,
    "dry run": Priority.BACKFILL,
    "deals": Priority.SWEEP,
}
"""Streams that can wait; every other is incremental."""

_working_for: ContextVar[Priority] = ContextVar("icp_sync_priority", default=Priority.INCREMENTAL)


@contextmanager
def working_for(whom: Priority | str) -> Iterator[None]:
    """Every call made inside, in this thread and in those that carry its context, has this priority.

    whom: a priority, or the name of a stream: poll, trailing, due, sweep, backfill, deals, dry run.
    """
    chosen = whom if isinstance(whom, Priority) else OF_STREAM.get(whom, Priority.INCREMENTAL)
    token = _working_for.set(chosen)
    try:
        yield
    finally:
        _working_for.reset(token)


def current() -> Priority:
    return _working_for.get()


class Carrying(ThreadPoolExecutor):
    """A pool whose threads work with the priority, and the other context, of whoever hands in the work."""

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        context = copy_context()
        return super().submit(lambda: context.run(fn, *args, **kwargs))
