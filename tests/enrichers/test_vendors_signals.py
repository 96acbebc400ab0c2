"""Technologies, intent and events: what is particular to the vendors of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses
from responses import matchers

from icp_sync.domain.facts import Interval, Members, choice
from icp_sync.ports import Hit, Pending, Request, Unavailable
from tests.enrichers.vendor_calls import ask, body, facts, header, sample, vendor


@pytest.fixture(autouse=True)
def web() -> Iterator[responses.RequestsMock]:
    """Nothing but what a test adds answers."""
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
        yield mocked


# Technologies


def test_builtwith_says_with_http_200_that_no_credits_are_left(web: responses.RequestsMock) -> None:
    web.get("https://api.builtwith.com/v26/api.json", json=sample("builtwith", "no_credit")["body"])
    answer = ask(vendor("builtwith"))
    assert isinstance(answer, Unavailable)
    assert answer.kind == "no_credit"
    assert answer.charge == 0
    assert header(web, "Authorization") == "API s3cret-key"
    assert "s3cret" not in str(web.calls[0].request.url)
    assert "s3cret" not in answer.message


@pytest.mark.parametrize("inside", [True, False])
def test_builtwith_names_the_company_in_either_of_two_places(
    web: responses.RequestsMock, inside: bool
) -> None:
    body = sample("builtwith", "hit")["body"]
    if inside:
        body["Results"][0]["Result"]["Meta"] = body["Results"][0].pop("Meta")
    web.get("https://api.builtwith.com/v26/api.json", json=body)
    assert facts(ask(vendor("builtwith")))["name"] == choice("acme rocket works")


def test_a_technology_is_as_old_as_it_was_last_seen_and_no_list_of_them_is_whole(
    web: responses.RequestsMock,
) -> None:
    web.get("https://api.builtwith.com/v26/api.json", json=sample("builtwith", "hit")["body"])
    web.get("https://api.wappalyzer.com/v2/lookup/", json=sample("wappalyzer", "hit")["body"])
    for name, seen in (("builtwith", 1_794_700_800.0), ("wappalyzer", 1_794_528_000.0)):
        enricher = vendor(name)
        enricher.clock = lambda: 1_795_000_000.0
        answer = ask(enricher)
        assert isinstance(answer, Hit)
        told = next(s for s in answer.signals if s.fact == "technologies")
        assert told.observed_at == seen
        assert told.until == 1_795_000_000.0 + 60 * 86_400
        assert isinstance(told.value, Members)
        assert not told.value.complete
        assert not enricher.complete


def test_builtwith_is_told_when_to_come_back_in_the_body(web: responses.RequestsMock) -> None:
    web.get("https://api.builtwith.com/v26/api.json", status=429, json={"retryAfterSeconds": 3})
    answer = ask(vendor("builtwith"))
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.retry_after) == ("throttled", 3.0)


def test_a_site_wappalyzer_crawls_first_is_asked_for_again_and_ordered_once(
    web: responses.RequestsMock,
) -> None:
    web.get("https://api.wappalyzer.com/v2/lookup/", **_reply("wappalyzer", "pending"))
    web.get("https://api.wappalyzer.com/v2/lookup/", **_reply("wappalyzer", "ready"))
    enricher = vendor("wappalyzer")
    first = ask(enricher)
    assert isinstance(first, Pending)
    assert first.charge == 0
    again = ask(enricher, Request(account_id="7", domain="acme.com", job=first.job))
    assert facts(again) == {"technologies": Members(frozenset({"wordpress"}), False)}
    assert enricher.credits_left == 812


def test_wappalyzer_answers_ten_sites_at_once_each_found_by_its_address(
    web: responses.RequestsMock,
) -> None:
    batch = sample("wappalyzer", "batch")
    web.get("https://api.wappalyzer.com/v2/lookup/", json=batch["body"], headers=batch["headers"])
    requests = [Request(account_id=str(n), **one) for n, one in enumerate(batch["asked"])]
    answers = vendor("wappalyzer").answer(requests)
    kinds = [getattr(one, "kind", type(one).__name__) for one in answers]
    assert kinds == ["Hit", "Hit", "Pending", "bad_input", "error"]
    assert len(web.calls) == 1
    asked = parse_qs(urlsplit(str(web.calls[0].request.url)).query)["urls"]
    assert asked == [",".join(f"https://{one['domain']}" for one in batch["asked"])]


def _reply(name: str, what: str) -> dict[str, Any]:
    found = sample(name, what)
    return {
        "json": found["body"],
        "headers": {**found.get("headers", {}), "content-type": "application/json"},
    }


# Intent and events


def test_bombora_is_logged_in_once_and_pulled_for_one_domain(web: responses.RequestsMock) -> None:
    web.post("https://api.bombora.com/oauth/token", json={"access_token": "t0k", "expires_in": 86400})
    web.post("https://api.bombora.com/intent/v1/data", json={"pageToken": "nSA21gW"})
    web.get(
        "https://api.bombora.com/intent/v1/data",
        json=sample("bombora", "hit")["body"],
        match=[matchers.query_param_matcher({"pageToken": "nSA21gW", "limit": "100"})],
    )
    enricher = vendor("bombora")
    told = facts(ask(enricher))
    assert told["intent_score"] == Interval(87, 87)
    assert told["intent_topics"] == Members(frozenset({"crm", "sales enablement"}), False)
    ask(enricher, Request(account_id="8", domain="umbrella.example"))
    assert [str(c.request.url).rpartition("/")[2] for c in web.calls].count("token") == 1
    said = [body(web, n) for n in range(len(web.calls))]
    described = [json.loads(one) for one in said if "filter" in one]
    assert [one["filter"] for one in described] == [
        {"a": "domain", "eq": "acme.com"},
        {"a": "domain", "eq": "umbrella.example"},
    ]
    assert described[0]["signalDefinitionId"] == "517134f7"
    assert "topics" not in described[0]
    assert header(web, "Authorization") == "Bearer t0k"


def test_predictleads_says_both_who_asks_and_with_which_token(web: responses.RequestsMock) -> None:
    url = "https://predictleads.com/api/v3/companies/acme.com/news_events"
    web.get(url, json=sample("predictleads", "hit")["body"])
    enricher = vendor("predictleads")
    told = facts(ask(enricher))
    assert (header(web, "X-Api-Key"), header(web, "X-Api-Token")) == ("s3cret-key", "s3cret-token")
    assert told["funding_stage"] == choice("series_b")
    assert told["news"] == Members(frozenset({"launches", "receives_financing"}), False)  # and no plan
    assert "s3cret" not in repr(enricher)


def test_a_round_of_debt_dates_the_funding_but_is_no_stage(web: responses.RequestsMock) -> None:
    body = sample("predictleads", "hit")["body"]
    body["data"][1]["attributes"]["financing_type_normalized"] = "debt_financing"
    web.get("https://predictleads.com/api/v3/companies/acme.com/news_events", json=body)
    told = facts(ask(vendor("predictleads")))
    assert "last_funding_date" in told
    assert told["funding_stage"] == choice("series_a")


def test_job_openings_become_the_roles_profiles_ask_for(web: responses.RequestsMock) -> None:
    web.get(
        "https://predictleads.com/api/v3/companies/acme.com/job_openings",
        json=sample("predictleads_jobs", "hit")["body"],
        match=[matchers.query_param_matcher({"active_only": "true", "limit": "100"})],
    )
    told = facts(ask(vendor("predictleads_jobs")))
    assert told["open_jobs"] == Interval(37, 37)
    roles = told["open_roles"]
    assert isinstance(roles, Members)
    assert {"sdr", "vp sales"} <= roles.known
    assert not roles.complete
