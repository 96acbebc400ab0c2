"""What holds for every test: a busy machine makes nothing fail, and none leaves its logging, or the secrets
that are kept out of it, to the next.

The program and its tests are compiled once and kept, whatever the environment says: dozens of tests start
interpreters of their own. Temporary folders are in memory where there is enough of it: a journal waits for
its disk at every commit. `TMPDIR` names another place for them.
"""

from __future__ import annotations

import logging
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, settings
from tenacity import wait_none

from icp_sync.http import transport

if os.environ.get("PYTHONDONTWRITEBYTECODE") != "never":  # as a copy of the package that is broken says
    sys.dont_write_bytecode = False
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

_MEMORY = Path("/dev/shm")
_ENOUGH = 2 * 1024**3
if "TMPDIR" not in os.environ and _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free > _ENOUGH:
    os.environ["TMPDIR"] = tempfile.tempdir = str(_MEMORY)

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")

_AS_USUAL = structlog.make_filtering_bound_logger(logging.INFO)
"""Without a line for every reply of a CRM, as the program is by itself."""
structlog.configure(wrapper_class=_AS_USUAL)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> object:
    """Neighbours stay together, so that what a file shares is made once; who is done takes from the rest."""
    if config.getoption("dist") != "load":
        return None
    from xdist.scheduler import WorkStealingScheduling

    return WorkStealingScheduling(config, log)


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """What this machine has no means for is said, and not lost among the dots."""
    reasons: dict[str, int] = {}
    for report in terminalreporter.stats.get("skipped", ()):
        said = report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
        reasons[said] = reasons.get(said, 0) + 1
    for said, count in sorted(reasons.items()):
        terminalreporter.write_line(f"left out: {count} ({said.removeprefix('Skipped: ')})")


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process nobody waits between two attempts."""
    monkeypatch.setattr(transport, "wait_random_exponential", lambda **_: wait_none())


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A command that ran in this process has set a level of its own, and its stderr is gone when it ends."""
    yield
    structlog.reset_defaults()
    structlog.configure(wrapper_class=_AS_USUAL)
