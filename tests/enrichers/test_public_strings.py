"""Real texts of Wikipedia's infoboxes, as `pytickersymbols` carries them, each checked by eye.

A text either states an interval with its year, or is refused.
"""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytickersymbols import PyTickerSymbols

from icp_sync.domain.facts import Interval, Money
from icp_sync.enrichers.public_strings import (
    Place,
    Refused,
    Stated,
    employees,
    founded,
    headquarters,
    revenue,
)

EMPLOYEES: list[tuple[str, float, float, int | None]] = [
    ("11,500 (2025)", 11_500, 11_500, 2025),
    ("1100 (2023)", 1_100, 1_100, 2023),
    ("549 (2022)", 549, 549, 2022),
    ("9 000 (2024)", 9_000, 9_000, 2024),
    ("3 500", 3_500, 3_500, None),
    ("3,167 (average, 2021)", 3_167, 3_167, 2021),
    ("1,117 (end 2025)", 1_117, 1_117, 2025),
    ("10,118 (FY25)", 10_118, 10_118, 2025),
    ("26,713 (JFY25)", 26_713, 26_713, 2025),
    ("1,193 (FY SEP 30 2023)", 1_193, 1_193, 2023),
    ("170,158 (Q4 2020)", 170_158, 170_158, 2020),
    ("18,985 (2022 1Q)", 18_985, 18_985, 2022),
    ("5,102 (2024/2025)", 5_102, 5_102, 2025),
    ("4,658 (12/2023)", 4_658, 4_658, 2023),
    ("3,685 (31.03.2017)", 3_685, 3_685, 2017),
    ("15,260 (as of 30th Sept 2019)", 15_260, 15_260, 2019),
    ("10,000 employees as of February 22, 2022", 10_000, 10_000, 2022),
    ("682,724 employees (average during 2024)", 682_724, 682_724, 2024),
    ("1,400+ in 2025", 1_400, inf, 2025),
    ("62,850+ (FY 2025)", 62_850, inf, 2025),
    ("11,000+", 11_000, inf, None),
    ("> 53,000 (2025)", 53_000, inf, 2025),
    (">6,000 (2015)", 6_000, inf, 2015),
    ("More than 23,800 (2024)", 23_800, inf, 2024),
    ("Over 1,800 (2025)", 1_800, inf, 2025),
    ("c. 27,000+ (2021)", 26_500, inf, 2021),
    ("c. 70,000 (2024)", 65_000, 75_000, 2024),
    ("c. 16,000 : 2 (2025)", 15_500, 16_500, 2025),
    ("c. 229,000 (2024)", 228_500, 229_500, 2024),
    ("c. 60,500 (2025)", 60_450, 60_550, 2025),
    ("c.250 (2024)", 245, 255, 2024),
    ("ca. 63,000 (2024)", 62_500, 63_500, 2024),
    ("circa 58,000 (2026)", 57_500, 58_500, 2026),
    ("approx. 6,850 (December 2024)", 6_845, 6_855, 2024),
    ("approx. 3,946 (Dec. 2023)", 3_946, 3_946, 2023),
    ("Approximately 12,000", 11_500, 12_500, None),
    ("approximately 10,000 worldwide", 5_000, 15_000, None),
    ("About 8,400 (2024)", 8_350, 8_450, 2024),
    ("~ 1300", 1_250, 1_350, None),
    ("~500 (2020)", 450, 550, 2020),
    ("~95,000 : 5 (2025)", 94_500, 95_500, 2025),
    ("≈ 4,200 (2024)", 4_150, 4_250, 2024),
    ("535 (2022) : 13", 535, 535, 2022),
    ("3,748 (June 30, 2023)[", 3_748, 3_748, 2023),
    ("6,000 - 8,000 (2022)", 6_000, 8_000, 2022),
    ("14,375 (2023) 13,388 (2022)", 14_375, 14_375, 2023),
    ("649 (2023) 733 (2022)", 649, 649, 2023),
    ("10,102 ( FTE , 2020)", 10_102, 10_102, 2020),
    ("42,325 (full-time equivalents at 31 December 2024)", 42_325, 42_325, 2024),
    ("6,269 (non-consolidated) 51,500 (consolidated) (as of December 31, 2013)", 51_500, 51_500, 2013),
    ("18,753 (consolidated) 2,586 (non-consolidated) (as of March 31, 2017)", 18_753, 18_753, 2017),
    ("Consolidated : 33,431 Non-consolidated : 8,034 (as of March 31, 2019)", 33_431, 33_431, 2019),
    ("40,756 (Consolidated) 10,563 (Nonconsolidated)", 40_756, 40_756, None),
    ("1,216 (Consolidated 15,922) (March 31, 2010)", 15_922, 15_922, 2010),
    ("5,494 (Consolidated:44,336) (2022)", 44_336, 44_336, 2022),
    ("8,056 (44,495 consolidated)", 44_495, 44_495, None),
    ("116 (holding company) 49,480 (group) (as of March 31, 2025)", 49_480, 49_480, 2025),
    ("4,477 (March 31, 2025) 62,062 (March 31, 2025, including subsidiaries)", 62_062, 62_062, 2025),
    ("45,470 including subsidiaries (Mar. 2021)", 45_470, 45_470, 2021),
    ("45,005 (January – March 2024)", 45_005, 45_005, 2024),
]

