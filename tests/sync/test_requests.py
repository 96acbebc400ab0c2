"""What commands hand over: performed once, in order, by whoever holds the journal; it survives that one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

import pytest

from icp_sync.errors import AuthError, ConfigError, UnavailableError
from icp_sync.journal import Asked
from icp_sync.ports import Stream
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.requests import PERFORMERS, serve
from tests.sync.world import GOOD, World

ALL_AT_ONCE = Pacing(canary=0, wave=0)


class Died(BaseException):
    """The process is gone: nothing below may catch it."""


@pytest.fixture
def errands() -> Iterator[list[Asked]]:
    """A kind of request that only notes that it was performed."""
    done: list[Asked] = []

    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object]:
        done.append(asked)
        return {"said": asked.args["say"]}

    PERFORMERS["errand"] = perform
    yield done
    del PERFORMERS["errand"]


def ask(world: World, kind: str = "backfill", **args: object) -> str:
    world.clock.step(1)
    return world.journal.ask(kind, args, by="ada@laptop", now=world.clock())


def asked(world: World, request: str) -> Asked:
    found = world.journal.request(request)
    assert found is not None
    return found


def performed(world: World, scope: Scope | None = None, pacing: Pacing = ALL_AT_ONCE) -> bool:
    return serve(replace(world.parts(), pacing=pacing), scope or Scope(wait=world.clock.step))


def test_requests_are_performed_oldest_first_each_once(world: World, errands: list[Asked]) -> None:
    first, second = ask(world, "errand", say="one"), ask(world, "errand", say="two")
    assert performed(world)
    assert performed(world)
    assert not performed(world)
    assert [errand.id for errand in errands] == [first, second]
    assert (asked(world, first).state, asked(world, first).result) == ("done", {"said": "one"})


def test_a_handed_backfill_tells_how_far_it_is_and_what_it_did(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    request = ask(world)
    seen: list[Mapping[str, object]] = []

    def look(call: str) -> None:
        if call == "page":
            seen.append(asked(world, request).progress)

    world.crm._page_size = 5
    world.crm.before = look
    performed(world)
    assert [p.get("read", 0) for p in seen] == [0, 5, 10, 15, 20]
    ended = asked(world, request)
    assert ended.state == "done"
    assert (ended.result["read"], ended.result["written"]) == (20, 20)
    assert ended.result["changes"] == []


def test_one_that_is_cancelled_ends_after_its_page(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    request = ask(world)

    def cancel(call: str) -> None:
        if call == "write":
            world.journal.cancel_request(request, now=world.clock())

    world.crm._page_size = 5
    world.crm.before = cancel
    performed(world)
    assert asked(world, request).state == "cancelled"
    assert world.journal.counts() == {"settled": 5}
    assert not performed(world)


def test_a_backfill_that_somebody_pauses_fails_and_says_what_it_did(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    request = ask(world)

    def pause(call: str) -> None:
        if call == "write":
            world.journal.pause_backfills(by="ada", now=world.clock())

    world.crm._page_size = 5
    world.crm.before = pause
    performed(world)
    ended = asked(world, request)
    assert ended.state == "failed"
    assert "paused by ada" in str(ended.result["error"])
    assert ended.result["written"] == 5
    world.crm.before = lambda _: None
    ask(world, resume=True)
    performed(world)
    assert world.journal.counts() == {"settled": 20}


def test_one_whose_process_died_is_taken_up_where_it_was(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    world.backfill()
    world.version = 2
    request = ask(world, restart=True)

    def die(call: str) -> None:
        if call == "page" and asked(world, request).progress.get("read") == 10:
            raise Died

    world.crm._page_size = 5
    world.crm.before = die
    with pytest.raises(Died):
        performed(world)
    assert asked(world, request).state == "running"
    world.crm.before = lambda _: None
    world.reopen()
    performed(world)
    ended = asked(world, request)
    assert ended.state == "done"
    assert ended.result["read"] == 20, "the rest too, not all again, although it was asked to begin again"
    assert ended.progress["read"] == 20


def test_one_that_is_interrupted_by_a_stop_goes_on_with_the_next_process(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    world.crm._page_size = 5
    request = ask(world)
    going = [True]

    def stop(call: str) -> None:
        going[0] = call != "write"

    world.crm.before = stop
    performed(world, Scope(going=lambda: going[0]))
    assert asked(world, request).state == "running"
    world.crm.before = lambda _: None
    performed(world)
    assert asked(world, request).state == "done"
    assert world.journal.counts() == {"settled": 20}


@pytest.mark.parametrize("error", [UnavailableError("away"), AuthError("expired")])
def test_what_stops_the_connection_leaves_the_request_to_be_taken_up(world: World, error: Exception) -> None:
    world.company(**GOOD)
    request = ask(world, restart=True)

    def down(_: str) -> None:
        raise error

    world.crm.before = down
    with pytest.raises(type(error)):
        performed(world)
    assert (asked(world, request).state, asked(world, request).progress["waits"]) == ("running", str(error))
    world.crm.before = lambda _: None
    performed(world)
    assert asked(world, request).state == "done"


def test_a_wrong_request_fails_alone_and_says_why(world: World, errands: list[Asked]) -> None:
    wrong, unknown = ask(world, where=["nonsense"]), ask(world, "sing")
    fine = ask(world, "errand", say="hello")
    for _ in range(3):
        performed(world)
    assert asked(world, wrong).state == asked(world, unknown).state == "failed"
    assert "nonsense" in str(asked(world, wrong).result["error"])
    assert "'sing'" in str(asked(world, unknown).result["error"])
    assert asked(world, wrong).result["kind"] == "config"
    assert asked(world, fine).state == "done"


def test_what_nobody_foresaw_fails_the_request_and_stays_visible(world: World) -> None:
    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object]:
        raise ZeroDivisionError("a mistake of ours")

    PERFORMERS["broken"] = perform
    request = ask(world, "broken")
    with pytest.raises(ZeroDivisionError):
        performed(world)
    del PERFORMERS["broken"]
    assert asked(world, request).state == "failed"
    assert not performed(world)


def test_a_halted_backfill_keeps_its_reason_and_what_it_did(world: World) -> None:
    for n in range(100):
        world.company(f"C{n}", **GOOD)
    from tests.sync.test_waves import refusing

    world.crm.refuse = refusing(2)
    request = ask(world)
    performed(world, pacing=Pacing(canary=20))
    ended = asked(world, request)
    assert (ended.state, ended.result["kind"], ended.result["read"]) == ("failed", "unsafe", 20)
    assert ended.result["next_step"] == "icp-sync run --backfill --resume"
    world.crm.refuse = lambda _: None
    again = ask(world, resume=True)
    performed(world)
    assert (asked(world, again).state, asked(world, again).result["read"]) == ("done", 80)


def test_two_workers_perform_a_request_once(world: World, errands: list[Asked]) -> None:
    request = ask(world, "errand", say="once")
    both: list[bool] = []

    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object]:
        both.append(serve(world.parts(holder="two"), Scope()))
        return {}

    PERFORMERS["errand"] = perform
    assert serve(world.parts(holder="one"), Scope())
    assert both == [False]
    assert asked(world, request).state == "done"


def test_beside_a_backfill_of_the_worker_itself_it_waits_for_that_one(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    world.crm._page_size = 5
    request = ask(world)
    lease = world.journal.lease("backfill", holder="another", now=world.clock(), ttl=60)
    assert lease is not None

    def waits(seconds: float) -> None:
        """The other worker reads everything, and its lease ends."""
        world.journal.release_lease(lease)
        if world.journal.counts() == {}:
            world.cycle(Stream.BACKFILL)

    performed(world, Scope(wait=waits))
    assert (asked(world, request).state, asked(world, request).result) == ("done", {"joined": True})


def test_a_request_that_is_finished_cannot_be_cancelled(world: World, errands: list[Asked]) -> None:
    request = ask(world, "errand", say="done")
    performed(world)
    assert not world.journal.cancel_request(request, now=world.clock())


def test_an_unforeseen_configuration_fails_the_request_not_the_connection(world: World) -> None:
    def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object]:
        raise ConfigError("that file is gone", next_step="icp-sync plan --out plan.json")

    PERFORMERS["broken"] = perform
    request = ask(world, "broken")
    assert performed(world)
    del PERFORMERS["broken"]
    assert asked(world, request).result["next_step"] == "icp-sync plan --out plan.json"


def test_one_whose_last_page_is_settled_when_told_to_stop_is_done(world: World) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    request, read = ask(world), list[int]()
    performed(world, Scope(ticked=lambda report: read.append(report.read), going=lambda: read != [20]))
    assert (asked(world, request).state, asked(world, request).result["written"]) == ("done", 20)


@pytest.mark.parametrize("args", [{}, {"restart": True}, {"limit": 15}])
def test_one_whose_process_died_before_it_said_so_is_not_made_again(
    world: World, monkeypatch: pytest.MonkeyPatch, args: dict[str, object]
) -> None:
    for n in range(20):
        world.company(f"C{n}", **GOOD)
    world.crm._page_size = 5
    request = ask(world, **args)
    monkeypatch.setattr(world.journal, "end_request", dying)
    with pytest.raises(Died):
        performed(world)
    monkeypatch.undo()
    world.reopen()
    pages = list[str]()
    world.crm.before = pages.append
    performed(world)
    ended = asked(world, request)
    assert (ended.state, ended.result["read"]) == ("done", args.get("limit", 20))
    assert "page" not in pages


def dying(*_: object, **__: object) -> bool:
    raise Died


def test_an_undo_whose_process_died_before_it_said_so_tells_what_it_did_and_is_audited_once(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    for n in range(5):
        world.company(f"C{n}", **GOOD)
    world.backfill()
    run = next(run.id for run in world.journal.runs() if run.kind == "backfill")
    request = ask(world, "undo", run=run)
    for step in ("end_run", "end_request"):
        monkeypatch.setattr(world.journal, step, dying)
        with pytest.raises(Died):
            performed(world)
        monkeypatch.undo()
        world.reopen()
    performed(world)
    assert (asked(world, request).state, asked(world, request).result["restored"]) == ("done", 5)
    assert [run.kind for run in world.journal.runs()].count("undo") == 1
    assert [entry.what for entry in world.journal.audited()] == ["undo"]


def test_an_undo_does_not_wait_for_a_backfill_that_waits(world: World) -> None:
    world.company(**GOOD)
    world.backfill()
    run = next(run.id for run in world.journal.runs() if run.kind == "backfill")

    def used_up(call: str) -> None:
        if call == "page":
            raise UnavailableError("the day's calls are used up", retry_after=36_000)

    world.crm.before = used_up
    waits = ask(world, restart=True)
    with pytest.raises(UnavailableError):
        performed(world)
    undo = ask(world, "undo", run=run)
    assert performed(world)
    assert (asked(world, waits).state, asked(world, undo).state) == ("running", "done")


def test_of_a_request_that_names_a_forgotten_account_nothing_is_done(world: World) -> None:
    ids = [world.company(f"C{n}", **GOOD) for n in range(3)]
    world.backfill()
    run = next(run.id for run in world.journal.runs() if run.kind == "backfill")
    request, other = ask(world, "undo", run=run, ids=[ids[0]]), ask(world, "undo", run=run, ids=ids[1:2])
    world.journal.forget(ids[0], now=world.clock())
    assert asked(world, request).state == "cancelled"
    assert ids[0] not in str(asked(world, request))
    performed(world)
    assert (asked(world, other).state, asked(world, other).result["restored"]) == ("done", 1)
    assert world.live(ids[2])["tier"]


def test_an_undo_of_no_account_is_not_one_of_all(world: World) -> None:
    world.company(**GOOD)
    world.backfill()
    run = next(run.id for run in world.journal.runs() if run.kind == "backfill")
    request = ask(world, "undo", run=run, ids=[])
    performed(world)
    assert (asked(world, request).state, asked(world, request).result["kind"]) == ("failed", "config")
