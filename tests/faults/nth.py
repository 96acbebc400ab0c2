"""The n-th call fails, for n = 1, 2, 3 … until the act is through without one: calls to the CRM, and
statements and commits of the journal."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from functools import partial

from sqlalchemy import Engine, event

from icp_sync.domain.plan import Write
from icp_sync.errors import UnavailableError
from icp_sync.ports import Note
from tests.faults.place import Place
from tests.faults.story import Story, begun, check_now, check_rest, come_to_rest

Fails = Callable[[], None]
"""Raises at the n-th time it is called."""


class Nth:
    """Counts calls and fails the n-th; `reached` says whether there was one."""

    def __init__(self, n: int) -> None:
        self.left, self.reached = n, False

    def __call__(self) -> None:
        self.left -= 1
        if self.left == 0:
            self.reached = True
            raise UnavailableError("not now")


@contextmanager
def crm_calls(place: Place, fails: Fails) -> Iterator[None]:
    """Before the n-th call takes effect."""
    crm = place.world.crm
    crm.before = lambda _: fails()
    try:
        yield
    finally:
        crm.before = lambda _: None


@contextmanager
def crm_replies(place: Place, fails: Fails) -> Iterator[None]:
    """After the n-th write took effect."""
    crm = place.world.crm
    write, annotate = crm.write, crm.annotate

    def cut(writes: Sequence[Write]) -> object:
        outcomes = write(writes)
        fails()
        return outcomes

    def cut_notes(kind: str, notes: Sequence[Note]) -> object:
        answers = annotate(kind, notes)
        fails()
        return answers

    crm.write, crm.annotate = cut, cut_notes  # type: ignore[method-assign, assignment]
    try:
        yield
    finally:
        del crm.write, crm.annotate


@contextmanager
def _listening(engine: Engine, name: str, fails: Fails) -> Iterator[None]:
    def heard(*_: object) -> None:
        fails()

    event.listen(engine, name, heard)
    try:
        yield
    finally:
        event.remove(engine, name, heard)


def _journal(name: str, place: Place, fails: Fails) -> AbstractContextManager[None]:
    return _listening(place.world.journal.engine, name, fails)


SEAMS = {
    "CRM calls": crm_calls,
    "CRM replies": crm_replies,
    "journal statements": partial(_journal, "before_cursor_execute"),
    "journal commits": partial(_journal, "commit"),
}


def nth(story: Story, database: str, seam: str, n: int) -> bool:
    """The act with its n-th call failing, made good again; false when there are not so many."""
    with begun(story, database) as place:
        fails = Nth(n)
        with SEAMS[seam](place, fails), suppress(UnavailableError):
            story.act(place)
        check_now(place)
        come_to_rest(place, story)
        check_rest(place, story, answered=None)
        return fails.reached


def until_clean(story: Story, database: str, seam: str, step: int = 1) -> int:
    """Try n = 1, 1 + step, … until none fails; returns how many were tried."""
    n = 1
    while nth(story, database, seam, n):
        n += step
    return (n - 1) // step
