"""The unit people copy: systemd finds nothing wrong with it, and how little it leaves open is held."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

UNIT = Path(__file__).parents[2] / "deploy" / "systemd" / "icp-sync.service"
MOST_EXPOSED = 20
"""Tenths of systemd's own score, from 0 (nothing left open) to 100."""
REQUIRED = "ICP_SYNC_REQUIRE_SYSTEMD"

needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None and not os.environ.get(REQUIRED),
    reason="systemd-analyze is not on this machine (package systemd)",
)


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit as it would stand on a machine where the program is installed."""
    text = UNIT.read_text(encoding="utf-8")
    copy = tmp_path / UNIT.name
    copy.write_text(text.replace("/opt/icp-sync/bin/icp-sync", sys.executable), encoding="utf-8")
    return copy


def analyze(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["systemd-analyze", *arguments], capture_output=True, text=True, timeout=60)


@needs_systemd
def test_systemd_finds_nothing_to_say_about_the_unit(unit: Path) -> None:
    done = analyze("verify", "--man=no", str(unit))
    assert (done.stderr, done.returncode) == ("", 0)
    unit.write_text(unit.read_text().replace("WatchdogSec", "WatchdogSecs"), encoding="utf-8")
    assert "WatchdogSecs" in analyze("verify", "--man=no", str(unit)).stderr, "a wrong key would be seen"


@needs_systemd
def test_the_unit_leaves_little_open(unit: Path) -> None:
    done = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    assert done.returncode == 0, done.stdout.splitlines()[-1]
    unit.write_text("[Service]\nExecStart=/bin/true\n", encoding="utf-8")
    bare = analyze("security", "--offline=true", f"--threshold={MOST_EXPOSED}", str(unit))
    assert bare.returncode != 0, "a unit that holds nothing back would be seen"


def test_it_is_watched_for_longer_than_a_stop_may_take() -> None:
    said = dict(re.findall(r"^(\w+)=(.+)$", UNIT.read_text(encoding="utf-8"), re.MULTILINE))
    assert said["Type"] == "notify"
    assert int(said["WatchdogSec"]) > int(said["TimeoutStopSec"])
    assert said["RestartPreventExitStatus"] == "2", "what a person must correct is not tried again"
