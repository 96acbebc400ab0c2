"""What others wrote and we ship is byte for byte what they published, with its licence beside it."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

STATIC = Path(__file__).parents[2] / "icp_sync" / "console" / "static"
PUBLISHED = {
    "htmx.min.js": "a0abb04f2f45a1f89d1d4844023245537e5e6014c87b144553e0607b4cc32130",  # htmx.org 4.0.1
    "uPlot.iife.min.js": "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f",  # uplot 1.6.32
    "uPlot.min.css": "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04",  # uplot 1.6.32
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_a_file_of_others_is_as_it_was_published(name: str) -> None:
    assert sha256((STATIC / name).read_bytes()).hexdigest() == PUBLISHED[name]
    assert (STATIC / f"{name.partition('.')[0]}.LICENSE").stat().st_size > 300
