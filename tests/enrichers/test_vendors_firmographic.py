"""What is peculiar to the sellers of firmographics: whose silence costs what, and what must never be read."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

import pytest
import responses

from icp_sync.domain.facts import Interval, Members, Money, Signal
from icp_sync.enrichers import load
from icp_sync.enrichers.manifest.rest import Rest
from icp_sync.ports import Answer, Enricher, Hit, Miss, Request, Unavailable

KEYS: Mapping[str, Mapping[str, str]] = {
    "apollo": {"key": "k-apollo-0123456789"},
    "cufinder": {"key": "k-cufinder-0123456789"},
    "zoominfo": {"client_id": "id-0123456789", "client_secret": "secret-0123456789"},
    "cognism": {"token": "t-cognism-0123456789"},
    "the_companies_api": {"token": "t-tca-0123456789"},
    "coresignal": {"key": "k-coresignal-0123456789"},
    "six_sense": {"token": "t-6sense-0123456789"},
}
WHERE = {
    "apollo": ("GET", "https://api.apollo.io/api/v1/organizations/enrich"),
    "cufinder": ("POST", "https://api.cufinder.io/v2/enc"),
    "zoominfo": ("POST", "https://api.zoominfo.com/gtm/data/v1/companies/enrich"),
    "cognism": ("POST", "https://app.cognism.com/api/search/account/redeem"),
    "the_companies_api": ("GET", "https://api.thecompaniesapi.com/v2/companies/borealis-lathe.com"),
    "coresignal": ("GET", "https://api.coresignal.com/cdapi/v2/company_multi_source/enrich"),
    "six_sense": ("POST", "https://api.6sense.com/v1/enrichment/company"),
}
PREVIEW = "https://app.cognism.com/api/search/account/enrich"
LOGIN = "https://okta-login.zoominfo.com/oauth2/default/v1/token"
BOREALIS = Request(account_id="1", domain="www.borealis-lathe.com", name="Borealis Lathe Works", country="US")
PEOPLE = ("jane", "doe", "555 0114", "5550114", "do not call", "renewal", "secret_note", "@")
"""What the samples hold of people, and of the asker's own CRM."""


@pytest.fixture
def web() -> Iterator[responses.RequestsMock]:
    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        mock.post(LOGIN, json={"access_token": "bearer-0123456789", "expires_in": 3600})
        yield mock


def vendor(use: str, **more: Any) -> Enricher:
    return load([{"use": use, **KEYS[use], **more}])[0]


def sample(use: str, name: str = "hit") -> dict[str, Any]:
    text = files("icp_sync.enrichers").joinpath("vendors", "samples", use, f"{name}.json").read_text("utf-8")
    document: dict[str, Any] = json.loads(text)
    return document


def replies(web: responses.RequestsMock, use: str, body: Any, *, status: int = 200, **headers: str) -> None:
    """What the vendor will say; Cognism finds the company first."""
    if use == "cognism":
        web.post(PREVIEW, json=sample("cognism")["steps"][0]["body"])
    method, url = WHERE[use]
    form = {"body": body} if isinstance(body, str) else {"json": body}
    web.add(method, url, status=status, headers=headers, **form)


def asked(web: responses.RequestsMock, use: str, body: Any, **more: Any) -> Answer:
    replies(web, use, body, **more)
    return vendor(use).answer([BOREALIS])[0]


def _sent(call: responses.Call) -> str:
    body = call.request.body
    return body.decode() if isinstance(body, bytes) else str(body or "")


def signals(answer: Answer) -> Mapping[str, Signal]:
    assert isinstance(answer, Hit), answer
    return {signal.fact: signal for signal in answer.signals}


@pytest.mark.parametrize("use", sorted(KEYS))
def test_nothing_about_people_or_of_ones_own_crm_is_kept(web: responses.RequestsMock, use: str) -> None:
    kept = repr(asked(web, use, sample(use)["body"])).lower()
    assert "borealis lathe works" in kept
    assert not [word for word in PEOPLE if word in kept]


@pytest.mark.parametrize("use", sorted(KEYS))
def test_a_recorded_reply_holds_nothing_about_people(web: responses.RequestsMock, use: str) -> None:
    replies(web, use, sample(use)["body"])
    enricher = vendor(use)
    assert isinstance(enricher, Rest)
    document = json.dumps(enricher.recorded(BOREALIS)).lower()
    assert "borealis lathe works" in document
    assert not [word for word in PEOPLE if word in document]


@pytest.mark.parametrize("use", ["apollo", "cufinder", "coresignal", "six_sense"])
def test_the_samples_do_hold_what_must_not_be_kept(use: str) -> None:
    said = json.dumps(sample(use)["body"]).lower()
    assert [word for word in PEOPLE if word in said]