NO_HEADCOUNT = [
    "8.914 (2023)",
    "105.541 (December 31, 2024)",
    "814,0000",
    "0",
    "1,229 employees in Belgium and 955 in Germany",
    "1,359 (Bank only)",
    "73 (Investor AB only, 2021)",
    "1,500 Year-round 2,500 Seasonal",
    "2,511 full-time (2022)",
    "65,894 (Full-time) (2024)",
    "3,600 full time; 1,100 part-time (2023)",
    "2,146 (784 temporary workers) (2011)",
    "28,112 (including temporary employees) (2017)",
    "30,000 (FTE 2021) 600,000 workers (2021)",
    "100,153 (total) 22,375 (non-consolidated) 77,778 (consolidated) (as of September 30, 2024 )",
    "145,000 (2022) (78,000 in France in 2026 )",
    "21,834 (Japan – 9,634) (World – 12,200) (March 31st, 2024 )",
    "49,578 (2019) 18,378 in United States 5,350 in Japan",
    "41,400 (corporate) 260,300 (2024)",
    "6,000 (including joint ventures)",
    "approx. 14,700 (including Protiviti) (December 2024)",
    "6,353 (NRI Group 13,278) as of March 31, 2020",
    "Over 1 million (est.) (Including subsidiaries and franchises)",
]

