"""Industry labels of several systems → HubSpot's industry enumeration and the NAICS 2022 sector, graded.

Taxonomies overlap without nesting, so every mapping says how good it is. Exact: the same class. Broad:
the label lies inside the class. Ambiguous: several classes, none of which is chosen. None: nothing
sensible. Only exact and broad ones give a value; the candidates of the rest are kept for `explain`.
Where the tables come from: `data/SOURCES.md`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache, lru_cache

from icp_sync.normalize.grades import UNKNOWN, Grade, Graded, rows
from icp_sync.normalize.industry_codes import CODE_SYSTEMS, from_code

__all__ = [
    "CODE_SYSTEMS",
    "SYSTEMS",
    "UNKNOWN",
    "Grade",
    "Graded",
    "from_code",
    "from_hubspot",
    "from_label",
    "names",
    "sector_of",
    "sector_title",
    "together",
]

SYSTEMS = ("hubspot", "linkedin", "pdl", "gics", "salesforce", "pytickersymbols")


_SPACE = re.compile(r"[^\w]+")
_ENUM = re.compile(r"[A-Z][A-Z0-9_]{1,99}")
_LONGEST = 200
_SEVERAL = frozenset(
    {
        "conglomerate",
        "conglomerate holding company",
        "conglomerate sogo shosha",
        "industrial conglomerates",
        "mischkonzern",
        "pest control conglomerate",
        "rail focused conglomerate",
        "sogo shosha",
    }
)
"""Labels that put a company into several industries at once: no other label of its counts beside them."""


def from_hubspot(raw: str) -> Graded:
    """HubSpot's `industry` property: one of the 148 standard values, its label, or a portal's own option.

    An option the portal added passes through as it is written, with no sector.
    """
    return _from_hubspot(raw) if len(raw) <= _LONGEST else UNKNOWN


@lru_cache(maxsize=2_048)
def _from_hubspot(raw: str) -> Graded:
    text = raw.strip()
    known = _hubspot().get(_fold(text))
    if known is not None:
        return known
    return Graded(value=text, grade=Grade.EXACT, candidates=(text,)) if _ENUM.fullmatch(text) else UNKNOWN


def from_label(raw: str, system: str) -> Graded:
    """A label of one of `SYSTEMS`, compared without case and punctuation. Raises KeyError on another system.

    linkedin: names of the first and the second taxonomy, and first-taxonomy ids. pdl: both generations.
    """
    if system == "hubspot":
        return from_hubspot(raw)
    labels = _labels(system)
    return labels.get(_fold(raw), UNKNOWN) if len(raw) <= _LONGEST else UNKNOWN


def together(labels: Sequence[str], system: str) -> Graded:
    """Several labels of one company as one answer: values must agree, and fit what the others allow."""
    if any(_fold(label) in _SEVERAL for label in labels):
        return UNKNOWN
    read = [from_label(label, system) for label in labels]
    values = dict.fromkeys(one.value for one in read if one.value)
    sectors = dict.fromkeys(one.sector for one in read if one.sector)
    value = next(iter(values)) if len(values) == 1 else ""
    sector = next(iter(sectors)) if len(sectors) == 1 else ""
    allowed = [set(one.sector_candidates) for one in read if one.sector_candidates]
    if sector and not all(sector in may for may in allowed):
        sector = ""
    if value and not _fits(value, read, allowed):
        value = ""
    return Graded(
        value=value,
        grade=_best((one.grade for one in read if one.value == value), bool(value), bool(values)),
        candidates=tuple(dict.fromkeys(name for one in read for name in one.candidates)),
        sector=sector,
        sector_grade=_best(
            (one.sector_grade for one in read if one.sector == sector), bool(sector), bool(sectors)
        ),
        sector_candidates=tuple(dict.fromkeys(code for one in read for code in one.sector_candidates)),
    )


def _fits(value: str, read: Iterable[Graded], allowed: Iterable[set[str]]) -> bool:
    """Whether no other label contradicts this industry, by its own candidates or by their sectors."""
    own = set(from_hubspot(value).sector_candidates)
    others = (one.candidates for one in read if one.grade is Grade.AMBIGUOUS and one.candidates)
    return all(value in candidates for candidates in others) and all(own & may for may in allowed)


def _best(grades: Iterable[Grade], chosen: bool, any_value: bool) -> Grade:
    if chosen:
        return Grade.EXACT if Grade.EXACT in set(grades) else Grade.BROAD
    return Grade.AMBIGUOUS if any_value else Grade.NONE


def sector_of(hubspot_enum: str) -> str:
    """The NAICS two-digit sector ("51", "31-33") of a HubSpot industry; "" where it spans several."""
    return from_hubspot(hubspot_enum).sector


@cache
def names() -> tuple[str, ...]:
    """HubSpot's 148 industries, in the order of their labels."""
    return tuple(row["hubspot_enum"] for row in rows("industries.csv"))


