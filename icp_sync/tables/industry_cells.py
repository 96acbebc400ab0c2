"""A column of industries in the words of Salesforce's picklist, which `normalize.kinds` does not read.

Exports of an org hold the labels of its `Account.Industry`. Where they say one of HubSpot's industries they
are read as the connector reads them. Where a label spans several, its sector may still be certain.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from icp_sync.domain.facts import FactValue, choice
from icp_sync.normalize import industries
from icp_sync.normalize.grades import Grade
from icp_sync.normalize.salesforce_fields import SALESFORCE_DEFAULTS

_SYSTEM = "salesforce"

LABELS: Mapping[str, str] = next(s.values for s in SALESFORCE_DEFAULTS.sources if s.fact == "industry")
"""A label in lower case → HubSpot's industry, "" where it spans several or says nothing."""


def is_picklist(cells: Iterable[str]) -> bool:
    """Whether more of these cells are words only Salesforce's list has than words only HubSpot's has."""
    ours = theirs = 0
    for cell in cells:
        listed, known = _word(cell) in LABELS, bool(industries.from_hubspot(cell).value)
        theirs += listed and not known
        ours += known and not listed
    return theirs > ours


def of_several(cell: str) -> tuple[tuple[str, FactValue], ...] | None:
    """What a label that spans several industries says of the sector; nothing where that spans several too.
    None for any other cell."""
    if LABELS.get(_word(cell)) != "":
        return None
    read = industries.from_label(cell, _SYSTEM)
    if read.grade is not Grade.AMBIGUOUS:
        return None
    return (("sector", choice(read.sector)),) if read.sector else ()


def candidates(cell: str) -> tuple[str, ...]:
    """The industries that a label may mean, where it spans several."""
    read = industries.from_label(cell, _SYSTEM)
    return read.candidates if read.grade is Grade.AMBIGUOUS else ()


def _word(cell: str) -> str:
    return " ".join(cell.lower().split())
