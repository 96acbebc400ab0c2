"""A short slice of the sections about growth, freshness and starting. Nothing here asserts a time."""

from __future__ import annotations

from dataclasses import asdict, replace
from xml.etree import ElementTree

from tests.bench.counted import Rest
from tests.bench.places import prepared, served, settings_of
from tests.bench.sections.growth import drawn, rows
from tests.bench.sections.growth.part import ONE_GO, Part, Pass, Poll, passed, polled
from tests.bench.table import Section


def grown(n: int, *, exponent: float = 1.0, megabytes: float = 150.0) -> Part:
    took = Pass(wall=n / 1_000, cpu=n**exponent / 2_000, megabytes=megabytes, calls=n // 50, written=n)
    return Part(
        accounts=n,
        first=took,
        second=took,
        caught=took,
        journal=9_000 * n,
        poll=Poll(cpu=0.02, statements=70, calls=1),
        rest=Rest(cpu=0.2, statements=240, megabytes=115),
        pages={"": (40.0, 60.0), "plan": (80.0, 90.0)},
    )


def test_a_pass_and_an_idle_poll_are_measured(tmp_path):
    with served(accounts=100) as crm:
        config = prepared(settings_of(crm, tmp_path, more=ONE_GO))
        first = passed(crm, config, "--backfill")
        idle = polled(crm, config)
    assert first.written > 50
    assert first.megabytes > 10
    assert idle.statements > 0


def test_what_grows_faster_than_n_log_n_or_takes_ever_more_memory_is_told():
    straight = {row.key: row.met for row in rows([grown(1_000), grown(10_000)])}
    steep = {row.key: row.met for row in rows([grown(1_000), grown(10_000, exponent=1.5, megabytes=190)])}
    assert straight["growth.slope.time"]
    assert straight["growth.memory"]
    assert not steep["growth.slope.time"]
    assert not steep["growth.memory"]


def test_the_picture_is_a_document_with_every_line_named():
    parts = [grown(1_000), grown(10_000), replace(grown(100_000), journal=5)]
    section = Section(title="Growth", data={"parts": [asdict(one) for one in parts]})
    told = "".join(ElementTree.fromstring(drawn(section)).itertext())
    assert all(name in told for name in ("first pass", "journal", "peak memory", "console", "100,000"))
