"""What a plan moves, told from its changes alone."""

from __future__ import annotations

import pytest

from icp_sync.domain.moves import is_downgrade, is_exclusion, moved_key, owner_move, tier_move
from icp_sync.domain.plan import Change
from icp_sync.domain.standing import STATES


def change(field: str, live: str, desired: str) -> Change:
    return Change(account_id="1", field=field, live=live, desired=desired)


def test_a_tier_moves_only_where_the_tier_itself_changes() -> None:
    others = (change("lane", "sales", "nurture"), change("model_tier", "A", "B"))
    assert tier_move(others) is None
    assert tier_move((*others, change("tier", "A", "A"))) is None
    assert tier_move((*others, change("tier", "A", "C"))) == ("A", "C")


def test_an_owner_moves_only_where_somebody_loses_an_account() -> None:
    assert owner_move((change("routed_owner", "ann", "ben"), change("owner", "", "ben"))) is None
    assert owner_move((change("lane", "a", "b"), change("owner", "ann", ""))) == ("ann", "")


@pytest.mark.parametrize("tier", ["", *STATES])
def test_to_stay_is_neither_a_downgrade_nor_an_exclusion(tier: str) -> None:
    assert is_downgrade(tier, tier) is False
    assert is_exclusion(tier, tier) is False


def test_a_value_that_is_no_tier_is_never_a_downgrade() -> None:
    assert is_downgrade("Gold", "D") is False
    assert is_downgrade("A", "Gold") is False


def test_a_move_is_named_with_a_word_for_nothing() -> None:
    assert moved_key("A", "") == "A → blank"
    assert moved_key("", "B") == "blank → B"
