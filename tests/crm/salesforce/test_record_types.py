"""Record types: the values of our picklists in them, and everything else as it was."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses

from icp_sync.crm.salesforce.provisioning.metadata import record_type
from icp_sync.crm.salesforce.provisioning.record_types import record_types
from icp_sync.domain.standing import STATES
from icp_sync.ports import StepKind
from icp_sync.simulator import Simulator
from tests.crm.salesforce.parts import FLAGS, TIER, connect, kinds, only, record_type_values


@pytest.fixture
def bare() -> Iterator[Simulator]:
    with Simulator(crm="salesforce", accounts=0) as simulator:
        yield simulator


def test_our_values_are_in_every_record_type_and_its_own_picklists_are_untouched(bare: Simulator) -> None:
    bare.admin("POST record_types", name="Partner", picklists={"Industry": ["Banking", "Energy"]})
    org = connect(bare.url)
    steps = org.provision(only("tier", "flags", "fit_score", flags=("agency",)))
    assert not any("record type" in step.what for step in steps)
    offered = bare.org.record_types["Partner"].picklists
    assert offered[TIER.lower()] == set(STATES)
    assert offered[FLAGS.lower()] == {"agency"}
    assert offered["industry"] == {"Banking", "Energy"}
    org.provision(only("tier", "flags", "fit_score", flags=("agency", "b2c")))
    assert offered[FLAGS.lower()] | {"b2c"} == bare.org.record_types["Partner"].picklists[FLAGS.lower()]


def test_values_a_record_type_lacks_are_added_to_it_alone(bare: Simulator) -> None:
    org = connect(bare.url)
    org.provision(only("tier"))
    bare.admin("POST record_types", name="Partner", picklists={TIER: ["A", "B"]})
    with responses.RequestsMock() as server:
        record_type_values(bare, server, tier=["A", "B"])
        steps = [step for step in org.provision(only("tier")) if step.kind is not StepKind.KEEP]
    assert [(step.kind, step.what, step.detail) for step in steps] == [
        (StepKind.ADD_OPTION, TIER, "record type Partner: C, D, Needs data, Not ICP")
    ]
    assert bare.org.record_types["Partner"].picklists[TIER.lower()] == set(STATES)
    with responses.RequestsMock() as server:
        record_type_values(bare, server, tier=list(STATES))
        assert kinds(org.provision(only("tier"))) == {StepKind.KEEP}


def test_who_sees_the_setup_learns_a_record_type_from_there_and_takes_nothing_from_it(
    bare: Simulator,
) -> None:
    org = connect(bare.url)
    org.provision(only("flags", flags=("agency", "a/b")))
    bare.admin("POST record_types", name="Partner", picklists={FLAGS: ["a/b"]})
    (known,) = bare.org.record_types.values()
    set_up = {
        "compactLayoutAssignment": "Short",
        "businessProcess": None,
        "picklistValues": [{"picklist": FLAGS, "values": [{"valueName": "a%2Fb"}]}],
    }
    with responses.RequestsMock() as server:
        server.add_passthru(bare.url)
        path = f"/services/data/v66.0/tooling/sobjects/RecordType/{known.id}"
        server.add("GET", bare.url + path, json={"Metadata": set_up})
        (found,) = record_types(org.client, [FLAGS])
    assert (found.name, found.values) == ("Partner", {FLAGS: {"a/b"}})
    assert dict(record_type(found, {}).body).items() >= {("compactLayoutAssignment", "Short")}
    assert "businessProcess" not in dict(record_type(found, {}).body)
