"""What holds for every test: a busy machine makes nothing fail, and none leaves its logging to the next."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog
from hypothesis import HealthCheck, settings

settings.register_profile("shared", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("shared")


@pytest.fixture(autouse=True)
def _logs_of_its_own() -> Iterator[None]:
    """A command that ran in this process has set a level of its own."""
    yield
    structlog.reset_defaults()
