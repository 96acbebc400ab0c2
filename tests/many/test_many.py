"""One worker for many portals: what happens to one is no other's business, and none needs a restart."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import command
from tests.many.agency import Agency, agency, companies
from tests.many.people import FITS, SCORE

NAMES = ("p000", "p001", "p002")
SMALL = ("--portals", "2", "--accounts", "3", "--poll", "0.3", "--seconds", "1", "--rest", "0")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Agency]:
    with agency(tmp_path_factory.mktemp("many"), len(NAMES), accounts=4, poll=0.3) as ready:
        yield ready


def until(holds: Callable[[], object], what: str, made: Agency) -> None:
    """Wait for the worker; a minute is a failure, not a measure."""
    deadline = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < deadline, f"never: {what}\n{made.log[-3000:]}"
        time.sleep(0.1)


class Visitor:
    """Somebody who edits the companies of one portal, and sees the scores there."""

    def __init__(self, made: Agency, name: str) -> None:
        self.made, self.name, self.crm = made, name, made.portals[name]
        self.ids = [one["id"] for one in companies(self.crm)]

    def scores(self) -> list[str | None]:
        return [self.record(one).get(SCORE) for one in self.ids]

    def record(self, id: str) -> dict[str, Any]:
        found: Any = self.crm.admin(f"GET record/{id}")
        properties: dict[str, Any] = found["properties"]
        return properties

    def edit(self, at: int, employees: str) -> str:
        self.crm.admin("POST edit", id=self.ids[at], properties={"numberofemployees": employees})
        self.crm.admin("POST flush")
        return "100" if employees == FITS else "0"

    def lands(self, at: int, employees: str) -> None:
        """An edit, and the score that follows from it."""
        wanted = self.edit(at, employees)
        until(lambda: self.score(at) == wanted, f"{self.name}: {wanted}", self.made)

    def score(self, at: int) -> str | None:
        value = self.record(self.ids[at]).get(SCORE)
        return None if value in (None, "") else str(int(float(str(value))))

    def is_read(self) -> None:
        until(lambda: all(self.scores()), f"{self.name} is read through", self.made)


def states(made: Agency, name: str) -> set[str]:
    return {str(one["state"]) for one in made.healthz().get("connections", {}).get(name, {}).values()}


def asked(made: Agency, *words: str, code: int = 0) -> str:
    result = command(*words, "--config", str(made.config))
    assert result.exit_code == code, result.output
    return result.output


def test_a_portal_that_hangs_or_answers_only_429_keeps_no_other_waiting(made: Agency) -> None:
    made.write()
    ill, *others = [Visitor(made, name) for name in NAMES]
    with made.working(ends=0.5):
        for one in (ill, *others):
            one.is_read()
        for fault in ({"latency": 60}, None):
            if fault:
                ill.crm.admin("POST settings", **fault)
            else:
                ill.crm.admin("POST settings", latency=0)
                ill.crm.admin("POST faults", rules=[{"kind": "429", "match": "", "count": 1_000_000}])
            before = ill.score(0)
            unseen = ill.edit(0, FITS if before == "0" else "9000")
            for employees in (FITS, "9000"):
                wanted = {one.name: one.edit(0, employees) for one in others}
                until(lambda w=wanted: {one.name: one.score(0) for one in others} == w, f"{wanted}", made)  # type: ignore[misc]
            assert ill.score(0) == before != unseen, "it was ill all the time"
        ill.crm.admin("DELETE faults")


def test_connections_begin_change_and_end_while_the_others_go_on(made: Agency) -> None:
    made.write("p000", "p001")
    stays, goes, comes = [Visitor(made, name) for name in NAMES]
    with made.working() as worker:
        stays.is_read()
        goes.is_read()
        comes_with = made.section("p002", token="pat-na1-00000000-0000-0000-0000-000000000000")
        made.write("p000", "p001", extra=comes_with)  # looked at by itself; after this, when told to
        until(lambda: "halted" in states(made, "p002"), "the wrong token is noticed", made)
        assert "stopped" in next(line for line in asked(made, "status").splitlines() if "p002" in line)
        made.write("p000", "p001", "p002")
        worker.send_signal(signal.SIGHUP)
        comes.is_read()
        comes.lands(0, FITS)

        made.write("p000", extra=made.section("p001", more="nonsense = 3") + made.section("p002"))
        worker.send_signal(signal.SIGHUP)
        until(lambda: "settings not in effect" in asked(made, "status"), "the mistake is told", made)
        goes.lands(1, FITS)  # with the settings it had
        shown = asked(made, "status", "--connection", "p001", code=2)
        assert "nonsense" in shown
        assert "stopped" not in shown
        asked(made, "pause", "--connection", "p001")
        until(lambda: states(made, "p001") == {"paused"}, "what cannot be used can be paused", made)
        asked(made, "resume", "--connection", "p001")
        goes.lands(1, "9000")
        (made.folder / "icp-sync.toml").write_text("[connections\n")
        worker.send_signal(signal.SIGHUP)
        until(lambda: "not valid TOML" in made.log, "a file nobody can read is told", made)
        stays.lands(1, FITS)

        made.write("p000", "p002")
        worker.send_signal(signal.SIGHUP)
        until(lambda: "p001" not in made.healthz()["connections"], "it has ended", made)
        until(lambda: 'connection="p001"' not in made.metrics(), "and nothing is shown of it", made)
        unseen = goes.edit(2, FITS)
        stays.lands(2, FITS)
        comes.lands(2, FITS)
        assert goes.score(2) != unseen
        until(lambda: "settings not in effect" not in asked(made, "status"), "all is as the file says", made)
        made.config.write_text(made.config.read_text().replace("[health]\n", '[health]\nhost = "::"\n'))
        worker.send_signal(signal.SIGHUP)
        until(lambda: "from the next start on: health" in made.log, "what stays is told", made)
        assert worker.poll() is None


def test_what_is_paused_rests_until_it_is_resumed_and_what_was_stopped_is_tried_again(made: Agency) -> None:
    made.write()
    one, other, _ = [Visitor(made, name) for name in NAMES]
    one.edit(3, "9000")
    asked(made, "pause", "--connection", "p000", "--why", "a migration of theirs")
    again = asked(made, "pause", "--connection", "p000", code=2)
    assert "paused already" in again
    assert "a migration of theirs" in again
    for words in (("run", "--once"), ("run", "--backfill")):
        assert "is paused" in asked(made, *words, "--connection", "p000", code=2)
    with made.working():
        until(lambda: states(made, "p000") == {"paused"}, "it is paused from the start", made)
        before = len(writes(made, "p000"))
        one.edit(3, FITS)
        for employees in (FITS, "9000", FITS):
            other.lands(3, employees)
        assert len(writes(made, "p000")) == before
        assert "a migration of theirs" in asked(made, "status", "--connection", "p000")
        asked(made, "resume", "--connection", "p000")
        until(lambda: one.score(3) == "100", "it goes on where it was", made)

        asked(made, "pause", "--connection", "p001")
        until(lambda: states(made, "p001") == {"paused"}, "it is paused at work", made)
        unseen = other.edit(2, "9000" if other.score(2) == "100" else FITS)
        one.lands(2, "9000")
        one.lands(2, FITS)
        assert other.score(2) != unseen
        asked(made, "resume", "--connection", "p001")
        until(lambda: other.score(2) == unseen, "and goes on", made)

        one.crm.admin("POST tokens", token=one.crm.token, expired=True)
        until(lambda: "halted" in states(made, "p000"), "the token has expired", made)
        one.crm.admin("POST tokens", token=one.crm.token, expired=False)
        other.lands(1, "9000")
        assert "halted" in states(made, "p000"), "only a person helps"
        assert "was stopped" in asked(made, "resume", "--connection", "p000")
        one.lands(1, FITS)
    audited = asked(made, "audit", "--connection", "p000")
    assert "pause" in audited
    assert "resume" in audited


def writes(made: Agency, name: str) -> list[Any]:
    told: Any = made.portals[name].admin("GET writes", after=0, limit=5000)
    return [raw for raw in told["results"] if raw["property"] == SCORE]


def test_one_that_cannot_be_built_is_stopped_alone_and_mended_by_its_settings(made: Agency) -> None:
    missing = f'[[connections.p001.enrichers]]\nuse = "csv"\npath = "{made.folder}/not-there.csv"\n'
    made.write("p000", extra=made.section("p001") + missing)
    well, ill, _ = [Visitor(made, name) for name in NAMES]
    with made.working() as worker:
        well.lands(0, FITS if well.score(0) != "100" else "9000")
        assert states(made, "p001") == {"halted"}
        shown = asked(made, "status").splitlines()
        assert [line for line in shown if "p001" in line and "stopped" in line and "not-there.csv" in line]
        made.write("p000", "p001")
        worker.send_signal(signal.SIGHUP)
        ill.lands(0, FITS if ill.score(0) != "100" else "9000")
        until(lambda: "not-there.csv" not in asked(made, "status"), "what was mended is not shown", made)
    made.write("p001", extra=missing)
    alone = subprocess.run(
        [sys.executable, "-m", "icp_sync", "run", "--config", str(made.config)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert alone.returncode == 2, "an only connection fails loudly"
    assert "not-there.csv" in alone.stderr


def test_status_shows_each_connection_in_a_line_what_needs_somebody_first(made: Agency) -> None:
    made.write()
    asked(made, "pause", "--connection", "p002", "--why", "asleep")
    try:
        lines = asked(made, "status").splitlines()
        assert lines[0].startswith("3 connections: ")
        assert [line.split()[0] for line in lines[1:3]] == ["connection", "p002"]
        assert {line.split()[0] for line in lines[3:5]} == {"p000", "p001"}
        assert "asleep" in lines[2]
        found = command("status", "--json", "--config", str(made.config))
        assert '"state": "paused"' in found.stdout
        assert "name one with --connection" in asked(made, "status", "--held", code=2)
    finally:
        asked(made, "resume", "--connection", "p002")


def test_the_programme_measures_what_the_others_notice(tmp_path: Path) -> None:
    said = subprocess.run(
        [sys.executable, "-m", "tests.many", "--json", "--faults", "answers 429", *SMALL],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    assert '"lost": 0' in said.stdout
    assert '"answers 429"' in said.stdout
