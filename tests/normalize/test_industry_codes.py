"""Codes of official classifications become an industry and a sector where all that they hold has the same."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

import icp_sync.normalize
from icp_sync.normalize.industries import CODE_SYSTEMS, UNKNOWN, Grade, from_code, from_hubspot, sector_title

DATA = Path(icp_sync.normalize.__file__).parent / "data"


def rows(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader((DATA / name).read_text(encoding="utf-8").splitlines()))


@pytest.mark.parametrize(
    ("code", "system", "industry", "grade", "sector"),
    [
        ("511210", "naics", "COMPUTER_SOFTWARE", "exact", "51"),
        ("513210", "naics", "COMPUTER_SOFTWARE", "exact", "51"),
        ("5415", "naics", "INFORMATION_TECHNOLOGY_AND_SERVICES", "exact", "54"),
        ("541512", "naics", "INFORMATION_TECHNOLOGY_AND_SERVICES", "broad", "54"),
        ("541110", "naics", "LAW_PRACTICE", "exact", "54"),
        ("524", "naics", "INSURANCE", "exact", "52"),
        ("524113", "naics", "INSURANCE", "broad", "52"),
        ("722511", "naics", "RESTAURANTS", "broad", "72"),
        ("334413", "naics", "SEMICONDUCTORS", "exact", "31-33"),
        ("445110", "naics", "SUPERMARKETS", "exact", "44-45"),
        ("484121", "naics", "TRANSPORTATION_TRUCKING_RAILROAD", "broad", "48-49"),
        ("7372", "sic", "COMPUTER_SOFTWARE", "broad", "51"),
        ("6022", "sic", "BANKING", "broad", "52"),
        ("2834", "sic", "PHARMACEUTICALS", "broad", "31-33"),
        ("3674", "sic", "SEMICONDUCTORS", "exact", "31-33"),
        ("0111", "sic", "FARMING", "broad", "11"),
        ("119", "sic", "FARMING", "broad", "11"),
        ("3570", "sic", "COMPUTER_HARDWARE", "broad", "31-33"),
        ("62020", "uk_sic", "INFORMATION_TECHNOLOGY_AND_SERVICES", "broad", "54"),
        ("70229", "uk_sic", "MANAGEMENT_CONSULTING", "broad", "54"),
        ("58290", "uk_sic", "COMPUTER_SOFTWARE", "broad", "51"),
        ("01110", "uk_sic", "FARMING", "broad", "11"),
        ("1110", "uk_sic", "FARMING", "broad", "11"),
        ("58.29", "nace", "COMPUTER_SOFTWARE", "broad", "51"),
        ("J58.29", "nace", "COMPUTER_SOFTWARE", "broad", "51"),
        ("10.51", "nace", "DAIRY", "broad", "31-33"),
        ("5820", "isic", "COMPUTER_SOFTWARE", "broad", "51"),
        ("47", "isic", "RETAIL", "exact", "44-45"),
    ],
)
def test_a_code_has_an_industry_and_a_sector(
    code: str, system: str, industry: str, grade: str, sector: str
) -> None:
    found = from_code(code, system)
    assert (found.value, found.grade, found.sector) == (industry, grade, sector)


@pytest.mark.parametrize(
    ("code", "system", "candidates", "sector"),
    [
        ("541511", "naics", {"INFORMATION_TECHNOLOGY_AND_SERVICES", "COMPUTER_SOFTWARE"}, "54"),
        ("518210", "naics", {"INFORMATION_TECHNOLOGY_AND_SERVICES", "INTERNET", "COMPUTER_SOFTWARE"}, "51"),
        ("7371", "sic", {"INFORMATION_TECHNOLOGY_AND_SERVICES", "COMPUTER_SOFTWARE"}, ""),
        ("62.01", "nace", {"INFORMATION_TECHNOLOGY_AND_SERVICES", "COMPUTER_SOFTWARE"}, ""),
        ("782", "sic", {"MOTION_PICTURES_AND_FILM"}, ""),  # group 782, or gardens (0782) without their zero
        ("100", "sic", {"MINING_METALS", "FARMING"}, ""),
        ("69", "isic", {"LAW_PRACTICE", "LEGAL_SERVICES", "ACCOUNTING"}, "54"),
    ],
)
def test_a_code_that_holds_several_industries_has_none(
    code: str, system: str, candidates: set[str], sector: str
) -> None:
    found = from_code(code, system)
    assert (found.value, found.grade, set(found.candidates)) == ("", Grade.AMBIGUOUS, candidates)
    assert found.sector == sector


def test_a_code_with_a_sector_but_no_industry_says_the_sector() -> None:
    said = (("551114", "naics", "55"), ("82990", "uk_sic", "56"), ("31-33", "naics", "31-33"))
    for code, system, sector in said:
        found = from_code(code, system)
        assert (found.value, found.grade, found.sector) == ("", Grade.NONE, sector)


@pytest.mark.parametrize(
    ("code", "system"),
    [
        ("999999", "naics"),
        ("5", "naics"),
        ("54151100", "naics"),
        ("54-55", "naics"),
        ("6770", "sic"),  # a blank cheque company: the SEC's own, in no edition of the manual
        ("9999", "sic"),
        ("99999", "uk_sic"),
        ("A", "nace"),
        ("62.0.1x", "nace"),
        ("", "isic"),
        ("６２", "isic"),
        ("software", "naics"),
        ("5" * 1_000_000, "naics"),
    ],
    ids=lambda value: ascii(value)[:20],
)
def test_what_is_no_code_of_the_system_is_unknown(code: str, system: str) -> None:
    assert from_code(code, system) == UNKNOWN


def test_another_system_is_a_mistake_of_the_caller() -> None:
    with pytest.raises(KeyError):
        from_code("62", "gics")


def test_every_code_of_every_system_gives_known_names_and_never_more_than_it_may() -> None:
    for row in rows("code_concordances.csv"):
        found = from_code(row["code"], row["system"])
        assert (found.value != "") == (found.grade in (Grade.EXACT, Grade.BROAD))
        assert (found.sector != "") == (found.sector_grade in (Grade.EXACT, Grade.BROAD))
        assert all(from_hubspot(name).grade is Grade.EXACT for name in found.candidates)
        assert all(sector_title(code) for code in found.sector_candidates)
        assert found.value in ("", *found.candidates)


def test_every_prefix_mapped_by_hand_holds_a_code_of_its_system() -> None:
    codes = [(row["system"], row["code"]) for row in rows("code_concordances.csv")]
    for row in rows("code_industries.csv"):
        assert row["system"] in CODE_SYSTEMS
        assert any(s == row["system"] and code.startswith(row["prefix"]) for s, code in codes), row


def test_the_tables_stay_small() -> None:
    tables = ("code_industries.csv", "code_concordances.csv")
    assert sum((DATA / name).stat().st_size for name in tables) < 150_000
