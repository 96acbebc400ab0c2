"""What a fresh org holds."""

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce import ids
from icp_sync.simulator.salesforce.founding import UNASSIGNED
from icp_sync.simulator.salesforce.schema import kept
from salesforce.served_org import NOON


def org(accounts, seed=1, contacts=False):
    crm = Simulator(crm="salesforce", accounts=accounts, seed=seed, contacts=contacts, start_clock=NOON)
    crm.admin("POST clock", freeze=True, at=NOON)
    crm.admin("POST reset")
    return crm.org


def records(sobject):
    return list(sobject.store.records.values())


def test_the_same_seed_gives_the_same_org():
    first, second, other = org(200), org(200), org(200, seed=2)
    for name in ("account", "opportunity", "user"):
        shown = [(r.id, r.props) for r in records(first.objects[name])]
        assert shown == [(r.id, r.props) for r in records(second.objects[name])]
    assert [r.props for r in records(first.accounts)] != [r.props for r in records(other.accounts)]


def test_every_seed_is_an_org_of_its_own():
    assert len({Simulator(crm="salesforce", accounts=0, seed=seed).org.id for seed in range(-5, 5)}) == 10


def test_both_crms_hold_the_same_companies():
    portal = Simulator(accounts=150, start_clock=NOON).portal
    names = [record.props["name"] for record in portal.store.records.values()]
    assert [record.props["Name"] for record in records(org(150).accounts)] == names


def test_every_seeded_value_is_one_its_field_would_hold():
    made = org(1_000, contacts=True)
    for switch in ("data_com", "state_country_picklists"):
        setattr(made.switches, switch, True)
    made.apply_features()
    for name in ("account", "opportunity", "contact"):
        sobject = made.objects[name]
        for record in records(sobject):
            for key, text in record.props.items():
                field = sobject.field(key)
                assert field is not None, key
                assert kept(field, text) == text, (key, text)
                listed = {choice.value for choice in field.choices}
                assert not listed or field.restricted or text in listed, (key, text)
                assert not field.length or len(text) <= field.length, (key, text)


def test_every_account_has_an_owner_and_most_are_nobodys():
    made = org(1_000)
    emails = {user.id: user.email for user in made.users.values()}
    owners = [emails[record.props["OwnerId"]] for record in records(made.accounts)]
    assert 0.55 < owners.count(UNASSIGNED) / len(owners) < 0.7
    assert len(set(owners)) == 8, "six people, one who left, nobody"
    assert {user.email for user in made.users.values() if not user.active} == {"gwen.former@sales.example"}


def test_deals_belong_to_accounts_of_the_org_and_some_are_won():
    made = org(1_000)
    deals = records(made.objects["opportunity"])
    numbers = {ids.number(deal.props["AccountId"]) for deal in deals}
    assert numbers <= set(made.accounts.store.records)
    stages = [deal.props["StageName"] for deal in deals]
    assert min(stages.count("Closed Won"), stages.count("Closed Lost"), stages.count("Prospecting")) > 5


def test_a_few_accounts_are_subsidiaries_and_none_is_its_own():
    accounts = org(1_000).accounts
    parents = [(accounts.id_of(r), r.props["ParentId"]) for r in records(accounts) if "ParentId" in r.props]
    assert 10 < len(parents) < 60
    assert all(child != parent for child, parent in parents)


def test_facts_are_as_full_of_holes_as_in_life():
    found = records(org(1_800).accounts)
    share = {
        name: sum(name in record.props for record in found) / len(found)
        for name in ("Website", "BillingCountry", "Industry", "NumberOfEmployees", "AnnualRevenue", "Type")
    }
    assert 0.75 < share["Website"] < 0.9
    assert 0.75 < share["BillingCountry"] < 0.95
    assert 0.2 < share["Industry"] < 0.6
    assert 0.25 < share["NumberOfEmployees"] < 0.4
    assert 0.25 < share["AnnualRevenue"] < 0.4
    assert 0.4 < share["Type"] < 0.8
    spelled = [record.props.get("Website", "") for record in found]
    assert any(one.startswith("https://") for one in spelled)
    assert any(one.startswith("www.") for one in spelled)


def test_contacts_come_only_when_asked_for():
    assert records(org(50).objects["contact"]) == []
    people = records(org(50, contacts=True).objects["contact"])
    assert len(people) > 50
    assert any("Title" not in person.props for person in people)


def test_nothing_seeded_is_from_the_future():
    made = org(500, contacts=True)
    now = made.clock.now_ms()
    for name in ("account", "opportunity", "contact", "user"):
        assert all(r.created <= r.modified < now for r in records(made.objects[name]))
