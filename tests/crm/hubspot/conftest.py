from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm.hubspot.world import Portal


@pytest.fixture
def portal() -> Iterator[Portal]:
    """A portal with our properties and no companies."""
    portal = Portal()
    yield portal
    portal.close()