REVENUES: list[tuple[str, float, float, str, int | None]] = [
    ("US$ 29.06 billion (2023)", 29.06e9, 29.06e9, "USD", 2023),
    ("$ 1.473 billion", 1.473e9, 1.473e9, "USD", None),
    ("€3.91 billion (2021)", 3.91e9, 3.91e9, "EUR", 2021),
    ("€ 1.996 billion (2024)", 1.996e9, 1.996e9, "EUR", 2024),
    ("$ 6.34 billion(2024)", 6.34e9, 6.34e9, "USD", 2024),
    ("CHF 20.330 bn (2024)", 20.33e9, 20.33e9, "CHF", 2024),
    ("CHF 3,627 million (2024)", 3.627e9, 3.627e9, "CHF", 2024),
    ("SFr 7,472 million (2025)", 7.472e9, 7.472e9, "CHF", 2025),
    ("SEK 172.846 billion (2019)", 172.846e9, 172.846e9, "SEK", 2019),
    ("918,3 Mio.€ (December 2017)", 918.3e6, 918.3e6, "EUR", 2017),
    ("€6,8 billion (2024)", 6.8e9, 6.8e9, "EUR", 2024),
    ("4.7 billion Euro (2024)", 4.7e9, 4.7e9, "EUR", 2024),
    ("5.2 bn EUR (2022)", 5.2e9, 5.2e9, "EUR", 2022),
    ("618 million € (2021)", 618e6, 618e6, "EUR", 2021),
    ("116,000,000 euro (2021)", 116e6, 116e6, "EUR", 2021),
    ("5,609,000,000 United States dollar (2022)", 5.609e9, 5.609e9, "USD", 2022),
    ("2.414 trillion (2023)", 2.414e12, 2.414e12, "", 2023),
    ("63.751 billion kr (2024)", 63.751e9, 63.751e9, "", 2024),
    ("$400.1 MM (2023)", 400.1e6, 400.1e6, "USD", 2023),
    ("$500M", 500e6, 500e6, "USD", None),
    ("US$ 1.67B ( FY 2014 )", 1.67e9, 1.67e9, "USD", 2014),
    ("US$ 94.4 billion (FY25)", 94.4e9, 94.4e9, "USD", 2025),
    ("US$$2.342 billion (2024)", 2.342e9, 2.342e9, "USD", 2024),
    ("USD $985.683 million (2017) $917.600 million (2016)", 985.683e6, 985.683e6, "USD", 2017),
    ("US$ 10.290 billion (2024) US$ 11.273 billion (2023)", 10.29e9, 10.29e9, "USD", 2024),
    ("€11.784 billion (2023) €11.809 billion (2022) €11.300 billion (2021)", 11.784e9, 11.784e9, "EUR", 2023),
    ("$ 18.5 billion ( FY 2014) ( ¥ 1,897 billion) (FY 2014)", 18.5e9, 18.5e9, "USD", 2014),
    ("JPY 454.7 billion ( FY 2017) ( US$ 4.2 billion) (FY 2017)", 454.7e9, 454.7e9, "JPY", 2017),
    ("¥ 802.9 billion ( US$ 5.14 billion ) (2024)", 802.9e9, 802.9e9, "JPY", 2024),
    ("SEK 88.561 billion € 7.712 billion (2023)", 88.561e9, 88.561e9, "SEK", 2023),
    ("¥ 1,375,589,000,000 ( FY 2022)", 1.375589e12, 1.375589e12, "JPY", 2022),
    ("¥28,712,177 thousand ( FY 2020)", 28.712177e9, 28.712177e9, "JPY", 2020),
    ("¥847,105 million (y/e March 2011)", 847.105e9, 847.105e9, "JPY", 2011),
    ("¥ 818.8 billion JPY ) ( FY 2023)", 818.8e9, 818.8e9, "JPY", 2023),
    ("US$ 41.9 billion : 48 (2025)", 41.9e9, 41.9e9, "USD", 2025),
    ("US$ 14.263 Billion (Fiscal Year Ended December 31, 2021)", 14.263e9, 14.263e9, "USD", 2021),
    ("> US$ 513.2 million (January 1, 2025 - December 31, 2025", 513.2e6, inf, "USD", 2025),
    (">€6 billion (2022)", 6e9, inf, "EUR", 2022),
    ("~ € 221 million (2019)", 220.5e6, 221.5e6, "EUR", 2019),
    ("SEKm 147,147 (2023)", 147.147e9, 147.147e9, "SEK", 2023),
    ("SEK 60.2 BSEK (2023)", 60.2e9, 60.2e9, "SEK", 2023),
    ("€1,676 million (2024/25)", 1.676e9, 1.676e9, "EUR", 2025),
]

NO_REVENUE = [
    "1.419 yen",
    "JPY 0 11 trillion (2013)",
    "US$ 0 700 Mln (2018)",
    "US$ 225M ( Q2 2016 )",
    "€1,685 billion (2024)",
    "¥ 4,395 trillion ($29.8B) (2024)",
    "€10.3 billion (2018) €8.9 billion (2020) €4.880 million (2023)",
    "€ 24.5 billion (Reinsurance revenue, 2023)",
    "€ 1.6 billion (2021) (company)",
    "$1 billion+ USD (reference: 2018 10K)",
    "€ 81.25 billion (2021) 35.28 billion (France) 21.28 billion (Europe) 13.89 billion (Americas)",
    "72.9 billion capital of 47 million yen. Standalone sales of 329.2 billion yen and 344.8 billion yen "
    "consolidated (December 2007)",
    "¥ 989,308 million (US$11,919,373 thousand) (Consolidated, FY 2010, 83 yen/US dollar)",
]

