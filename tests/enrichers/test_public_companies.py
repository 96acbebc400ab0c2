"""Listed companies answer by their registrable domain, with dated intervals."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence

import pytest

from icp_sync.domain.facts import CATALOGUE, Money, choice, fits, number
from icp_sync.enrichers.public_companies import PublicCompanies
from icp_sync.errors import ConfigError
from icp_sync.normalize.domains import is_free_mail, is_shared
from icp_sync.ports import Answer, Hit, Miss, Request


@pytest.fixture(scope="module")
def public() -> PublicCompanies:
    return PublicCompanies()


def ask(enricher: PublicCompanies, *domains: str) -> Sequence[Answer]:
    return enricher.answer([Request(account_id=str(i), domain=domain) for i, domain in enumerate(domains)])


def test_a_listed_company_is_known_by_its_domain(public: PublicCompanies) -> None:
    (answer,) = ask(public, "duke-energy.com")
    assert isinstance(answer, Hit)
    facts = {signal.fact: signal for signal in answer.signals}
    assert facts["employees"].value == number(27_037)
    assert facts["employees"].raw == "27,037 (2023)"
    assert facts["employees"].observed_at == 1_704_067_199  # the last second of 2023
    assert facts["revenue"].value == Money(29.06e9, 29.06e9, "USD", 2023)
    assert facts["country"].value == choice("US")
    assert facts["industry"].value == choice("UTILITIES")
    assert facts["sector"].value == choice("22")
    assert facts["ownership"].value == choice("public")
    assert {signal.source for signal in answer.signals} == {"public_companies"}


def test_answers_come_in_order_and_any_spelling_of_the_host_is_the_same_company(
    public: PublicCompanies,
) -> None:
    answers = ask(
        public, "nobody.example", "https://www.Duke-Energy.com/about", "", "investors.duke-energy.com"
    )
    assert [type(answer) for answer in answers] == [Miss, Hit, Miss, Hit]


def test_a_domain_of_two_companies_is_nobodys(public: PublicCompanies) -> None:
    assert "mitsui.com" in public.ambiguous
    assert len(public.ambiguous["mitsui.com"]) == 2
    assert all(isinstance(answer, Miss) for answer in ask(public, *public.ambiguous))


def test_nobody_is_matched_by_a_shared_or_free_mail_domain(public: PublicCompanies) -> None:
    shared = ["etsy.com", "facebook.com", "linkedin.com", "gmail.com", "github.io", "wordpress.com"]
    assert all(is_shared(domain) or is_free_mail(domain) for domain in shared)
    assert all(isinstance(answer, Miss) for answer in ask(public, *shared))


def test_what_was_said_but_refused_is_reported_with_the_reason(public: PublicCompanies) -> None:
    (answer,) = ask(public, "siemens.com")
    assert isinstance(answer, Hit)
    assert "industry" in answer.unread
    assert "Conglomerate" in answer.unread["industry"]


def test_every_signal_fits_its_fact_and_is_not_from_the_future(public: PublicCompanies) -> None:
    wanted = ("7andi.com", "sap.com", "nestle.com", "orange.com", "hm.com", "volvogroup.com", "zalando.com")
    hits = [answer for answer in ask(public, *wanted) if isinstance(answer, Hit)]
    assert len(hits) >= 5
    for signal in (signal for hit in hits for signal in hit.signals):
        assert fits(signal.value, CATALOGUE[signal.fact])
        assert signal.fact in public.facts
        assert 0 < signal.observed_at <= time.time()
        assert signal.raw


def test_a_missing_package_is_named_with_the_way_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pytickersymbols", None)
    with pytest.raises(ConfigError) as caught:
        PublicCompanies()
    assert caught.value.next_step == "pip install 'icp-sync[demo]'"


def test_a_lifetime_that_is_none_is_refused() -> None:
    for days in (-1, 1e9, float("nan"), "x"):
        with pytest.raises(ConfigError):
            PublicCompanies(ttl_days=days)
