"""A story of the small world told once undisturbed and then with faults; and what must hold then.

The oracle is the same story without a fault, on the same clock: whatever stumbled, in the end every record
says what it says there, nothing was ever written that was not written there, and no more often than a
repetition explains. What people wrote stays, and nothing of ours passes for theirs.
"""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

from icp_sync.crm.memory import OURS
from icp_sync.domain.standing import FIELDS, FieldType
from icp_sync.ports import Stream, Unavailable
from icp_sync.sync.backfill import backfill
from icp_sync.sync.cycle import LEASE_SECONDS, Scope
from icp_sync.sync.pacing import Pacing
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted
from tests import postgres
from tests.faults import dying
from tests.faults.place import BOOK, HUMAN, Place, departed, founded, running, selling
from tests.sync.world import Vendor, World

STEADY = frozenset(
    name
    for name in OURS
    if name != "seal"
    and (name == "owner" or not FIELDS[name].theirs)
    and (name == "owner" or FIELDS[name].type is not FieldType.DATETIME)
)
"""Fields whose value does not depend on the instant at which it was decided."""

Log = Mapping[tuple[str, str], Counter[str]]
"""(account, field) → how often each value was written."""


@dataclass(frozen=True)
class Story:
    """What is prepared, and the act that stumbles: a cycle of this stream, or what `doing` does instead.

    sealed: whether the CRM has the seal's field; where it has not, the intents alone tell what is ours.
    """

    prepare: Callable[[Place], None]
    stream: Stream
    doing: Callable[[Place], None] | None = None
    sealed: bool = True

    @property
    def name(self) -> str:
        return f"{self.doing.__name__ if self.doing else self.stream.value} of {self.prepare.__name__}"

    def act(self, place: Place) -> None:
        if self.doing is None:
            place.world.cycle(self.stream)
        else:
            self.doing(place)


def undo_backfill(place: Place) -> None:
    """Take back the first backfill; an undo that stopped goes on, one that is done does nothing."""
    first = next(run.id for run in place.world.journal.runs(1000) if run.kind == Stream.BACKFILL.value)
    undo(Wanted(run=first), place.world.parts(holder="undo"), Scope())


def follow_deals(place: Place) -> None:
    """Read the deals and stamp those that are new."""
    place.follow_deals()


def share_backfill(place: Place) -> None:
    """The first backfill, cut into ranges before anything is read; what was begun of it is gone on with."""
    parts = replace(place.world.parts(), pacing=Pacing(canary=0, wave=0, partitions=3))
    backfill(parts, Scope(wait=place.world.clock.step))


STORIES = (
    Story(founded, Stream.BACKFILL, sealed=False),
    Story(running, Stream.POLL),
    Story(departed, Stream.SWEEP),
    Story(running, Stream.POLL, undo_backfill),
    Story(selling, Stream.POLL, follow_deals),
    Story(founded, Stream.BACKFILL, share_backfill),
)


@contextmanager
def begun(story: Story, database: str) -> Iterator[Place]:
    """The world just before the act."""
    folder = Path(mkdtemp(prefix="icp-sync-faults-"))
    vendor = Vendor(book=BOOK)
    server = postgres.server() if database == "postgresql" else None
    fields = [name for name in OURS if story.sealed or name != "seal"]
    world = World(folder=folder, enrichers=(vendor,), page_size=2, server=server, fields=fields)
    place = Place(world, vendor)
    try:
        story.prepare(place)
        yield place
    finally:
        place.world.journal.close()
        shutil.rmtree(folder, ignore_errors=True)


def come_to_rest(place: Place, story: Story) -> None:
    """What a worker does in the hours after: the same again, then every stream."""
    world = place.world
    world.clock.step(LEASE_SECONDS + 10)
    story.act(place)
    for stream in (Stream.DUE, Stream.POLL, Stream.TRAILING, Stream.SWEEP):
        world.clock.step(4000)
        world.cycle(stream)


def written(place: Place) -> Log:
    log: dict[tuple[str, str], Counter[str]] = {}
    for _, account_id, name, value in place.world.crm.writes:
        if name in STEADY:
            log.setdefault((account_id, name), Counter())[value] += 1
    return log


def standing(place: Place) -> dict[str, dict[str, str]]:
    world = place.world
    return {
        key[1]: {name: value for name, value in world.live(key[1]).items() if name in STEADY}
        for key in world.crm._order
    }


@dataclass(frozen=True)
class Told:
    standing: Mapping[str, Mapping[str, str]]
    written: Log
    asked: Counter[str]
    left_alone: frozenset[tuple[str, str]]
    stamps: Mapping[str, Mapping[str, str]]


def told(place: Place) -> Told:
    held = frozenset((one.account_id, one.field) for one in place.world.journal.left_alone())
    stamps = {deal.id: deal.stamp for deal in place.world.crm.deals(0)}
    return Told(standing(place), written(place), Counter(place.vendor.asked), held, stamps)


