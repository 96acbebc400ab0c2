"""While the writes of a page are under way the next one is evaluated, and never more than that."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from icp_sync.domain.facts import choice, number
from icp_sync.domain.plan import Outcome, Write
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.ports import Position, Request
from icp_sync.sync.cycle import Scope
from tests.sync.test_families import GROUP_SIZE
from tests.sync.world import GOOD, Vendor, World

PATIENCE = 30.0
"""Seconds after which what should have happened meanwhile has not."""


def answering(world: World, meanwhile: Callable[[Sequence[Write]], None]) -> None:
    """Let each page's writes wait for something before they are answered."""
    real = world.crm.write

    def write(writes: Sequence[Write]) -> Iterator[Outcome]:
        def answers() -> Iterator[Outcome]:
            meanwhile(writes)
            yield from real(writes)

        return answers()

    world.crm.write = write  # type: ignore[method-assign]


def two_pages(folder: Path, **options: object) -> tuple[World, str, str]:
    world = World(folder, page_size=1, **options)  # type: ignore[arg-type]
    first = world.company("First", id="1", **GOOD)
    second = world.company("Second", id="2", domain="second.example")
    return world, first, second


def evaluated(world: World, of: str) -> threading.Event:
    """Set as soon as somebody asks an enricher about this domain."""
    asked = threading.Event()

    def hear(request: Request) -> None:
        if request.domain == of:
            asked.set()

    known = {"employees": number(100), "industry": choice("SOFTWARE")}
    world.enrichers = (Vendor({of: known}, instead=hear),)
    return asked


def test_the_next_page_is_evaluated_while_a_page_is_written(tmp_path: Path) -> None:
    world, first, second = two_pages(tmp_path)
    asked = evaluated(world, "second.example")
    waited: list[bool] = []

    def meanwhile(writes: Iterable[Write]) -> None:
        if [w.account_id for w in writes] == [first]:
            waited.append(asked.wait(PATIENCE))
            claimed = world.journal.account(second)
            assert claimed is None, "evaluated, but nothing of it claimed"

    answering(world, meanwhile)
    report = world.backfill()
    assert waited == [True]
    assert (report.read, report.written) == (2, 2)
    assert world.live(first)["tier"] == world.live(second)["tier"] == "A"


@pytest.mark.parametrize("scope", [Scope(ahead=lambda: False), Scope(limit=2)])
def test_a_page_that_must_be_settled_first_is(tmp_path: Path, scope: Scope) -> None:
    world, first, _ = two_pages(tmp_path)
    asked = evaluated(world, "second.example")
    early: list[bool] = []

    def meanwhile(writes: Sequence[Write]) -> None:
        if [w.account_id for w in writes] == [first]:
            early.append(asked.wait(0.2))

    answering(world, meanwhile)
    world.backfill(scope)
    assert early == [False]
    assert asked.is_set()


def test_a_child_waits_for_the_page_its_parent_is_on(tmp_path: Path) -> None:
    world = World(tmp_path, profile=GROUP_SIZE, page_size=1)
    world.company("Acme", id="1", **GOOD)
    child = world.company("Acme France", id="2", parent="1", employees=3, industry="SOFTWARE")
    answering(world, lambda _: None)
    world.backfill()
    assert (world.live(child)["tier"], world.live(child)["certainty"]) == ("A", "firm")


def test_a_page_that_cannot_be_read_leaves_the_one_before_settled(tmp_path: Path) -> None:
    world, first, second = two_pages(tmp_path)
    read: list[str] = []

    def fails(call: str) -> None:
        if call == "page" and read:
            raise UnavailableError("the CRM is away")
        read.extend([call] if call == "page" else [])

    world.crm.before = fails
    answering(world, lambda _: None)
    with pytest.raises(UnavailableError):
        world.backfill()
    assert world.journal.position("backfill") == Position(last_id=first)
    assert (world.live(first)["tier"], world.live(second)["tier"]) == ("A", "")


def test_of_a_page_evaluated_behind_one_that_failed_nothing_is_claimed(tmp_path: Path) -> None:
    world, first, second = two_pages(tmp_path)
    asked = evaluated(world, "second.example")

    def refuses(_: object) -> None:
        assert asked.wait(PATIENCE)
        raise AuthError("the token was withdrawn")

    answering(world, refuses)
    with pytest.raises(AuthError):
        world.backfill()
    assert world.journal.position("backfill") == Position()
    assert world.journal.account(second) is None
    assert world.live(first)["tier"] == world.live(second)["tier"] == ""
