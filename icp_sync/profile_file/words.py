"""Words in conditions, in the one spelling the facts use: country codes, industry enums, lower case.

Knows the vocabularies of `icp_sync.normalize`; a word outside them is a problem with a suggestion.
"""

from __future__ import annotations

from collections.abc import Sequence

from icp_sync.domain.facts import FactType
from icp_sync.normalize import countries, industries
from icp_sync.profile_file.reading import Path, Report, suggestion
from icp_sync.profile_file.values import shown


def read(
    raws: Sequence[object], fact: str, kind: FactType, path: Path, report: Report
) -> frozenset[str] | None:
    """The members a question names, canonical; None when one of them cannot be one."""
    found = set()
    before = len(report.problems)
    for index, raw in enumerate(raws):
        at = (*path, index) if (*path, index) in report.values else path
        try:
            found.add(_yes_no(raw) if kind is FactType.YES_NO else _word(raw, fact))
        except ValueError as error:
            report.value(at, str(error))
    return frozenset(found) if len(report.problems) == before else None


def _yes_no(raw: object) -> str:
    if isinstance(raw, bool):
        return "yes" if raw else "no"
    if isinstance(raw, str) and raw.strip().lower() in {"yes", "no"}:
        return raw.strip().lower()
    raise ValueError(f"{shown(raw)} is neither true nor false")


def _word(raw: object, fact: str) -> str:
    if isinstance(raw, bool) or not isinstance(raw, str | int):
        raise ValueError(f"{shown(raw)} is not a word; put it in quotes if it is meant as one")
    text = " ".join(str(raw).split())
    if not text:
        raise ValueError("an empty word")
    if fact == "country":
        return _country(text)
    if fact == "industry":
        return _industry(text)
    if fact == "sector":
        return _sector(text)
    return text.lower()


def _country(text: str) -> str:
    found = countries.code(text)
    if not found:
        raise ValueError(f"'{text}' is not a country, or could be several; write its code, for example US")
    return found


def _industry(text: str) -> str:
    """HubSpot's enum from the enum or its label; an option a portal added passes when it looks like one."""
    found = industries.from_hubspot(text).value
    if found in industries.names():
        return found
    near = suggestion(text.replace(" ", "_"), industries.names())
    if near or not found:
        hint = near or "write one of HubSpot's values, for example MACHINERY, or its label"
        raise ValueError(f"'{text}' is not an industry of HubSpot's list; {hint}")
    return found


def _sector(text: str) -> str:
    """A NAICS 2022 sector from its code, or from one of the codes it spans ("32" lies in "31-33")."""
    code = _SPANNED.get(text, text)
    if not industries.sector_title(code):
        raise ValueError(f"'{text}' is not a NAICS sector; write its two digits, for example 51 or 31-33")
    return code


_SPANNED = {"31": "31-33", "32": "31-33", "33": "31-33", "44": "44-45", "45": "44-45"} | {
    "48": "48-49",
    "49": "48-49",
}
