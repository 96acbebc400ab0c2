"""Owners and property definitions are asked for rarely, and again when something unknown turns up."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import responses
from structlog.testing import capture_logs

from icp_sync.crm.hubspot.catalogue import Catalogue
from icp_sync.crm.hubspot.roster import roster as made
from icp_sync.errors import UnavailableError
from tests.crm.hubspot.test_client import URL, client

OWNERS = f"{URL}/crm/owners/2026-03"
PROPERTIES = f"{URL}/crm/properties/2026-03/companies"
ANN = {"id": "7", "email": "Ann@Sales.example", "firstName": "Ann", "lastName": None}
QUEUE = {"id": "9", "email": None, "type": "QUEUE"}
LANE = {"name": "icp_lane", "type": "enumeration", "fieldType": "select", "options": []}
OLD_ANN = {"id": "3", "email": "ann@sales.example", "archived": True}


@pytest.fixture
def server() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock() as mock:
        yield mock


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def owners(server: responses.RequestsMock, *active: object) -> None:
    """One reading of the roster: those who left, then the active ones."""
    for found in ([OLD_ANN], list(active)):
        server.add("GET", OWNERS, json={"results": found})


def test_owners_are_read_once_in_a_quarter_of_an_hour(server: responses.RequestsMock) -> None:
    clock = Clock()
    roster = made(client(), clock)
    owners(server, ANN, QUEUE)
    assert [owner.email for owner in roster.owners()] == ["ann@sales.example"] * 2
    clock.now = 899
    assert roster.email("7") == "ann@sales.example"
    assert len(server.calls) == 2
    clock.now = 901
    owners(server, ANN)
    assert roster.email("7") == "ann@sales.example"
    assert len(server.calls) == 4


def test_an_email_is_written_as_the_active_owner_who_has_it(server: responses.RequestsMock) -> None:
    owners(server, ANN)
    roster = made(client(), Clock())
    assert roster.id("ann@sales.example") == "7"
    assert roster.email("3") == "ann@sales.example"


def test_a_queue_is_known_by_its_id(server: responses.RequestsMock) -> None:
    owners(server, QUEUE)
    assert made(client(), Clock()).email("9") == "#9"


def test_someone_who_joined_is_found_after_a_minute_and_not_asked_for_all_the_time(
    server: responses.RequestsMock,
) -> None:
    clock = Clock()
    roster = made(client(), clock)
    owners(server)
    assert [roster.email("7") for _ in range(5)] == ["#7"] * 5
    assert len(server.calls) == 2
    clock.now = 61
    owners(server, ANN)
    assert roster.email("7") == "ann@sales.example"


def test_a_list_of_owners_that_does_not_advance_is_an_error_and_no_loop(
    server: responses.RequestsMock,
) -> None:
    stuck = {"results": [ANN], "paging": {"next": {"after": "1"}}}
    server.add("GET", OWNERS, json=stuck)
    with pytest.raises(UnavailableError, match="does not advance"):
        made(client(), Clock()).owners()


def test_a_property_that_comes_back_carries_its_output_again(server: responses.RequestsMock) -> None:
    clock = Clock()
    tier = {"name": "icp_tier", "type": "enumeration", "options": [{"value": "A"}]}
    catalogue = Catalogue(client(), {"tier": "icp_tier", "lane": "icp_lane"}, name="t", clock=clock)
    server.add("GET", PROPERTIES, json={"results": [tier]})
    assert catalogue.carried() == {"tier": "icp_tier"}
    assert list(catalogue.disabled) == ["lane"]
    clock.now = 899
    assert catalogue.carried() == {"tier": "icp_tier"}
    assert len(server.calls) == 1
    clock.now = 901
    server.add("GET", PROPERTIES, json={"results": [tier, LANE]})
    assert catalogue.carried() == {"tier": "icp_tier", "lane": "icp_lane"}


def test_a_portal_that_was_never_provisioned_is_one_line_and_no_error(server: responses.RequestsMock) -> None:
    clock = Clock()
    names = {"tier": "icp_tier", "lane": "icp_lane", "target_account": "hs_is_target_account"}
    catalogue = Catalogue(client(), names, name="t", clock=clock)
    native = {"name": "hs_is_target_account", "type": "bool", "hubspotDefined": True}
    server.add("GET", PROPERTIES, json={"results": [native]})
    with capture_logs() as said:
        assert catalogue.carried() == {"target_account": "hs_is_target_account"}
    assert [(e["log_level"], e["event"]) for e in said if e["component"] == "hubspot"] == [
        ("info", "not provisioned yet")
    ]
    assert sorted(catalogue.disabled) == ["lane", "tier"]


def test_outputs_that_were_there_and_are_all_gone_are_an_error(server: responses.RequestsMock) -> None:
    clock = Clock()
    catalogue = Catalogue(client(), {"lane": "icp_lane"}, name="t", clock=clock)
    server.add("GET", PROPERTIES, json={"results": [LANE]})
    assert catalogue.carried() == {"lane": "icp_lane"}
    server.add("GET", PROPERTIES, json={"results": []})
    clock.now = 901
    with capture_logs() as said:
        assert catalogue.carried() == {}
    assert [(e["log_level"], e["fields"]) for e in said if e["component"] == "hubspot"] == [
        ("error", ["lane"])
    ]


def test_a_property_just_made_is_not_disabled_by_a_read_that_does_not_name_it_yet(
    server: responses.RequestsMock,
) -> None:
    catalogue = Catalogue(client(), {"lane": "icp_lane"}, name="t", clock=Clock())
    server.add("GET", PROPERTIES, json={"results": []})
    catalogue.definitions()
    catalogue.remember([LANE])
    catalogue.unnamed()
    assert len(server.calls) == 2
    assert catalogue.carried() == {"lane": "icp_lane"}


def test_properties_that_cannot_be_read_again_leave_what_is_known(server: responses.RequestsMock) -> None:
    catalogue = Catalogue(client(), {"lane": "icp_lane"}, name="t", clock=Clock())
    server.add("GET", PROPERTIES, json={"results": [LANE]})
    catalogue.definitions()
    server.add("GET", PROPERTIES, status=403, json={})
    catalogue.unnamed()
    assert catalogue.carried() == {"lane": "icp_lane"}


def test_many_refusals_at_once_read_the_properties_once(server: responses.RequestsMock) -> None:
    clock = Clock()
    catalogue = Catalogue(client(), {"tier": "icp_tier"}, name="t", clock=clock)
    tier = {"name": "icp_tier", "type": "enumeration", "options": [{"value": "A"}]}
    server.add("GET", PROPERTIES, json={"results": [tier]})
    clock.now = 100
    assert catalogue.suspect({"tier": {"A"}}, since=99.0) == frozenset()
    assert catalogue.suspect({"tier": {"B"}}, since=99.5) == {"tier"}
    assert len(server.calls) == 1
    assert catalogue.suspect({"tier": {"B"}}, since=100.5) == {"tier"}
    assert len(server.calls) == 2
    assert catalogue.disabled == {"tier": "icp_tier has no option B"}


@pytest.mark.parametrize(
    "definition",
    [
        {"type": "number", "calculated": True},
        {"type": "number", "modificationMetadata": {"readOnlyValue": True}},
    ],
)
def test_a_read_only_property_carries_nothing(
    server: responses.RequestsMock, definition: dict[str, object]
) -> None:
    server.add("GET", PROPERTIES, json={"results": [{"name": "icp_fit_score", **definition}]})
    catalogue = Catalogue(client(), {"fit_score": "icp_fit_score"}, name="t", clock=Clock())
    assert catalogue.carried() == {}
    assert "read-only" in catalogue.disabled["fit_score"]