@cache
def sector_title(code: str) -> str:
    """The official title of a NAICS two-digit sector; "" when there is none."""
    return next((row["title"] for row in rows("naics_sectors.csv") if row["code"] == code), "")


def _fold(label: str) -> str:
    return _SPACE.sub(" ", label.casefold().replace("&", " and ")).replace("_", " ").strip()


@cache
def _hubspot() -> Mapping[str, Graded]:
    known: dict[str, Graded] = {}
    for row in rows("industries.csv"):
        graded = _industry(row, Grade.EXACT)
        known[_fold(row["hubspot_enum"])] = known[_fold(row["linkedin_v1_label"])] = graded
    return known


def _industry(row: Mapping[str, str], grade: Grade) -> Graded:
    """One of the 148 as answer to a label of the given grade; the sector is never better than the label."""
    value = row["hubspot_enum"] if grade is not Grade.AMBIGUOUS else ""
    sector_grade = Grade(row["naics2_grade"])
    if grade is Grade.BROAD and sector_grade is Grade.EXACT:
        sector_grade = Grade.BROAD
    return Graded(
        value=value,
        grade=grade,
        candidates=(row["hubspot_enum"],),
        sector=row["naics2"],
        sector_grade=sector_grade,
        sector_candidates=tuple(row["naics2_candidates"].split("|")),
    )


@cache
def _labels(system: str) -> Mapping[str, Graded]:
    """Folded label → meaning, for one system."""
    if system in ("linkedin", "pdl"):
        return _linkedin()
    if system not in SYSTEMS:
        raise KeyError(system)
    return {_fold(row["label"]): _row(row) for row in rows("industry_labels.csv") if row["system"] == system}


@cache
def _linkedin() -> Mapping[str, Graded]:
    """LinkedIn's two taxonomies. People Data Labs uses the same names in lower case."""
    known: dict[str, Graded] = {}
    for row in rows("linkedin_v2.csv"):
        sector = row["naics2"]
        known[_fold(row["label"])] = Graded(
            value=row["hubspot_enum"],
            grade=Grade(row["grade"]),
            candidates=(row["hubspot_enum"],) if row["hubspot_enum"] else (),
            sector=sector,
            sector_grade=Grade.BROAD if sector else Grade.NONE,
            sector_candidates=(sector,) if sector else (),
        )
    for row in rows("industries.csv"):
        known[_fold(row["linkedin_v2_label"])] = _industry(row, Grade(row["v2_grade"]))
    for row in rows("industries.csv"):
        graded = _industry(row, Grade.EXACT)
        for name in (row["linkedin_v1_label"], row["pdl_industry_v1"], row["linkedin_id"]):
            known[_fold(name)] = graded
    known.pop("", None)
    return known


def _row(row: Mapping[str, str]) -> Graded:
    grade, sector_grade = Grade(row["grade"]), Grade(row["sector_grade"])
    industries = tuple(filter(None, row["industries"].split("|")))
    sectors = tuple(filter(None, row["sectors"].split("|")))
    return Graded(
        value=industries[0] if grade in (Grade.EXACT, Grade.BROAD) else "",
        grade=grade,
        candidates=industries,
        sector=sectors[0] if sector_grade in (Grade.EXACT, Grade.BROAD) else "",
        sector_grade=sector_grade,
        sector_candidates=sectors,
    )
