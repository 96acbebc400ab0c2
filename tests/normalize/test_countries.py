"""Names and codes of countries become ISO alpha-2, or nothing where they could be several."""

from __future__ import annotations

import csv
from importlib.resources import files

import pytest

from icp_sync.normalize.countries import code, name_of

ROWS = list(
    csv.DictReader(
        files("icp_sync.normalize").joinpath("data", "countries.csv").read_text(encoding="utf-8").splitlines()
    )
)


def test_all_249_countries_answer_to_their_codes_in_any_case() -> None:
    assert len(ROWS) == 249
    for row in ROWS:
        assert code(row["alpha2"]) == code(row["alpha3"]) == code(row["alpha3"].lower()) == row["alpha2"]
        assert code(row["alpha2"].lower()) == ("" if row["alpha2"] == "NA" else row["alpha2"])
        assert name_of(row["alpha2"]) == row["name"]


def test_every_name_and_alias_leads_to_its_own_country() -> None:
    wrong = [
        (name, row["alpha2"], code(name))
        for row in ROWS
        for name in (row["name"], *filter(None, row["aliases"].split("|")))
        if code(name) != row["alpha2"]
    ]
    assert wrong == [("Georgia", "GE", ""), ("St. Martin", "MF", "")]


@pytest.mark.parametrize(
    ("raw", "alpha2"),
    [
        ("UK", "GB"),
        ("U.K.", "GB"),
        ("England", "GB"),
        ("USA", "US"),
        ("u.s.", "US"),
        ("U.S.A.", "US"),
        ("United States of America", "US"),
        (" united  states ", "US"),
        ("Deutschland", "DE"),
        ("Germany (DE)", "DE"),
        ("DE - Germany", "DE"),
        ("England, UK", "GB"),
        ("Scotland, United Kingdom", "GB"),
        ("Holland", "NL"),
        ("Korea, Republic of", "KR"),
        ("Korea (the Republic of)", "KR"),
        ("P.R. China", "CN"),
        ("ประเทศไทย", "TH"),
        ("Norge", "NO"),
        ("Schweiz", "CH"),
        ("Suisse", "CH"),
        ("España", "ES"),
        ("ESPANA", "ES"),
        ("日本", "JP"),
        ("中国", "CN"),
        ("대한민국", "KR"),
        ("Россия", "RU"),
        ("The Netherlands", "NL"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"),
        ("Côte d’Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("DRC", "CD"),
        ("South Korea", "KR"),
        ("Viet Nam", "VN"),
        ("NA", "NA"),
        ("Namibia", "NA"),
        ("EL", "GR"),
    ],
)
def test_common_spellings_are_known(raw: str, alpha2: str) -> None:
    assert code(raw) == alpha2


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "Georgia",
        "Congo",
        "Korea",
        "Virgin Islands",
        "America",
        "Atlantis",
        "n/a",
        "N/A",
        "na",
        "none",
        "-",
        "XX",
        "California",
        "Georgia, US",
        "France, Germany",
        "Paris, France",
        ", ,",
        "Europe",
        "\x00",
        "\ud800",
        "🇩🇪",
        "D" * 70_000,
    ],
    ids=lambda raw: ascii(raw)[:40],
)
def test_what_is_ambiguous_or_no_country_is_unknown(raw: str) -> None:
    assert code(raw) == ""
