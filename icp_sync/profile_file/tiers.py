"""Tiers and timing grades of a profile: thresholds that fall, and how calmly a tier moves."""

from __future__ import annotations

from typing import Any

from icp_sync.domain.profile import Tiers
from icp_sync.profile_file import values
from icp_sync.profile_file.entries import entry
from icp_sync.profile_file.reading import Path, Report
from icp_sync.profile_file.schema import TiersEntry


def build_tiers(data: Any, report: Report) -> Tiers:
    path: Path = ("tiers",)
    asked = entry(TiersEntry, data, path, report)
    if asked is None:
        return Tiers()
    scores = (asked.A, asked.B, asked.C, asked.D)
    if not 100 >= asked.A > asked.B > asked.C > asked.D >= 0:
        report.value(path, f"tiers {scores} do not fall strictly from A to D within 0 to 100")
    elif asked.D != 0:
        report.value((*path, "D"), "D takes everything below C, so it begins at 0", "write D: 0")
    if not 0 <= asked.hysteresis <= 50:
        report.value((*path, "hysteresis"), f"{asked.hysteresis} points of hysteresis", "0 to 50")
    dwell, coverage = Tiers().dwell, Tiers().min_coverage
    try:
        dwell = dwell if asked.dwell is None else values.duration(asked.dwell)
    except ValueError as error:
        report.value((*path, "dwell"), str(error))
    try:
        coverage = coverage if asked.min_coverage is None else values.share(asked.min_coverage)
    except ValueError as error:
        report.value((*path, "min_coverage"), str(error))
    return Tiers(
        a=asked.A,
        b=asked.B,
        c=asked.C,
        d=asked.D,
        hysteresis=asked.hysteresis,
        dwell=dwell,
        min_coverage=coverage,
    )


def build_grades(data: Any, report: Report) -> tuple[int, int]:
    path: Path = ("timing_grades",)
    if not isinstance(data, dict):
        report.value(path, "'timing_grades' should be a mapping", "for example {1: 60, 2: 30}")
        return (60, 30)
    for key in data:
        if key not in (1, 2) or isinstance(key, bool):
            report.key((*path, key), f"unknown grade '{key}'", "1 and 2; whatever is below is grade 3")
    first, second = data.get(1, 60), data.get(2, 30)
    whole = all(isinstance(g, int) and not isinstance(g, bool) for g in (first, second))
    if not whole or not 0 < second < first <= 100:
        report.value(path, "grades fall from 1 to 2, within 1 to 100", "for example {1: 60, 2: 30}")
        return (60, 30)
    return (first, second)
