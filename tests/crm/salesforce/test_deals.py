"""Opportunities as deals: what became of them is read from the stage's meaning, never from its name."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.crm.salesforce.reads.deals import Wanted, deals
from icp_sync.errors import AuthError
from icp_sync.ports import Deal
from tests.crm.contract import OWNED
from tests.crm.salesforce.reads import Reads, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def told(reads: Reads, since: int = 0) -> list[Deal]:
    wanted = Wanted(since=since, after="", spare={})
    return list(deals(reads.client, reads.roster, wanted, lambda: "USD"))


def test_a_deal_is_told_with_all_we_know_of_it(reads: Reads) -> None:
    (account,) = reads.create()
    (id,) = reads.sell(
        account,
        "Closed Won",
        Name=" Pilot ",
        Amount="24000.50",
        CloseDate="2026-11-30",
        OwnerId=reads.roster.id(OWNED) or "",
    )
    (deal,) = told(reads)
    assert (deal.id, deal.account_id, deal.name, deal.stage) == (id, account, "Pilot", "Closed Won")
    assert (deal.amount, deal.currency, deal.open, deal.won) == (24_000.5, "USD", False, True)
    assert (deal.closed_on, deal.owner) == ("2026-11-30", OWNED)
    assert 0 < deal.created_at <= deal.changed_at


@pytest.mark.parametrize(
    ("stage", "is_open", "won"),
    [("Prospecting", True, False), ("Closed Won", False, True), ("Closed Lost", False, False)],
)
def test_what_became_of_a_deal_follows_from_its_stage(
    reads: Reads, stage: str, is_open: bool, won: bool
) -> None:
    (account,) = reads.create()
    reads.sell(account, stage)
    (deal,) = told(reads)
    assert (deal.open, deal.won) == (is_open, won)


def test_an_amount_without_value_is_none_and_nothing_is_nothing(reads: Reads) -> None:
    (account,) = reads.create()
    reads.sell(account)
    reads.sell(account, Amount="0")
    assert [deal.amount for deal in told(reads)] == [None, 0.0]


def test_the_currency_of_a_deal_is_its_own_where_there_are_several(reads: Reads) -> None:
    reads.admin("POST settings", multi_currency=True)
    (account,) = reads.create()
    reads.sell(account, Amount="5", CurrencyIsoCode="EUR")
    assert [deal.currency for deal in told(reads)] == ["EUR"]


def test_only_what_changed_since_is_told_in_order_each_once(reads: Reads) -> None:
    (account,) = reads.create()
    old = reads.sell(account, count=3)
    reads.advance(60)
    since = max(deal.changed_at for deal in told(reads)) + 30_000
    new = reads.sell(account, count=2_050)
    assert [deal.id for deal in told(reads, since)] == new
    assert [deal.id for deal in told(reads)] == [*old, *new]


def test_a_field_that_is_hidden_says_nothing(reads: Reads) -> None:
    (account,) = reads.create()
    reads.sell(account, Amount="5")
    reads.admin("POST fields", object="Opportunity", hide=["Amount", "CloseDate"])
    (deal,) = told(reads)
    assert (deal.amount, deal.closed_on) == (None, "")


@pytest.mark.parametrize("name", ["IsWon", "AccountId"])
def test_the_right_that_is_missing_is_named(reads: Reads, name: str) -> None:
    reads.admin("POST fields", object="Opportunity", hide=[name])
    with pytest.raises(AuthError, match=f"Opportunity.{name}"):
        told(reads)
