"""Funding rounds in one vocabulary; a loan or a grant never hides the last equity round."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.normalize.funding import EQUITY_STAGES, OTHER_ROUNDS, Round, equity, is_equity, stage


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("Series A", "series_a"),
        ("series_b", "series_b"),
        ("SERIES C-1", "series_c"),
        ("Series C1", "series_c"),
        ("Series A - II", "series_a"),
        ("Series B+", "series_b"),
        ("Series D extension", "series_d"),
        ("Serie A", "series_a"),
        ("Series J", "series_j"),
        ("b", "series_b"),
        ("Seed", "seed"),
        ("Seed Round", "seed"),
        ("pre_seed", "pre_seed"),
        ("Pre-Seed", "pre_seed"),
        ("Angel", "angel"),
        ("private_equity", "private_equity"),
        ("Private Equity", "private_equity"),
        ("IPO", "ipo"),
        ("Post-IPO Equity", "ipo"),
        ("m_and_a", "acquired"),
        ("M&A", "acquired"),
        ("debt_financing", "debt"),
        ("Debt Financing", "debt"),
        ("post_ipo_debt", "post_ipo_debt"),
        ("post_ipo_secondary", "post_ipo_secondary"),
        ("secondary_market", "secondary"),
        ("convertible_note", "convertible_note"),
        ("grant", "grant"),
        ("equity_crowdfunding", "crowdfunding"),
        ("initial_coin_offering", "coin_offering"),
        ("non_equity_assistance", "non_equity_assistance"),
        ("corporate_round", "corporate_round"),
    ],
)
def test_a_round_has_one_name_however_it_is_spelled(raw: str, name: str) -> None:
    assert stage(raw) == name


@pytest.mark.parametrize(
    "raw",
    ["", "Series Unknown", "series_unknown", "undisclosed", "Other", "funding_round", "early_stage_venture",
     "late_stage_venture", "Venture", "Venture - Series Unknown", "Series AA", "Series K", "Series A & B",
     "Series", "unattributed", "\x00", "a" * 1_000_000],
    ids=lambda raw: ascii(raw)[:30],
)  # fmt: skip
def test_a_round_that_may_be_several_is_unknown(raw: str) -> None:
    assert stage(raw) == ""


@pytest.mark.parametrize("other", ["Debt Financing", "grant", "secondary_market", "convertible_note", "Other",
                                   "corporate_round", "post_ipo_debt", "non_equity_assistance"])  # fmt: skip
def test_money_that_is_no_equity_leaves_the_stage_as_it_was(other: str) -> None:
    assert not is_equity(stage(other))
    assert equity([("Series B", 10.0), (other, 20.0)]) == "series_b"
    assert equity([(other, 20.0)]) == ""


def test_the_newest_equity_round_is_the_stage() -> None:
    assert equity([("Series B", 10.0), ("Series A", 5.0), ("Seed", 1.0)]) == "series_b"
    assert equity([("Series A", 5.0), ("Series B", 5.0)]) == "series_b"


def test_undated_rounds_count_only_without_dated_ones() -> None:
    assert equity([("Series C", None), ("Seed", 5.0)]) == "seed"
    assert equity([("Seed", None), ("Series A", None)]) == "series_a"


def test_a_public_company_stays_public_until_it_is_taken_private() -> None:
    assert equity([("IPO", 1.0), ("Series F", 2.0)]) == "ipo"
    assert equity([("IPO", 1.0), ("Private Equity", 2.0)]) == "private_equity"


ROUNDS = st.builds(
    Round,
    st.sampled_from([*EQUITY_STAGES, *OTHER_ROUNDS, "undisclosed"]),
    st.none() | st.floats(0, 2e9, allow_nan=False),
)


@given(st.lists(ROUNDS, max_size=8))
def test_neither_order_nor_other_money_changes_the_stage(rounds: list[Round]) -> None:
    alone = [one for one in rounds if is_equity(one.type)]
    assert equity(rounds) == equity(reversed(rounds)) == equity(alone)
    assert equity(rounds) in ("", *EQUITY_STAGES)
