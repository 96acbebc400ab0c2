"""A change of whom facts are bought of, or in which order, asks for one backfill; anything else for none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.domain.buying import NO_BUDGETS, Budgets, Buying, Rule
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Parts, cycle
from icp_sync.sync.rules import OTHER_RULES
from tests.sync.world import GOOD, World


def under(parts: Parts, rules: Mapping[str, Rule], budgets: Budgets = NO_BUDGETS) -> Parts:
    policy = replace(parts.policy(), buying=Buying(rules=rules, budgets=budgets))
    return replace(parts, policy=lambda: policy)


def requested(world: World) -> str:
    request = world.journal.backfill_request()
    return request.reason if request else ""


def test_another_order_asks_for_a_backfill_once_and_another_budget_for_none(world: World) -> None:
    world.company(**GOOD)
    parts = world.parts()
    world.journal.clear_backfill_request()
    cycle(Stream.POLL, under(parts, {}))
    cycle(Stream.POLL, under(parts, {}, Budgets(day=5.0)))
    cycle(Stream.POLL, under(parts, {"employees": Rule()}))
    assert requested(world) == ""
    other = under(parts, {"employees": Rule(order=("b", "a"))})
    cycle(Stream.POLL, other)
    cycle(Stream.TRAILING, other)
    assert requested(world) == OTHER_RULES
    world.journal.clear_backfill_request()
    cycle(Stream.POLL, other)
    assert requested(world) == ""


def test_a_backfill_by_hand_needs_no_other_and_begins_anew_for_the_new_rules(world: World) -> None:
    world.company(**GOOD)
    parts = world.parts()
    world.journal.clear_backfill_request()
    cycle(Stream.BACKFILL, under(parts, {}))
    report = cycle(Stream.BACKFILL, under(parts, {"employees": Rule(order=("b", "a"))}))
    assert report is not None
    assert report.read == 1
    assert requested(world) == ""
