"""The parts of the bench, in the order they are told. Each takes a folder of its own and how large to be."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from tests.bench.sections.adversarial import adversarial
from tests.bench.sections.bulk import bulk
from tests.bench.sections.buying import buying
from tests.bench.sections.ceiling import ceiling
from tests.bench.sections.cpu import cpu
from tests.bench.sections.defaults import defaults
from tests.bench.sections.economy import economy
from tests.bench.sections.freshness import freshness
from tests.bench.sections.growth import growth
from tests.bench.sections.loops import loops
from tests.bench.sections.peers import peers
from tests.bench.sections.scoring import scoring
from tests.bench.sections.size import Size
from tests.bench.sections.startup import startup
from tests.bench.table import Section

SECTIONS: Mapping[str, Callable[[Path, Size], Section]] = {
    "ceiling": ceiling,
    "defaults": defaults,
    "economy": economy,
    "loops": loops,
    "adversarial": adversarial,
    "peers": peers,
    "cpu": cpu,
    "bulk": bulk,
    "buying": buying,
    "scoring": scoring,
    "growth": growth,
    "freshness": freshness,
    "startup": startup,
}
