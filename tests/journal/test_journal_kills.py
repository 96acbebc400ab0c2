"""kill -9 on either side of every commit: what was promised is there, and nothing of what was not."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from journal_builders import NOW, Worker, settled, write

from icp_sync.domain.facts import Signal
from icp_sync.journal import Journal
from icp_sync.ports import Position

CYCLE = """
import sys
sys.path.insert(0, sys.argv[2])
from journal_builders import NOW, Worker, employees, ours, settled, write
from icp_sync.journal import Journal
from icp_sync.observe import arm_faults_from_environment
from icp_sync.ports import Position
worker = Worker(Journal.open(sys.argv[1], "main"))
arm_faults_from_environment()
worker.journal.reserve("vendor", {"1.example": 1.0}, now=NOW, run="r")
worker.journal.record("vendor", "1.example", "hit", (employees(7),), 1.0, now=NOW, expires_at=NOW * 2)
worker.intend(write("1", tier="A", owner="ann@x"), assignments={"1": "ann@x"})
worker.commit(
    settled(
        "1", tier="A", owner="ann@x", version=1, confirmed={"tier": ours("A")}, resolved={"tier": ("A",)}
    ),
    position=Position(done_to=5),
)
"""


def killed_at(point: str, url: str) -> Journal:
    """A journal after a cycle's process was killed at this fault point."""
    done = subprocess.run(
        [sys.executable, "-c", CYCLE, url, str(Path(__file__).parent)],
        env=os.environ | {"ICP_SYNC_FAULT": point},
        check=False,
    )
    assert done.returncode == 137
    return Journal.open(url, "main")


@pytest.mark.parametrize(
    ("point", "asked", "bought", "intended", "committed"),
    [
        ("journal.reserve.before", False, False, False, False),
        ("journal.reserve.after", True, False, False, False),
        ("journal.record.before", True, False, False, False),
        ("journal.record.after", True, True, False, False),
        ("journal.intend.before", True, True, False, False),
        ("journal.intend.after", True, True, True, False),
        ("journal.commit.before", True, True, True, False),
        ("journal.commit.after", True, True, True, True),
    ],
)
def test_a_kill_loses_nothing_that_was_promised(
    url: str, point: str, asked: bool, bought: bool, intended: bool, committed: bool
) -> None:
    journal = killed_at(point, url)
    with journal.hold("next daemon"):
        journal.break_leases()
        worker = Worker(journal)
        memory = worker.recall("1")
        known = memory.of("1")
        assert journal.spent("vendor", 0) == (1.0 if asked else 0.0)
        assert ("vendor" in known.asked) == asked
        assert [signal.fact for signal in known.signals] == (["employees"] if bought else [])
        assert known.intents.get("tier", ()) == (("A",) if intended and not committed else ())
        assert ("tier" in known.confirmed) == committed
        assert memory.roster.loads.get("ann@x", 0) == (1 if intended else 0)
        assert journal.position("poll") == (Position(done_to=5) if committed else Position())

        worker.intend(write("1", tier="A"), memory=memory)
        worker.commit(settled("1", tier="A", owner="ann@x", version=known.version + 1))
        assert journal.tiers() == {"A": 1}
    journal.close()


def test_the_answer_bought_before_a_kill_is_not_bought_again(url: str) -> None:
    journal = killed_at("journal.record.after", url)
    assert journal.reserve("vendor", {"1.example": 1.0}, now=NOW + 1, run="r2").free == ()
    (signal,) = journal.recall({"1": "1.example"}, now=NOW + 1).of("1").signals
    assert isinstance(signal, Signal)
    assert journal.spent("vendor", 0) == 1.0
    journal.close()
