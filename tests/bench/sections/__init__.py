"""The parts of the bench, in the order they are told. Each takes a folder of its own and how large to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.sections.bulk import bulk
from tests.bench.sections.buying import buying
from tests.bench.sections.cpu import cpu
from tests.bench.sections.size import Size
from tests.bench.table import Section

SECTIONS: Mapping[str, Callable[[Path, Size], Section]] = {
    "cpu": cpu,
    "bulk": bulk,
    "buying": buying,
}
