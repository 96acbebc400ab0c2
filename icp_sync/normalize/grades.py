"""How well one system's industry class fits another's, and the tables such answers are read from."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from importlib.resources import files


class Grade(StrEnum):
    EXACT = "exact"
    BROAD = "broad"
    AMBIGUOUS = "ambiguous"
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Graded:
    """What a label says: `value` a HubSpot industry, `sector` a NAICS two-digit sector, each "" if unknown.

    candidates, sector_candidates: what it may mean, also where that is too many to choose from.
    """

    value: str = ""
    grade: Grade = Grade.NONE
    candidates: tuple[str, ...] = ()
    sector: str = ""
    sector_grade: Grade = Grade.NONE
    sector_candidates: tuple[str, ...] = ()


UNKNOWN = Graded()


def rows(name: str) -> Iterable[dict[str, str]]:
    """The rows of a table in `data/`."""
    text = files("icp_sync.normalize").joinpath("data", name).read_text(encoding="utf-8")
    return csv.DictReader(text.splitlines())