FOUNDED: list[tuple[str, str, str]] = [
    ("1988 ; 38 years ago ( 1988 )", "1988-01-01", "1988-12-31"),
    ("1871", "1871-01-01", "1871-12-31"),
    ("1 April 1985 ; 40 years ago ( 1985-04-01 )", "1985-04-01", "1985-04-01"),
    ("June 1965 ; 60 years ago ( 1965-06 )", "1965-06-01", "1965-06-30"),
    ("10 July 2015", "2015-07-10", "2015-07-10"),
    ("June 4, 1920 ; 105 years ago ( June 4, 1920 )", "1920-06-04", "1920-06-04"),
    ("Tokyo , Japan (March 23, 1950 ; 75 years ago ( 1950-03-23 ) )", "1950-03-23", "1950-03-23"),
    ("Ithaca, New York , U.S. (1836)", "1836-01-01", "1836-12-31"),
    ("1 June 1939 1939", "1939-06-01", "1939-06-01"),
    ("July 1, 2024 ; 20 months ago ( 2024-07-01 )", "2024-07-01", "2024-07-01"),
]

NO_FOUNDING = [
    "0",
    "Lancaster, Pennsylvania , United States",
    "(1857) as First Commonwealth Bank (1982) as First Commonwealth Financial Corporation",
    "1603 ; 423 years ago ( 1603 ) (oldest establishment) December 7, 1917 ; 108 years ago ( 1917-12-07 ) "
    "(incorporated)",
    "September 20, 1853 ; 172 years ago ( 1853-09-20 ) (acquired in 1976, spun off in 2020)",
    "Incorporated in 1918 ; 108 years ago ( 1918 ) Refounded in 1954",
]

HEADQUARTERS: list[tuple[str, str, str]] = [
    ("Montabaur , Germany", "DE", "montabaur"),
    ("Downers Grove, Illinois , U.S.", "US", "downers grove"),
    ("Pittsburgh, Pennsylvania", "US", "pittsburgh"),
    ("London , England, UK", "GB", "london"),
    ("London , England", "GB", "london"),
    ("San Juan, Puerto Rico", "PR", "san juan"),
    ("Lebanon, Tennessee , U.S.", "US", "lebanon"),
    ("Jersey City, New Jersey , U.S.", "US", "jersey city"),
    ("Lancaster, PA, U.S.", "US", ""),
    ("Duke Energy Plaza Charlotte, North Carolina , U.S.", "US", ""),
    ("Shell Centre London, England", "GB", ""),
    ("Marunouchi , Chiyoda-ku, Tokyo , Japan", "JP", ""),
    ("200 Fifth Avenue , New York City , U.S.", "US", ""),
    ("Spain", "ES", ""),
    ("Kadoma, Osaka , Japan 34°44′38″N 135°34′12″E ﻿ / ﻿ 34.7438°N 135.5701°E", "JP", ""),
]

NO_PLACE = [
    "Tempe, AZ",
    "Atlanta, Georgia",
    "Utrecht",
    "No headquarters : 16",
    "Zurich and Basel , Switzerland",
    "Dublin , Ireland (legal) Grand Rapids, Michigan , U.S. (operational)",
    "Sydney , New South Wales , Australia San Francisco , United States",
]


@pytest.mark.parametrize(("raw", "low", "high", "year"), EMPLOYEES)
def test_a_headcount_is_read_with_its_year(raw: str, low: float, high: float, year: int | None) -> None:
    assert employees(raw) == Stated(value=Interval(low, high), year=year)


@pytest.mark.parametrize(("raw", "low", "high", "currency", "year"), REVENUES)
def test_a_revenue_is_read_with_its_currency_and_year(
    raw: str, low: float, high: float, currency: str, year: int | None
) -> None:
    read = revenue(raw)
    assert isinstance(read, Stated)
    assert isinstance(read.value, Money)
    assert (read.value.low, read.value.high) == (pytest.approx(low), pytest.approx(high))
    assert (read.value.currency, read.year) == (currency, year)


def test_a_crown_is_that_of_the_headquarters_country_or_of_nobody() -> None:
    def currency(country: str) -> str:
        read = revenue("63.751 billion kr (2024)", country)
        assert isinstance(read, Stated)
        assert isinstance(read.value, Money)
        return read.value.currency

    assert [currency(c) for c in ("SE", "NO", "DK", "DE", "")] == ["SEK", "NOK", "DKK", "", ""]