@cache
def undisturbed(story: Story, *, answered: bool = True) -> Told:
    """What becomes of it without a fault; not answered: where nobody knows of a question whether it was."""
    with begun(story, "sqlite") as place:
        place.vendor.instead = lambda _: None if answered else Unavailable(kind="throttled")
        story.act(place)
        place.vendor.instead = lambda _: None
        come_to_rest(place, story)
        return told(place)


def check_now(place: Place) -> None:
    """Right after the fault: no position is past an account that is not settled, and nobody's value is
    called a person's."""
    world = place.world
    people = {(id, name) for id, name, _ in typed(place)}
    assert {(one.account_id, one.field) for one in world.journal.left_alone()} <= people
    backfill = world.journal.position(Stream.BACKFILL.value)
    for stream in (Stream.POLL, Stream.TRAILING):
        done_to = world.journal.position(stream.value).done_to
        for key in world.crm._order:
            row = world.crm._rows[key[1]]
            if row.indexed is not None and row.indexed == row.account.stamp < done_to and backfill.finished:
                known = world.journal.account(key[1])
                assert known is not None
                assert known.stamp >= row.account.stamp, f"{stream} passed {key[1]}"
    for _, account_id in world.crm._order:
        if backfill.last_id and int(account_id) <= int(backfill.last_id):
            known = world.journal.account(account_id)
            assert known is not None
            assert known.status, f"the backfill passed {account_id}"


def typed(place: Place) -> list[tuple[str, str, str]]:
    """(account, field, value) of what a person wrote into a field of ours."""
    field_, value = HUMAN
    return [
        (key[1], field_, value) for key in place.world.crm._order if place.world.live(key[1])[field_] == value
    ]


UNANSWERED = ("journal.reserve.after", "enrich.ask.before", "enrich.answer.after", "journal.record.before")
"""Between these a question was sent, or not: it is not asked again for an hour."""


def check_rest(place: Place, story: Story, *, answered: bool | None = True) -> None:
    """At rest: as if nothing had happened, but for repetitions; and a second pass writes nothing.

    answered: whether the vendor was heard; None where either may be.
    """
    found = told(place)
    calm = undisturbed(story, answered=answered is not False)
    if answered is None and found.standing != calm.standing:
        calm = undisturbed(story, answered=False)
    assert found.standing == calm.standing
    assert found.left_alone == calm.left_alone
    assert found.stamps == calm.stamps
    notes = [note.id for note in place.world.crm.beside.notes]
    assert len(notes) == len(set(notes)), "a deal was stamped twice"
    for key, values in found.written.items():
        expected = calm.written.get(key, Counter())
        assert values.keys() <= expected.keys(), f"{key} was given {values}, undisturbed {expected}"
        for value, times in values.items():
            assert times <= expected[value] + 1, f"{key} was given {value!r} {times} times"
    for domain, times in found.asked.items():
        assert times <= calm.asked[domain] + 1, f"{domain} was asked for {times} times"
    memory = place.world.journal.recall(dict.fromkeys(found.standing, ""), now=place.world.clock())
    counted = {owner: n for owner, n in memory.roster.loads.items() if n}
    assert counted == _recount(place, found)
    before = len(place.world.crm.writes)
    for stream in (Stream.DUE, Stream.SWEEP):
        place.world.cycle(stream)
    assert len(place.world.crm.writes) == before, "it never comes to rest"


def _recount(place: Place, found: Told) -> dict[str, int]:
    owners = Counter(
        place.world.account(id).owner
        for id in found.standing
        if (known := place.world.journal.account(id)) is not None and known.in_scope
    )
    return {owner: n for owner, n in owners.items() if owner}


def passages(story: Story) -> list[tuple[str, int]]:
    """Every fault point the act comes by, each time."""
    with begun(story, "sqlite") as place:
        return dying.passages(lambda: story.act(place))


def with_exception(story: Story, database: str, point: str, passage: int) -> None:
    """The act meets an exception and the same process goes on."""
    with begun(story, database) as place:
        assert dying.raises(point, passage, lambda: story.act(place)), f"{point} was not passed"
        check_now(place)
        come_to_rest(place, story)
        check_rest(place, story, answered=point not in UNANSWERED)


def with_death(story: Story, database: str, point: str, passage: int) -> None:
    """The process dies in the midst of the act, and another opens the same journal."""
    with begun(story, database) as place:
        place.world.journal.close()  # a child must share neither files nor sessions

        def act() -> None:
            place.note_writes()
            story.act(place)

        died, outside = dying.dies(point, passage, act, place.outside)
        assert died, f"{point} was not passed"
        place.catch_up(*outside)
        place.world.reopen()
        check_now(place)
        come_to_rest(place, story)
        check_rest(place, story, answered=point not in UNANSWERED)
