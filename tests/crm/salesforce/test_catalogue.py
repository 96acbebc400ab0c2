"""What the org shows of its fields, what of ours it can carry, and that a lost field costs only itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import structlog

from icp_sync.crm.salesforce.catalogue import closed_options, unfit
from icp_sync.crm.salesforce.columns import columns
from icp_sync.domain.facts import Members, Money
from icp_sync.errors import RequestError
from tests.crm.salesforce.reads import PLATFORM, Reads, facts, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def test_one_describe_serves_a_quarter_of_an_hour(reads: Reads) -> None:
    for _ in range(3):
        reads.catalogue.definitions()
        reads.catalogue.carried()
    assert reads.asked("describe") == 1
    reads.monotonic += 901
    reads.catalogue.definitions()
    assert reads.asked("describe") == 2


def test_an_output_the_org_does_not_have_is_disabled_alone_and_comes_back(reads: Reads) -> None:
    assert set(reads.catalogue.carried()) == {"owner", "tier", "fit_score", "routed_owner"}
    reads.admin("POST fields", hide=["Score__c"])
    assert reads.catalogue.suspect({"fit_score": ["7"]}) == {"fit_score"}
    assert set(reads.catalogue.carried()) == {"owner", "tier", "routed_owner"}
    assert "Score__c" in reads.catalogue.disabled["fit_score"]
    reads.admin("POST fields", show=["Score__c"])
    reads.monotonic += 901
    assert "fit_score" in reads.catalogue.carried()


def test_a_field_we_may_not_edit_is_disabled_and_says_so(reads: Reads) -> None:
    reads.admin("POST fields", lock=["Tier__c"])
    assert "tier" not in reads.catalogue.carried()
    assert "may not edit" in reads.catalogue.disabled["tier"]


def test_a_value_a_restricted_picklist_lacks_disables_the_field_once_it_was_refused(reads: Reads) -> None:
    assert reads.catalogue.suspect({"tier": ["A"]}) == frozenset()
    assert reads.catalogue.suspect({"tier": ["Needs data"]}) == {"tier"}
    assert reads.catalogue.disabled["tier"] == "Tier__c has no value Needs data"


def test_a_field_hidden_between_describe_and_read_costs_only_itself(reads: Reads) -> None:
    (id,) = reads.create(NumberOfEmployees="120", AnnualRevenue="5000000")
    assert facts(reads.one(id)).keys() >= {"employees", "revenue"}
    reads.admin("POST fields", hide=["NumberOfEmployees"])
    with structlog.testing.capture_logs() as said:
        account = reads.one(id)
        reads.one(id)
    assert facts(account)["revenue"] == Money(5e6, 5e6, "USD")
    assert "employees" not in facts(account)
    loud = [entry for entry in said if entry["log_level"] == "error"]
    assert [entry["fields"] for entry in loud] == [["NumberOfEmployees"]]


def test_several_fields_hidden_at_once_are_all_left_out(reads: Reads) -> None:
    (id,) = reads.create(BillingCity="Oslo")
    reads.one(id)
    reads.admin("POST fields", hide=["Industry", "Website", "Score__c"])
    account = reads.one(id)
    assert "city" in facts(account)
    assert set(account.live) == {"owner", "tier", "routed_owner"}


def test_a_field_that_describe_shows_and_reads_refuse_is_left_out_for_a_while(reads: Reads) -> None:
    error = RequestError(
        "refused",
        status=400,
        body=[{"errorCode": "INVALID_FIELD", "message": "No such column 'Website' on entity 'Account'"}],
    )
    assert reads.catalogue.refused(error, ("Id", "Website"))
    assert reads.catalogue.definition("website") is None
    assert not reads.catalogue.refused(error, ("Id", "Industry"))
    reads.monotonic += 901
    reads.catalogue.definitions()
    reads.monotonic += 901
    assert reads.catalogue.definition("Website") is not None


def test_a_refusal_about_something_else_is_not_asked_anew(reads: Reads) -> None:
    body = [{"errorCode": "MALFORMED_QUERY", "message": "unexpected token: FORM"}]
    assert not reads.catalogue.refused(RequestError("refused", status=400, body=body), ("Id",))


def test_what_the_org_has_not_is_left_out_and_said_once(reads: Reads) -> None:
    with structlog.testing.capture_logs() as said:
        for id in reads.create(2):
            reads.one(id)
    (told,) = [entry for entry in said if "tell nothing" in entry["event"]]
    assert told["fields"] == ["BillingCountryCode", "IsPersonAccount", "YearStarted"]


@pytest.mark.parametrize(
    ("feature", "properties", "fact", "value"),
    [
        ("data_com", {"YearStarted": "1998"}, "founded", None),
        (
            "state_country_picklists",
            {"BillingCountryCode": "NO", "BillingCountry": "Norway"},
            "country",
            Members(frozenset({"NO"}), True),
        ),
    ],
)
def test_fields_of_features_some_orgs_have_feed_facts_where_they_are(
    reads: Reads, feature: str, properties: dict[str, str], fact: str, value: Members | None
) -> None:
    reads.admin("POST settings", **{feature: True})
    (id,) = reads.create(1, late=0.0, **properties)
    found = facts(reads.one(id))
    assert fact in found
    if value is not None:
        assert found[fact] == value


def test_the_currency_of_a_record_is_the_one_its_amounts_are_in(reads: Reads) -> None:
    reads.admin("POST settings", multi_currency=True)
    (id,) = reads.create(AnnualRevenue="7000000", CurrencyIsoCode="EUR")
    assert facts(reads.one(id))["revenue"] == Money(7e6, 7e6, "EUR")


def test_a_person_account_is_a_person_and_others_say_nothing_of_it(reads: Reads) -> None:
    reads.admin("POST settings", person_accounts=True)
    person, company = reads.create(), reads.create()
    record = reads.simulator.org.accounts.record(person[0])
    assert record is not None
    # Only Salesforce itself turns an account into a person's.
    reads.simulator.org.accounts.write(record, {"IsPersonAccount": "true"}, PLATFORM)
    assert facts(reads.one(person[0]))["population"] == Members(frozenset({"person"}), True)
    assert "population" not in facts(reads.one(company[0]))


def test_names_are_found_in_any_case_and_asked_for_once(reads: Reads) -> None:
    found = columns(reads.catalogue, ["website", "WEBSITE", "BillingAddress", "Nothing__c"])
    assert found.names.count("Website") == 1
    assert found.missing == ("BillingAddress", "Nothing__c")
    assert found.of_json({"Website": "a.example"}) == {"website": "a.example", "WEBSITE": "a.example"}


def test_only_restricted_picklists_insist_on_their_values() -> None:
    free = {"type": "picklist", "restrictedPicklist": False, "picklistValues": [], "updateable": True}
    assert closed_options(free) is None
    assert unfit("X", free, ["anything"]) == ""
    offered = [{"value": "a", "active": True}, {"value": "b", "active": False}]
    closed = {
        "type": "multipicklist", "restrictedPicklist": True, "picklistValues": offered, "updateable": True,
    }  # fmt: skip
    assert closed_options(closed) == frozenset({"a"})
    assert unfit("X", closed, ["a;b"]) == "X has no value b"
