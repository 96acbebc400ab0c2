"""Whatever dies while news is decided or sent: all is told at least once, a task is given exactly once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.ports import Stream
from icp_sync.sync.cycle import cycle
from icp_sync.sync.telling.stream import tell
from tests.faults import dying
from tests.sync.processes import Nursery
from tests.sync.station import Station
from tests.sync.telling_world import TellingWorld, listening
from tests.sync.world import ANNA, BEN

WHERE = {"settle.write": 1, "journal.intend": 1, "journal.commit": 1, "journal.notice": 3, "telling.send": 3}
"""Fault points, and how many of their passages are tried; elsewhere other tests die."""


def prepared(folder: Path, *, tasks: bool = True, url: str = "") -> TellingWorld:
    """Two accounts about to rise, and one about to be given away."""
    folder.mkdir(exist_ok=True)
    world = TellingWorld(folder=folder, tasks=tasks, rep_url=url, operator_url=url)
    risers = [world.poor("One", owner=ANNA), world.poor("Two", owner=BEN)]
    world.poll()
    for account in risers:
        world.improve(account)
    world.good("Three")
    world.journal.raise_alert("robots", "two write here", now=world.clock())
    return world


def act(world: TellingWorld) -> None:
    world.settle()
    world.tell()


def made_good(world: TellingWorld) -> None:
    world.reopen()
    for _ in range(3):
        world.settle(8_000)
        world.tell()


def test_a_fault_anywhere_loses_no_news_and_doubles_no_task(tmp_path: Path) -> None:
    met = dying.passages(lambda: act(prepared(tmp_path / "whole")))
    assert {"telling.send.before", "telling.send.after", "journal.notice.after"} <= {
        point for point, _ in met
    }
    points = [(point, n) for point, n in met if n <= WHERE.get(point.rpartition(".")[0], 0)]
    for number, (point, passage) in enumerate(points):
        world = prepared(tmp_path / str(number))
        dying.raises(point, passage, lambda world=world: act(world))  # type: ignore[misc]
        made_good(world)
        where = f"{point}, passage {passage}"
        tasks = Counter(task.accounts for task in world.crm.beside.tasks.values())
        assert len(tasks) == 3, where
        assert set(tasks.values()) == {1}, where
        states = Counter(state for _, state in world.states)
        assert states == {"sent": 3}, where
        world.journal.close()


@pytest.mark.parametrize("point", ["telling.send.before", "telling.send.after", "journal.notice.before"])
@pytest.mark.parametrize("passage", [1, 2, 3, 4])
def test_a_message_to_a_webhook_arrives_at_least_once(tmp_path: Path, point: str, passage: int) -> None:
    with listening() as webhook:
        world = prepared(tmp_path / "world", tasks=False, url=webhook.url)
        dying.raises(point, passage, lambda: act(world))
        made_good(world)
        arrived = Counter(text.splitlines()[0] for text in webhook.texts)
        assert len(arrived) == 4, "three accounts and an alert"
        assert sum(arrived.values()) <= 5, "one of them twice at most"
        assert {one.state for one in world.journal.notices()} == {"sent"}


# Real processes


class Errands(Station):
    """A portal whose owners get tasks."""

    def access(self) -> str:
        return super().access() + '\n[connections.main.telling]\nby = "task"\ndigest = "off"'

    def hire(self) -> str:
        """A company like one of tier A, with an owner, as if somebody had just entered it."""
        if not hasattr(self, "_model"):
            best = [
                id
                for id in self.live_ids()
                if (stored := self.wired.journal.account(id)) is not None and stored.tier == "A"
            ]
            self._model = self.crm.admin("GET record", id=best[0])["properties"]
        owner = next(one.id for one in self.wired.crm.owners() if one.active)
        copied = {name: self._model.get(name) or "" for name in self.fields}
        made = self.crm.admin("POST create", properties={**copied, "hubspot_owner_id": owner})["id"]
        self.crm.admin("POST clock", advance=5)
        return str(made)

    def tasks_about(self, company: str) -> int:
        return len(self.crm.portal.errands.of(int(company)))


@pytest.fixture(scope="module")
def station(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Errands]:
    folder: Path = tmp_path_factory.mktemp("errands")
    nursery = Nursery(folder)
    made = Errands(folder, nursery, accounts=20)
    cycle(Stream.BACKFILL, made.wired.parts)
    tell(made.wired.parts)
    made.crm.admin("POST clock", advance=5)
    yield made
    made.close()
    nursery.close()


POINTS = ("journal.commit.after", "telling.send.after")


@pytest.mark.parametrize("point", POINTS)
def test_a_process_that_dies_leaves_each_owner_with_one_task(station: Errands, point: str) -> None:
    company = station.hire()
    ended = station.run("run", "--once", fault=point)
    assert ended.code == 137, f"{point} was not passed: {ended.err}"
    station.crm.admin("POST clock", advance=5)
    again = station.run("run", "--once")
    assert again.code == 0, again.err
    assert station.tasks_about(company) == 1
    told = [one for one in station.wired.journal.notices(audience="rep") if one.subject == company]
    assert [one.state for one in told] == ["sent"]
