"""No reader raises, whatever the text is, and what it returns is a proper value."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from icp_sync.domain.facts import fits
from icp_sync.normalize import (
    countries,
    dates,
    domains,
    funding,
    industries,
    money,
    names,
    numbers,
    periods,
    sizes,
)
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS

SURROGATES = st.characters(categories=["Cs", "Ll", "Nd", "Po", "Sc", "Zs", "Cc", "Cf", "So"])
PIECES = st.sampled_from(
    [
        "$",
        "€",
        "kr",
        "1,000",
        "1.234",
        "9" * 40,
        "-",
        "+",
        "k",
        "M",
        " billion",
        "(2024)",
        "c.",
        "e308",
        "NaN",
        "inf",
        "http://",
        "www.",
        ".com",
        "/",
        "@",
        "[::1]",
        "2024-",
        "T00:00",
        "Z",
        "\x00",
        "\ud800",
        "\u202eacme",
        "😀",
        "٣",
        " ",
    ]
)
TEXTS = st.one_of(st.text(), st.text(SURROGATES), st.lists(PIECES, max_size=12).map("".join))
EXTREMES = (
    "\x00" * 64,
    "9" * 65_536,
    "😀" * 16_384,
    "\u202e1-2",
    "\ud800\udfff",
    "(" * 5_000,
    "1," * 300,
    " " * 65_536,
    "1" * 1_000_000,
    "fy " * 300_000,
    "$1 (" * 100,
    "(formerly " * 30,
    "a.b." * 75,
    ", " * 200,
    "in 2024 " * 50,
    "dba " * 75,
    "1 billion " * 40,
)

READERS: tuple[Callable[[str], object], ...] = (
    domains.registrable,
    sizes.headcount,
    money.amount,
    lambda raw: money.amount(raw, "EUR"),
    countries.code,
    dates.instant,
    numbers.plain_number,
    industries.from_hubspot,
    *(lambda raw, system=system: industries.from_label(raw, system) for system in industries.SYSTEMS),
    *(lambda raw, system=system: industries.from_code(raw, system) for system in industries.CODE_SYSTEMS),
    funding.stage,
    lambda raw: names.match(raw, raw[::-1]),
    lambda raw: names.match(raw, "Acme (UK) Ltd"),
    lambda raw: periods.noted(numbers.plainly(raw[: numbers.LONGEST])),
)


@given(TEXTS)
@example("\x00")
@example("\ud800")
def test_no_text_makes_a_reader_stumble(text: str) -> None:
    for read in READERS:
        read(text)


@pytest.mark.parametrize("text", EXTREMES, ids=range(len(EXTREMES)))
def test_no_extreme_text_makes_a_reader_stumble(text: str) -> None:
    for read in READERS:
        read(text)


@given(st.dictionaries(st.sampled_from(HUBSPOT_DEFAULTS.properties), TEXTS))
def test_every_signal_of_any_account_fits_its_fact(properties: dict[str, str | None]) -> None:
    signals, unread = HUBSPOT_DEFAULTS.read(properties, observed_at=0.0, account_currency="EUR")
    for signal in signals:
        assert fits(signal.value, HUBSPOT_DEFAULTS.types[signal.fact])
    assert all(unread.values())


@given(TEXTS)
def test_intervals_are_never_empty_and_sizes_never_negative(text: str) -> None:
    size, sum_, when = sizes.headcount(text), money.amount(text), dates.instant(text)
    assert size is None or 0 <= size.low <= size.high
    assert sum_ is None or 0 <= sum_.low <= sum_.high
    assert when is None or when.low <= when.high
