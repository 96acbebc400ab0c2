"""Deals over HubSpot's API: what a stage counts as, whose a deal is, what is missing, and what goes wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
import responses
from pydantic import SecretStr

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.hubspot.deals import Stage, stages
from icp_sync.errors import UnavailableError
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.ports import Deal
from tests.crm.contract import OWNED
from tests.crm.hubspot.test_client import URL
from tests.crm.hubspot.world import Portal, connect


def told(portal: Portal, since: int = 0) -> list[Deal]:
    return list(portal.crm.deals(since))


def accounts(portal: Portal, since: int = 0) -> dict[str, str]:
    return {deal.id: deal.account_id for deal in told(portal, since)}


def tie(portal: Portal, company: str, deals: Sequence[str]) -> None:
    portal.simulator.admin("POST tie", company=company, deals=list(deals))


def merge(portal: Portal, kind: str, loser: str, survivor: str) -> None:
    portal.simulator.admin("POST merge", **{"type": kind, "from": loser, "into": survivor})


@pytest.mark.parametrize("version", ["v3", "2026-03", "2026-09"])
@pytest.mark.parametrize("since", [0, 1_000])
def test_deals_are_read_in_few_calls_in_every_version(portal: Portal, version: str, since: int) -> None:
    companies = portal.create_many(2)
    ids = [id for company in companies for id in portal.add_deals(company, 120)]
    portal.advance(10)
    crm = connect(portal.simulator, version=version)
    crm.identity()
    portal.simulator.admin("DELETE stats")
    deals = list(crm.deals(since))
    crm.close()
    assert [deal.id for deal in deals] == ids
    assert [deal.account_id for deal in deals[::120]] == list(companies)
    asked = portal.simulator.admin("GET stats")["requests"]
    by_list = {"GET deals": 3}
    by_search = {"POST deals/search": 2, "POST deals/batch/read": 3}
    assert asked == {
        "GET pipelines/deals": 1,
        "POST associations/batch/read": 1,
        "POST batch/read": 1,
        **(by_search if since else by_list),
    }


@pytest.mark.parametrize(
    ("stage", "label", "open", "won"),
    [
        ("contractsent", "Contract Sent", True, False),
        ("closedwon", "Closed Won", False, True),
        ("closedlost", "Closed Lost", False, False),
        ("142611858", "Agreed by word", True, False),
        ("142611859", "Renewed", False, True),
        ("142611860", "Left us", False, False),
    ],
)
@pytest.mark.parametrize("marked", [True, False])
def test_what_a_stage_counts_as_is_read_from_the_deal_or_its_pipeline(
    portal: Portal, stage: str, label: str, open: bool, won: bool, marked: bool
) -> None:
    id = portal.make_deal("", dealstage=stage)
    if not marked:
        portal.change_deal(id, hs_is_closed="", hs_is_closed_won="")
    (deal,) = told(portal)
    assert (deal.stage, deal.open, deal.won) == (label, open, won)


def test_a_deal_says_more_of_itself_than_the_pipelines_of_today(portal: Portal) -> None:
    portal.change_deal(portal.make_deal(""), hs_is_closed=True, hs_is_closed_won=True)
    (deal,) = told(portal)
    assert (deal.stage, deal.open, deal.won) == ("Appointment Scheduled", False, True)


@pytest.mark.parametrize(
    "reply",
    [
        {},
        {"results": None},
        {"results": ["x", {"stages": None}, {"stages": ["y", {"label": "no id"}]}]},
    ],
)
def test_pipelines_that_cannot_be_read_say_nothing(reply: dict[str, object]) -> None:
    assert stages(reply) == {}


def test_a_stage_without_marks_is_open() -> None:
    listed = [{"id": 7, "metadata": None}, {"id": "8", "label": "Won", "metadata": {"isClosed": "true"}}]
    assert stages({"results": [{"stages": listed}]}) == {
        "7": Stage(label="7", closed=False, won=False),
        "8": Stage(label="Won", closed=True, won=False),
    }


def test_the_day_a_deal_closed_on_is_the_one_in_the_zone_of_the_portal(portal: Portal) -> None:
    portal.make_deal("", closedate="2026-12-01T03:30:00Z")  # in New York still the day before
    portal.make_deal("", closedate="2026-12-01T05:30:00Z")
    portal.make_deal("")
    assert [deal.closed_on for deal in told(portal)] == ["2026-11-30", "2026-12-01", ""]


@pytest.mark.parametrize(
    ("amount", "currency", "expected"),
    [
        ("8.600000000000000477395900588817312382161617279052734375", "EUR", (8.6, "EUR")),
        ("0", "", (0.0, "USD")),
        ("-120", "JPY", (-120.0, "JPY")),
        ("", "GBP", (None, "GBP")),
    ],
)
def test_an_amount_is_in_the_deals_own_currency_or_the_portals(
    portal: Portal, amount: str, currency: str, expected: tuple[float | None, str]
) -> None:
    portal.make_deal("", amount=amount, deal_currency_code=currency)
    (deal,) = told(portal)
    assert (deal.amount, deal.currency) == expected


def test_an_owner_is_told_by_email(portal: Portal) -> None:
    (owner,) = [owner for owner in portal.crm.owners() if owner.email == OWNED]
    portal.make_deal("", hubspot_owner_id=owner.id)
    portal.make_deal("")
    assert [deal.owner for deal in told(portal)] == [OWNED, ""]


def test_of_several_companies_the_primary_one_is_the_account(portal: Portal) -> None:
    low, high = portal.create_many(2)
    first, second = portal.add_deal(low), portal.add_deal(high)
    tie(portal, high, [first])
    tie(portal, low, [second])
    assert accounts(portal) == {first: low, second: high}


def answering(server: responses.RequestsMock, to: Sequence[object]) -> HubSpot:
    """A portal with one deal that is tied in these ways."""
    server.add("GET", f"{URL}/account-info/v3/details", json={"portalId": 1, "companyCurrency": "USD"})
    server.add("GET", f"{URL}/crm/v3/pipelines/deals", json={"results": []})
    deal = {"id": "71", "properties": {"amount": "NaN", "dealstage": "gone", "closedate": "soon"}}
    server.add("GET", f"{URL}/crm/v3/objects/deals", json={"results": [deal]})
    server.add(
        "POST",
        f"{URL}/crm/v4/associations/deals/companies/batch/read",
        json={"results": [{"from": {"id": "71"}, "to": to}]},
    )
    companies = [{"id": "5", "properties": {}}, {"id": "6", "properties": {}}]
    server.add("POST", f"{URL}/crm/v3/objects/companies/batch/read", json={"results": companies})
    return HubSpot(
        token=SecretStr("pat-na1-secret"),
        facts_map=HUBSPOT_DEFAULTS,
        properties={},
        version="v3",
        patience=0.0,
    )


@pytest.mark.parametrize(
    ("types", "account"),
    [
        ((None, None), "6"),
        (([{"typeId": 341}], [{"typeId": 341}, {"typeId": 5}]), "5"),
        (("x", [{"typeId": "5"}, 7]), "6"),
    ],
)
def test_without_a_primary_company_the_first_one_is_the_account(
    types: tuple[object, object], account: str
) -> None:
    to = [{"toObjectId": 6, "associationTypes": types[0]}, {"toObjectId": 5, "associationTypes": types[1]}]
    with responses.RequestsMock() as server:
        crm = answering(server, to)
        (deal,) = crm.deals(0)
    crm.close()
    assert deal.account_id == account
    assert (deal.amount, deal.currency, deal.stage, deal.open) == (None, "USD", "gone", True)
    assert (deal.closed_on, deal.created_at, deal.changed_at) == ("", 0, 0)


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("stale", [True, False])
def test_a_deal_of_a_company_that_is_gone_belongs_to_its_survivor_or_to_nobody(
    portal: Portal, stale: bool, follows: bool
) -> None:
    portal.simulator.admin("POST settings", stale_associations=stale, batch_read_follows_merges=follows)
    deleted, loser, survivor = portal.create_many(3)
    ids = [portal.add_deal(company) for company in (deleted, loser, survivor)]
    portal.delete(deleted)
    portal.merge(loser, survivor)
    assert accounts(portal) == dict(zip(ids, ["", survivor, survivor], strict=True))


@pytest.mark.parametrize("follows", [True, False])
@pytest.mark.parametrize("waited", [0, 10])
def test_a_deal_merged_into_another_is_told_as_that_one_and_once(
    portal: Portal, follows: bool, waited: float
) -> None:
    portal.simulator.admin("POST settings", batch_read_follows_merges=follows)
    loser, survivor = portal.add_deal(""), portal.add_deal("")
    portal.advance(10)
    merge(portal, "deals", loser, survivor)
    portal.advance(waited)  # until then search still shows both
    for since in (0, 1_000):
        assert [deal.id for deal in told(portal, since)] == [survivor]


def test_a_deal_deleted_since_search_saw_it_is_not_told(portal: Portal) -> None:
    gone, there = portal.add_deal(""), portal.add_deal("")
    portal.advance(10)
    portal.drop_deal(gone)
    assert [deal.id for deal in told(portal, 1_000)] == [there]


@pytest.mark.parametrize("kind", ["empty_results", "error_200", "207_mixed"])
def test_what_one_answer_leaves_out_is_asked_for_again(portal: Portal, kind: str) -> None:
    company = portal.create()
    ids = list(portal.add_deals(company, 5))
    portal.advance(10)
    for match in ("associations/.*deals", "objects/.*deals/batch/read", "objects/.*companies/batch/read"):
        portal.fault(kind, match, nth=1)
    assert accounts(portal, 1_000) == dict.fromkeys(ids, company)


@pytest.mark.parametrize(("match", "since"), [("GET deals", 0), ("deals/search", 1_000)])
def test_an_answer_that_lists_nothing_is_not_taken_for_no_deals(
    portal: Portal, match: str, since: int
) -> None:
    portal.add_deal(portal.create())
    portal.advance(10)
    portal.fault("error_200", match)
    with pytest.raises(UnavailableError, match="lists no records"):
        told(portal, since)


def test_where_nothing_changed_it_is_told_in_two_calls(portal: Portal) -> None:
    portal.add_deals(portal.create(), 120)
    portal.advance(10)
    spare = {deal.id: deal.changed_at for deal in told(portal)}
    portal.simulator.admin("DELETE stats")
    assert list(portal.crm.deals(1_000, spare=spare)) == []
    assert sum(portal.simulator.admin("GET stats")["requests"].values()) == 2


def test_the_day_a_deal_was_created_is_the_one_in_the_zone_of_the_portal(portal: Portal) -> None:
    portal.make_deal("")
    (deal,) = told(portal)
    seconds = deal.created_at // 1000 % 86_400
    portal.advance(86_400 - seconds + 2 * 3600)  # two in the morning, in New York still the day before
    portal.make_deal("")
    days = [datetime.fromtimestamp(one.created_at / 1000, UTC).date() for one in told(portal)]
    assert days[1] == days[0] + timedelta(days=1)
    assert told(portal)[1].created_on == days[0].isoformat()


def test_deals_whose_company_is_never_told_are_left_out_and_the_others_told(portal: Portal) -> None:
    company = portal.create()
    ids = list(portal.add_deals(company, 4))
    portal.fault("207_mixed", "associations/.*deals", count=9)
    assert accounts(portal) == dict.fromkeys(ids[:3], company)


def test_an_answer_that_says_nothing_is_not_taken_for_no_company(portal: Portal) -> None:
    portal.add_deal(portal.create())
    portal.fault("empty_results", "associations/.*deals", count=9)
    with pytest.raises(UnavailableError, match="to which companies"):
        told(portal)


@pytest.mark.parametrize("kind", ["503", "502_html", "empty_200", "reset"])
@pytest.mark.parametrize("match", ["pipelines", "GET /crm/.*deals", "associations", "companies/batch/read"])
def test_a_portal_out_of_order_is_unavailable(portal: Portal, kind: str, match: str) -> None:
    portal.add_deal(portal.create())
    portal.fault(kind, match, count=9)
    with pytest.raises(UnavailableError):
        told(portal)
