"""Connections that come and go with their files: what was taken out, what is a mishap, and what is told."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.changing import NOT_IN_EFFECT, Changing
from icp_sync.daemon.fleet import Fleet
from icp_sync.daemon.scheduling import FEW
from icp_sync.daemon.supply import Changes, Supply
from icp_sync.journal import Journal
from icp_sync.settings import Each, load_each
from icp_sync.wiring import open_journal
from tests.sync.world import Clock

TOKEN = "pat-eu1-0badcafe-0000-4000-8000-c0ffee000001"
PROFILE = Path(__file__).parents[1] / "many" / "profile.yaml"
SAID = f'profiles = ["{PROFILE}"]\n'
NAMES = ("acme", "globex")


def nothing(_: object) -> None:
    """There is no timetable here."""


class Place:
    """Settings in a folder, each connection's in a file of its own, tokens as variables."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.environ = folder, dict[str, str]()
        self.config, self.clock = folder / "config" / "icp-sync.toml", Clock()
        self.told: Path | None = self.config  # by --config; otherwise the worker looks in its usual place
        self.stopping = Stopping()
        self.journal: Journal | None = None
        (folder / "config" / "connections").mkdir(parents=True)

    @property
    def head(self) -> str:
        return f'journal = "sqlite:///{self.folder}/journal.sqlite"\nseal_file = "{self.folder}/seal.key"\n'

    def file(self, name: str) -> Path:
        return self.config.parent / "connections" / f"{name}.toml"

    def write(self, *names: str, common: str = "", said: str = SAID) -> None:
        self.config.write_text(self.head + common)
        for name in names:
            self.file(name).write_text(said)
            self.environ[f"ICP_SYNC_CONNECTIONS__{name.upper()}__TOKEN"] = TOKEN

    def supply(self) -> Supply:
        def load() -> Each:
            return load_each(self.told, self.environ)

        each = load()
        self.journal = open_journal(each.settings, "")
        return Supply(load, each, self.journal, self.stopping)

    def changing(self) -> tuple[Changing, Fleet]:
        supply, fleet = self.supply(), Fleet(self.clock)
        for name in supply.names:
            fleet.add(supply.make(name))
        made = Changing(fleet, supply, begin=nothing, end=nothing, lifted=set(), clock=self.clock)
        return made, fleet

    def alerts(self, name: str) -> list[str]:
        assert self.journal is not None
        return [
            alert.text for alert in self.journal.for_connection(name).alerts() if alert.name == NOT_IN_EFFECT
        ]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.stopping.drain()
    made.stopping.end()
    if made.journal is not None:
        made.journal.close()


def looked(supply: Supply) -> Changes:
    supply.hangup.set()
    found = supply.look()
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("common", "more"),
    [("", {}), (f"[defaults]\n{SAID}", {}), ("", {"BASE_URL": "https://hubspot.example"})],
)
def test_one_whose_file_is_gone_has_ended_though_variables_still_speak_of_it(
    place: Place, common: str, more: dict[str, str]
) -> None:
    place.write(*NAMES, common=common)
    place.environ |= {f"ICP_SYNC_CONNECTIONS__GLOBEX__{key}": value for key, value in more.items()}
    supply = place.supply()
    place.file("globex").unlink()
    assert looked(supply).ended == ("globex",)
    assert supply.names == ["acme"]
    for _ in range(2):
        assert looked(supply) == Changes(), "nor is it told as a broken one afterwards"


def test_one_whose_file_says_nonsense_has_not_ended(place: Place) -> None:
    place.write(*NAMES)
    supply = place.supply()
    for nonsense in ("", "nonsense = 3\n", "= \n"):
        place.file("globex").write_text(nonsense)
        found = looked(supply)
        assert (found.ended, list(found.broken)) == ((), ["globex"])


@pytest.mark.parametrize("how", ["emptied", "removed"])
def test_settings_that_nobody_can_mean_change_nothing(
    place: Place, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write(*NAMES, common="[defaults.quota]\nburst = 50\n")
    monkeypatch.chdir(place.folder)
    place.told, text = None, place.config.read_text()
    supply = place.supply()
    place.config.unlink() if how == "removed" else place.config.write_text("")
    found = looked(supply)
    assert (found.ended, found.replaced, supply.names) == ((), (), list(NAMES))
    assert [problem.where for problem in found.problems] == ["config/icp-sync.toml"]
    place.config.write_text(text)
    assert looked(supply) == Changes()


def test_the_last_connection_is_not_taken_out_by_a_file_that_is_missing(place: Place) -> None:
    place.write("acme", said=f'{SAID}token = "{TOKEN}"\n')
    place.environ.clear()
    supply = place.supply()
    place.file("acme").rename(place.folder / "acme.before")
    (problem,) = looked(supply).problems
    assert "stop the worker" in problem.what
    assert supply.names == ["acme"]


def test_what_an_earlier_worker_told_elsewhere_ends(place: Place) -> None:
    place.write(*NAMES)
    place.file("acme").write_text("nonsense = 3\n")
    changing, _ = place.changing()
    changing.look()
    assert "acme is not used" in place.alerts("globex")[0]
    place.write("acme")
    changing, _ = place.changing()
    changing.look()
    assert [place.alerts(name) for name in NAMES] == [[], []]


def test_a_worker_stays_while_one_waits_for_its_predecessor_and_the_others_are_halted(place: Place) -> None:
    place.write(*NAMES)
    changing, fleet = place.changing()
    page = fleet.members["globex"].loops["poll"]
    page.busy = True
    place.file("globex").write_text(SAID + '[alerts]\nwaiting = "7d"\n')
    for expected in (True, False, False):  # seen, taken up once it has stayed the same, and its page goes on
        changing.look()
        with changing.still() as still:
            assert still is expected
    page.busy = False
    changing.look()
    assert set(fleet.members) == set(NAMES)
    with changing.still() as still:
        assert still
        with changing.still() as another:
            assert not another, "whoever looks at the settings meanwhile may be replacing one"


def test_where_all_change_at_once_they_begin_again_spread_over_a_minute(place: Place) -> None:
    names = [f"c{number:02}" for number in range(24)]
    place.write(*names)
    supply = place.supply()
    portals = [supply.make(name) for name in names]
    daemon = Daemon(portals, place.stopping, supply=supply, clock=place.clock)
    assert daemon._changing is not None
    place.write(*names, common='[defaults.alerts]\nwaiting = "7d"\n')
    for _ in range(2):
        daemon._changing.look()
    assert {id(portal) for portal in daemon.fleet.portals}.isdisjoint(map(id, portals))
    now = place.clock()
    begins = [daemon.loops[f"{name}/poll"].expected - now for name in names]
    assert begins[:FEW] == [0.0] * FEW, "a few at once are no crowd"
    for quarter in range(4):
        assert sum(quarter * 15 <= after < quarter * 15 + 15 for after in begins[FEW:]) >= 3