@pytest.mark.parametrize("use", sorted(KEYS))
def test_only_the_registrable_domain_leaves(web: responses.RequestsMock, use: str) -> None:
    asked(web, use, sample(use)["body"])
    for call in web.calls:
        sent = f"{call.request.url} {_sent(call)}".lower()
        assert "borealis lathe" not in sent
        assert "borealis+lathe" not in sent
    said = [f"{call.request.url} {_sent(call)}" for call in web.calls if call.request.url != LOGIN]
    assert "borealis-lathe.com" in said[0]


@pytest.mark.parametrize(
    ("use", "name"),
    [
        ("apollo", "no_credit"),
        ("cufinder", "no_credit"),
        ("zoominfo", "no_credit"),
        ("zoominfo", "no_credit_other_form"),
        ("zoominfo", "no_credit_in_item"),
        ("the_companies_api", "no_credit"),
        ("the_companies_api", "no_credit_other_form"),
        ("coresignal", "no_credit"),
        ("six_sense", "no_credit"),
    ],
)
def test_an_empty_balance_is_told_from_an_unknown_company(
    web: responses.RequestsMock, use: str, name: str
) -> None:
    """Six vendors, four statuses: 400, 402, 403, 422, and a 200 about the one company."""
    said = sample(use, name)
    answer = asked(web, use, said["body"], status=said.get("status", 200))
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("no_credit", 0.0)


@pytest.mark.parametrize("use", sorted(KEYS))
def test_an_address_that_does_not_exist_is_no_unknown_company(web: responses.RequestsMock, use: str) -> None:
    """A proxy's or a moved service's page, in HTML, says nothing about the company."""
    answer = asked(web, use, "<html><body>Not Found</body></html>", status=404)
    assert isinstance(answer, Unavailable)
    assert answer.kind == "error"


@pytest.mark.parametrize("use", sorted(KEYS))
@pytest.mark.parametrize("body", [{"maintenance": True}, ["x"], {"data": "soon"}, {"status": 0}])
def test_a_good_reply_of_another_form_is_never_remembered_as_a_miss(
    web: responses.RequestsMock, use: str, body: Any
) -> None:
    assert isinstance(asked(web, use, body), Unavailable)


class TestApollo:
    def test_a_loan_does_not_hide_the_stage_of_equity(self, web: responses.RequestsMock) -> None:
        body = sample("apollo")["body"]
        assert body["organization"]["latest_funding_stage"] == "Debt Financing"
        stage = signals(asked(web, "apollo", body))["funding_stage"]
        assert (stage.value, stage.raw) == (Members(frozenset({"series_b"}), True), "Series B")

    def test_zero_employees_and_no_revenue_mean_that_nobody_knows(self, web: responses.RequestsMock) -> None:
        answer = asked(web, "apollo", sample("apollo", "partial")["body"])
        assert {"employees", "revenue", "funding_total"}.isdisjoint(signals(answer))
        assert isinstance(answer, Hit)
        assert not answer.unread


class TestCUFinder:
    def test_a_record_of_another_company_is_paid_for_and_not_used(self, web: responses.RequestsMock) -> None:
        answer = asked(web, "cufinder", sample("cufinder", "ambiguous")["body"])
        assert answer == Miss(charge=1.0, ambiguous=True)

    def test_the_domain_is_sent_as_a_form(self, web: responses.RequestsMock) -> None:
        asked(web, "cufinder", sample("cufinder")["body"])
        assert parse_qs(_sent(web.calls[0])) == {"query": ["borealis-lathe.com"]}