@pytest.mark.parametrize(("raw", "first", "last"), FOUNDED)
def test_a_founding_is_as_precise_as_its_text(raw: str, first: str, last: str) -> None:
    read = founded(raw)
    assert isinstance(read, Stated)
    days = [datetime.fromtimestamp(second, UTC).date().isoformat() for second in read.value[:2]]
    assert days == [first, last]


@pytest.mark.parametrize(("raw", "country", "city"), HEADQUARTERS)
def test_a_headquarters_names_its_country_and_where_certain_its_city(
    raw: str, country: str, city: str
) -> None:
    assert headquarters(raw) == Place(country=country, city=city)


@pytest.mark.parametrize("raw", NO_HEADCOUNT)
def test_a_number_that_may_count_something_else_is_refused(raw: str) -> None:
    assert isinstance(employees(raw), Refused)


@pytest.mark.parametrize("raw", NO_REVENUE)
def test_an_amount_that_may_be_something_else_is_refused(raw: str) -> None:
    assert isinstance(revenue(raw), Refused)


@pytest.mark.parametrize("raw", NO_FOUNDING)
def test_several_foundings_or_none_are_refused(raw: str) -> None:
    assert isinstance(founded(raw), Refused)


@pytest.mark.parametrize("raw", NO_PLACE)
def test_a_place_that_may_be_elsewhere_is_refused(raw: str) -> None:
    assert isinstance(headquarters(raw), Refused)


def every(key: str) -> list[str]:
    companies = PyTickerSymbols().get_all_stocks()
    found = {str(value) for c in companies if (value := (c.get("metadata") or {}).get(key)) is not None}
    assert len(found) > 1_000
    return sorted(found)


def test_every_headcount_of_the_package_is_sane_or_refused() -> None:
    read = [employees(raw) for raw in every("employees")]
    stated = [one.value for one in read if isinstance(one, Stated)]
    assert all(1 <= value.low <= 3e6 and value.low <= value.high for value in stated)
    assert all(value.high <= 3e6 or value.high == inf for value in stated)
    assert all(one.reason for one in read if isinstance(one, Refused))
    assert len(stated) > 0.95 * len(read)


def test_every_revenue_of_the_package_is_sane_or_refused() -> None:
    read = [revenue(raw) for raw in every("revenue")]
    stated = [one.value for one in read if isinstance(one, Stated)]
    assert all(0 < value.low <= value.high for value in stated)
    assert all(
        value.low < 1e12 for value in stated if isinstance(value, Money) and value.currency in ("USD", "EUR")
    )
    assert all(one.reason for one in read if isinstance(one, Refused))
    assert len(stated) > 0.95 * len(read)


def test_every_founding_and_place_of_the_package_is_sane_or_refused() -> None:
    dates = [founded(raw) for raw in every("founded")]
    stated = [one.value for one in dates if isinstance(one, Stated)]
    latest = datetime(2027, 1, 1, tzinfo=UTC).timestamp()
    assert all(value.low <= value.high < latest for value in stated)
    assert len(stated) > 0.8 * len(dates)
    places = [headquarters(raw) for raw in every("headquarters")]
    found = [place for place in places if isinstance(place, Place)]
    assert all(len(place.country) == 2 and place.city == place.city.lower() for place in found)
    assert len(found) > 0.8 * len(places)


@given(
    st.one_of(st.text(), st.text("0123456789,.()+-~c¥$€kr billionmillion(consolidated)2024 :/\x00\ud800😀"))
)
def test_no_text_makes_a_reader_stumble(raw: str) -> None:
    for read in (employees(raw), revenue(raw), revenue(raw, "SE"), founded(raw), headquarters(raw)):
        assert isinstance(read, Stated | Place) or read.reason
        if isinstance(read, Stated):
            assert read.value.low <= read.value.high


def test_enormous_texts_are_refused() -> None:
    for raw in ("9" * 65_536, "(" * 65_536, "1,000 " * 10_000):
        for read in (employees(raw), revenue(raw), founded(raw), headquarters(raw)):
            assert isinstance(read, Refused)
