"""What a fresh account holds."""

import ast
from pathlib import Path

import icp_sync.simulator as package
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.validation import accepted

LISTED = 1837


def records(accounts, seed=1):
    crm = Simulator(accounts=accounts, seed=seed, start_clock=1_795_262_400)
    crm.admin("POST clock", freeze=True, at=1_795_262_400)
    crm.admin("POST reset")
    return crm, list(crm.portal.store.records.values())


def test_the_same_seed_gives_the_same_companies():
    assert [r.props for r in records(300)[1]] == [r.props for r in records(300)[1]]
    assert [r.props for r in records(300)[1]] != [r.props for r in records(300, seed=2)[1]]


def test_every_seeded_value_is_one_hubspot_would_hold():
    crm, found = records(2000)
    owners = {owner.id for owner in crm.portal.owners}
    for record in found:
        for name, value in record.props.items():
            definition = crm.portal.catalogue.get(name)
            assert definition is not None, name
            assert accepted(definition, value, "", owners) == value, (name, value)


def test_real_companies_come_first_and_generated_ones_say_so():
    _, found = records(LISTED + 20)
    names = [record.props["name"] for record in found]
    assert {"3M", "GSK plc", "A10 Networks"} <= set(names)
    assert not any(name.startswith("Generated") for name in names[:LISTED])
    for record in found[LISTED:]:
        assert record.props["name"].startswith("Generated Company ")
        assert record.props["domain"].endswith(".example")


def test_a_small_account_is_a_mixture_and_not_the_letter_a():
    assert len({record.props["name"][0].upper() for record in records(60)[1]}) > 10


def test_facts_are_as_full_of_holes_as_in_life():
    _, found = records(LISTED)
    share = {
        name: sum(name in record.props for record in found) / len(found)
        for name in (
            "domain",
            "country",
            "industry",
            "numberofemployees",
            "annualrevenue",
            "hubspot_owner_id",
        )
    }
    assert 0.75 < share["domain"] < 0.9
    assert 0.75 < share["country"] < 0.95
    assert 0.25 < share["numberofemployees"] < 0.4
    assert 0.25 < share["annualrevenue"] < 0.4
    assert 0.2 < share["industry"] < 0.6
    assert 0.3 < share["hubspot_owner_id"] < 0.45
    spelled = {record.props.get("country") for record in found}
    assert {"United States", "USA", "Germany", "Deutschland"} <= spelled
    assert {"customer", "lead", "opportunity", None} <= {
        record.props.get("lifecyclestage") for record in found
    }


def test_nothing_seeded_is_from_the_future():
    crm, found = records(500)
    now = crm.clock.now_ms()
    assert all(record.created <= record.modified < now for record in found)


def test_the_owners_are_eight_with_one_who_left_and_one_queue():
    crm, _ = records(0)
    owners = crm.portal.owners
    assert len(owners) == len({o.id for o in owners}) == 8
    assert sum(o.archived for o in owners) == 1
    assert sum(o.type == "QUEUE" for o in owners) == 1


def test_the_simulator_shares_nothing_with_the_connectors():
    folder = Path(package.__file__).parent
    imported = set()
    for file in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module:
                imported.add(node.module)
            elif isinstance(node, ast.Import):
                imported |= {alias.name for alias in node.names}
    ours = {
        name
        for name in imported
        if name.startswith("icp_sync.") and not name.startswith("icp_sync.simulator")
    }
    assert ours <= {"icp_sync.normalize", "icp_sync.domain.facts"}


def test_every_seed_is_a_portal_of_its_own():
    seeds = range(-10, 10)
    assert Simulator(accounts=0, seed=1).portal.account.id == 44_237_313
    assert len({Simulator(accounts=0, seed=seed).portal.account.id for seed in seeds}) == len(seeds)