class TestZoomInfo:
    def test_twenty_five_are_one_request_and_each_gets_its_own_answer(
        self, web: responses.RequestsMock
    ) -> None:
        said = sample("zoominfo", "batch")
        replies(web, "zoominfo", said["body"])
        requests = [Request(account_id=one["domain"], domain=one["domain"]) for one in said["asked"]]
        answers = vendor("zoominfo").answer(requests)
        lookups = [call for call in web.calls if call.request.url != LOGIN]
        assert len(lookups) == 1
        body = json.loads(_sent(lookups[0]))["data"]["attributes"]
        assert [one["companyWebsite"] for one in body["matchCompanyInput"]] == [
            f"www.{one['domain']}" for one in said["asked"]
        ]
        assert "employeeRange" in body["outputFields"]
        assert signals(answers[0])["employees"].value == Interval(640.0, 640.0)
        assert answers[1] == Miss()
        assert isinstance(answers[2], Unavailable)
        assert answers[2].kind == "no_credit"

    def test_the_credits_limit_of_one_company_is_not_the_ignorance_of_another(
        self, web: responses.RequestsMock
    ) -> None:
        """Both items have the type NoMatch; only one of them may be remembered."""
        assert not isinstance(asked(web, "zoominfo", sample("zoominfo", "no_credit_in_item")["body"]), Miss)

    def test_the_band_of_revenue_comes_before_an_amount_of_doubtful_unit(
        self, web: responses.RequestsMock
    ) -> None:
        found = signals(asked(web, "zoominfo", sample("zoominfo")["body"]))["revenue"]
        assert (found.value, found.confidence) == (Money(100e6, 250e6, "USD"), 1.0)

    @pytest.mark.parametrize(("unit", "dollars"), [({}, 11_615_000.0), ({"money_unit": 1}, 11_615.0)])
    def test_the_unit_of_plain_amounts_can_be_stated(
        self, web: responses.RequestsMock, unit: dict[str, int], dollars: float
    ) -> None:
        replies(web, "zoominfo", sample("zoominfo", "partial")["body"])
        found = signals(vendor("zoominfo", **unit).answer([BOREALIS])[0])["revenue"]
        assert (found.value, found.confidence) == (Money(dollars, dollars, "USD"), 0.5)

    def test_fields_outside_the_subscription_can_be_left_out(self, web: responses.RequestsMock) -> None:
        replies(web, "zoominfo", sample("zoominfo")["body"])
        vendor("zoominfo", output_fields=["id", "name"]).answer([BOREALIS])
        sent = json.loads(_sent(web.calls[-1]))
        assert sent["data"]["attributes"]["outputFields"] == ["id", "name"]


class TestCognism:
    def test_a_company_without_a_preview_is_not_asked_for_further(self, web: responses.RequestsMock) -> None:
        web.post(PREVIEW, json={"results": []})
        assert vendor("cognism").answer([BOREALIS])[0] == Miss()
        assert [call.request.url for call in web.calls] == [PREVIEW]

    def test_the_record_is_fetched_under_the_id_that_was_found(self, web: responses.RequestsMock) -> None:
        asked(web, "cognism", sample("cognism")["body"])
        sent = [json.loads(_sent(call)) for call in web.calls]
        assert sent == [
            {"domain": "borealis-lathe.com", "minMatchScore": 40},
            {"redeemIds": ["efc6d975-0000-38ab-8cfe-e1c42ac10017"]},
        ]

    def test_the_best_match_may_be_somebody_else(self, web: responses.RequestsMock) -> None:
        assert asked(web, "cognism", sample("cognism", "ambiguous")["body"]) == Miss(ambiguous=True)

    def test_headquarters_are_found_among_all_offices(self, web: responses.RequestsMock) -> None:
        found = signals(asked(web, "cognism", sample("cognism")["body"]))
        assert found["country"].value == Members(frozenset({"US"}), True)


class TestTheCompaniesApi:
    def test_what_a_reply_cost_and_what_is_left_is_taken_from_it(self, web: responses.RequestsMock) -> None:
        replies(web, "the_companies_api", sample("the_companies_api", "partial")["body"])
        enricher = vendor("the_companies_api")
        answer = enricher.answer([BOREALIS])[0]
        assert isinstance(answer, Hit)
        assert (enricher.price, answer.charge) == (1.0, 0.0)
        assert getattr(enricher, "credits_left", None) == 48_211.0

    def test_the_free_form_can_be_asked_for(self, web: responses.RequestsMock) -> None:
        replies(web, "the_companies_api", sample("the_companies_api", "partial")["body"])
        vendor("the_companies_api", simplified=True, price=0).answer([BOREALIS])
        assert "simplified=true" in str(web.calls[-1].request.url)


class TestCoresignal:
    def test_an_amount_keeps_the_currency_of_its_source(self, web: responses.RequestsMock) -> None:
        found = signals(asked(web, "coresignal", sample("coresignal", "partial")["body"]))
        assert found["revenue"].value == Money(5e8, float("inf"), "EUR")

    def test_twenty_credits_are_reserved_and_charged(self, web: responses.RequestsMock) -> None:
        answer = asked(web, "coresignal", sample("coresignal")["body"], **{"x-credits-remaining": "9973"})
        assert isinstance(answer, Hit)
        assert (vendor("coresignal").price, answer.charge) == (20.0, 20.0)


def test_numbers_that_come_as_texts_are_numbers(web: responses.RequestsMock) -> None:
    found = signals(asked(web, "six_sense", sample("six_sense")["body"]))
    assert found["employees"].value == Interval(640.0, 640.0)
    assert found["revenue"].value == Money(118e6, 118e6, "USD")
