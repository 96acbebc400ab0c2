"""Industry labels are mapped with a grade, and only certain mappings give a value."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from icp_sync.normalize import industries
from icp_sync.normalize.industries import Grade, from_hubspot, from_label, sector_of, sector_title, together


def rows(name: str) -> list[dict[str, str]]:
    text = files("icp_sync.normalize").joinpath("data", name).read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_hubspots_148_values_map_to_themselves() -> None:
    assert len(industries.names()) == len(set(industries.names())) == 148
    for name in industries.names():
        read = from_hubspot(name)
        assert (read.value, read.grade) == (name, Grade.EXACT)


def test_labels_of_hubspot_linkedin_and_people_data_labs_agree() -> None:
    for row in rows("industries.csv"):
        assert from_hubspot(row["linkedin_v1_label"]).value == row["hubspot_enum"]
        assert from_label(row["linkedin_v1_label"], "linkedin").value == row["hubspot_enum"]
        if row["linkedin_id"]:
            assert from_label(row["linkedin_id"], "linkedin").value == row["hubspot_enum"]
            assert from_label(row["pdl_industry_v1"].upper(), "pdl").value == row["hubspot_enum"]


def test_a_portals_own_option_passes_through_without_a_sector() -> None:
    own = from_hubspot("FINTECH_PLATFORMS")
    assert (own.value, own.sector) == ("FINTECH_PLATFORMS", "")
    assert from_hubspot("Technology").value == ""


@pytest.mark.parametrize(
    ("name", "sector"),
    [
        ("COMPUTER_SOFTWARE", "51"),
        ("BANKING", "52"),
        ("MACHINERY", "31-33"),
        ("RETAIL", "44-45"),
        ("UTILITIES", "22"),
        ("AUTOMOTIVE", ""),
        ("CONSUMER_GOODS", ""),
        ("NOT_AN_INDUSTRY", ""),
    ],
)
def test_an_industry_has_a_sector_unless_it_spans_several(name: str, sector: str) -> None:
    assert sector_of(name) == sector


@pytest.mark.parametrize(
    ("label", "system", "value", "grade", "sector"),
    [
        ("Financials", "gics", "", Grade.AMBIGUOUS, "52"),
        ("Utilities", "gics", "UTILITIES", Grade.EXACT, "22"),
        ("Industrials", "gics", "", Grade.AMBIGUOUS, ""),
        ("Industrials", "pytickersymbols", "", Grade.AMBIGUOUS, ""),
        ("Conglomerate", "pytickersymbols", "", Grade.NONE, ""),
        ("Regional Banks", "pytickersymbols", "BANKING", Grade.EXACT, "52"),
        ("Office REITs", "pytickersymbols", "COMMERCIAL_REAL_ESTATE", Grade.BROAD, "53"),
        ("Banking", "salesforce", "BANKING", Grade.EXACT, "52"),
        ("Apparel", "salesforce", "APPAREL_FASHION", Grade.EXACT, ""),
        ("Other", "salesforce", "", Grade.NONE, ""),
        ("Manufacturing", "linkedin", "", Grade.AMBIGUOUS, ""),
        ("Software Development", "linkedin", "COMPUTER_SOFTWARE", Grade.BROAD, "51"),
        ("never heard of it", "linkedin", "", Grade.NONE, ""),
    ],
)
def test_a_label_gives_a_value_only_where_it_is_certain(
    label: str, system: str, value: str, grade: Grade, sector: str
) -> None:
    read = from_label(label, system)
    assert (read.value, read.grade, read.sector) == (value, grade, sector)


def test_no_ambiguous_or_missing_mapping_ever_gives_a_value() -> None:
    for row in rows("industry_labels.csv"):
        read = from_label(row["label"], row["system"])
        assert bool(read.value) == (read.grade in (Grade.EXACT, Grade.BROAD)), row
        assert bool(read.sector) == (read.sector_grade in (Grade.EXACT, Grade.BROAD)), row
        assert not read.value or read.value in industries.names()
        assert not read.sector or sector_title(read.sector)


def test_an_unknown_system_is_the_callers_mistake() -> None:
    with pytest.raises(KeyError):
        from_label("Banking", "sic")


def test_labels_of_one_company_must_agree() -> None:
    def of(*labels: str) -> tuple[str, str]:
        read = together(labels, "pytickersymbols")
        return read.value, read.sector

    assert of("Information Technology", "Semiconductors", "Technology") == ("SEMICONDUCTORS", "31-33")
    assert of("Financials", "Regional Banks") == ("BANKING", "52")
    assert of("Banking", "Insurance") == ("", "52")
    assert of("Chemicals", "Textiles & apparel") == ("", "31-33")
    assert of("Utilities", "Health Care") == ("", "")
    assert of("Conglomerate", "Aerospace") == ("", "")
    assert of() == ("", "")
    assert together(["Banking", "Insurance"], "pytickersymbols").candidates == ("BANKING", "INSURANCE")
