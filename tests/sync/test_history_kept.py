"""What of an account's evaluations goes into the history, and that a whole sweep prunes what is too old."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import pytest

from icp_sync.domain.compile import compile_profile
from icp_sync.domain.proof import differences, made_again
from icp_sync.domain.standing import Mode
from icp_sync.journal import ERASED, Evaluated, Keep
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Parts, Scope, cycle
from tests.sync.world import GOOD, START, World, facts

DAY = 86_400.0


def proofs(world: World, account: str) -> list[tuple[str, ...]]:
    """In what each kept evaluation differs when it is made again."""

    def differs(one: Evaluated) -> tuple[str, ...]:
        evidence, proof, at = (one.evaluation[name] for name in ("evidence", "proof", "at"))
        assert isinstance(evidence, dict)
        assert isinstance(proof, dict)
        assert isinstance(at, float)
        again = made_again((compile_profile(world.profile),), evidence, proof, at, evidence["version"])
        return differences(proof, again)

    return [differs(one) for one in world.journal.evaluations(account)]


def test_a_life_of_moves_waits_and_overrides_is_proved_step_by_step(world: World) -> None:
    acme = world.company(**GOOD)
    world.poll()
    for employees, override in ((100, "D"), (60, "D"), (20, ""), (44, ""), (46, "A"), (300, "")):
        world.clock.step(3 * DAY)
        size = facts(employees=employees, industry="SOFTWARE")
        world.crm.edit(acme, signals=size, live={"tier_override": override})
        world.quiesce()
    found = proofs(world, acme)
    assert len(found) >= 5
    assert set(found) == {()}


def test_a_score_that_drifts_point_by_point_is_kept_all_the_same(world: World) -> None:
    acme = world.company(employees=49, industry="SOFTWARE")
    world.poll()
    scores = []
    for employees in (48.6, 48.2, 47.8, 47.4, 47.0, 46.6, 46.2):
        world.clock.step(3600)
        world.crm.edit(acme, signals=facts(employees=employees, industry="SOFTWARE"))
        world.poll()
        stored = world.journal.account(acme)
        assert stored is not None
        scores.append((stored.score, world.journal.evaluations(acme)[-1].score))
    assert all(abs(a - b) <= 1 for (a, _), (b, _) in pairwise(scores))
    assert all(abs(now - kept) <= 1 for now, kept in scores)
    assert scores[0][1] - scores[-1][1] >= 3


def aged(world: World) -> tuple[str, str, Parts]:
    """An account, one gone nineteen days ago, and a worker that keeps ten days."""
    acme, gone = world.company(**GOOD), world.company("Gone", **GOOD)
    world.poll()
    world.clock.step(DAY)
    world.crm.delete(gone)
    world.cycle(Stream.SWEEP)
    world.clock.step(19 * DAY)
    return acme, gone, replace(world.parts(), keep=Keep(history=10 * DAY, runs=10 * DAY, gone=10 * DAY))


def test_a_whole_sweep_prunes_and_polls_and_half_a_sweep_do_not(world: World) -> None:
    acme, gone, parts = aged(world)
    for stream in (Stream.POLL, Stream.DUE):
        cycle(stream, parts)
    cycle(Stream.SWEEP, parts, Scope(limit=1))
    assert len(world.journal.history(gone)) > 0
    cycle(Stream.SWEEP, parts)
    assert world.journal.history(gone) == []
    tomb = world.journal.account(gone)
    assert tomb is not None
    assert (tomb.status, tomb.problem, tomb.name) == ("gone", ERASED, "")
    assert all(run.started_at > START + 11 * DAY for run in world.journal.runs(100))
    assert len(world.journal.evaluations(acme)) == 1


def test_where_no_sweep_comes_to_its_end_the_first_trailing_pass_of_a_day_prunes(world: World) -> None:
    _, gone, parts = aged(world)
    cycle(Stream.TRAILING, parts, Scope(going=lambda: False))
    assert len(world.journal.history(gone)) > 0
    cycle(Stream.TRAILING, parts)
    assert world.journal.history(gone) == []
    before = world.journal.history_since()
    world.clock.step(3600)
    cycle(Stream.TRAILING, parts)
    assert world.journal.history_since() == before
    world.clock.step(DAY)
    cycle(Stream.TRAILING, parts)
    assert world.journal.history_since() == world.clock() - 10 * DAY > before


@pytest.mark.parametrize("mode", [Mode.WRITE, Mode.ROUTE])
def test_an_account_forgotten_is_settled_by_its_seal_without_a_write(world: World, mode: Mode) -> None:
    acme = world.company(**GOOD)
    world.mode = mode
    world.quiesce()
    live = dict(world.live(acme))
    world.journal.forget(acme, now=world.clock())
    writes = len(world.writes(acme))
    world.clock.step(3600)
    world.cycle(Stream.SWEEP)
    assert dict(world.live(acme)) == live
    assert len(world.writes(acme)) == writes
    stored = world.journal.account(acme)
    assert stored is not None
    assert dict(stored.left_alone) == {}
    assert stored.confirmed["tier"].origin == "ours"


def test_an_edit_made_before_an_account_was_forgotten_is_still_peoples_after(world: World) -> None:
    acme = world.company(**GOOD)
    world.poll()
    world.clock.step(60)
    world.crm.edit(acme, live={"lane": "nurture"})
    world.poll()
    world.journal.forget(acme, now=world.clock())
    world.clock.step(3600)
    world.cycle(Stream.SWEEP)
    assert world.live(acme)["lane"] == "nurture"
    stored = world.journal.account(acme)
    assert stored is not None
    assert dict(stored.left_alone) == {"lane": ("nurture", "sales")}
