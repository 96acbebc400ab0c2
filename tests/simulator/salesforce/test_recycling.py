"""What happens to a record and to what belongs to it when it is deleted, brought back or merged."""

import pytest

from icp_sync.simulator.salesforce import recycling
from tests.simulator.salesforce.org_world import ACCOUNTS, an_org


@pytest.fixture
def world():
    with an_org() as running:
        yield running


def with_children(world, account):
    contact = world.make("Contact", LastName="Doe", AccountId=account)
    deal = {"Name": "Deal", "StageName": "Prospecting", "CloseDate": "2027-01-31", "AccountId": account}
    return contact, world.make("Opportunity", **deal), world.make(ParentId=account)


def test_a_deleted_account_takes_its_contacts_and_deals_with_it_and_frees_its_subsidiaries(world):
    account = world.make()
    contact, deal, below = with_children(world, account)
    world.pass_by(60)
    assert world.json("DELETE", f"{ACCOUNTS}/{account}")[0] == 204
    for kind, gone in (("Account", account), ("Contact", contact), ("Opportunity", deal)):
        status, body = world.json("GET", f"sobjects/{kind}/{gone}")
        assert (status, body[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")
    assert world.shown(below, "ParentId", "SystemModstamp") == {
        "ParentId": None,
        "SystemModstamp": "2026-11-21T12:01:00.000+0000",
        "Id": below,
    }
    status, body = world.json("PATCH", f"{ACCOUNTS}/{account}", {"Site": "x"})
    assert (status, body[0]["errorCode"]) == (404, "ENTITY_IS_DELETED")


def test_after_fifteen_days_a_deleted_record_was_never_there(world):
    account = world.make()
    world.json("DELETE", f"{ACCOUNTS}/{account}")
    world.pass_by(15 * 86_400)
    status, body = world.json("GET", f"{ACCOUNTS}/{account}")
    assert (status, body[0]["errorCode"]) == (404, "NOT_FOUND")


def test_an_undeleted_account_comes_back_with_its_children(world):
    account, other = world.make(), world.make()
    contact, deal, _ = with_children(world, account)
    alone = world.make("Contact", LastName="Gone before", AccountId=account)
    world.json("DELETE", f"sobjects/Contact/{alone}")
    world.pass_by(60)
    world.json("DELETE", f"{ACCOUNTS}/{account}")
    world.pass_by(60)
    with world.org.lock:
        assert recycling.undelete(world.org.accounts, world.record(account)) is True
        assert recycling.undelete(world.org.accounts, world.record(other)) is False
    assert world.shown(account, "SystemModstamp")["SystemModstamp"] == "2026-11-21T12:02:00.000+0000"
    assert world.shown(contact, "AccountId", kind="Contact")["AccountId"] == account
    assert world.shown(deal, "IsDeleted", kind="Opportunity")["IsDeleted"] is False
    assert world.json("GET", f"sobjects/Contact/{alone}")[0] == 404


def test_a_merge_names_the_survivor_and_hands_over_what_belonged_to_the_loser(world):
    survivor, loser = world.make(Site="kept"), world.make(Site="lost", Phone="7")
    contact, deal, below = with_children(world, loser)
    world.pass_by(60)
    with world.org.lock:
        accounts = world.org.accounts
        recycling.merge(accounts, world.record(survivor), world.record(loser), recycling.Source("UI"))
        assert accounts.value(world.record(loser), accounts.field("MasterRecordId")) == survivor
        assert recycling.undelete(accounts, world.record(loser)) is False
    assert world.shown(survivor, "Site", "Phone", "SystemModstamp") == {
        "Site": "kept",
        "Phone": "7",
        "SystemModstamp": "2026-11-21T12:01:00.000+0000",
        "Id": survivor,
    }
    assert world.shown(contact, "AccountId", kind="Contact")["AccountId"] == survivor
    assert world.shown(deal, "AccountId", kind="Opportunity")["AccountId"] == survivor
    assert world.shown(below, "ParentId")["ParentId"] == survivor
    assert world.json("PATCH", f"{ACCOUNTS}/{loser}", {"Site": "x"})[1][0]["errorCode"] == "ENTITY_IS_DELETED"


def test_a_user_cannot_be_deleted(world):
    status, body = world.json("DELETE", f"sobjects/User/{world.person('ben.lindqvist@sales.example')}")
    assert (status, body[0]["errorCode"]) == (403, "INSUFFICIENT_ACCESS_OR_READONLY")
