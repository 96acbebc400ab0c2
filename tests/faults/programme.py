"""The whole programme, case by case, and what it covers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.faults import acts, nth, outside, story
from tests.sync.processes import Nursery

DATABASES = ("sqlite", "postgresql")
TURNS = (("raises", "sqlite"), ("dies", "postgresql"), ("raises", "postgresql"), ("dies", "sqlite"))
"""(way, database) in turn."""

Case = tuple[str, str, str, Callable[[], object]]
"""Kind, database, name, and what to run: it raises AssertionError where a promise is broken, and returns how
many calls it failed where it failed more than one."""


@cache
def first_passages(one: story.Story) -> tuple[str, ...]:
    """The points a story comes by, in order of their first passage."""
    return tuple(point for point, passage in story.passages(one) if passage == 1)


TELLING = {"telling.send.before", "telling.send.after"}
"""Tried in the world where people are told, by `tests/sync/test_telling_crashes.py`."""

MOVING = {"journal.moved.before", "journal.moved.after"}
"""Tried between two databases, at every passage, by `tests/journal/test_journal_moving.py`."""


def points_tried() -> set[str]:
    """Every fault point the programme makes something stumble at."""
    told = {point for one in story.STORIES for point in first_passages(one)}
    given = {f"journal.{kind}.{side}" for kind in acts.ACTS for side in ("before", "after")}
    out = {point for points in outside.POINTS.values() for point in points}
    return told | given | out | {outside.OWNER, outside.BULK} | TELLING | MOVING


def cases() -> Iterator[Case]:
    """All of them: stories at every passage of every point, acts, n-th calls, and real HTTP."""
    for one in story.STORIES:
        for point, passage in story.passages(one):
            for database in DATABASES:
                name = f"{one.name}: {point} #{passage}"
                yield (
                    "exception",
                    database,
                    name,
                    partial(story.with_exception, one, database, point, passage),
                )
                yield "death", database, name, partial(story.with_death, one, database, point, passage)
    for kind in acts.ACTS:
        for side in ("before", "after"):
            for database in DATABASES:
                name = f"{kind} {side}"
                yield "exception", database, name, partial(acts.tried, kind, database, side, "raises")
                yield "death", database, name, partial(acts.tried, kind, database, side, "dies")
    for one in story.STORIES:
        for database in DATABASES:
            for seam in nth.SEAMS:
                name = f"{one.name}: {seam}, one after the other"
                yield "n-th call", database, name, partial(nth.until_clean, one, database, seam)
    with TemporaryDirectory() as folder:
        nursery = Nursery(Path(folder))
        try:
            for database in DATABASES:
                yield from _outside(database, nursery)
        finally:
            nursery.close()


def _outside(database: str, nursery: Nursery) -> Iterator[Case]:
    for crm, points in outside.POINTS.items():
        with outside.opened(crm, database, nursery) as station:
            for point in points:
                for passage in (1, 2, 3, 5):
                    name = f"{crm}: {point} #{passage}"
                    yield (
                        "exception",
                        database,
                        name,
                        partial(outside.with_exception, station, point, passage),
                    )
                yield "death", database, f"{crm}: {point}", partial(outside.with_death, station, point)
    yield "exception", database, outside.OWNER, partial(outside.owner_with_exception, database)
    yield "exception", database, outside.BULK, partial(outside.bulk_with_exception, database)
