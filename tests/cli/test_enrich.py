"""`enrich`: what is worth asking about a company and why, asked within the budgets, and what came of it."""

from __future__ import annotations

import json
import os
import pty
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from icp_sync.journal import Journal
from icp_sync.journal.bought import VendorState
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.sync.cycle import Scope
from icp_sync.sync.requests import serve
from icp_sync.wiring import wire
from tests.cli.conftest import Place

PROFILE = """
profile: size
currency: USD
scope: {score: {fact: country, none_of: [AQ]}}
criteria:
  - {name: Right size, layer: firmographic, fact: employees, between: [50, 500], required: true}
  - {name: Right place, layer: firmographic, fact: country, any_of: [US], weight: 80}
  - {name: Right stack, layer: technographic, fact: technologies, any_of: [hubspot], weight: 20}
"""
KNOWN = {
    "vicat.fr": 9_900,
    "adva.com": 120,
    "geberit.com": 11_000,
    "federalrealty.com": 40_000,
    "new.com": 80,
}
LACKING = ("vicat.fr", "adva.com", "cardinalhealth.com", "3i.com", "geberit.com", None)
HEADCOUNT = "315"
ADVA, REALTY, NO_DOMAIN = "28255512657", "28255512789", "28255512720"
VENDOR = """
[[connections.main.enrichers]]
use = "tests.cli.vendors_at_hand:Headcounts"
path = "{folder}/known.json"
"""


@dataclass(frozen=True)
class Bought(Place):
    """A connection whose only source is a file of headcounts that costs two credits a hit."""

    def made(self, more: str = "") -> Bought:
        (self.folder / "profile.yaml").write_text(PROFILE)
        (self.folder / "known.json").write_text(json.dumps(KNOWN))
        self.write(VENDOR.format(folder=self.folder) + more, profile=self.folder / "profile.yaml")
        public = '[[connections.main.enrichers]]\n            use = "public_companies"\n'
        self.config.write_text(self.config.read_text().replace(public, ""))
        return self

    def asked(self, name: str = "headcounts") -> list[str]:
        """The domains a source was asked about so far, in order of the alphabet."""
        log = self.folder / f"known.{name}"
        return sorted(log.read_text().split()) if log.exists() else []

    def journal(self) -> Journal:
        return Journal.open(f"sqlite:///{self.folder}/journal.sqlite", "main")


@pytest.fixture(scope="module")
def world() -> Iterator[Simulator]:
    """Twelve companies; of five with a domain and two without one nobody knows the headcount."""
    with Simulator(accounts=12, seed=3, index_lag=0.0) as crm:
        crm.admin("POST settings", property_lag=0)
        place = Place(Path(), crm)
        for company in place.companies():
            count = "" if company["domain"] in LACKING else HEADCOUNT
            requests.patch(
                f"{crm.url}/crm/v3/objects/companies/{company['id']}",
                json={"properties": {"numberofemployees": count}},
                headers={"Authorization": f"Bearer {crm.token}"},
                timeout=10,
            ).raise_for_status()
        yield crm


@pytest.fixture(scope="module")
def activated(world: Simulator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a connection with an active profile whose journal knows no account."""
    folder = tmp_path_factory.mktemp("activated")
    made = Bought(folder, world).made()
    made.run("provision", "--apply")
    made.run("profile", "activate")
    return folder


@pytest.fixture(scope="module")
def met(world: Simulator, activated: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with every account in the journal, and every headcount still to be asked."""
    folder = shutil.copytree(activated, tmp_path_factory.mktemp("met"), dirs_exist_ok=True)
    made = Bought(folder, world).made()
    config = made.config.read_text()
    made.config.write_text(config.replace(VENDOR.format(folder=folder), ""))
    made.settle()
    return folder


@pytest.fixture
def bought(world: Simulator, activated: Path, tmp_path: Path) -> Bought:
    return Bought(shutil.copytree(activated, tmp_path, dirs_exist_ok=True), world).made()


@pytest.fixture
def place(world: Simulator, met: Path, tmp_path: Path) -> Bought:
    return Bought(shutil.copytree(met, tmp_path, dirs_exist_ok=True), world).made()


def test_a_dry_run_says_what_is_worth_asking_and_why_and_buys_nothing(place: Bought) -> None:
    told = place.json("enrich", ADVA, "--dry-run")
    [ask] = told["worth"]
    assert (ask["vendor"], ask["credits_most"], list(ask["facts"])) == ("headcounts", 2.0, ["employees"])
    assert 0 < ask["chance"] <= 1
    assert 0 < ask["facts"]["employees"] <= 1
    assert (told["apply"], told["learned"], told["outcomes"]) == (False, [], {})
    assert told["credits_most"] == {"headcounts": 2.0}
    shown = place.run("enrich", "adva.com", "--dry-run").stdout
    assert "Worth asking" in shown
    assert "Nothing was asked and nothing was bought." in shown
    assert place.asked() == []


def test_asking_buys_once_says_what_was_learned_and_makes_the_account_due(place: Bought) -> None:
    told = place.json("enrich", ADVA)
    [learned] = told["learned"]
    assert (learned["fact"], learned["text"], learned["source"], learned["won"]) == (
        "employees",
        "120",
        "headcounts",
        True,
    )
    assert told["outcomes"] == {"headcounts": "hit"}
    assert told["credits"] == {"headcounts": 2.0}
    assert (told["before"]["certainty"], told["after"]["certainty"]) == ("provisional", "firm")
    with closing(place.journal()) as journal:
        stored = journal.account(ADVA)
        assert stored is not None
        assert stored.wake_at is not None
        assert stored.wake_at <= time.time()
        assert journal.spent("headcounts", 0.0) == 2.0
        [entry] = [e for e in journal.audited() if e.what == "enrich"]
        assert (entry.detail["account"], entry.detail["credits"]) == (ADVA, {"headcounts": 2.0})
        assert "@" in entry.who
    again = place.run("enrich", ADVA).stdout
    assert "already asked, or not to be asked: headcounts" in again
    assert "no source here knows technologies" in again
    assert "Spent: 0 credits." in again
    assert place.asked() == ["adva.com"]


def test_a_company_that_is_no_account_is_remembered_under_its_domain(bought: Bought) -> None:
    said = bought.run("enrich", "new.com", code=3).stderr
    assert "no account has the domain new.com; asking about it costs up to 2 credits" in said
    assert "next: icp-sync enrich new.com --yes" in said
    assert bought.asked() == []
    told = bought.json("enrich", "https://www.new.com/about", "--yes")
    assert told["account"] == {"id": "", "name": "", "domain": "new.com"}
    assert [one["text"] for one in told["learned"]] == ["80"]
    assert bought.json("enrich", "new.com")["asked"] == {}
    assert bought.asked() == ["new.com"]


@pytest.mark.parametrize("text", ["gmail.com", "nothing", "http://169.254.169.254/", ""])
def test_what_names_no_company_is_refused(bought: Bought, text: str) -> None:
    said = bought.run("enrich", text, code=2).stderr
    assert "the journal knows no account with this id, domain or name" in said
    assert bought.asked() == []


def test_a_source_that_is_named_is_asked_whatever_it_is_worth_and_a_contradiction_is_shown(
    place: Bought,
) -> None:
    assert place.json("enrich", REALTY)["worth"] == []
    told = place.json("enrich", REALTY, "--vendor", "headcounts")
    assert [(ask["vendor"], ask["chance"], ask["facts"]) for ask in told["worth"]] == [
        ("headcounts", None, {"employees": None})
    ]
    [learned] = told["learned"]
    assert (learned["won"], learned["against"]) == (False, "crm:numberofemployees: 315")
    [apart] = told["disagreements"]
    assert (apart["fact"], apart["counts"], apart["against"], apart["bands"]) == (
        "employees",
        "315",
        "40,000",
        4,
    )
    place.settle()
    said = "employees: 315 (crm:numberofemployees) against 40,000 (headcounts), 4 size bands apart"
    assert said in place.run("explain", REALTY).stdout
    [row] = place.json("explain", REALTY)["disagreements"]
    assert (row["source"], row["other"], row["bands"]) == ("crm:numberofemployees", "headcounts", 4)
    assert place.json("explain", REALTY)["overruled"]["employees"] == ["headcounts: 40,000"]


def test_a_vendor_nobody_configured_is_named_with_those_that_are(bought: Bought) -> None:
    said = bought.run("enrich", "new.com", "--vendor", "apollo", code=2).stderr
    assert "--vendor apollo: is not configured (there are: headcounts)" in said


def test_an_account_that_cannot_be_asked_about_says_why(place: Bought) -> None:
    assert "it has no domain to ask by" in place.run("enrich", NO_DOMAIN).stdout


@pytest.mark.parametrize(
    ("said", "outcome", "spent"),
    [
        ("pending", "pending: its answer is fetched once it is ready", 2.0),
        ("throttled", "no answer: it asks for patience (says no)", 0.0),
        ("no_credit", "no answer: it has no credits left (says no)", 0.0),
        (None, "miss", 0.0),
    ],
)
def test_what_a_source_says_instead_is_told(
    bought: Bought, said: str | None, outcome: str, spent: float
) -> None:
    (bought.folder / "known.json").write_text(json.dumps({"other.com": said}))
    told = bought.json("enrich", "other.com", "--yes")
    assert told["outcomes"] == {"headcounts": outcome}
    assert told["learned"] == []
    with closing(bought.journal()) as journal:
        assert journal.spent("headcounts", 0.0) == spent


def test_all_accounts_are_asked_about_only_once_somebody_agreed(bought: Bought) -> None:
    said = bought.run("enrich", code=3)
    assert "5 accounts would be asked about; somebody must agree to that first" in said.stderr
    assert "icp-sync enrich --yes" in said.stderr
    dry = bought.json("enrich", "--dry-run")
    assert (dry["accounts"], dry["wanting"], dry["apply"]) == (12, 5, False)
    assert (dry["asked"], dry["credits_most"]) == ({"headcounts": 5}, {"headcounts": 10.0})
    assert bought.asked() == []
    told = bought.json("enrich", "--yes")
    assert (told["asked"], told["hits"], told["credits"]) == (
        {"headcounts": 5},
        {"headcounts": 3},
        {"headcounts": 6.0},
    )
    assert (told["wanting"], told["told"]) == (5, 3)
    assert len(bought.asked()) == 5
    assert bought.json("enrich", "--yes")["asked"] == {}  # nobody is asked twice
    assert len(bought.asked()) == 5


def test_budgets_bound_what_a_person_asks_for_too(world: Simulator, tmp_path: Path) -> None:
    place = Bought(tmp_path, world).made("[connections.main.enrichment.budgets]\nday = 5\n")
    place.run("provision", "--apply")
    place.run("profile", "activate")
    told = place.json("enrich", "--yes")
    assert (told["asked"], told["over_budget"]) == ({"headcounts": 2}, {"headcounts": 3})
    with closing(place.journal()) as journal:
        assert journal.spent("headcounts", 0.0) <= 5.0
    assert place.json("enrich", "new.com", "--yes")["outcomes"] == {"headcounts": "over budget"}
    assert "beyond budget" in place.run("enrich", "--yes").stdout
    assert len(place.asked()) == 2


def test_plan_says_what_buying_would_cost_and_what_it_saves(bought: Bought) -> None:
    told = bought.json("plan")
    assert told["credits"] == {
        "now": 10.0,
        "most": 10.0,
        "everything": 20.0,
        "saved": 10.0,
        "wanted": 10.0,
        "bounded_by": [],
    }
    assert told["enrichment"] == {"headcounts": {"requests": 5, "credits": 10.0, "most": 10.0}}
    shown = bought.run("plan").stdout
    assert (
        "credits: about 10 now, at most 10; asking everything would cost 20, so 10 are saved (50%)" in shown
    )
    assert bought.asked() == []


def test_a_forecast_is_bounded_by_the_budgets_and_names_sources_that_are_left_alone(bought: Bought) -> None:
    bought.made("[connections.main.enrichment.budgets]\nrun = 5\nday = 4\n")
    credits = bought.json("plan")["credits"]
    assert (credits["now"], credits["most"], credits["wanted"]) == (4.0, 4.0, 10.0)
    assert credits["bounded_by"] == ["day"]
    shown = bought.run("enrich", "--dry-run").stdout
    assert "at most 4 (the budget 'day' leaves no more; without it, at most 10)" in shown
    refused(bought, "not_entitled")
    told = bought.json("plan")
    assert told["sources_left_alone"]["headcounts"]["kind"] == "not_entitled"
    assert (told["credits"]["now"], told["credits"]["most"]) == (0.0, 0.0)
    said = re.compile(r"headcounts is left alone until \S+ \S+ UTC: its key was refused, or does not allow")
    assert said.search(bought.run("plan").stdout)
    assert said.search(bought.run("enrich", "--dry-run").stdout)
    assert "icp-sync enrich ID --vendor headcounts asks it at once" in bought.run("check", code=0).stdout
    assert bought.asked() == []


def refused(place: Bought, kind: str) -> None:
    now = time.time()
    with closing(place.journal()) as journal:
        state = VendorState(failures=1, open_until=now + 6e3, kind=kind, message="HTTP 401", at=now)
        journal.save_vendor("headcounts", state, now=now)


def test_naming_a_source_that_is_left_alone_tries_it_at_once(place: Bought) -> None:
    refused(place, "not_entitled")
    told = place.json("enrich", ADVA)
    said = "left alone: its key was refused, or does not allow this (HTTP 401)"
    assert (told["outcomes"], told["asked"]) == ({"headcounts": said}, {})
    assert f"icp-sync enrich {ADVA} --vendor headcounts" in place.run("enrich", ADVA).stdout
    assert place.json("enrich", ADVA, "--vendor", "headcounts", "--dry-run")["asked"] == {}
    with closing(place.journal()) as journal:
        assert journal.vendor("headcounts").open_until > time.time()  # a dry run forgives nobody
    assert place.json("enrich", ADVA, "--vendor", "headcounts")["outcomes"] == {"headcounts": "hit"}
    with closing(place.journal()) as journal:
        assert journal.vendor("headcounts").open_until == 0.0


def test_a_source_that_refuses_the_trial_is_left_alone_again(bought: Bought) -> None:
    (bought.folder / "known.json").write_text(json.dumps({"other.com": "no_credit"}))
    refused(bought, "no_credit")
    told = bought.json("enrich", "other.com", "--vendor", "headcounts", "--yes")
    assert told["refusals"] == {"headcounts": "no_credit"}
    with closing(bought.journal()) as journal:
        assert journal.vendor("headcounts").open_until > time.time()


def test_what_may_have_been_paid_is_said_to_be_perhaps_spent(bought: Bought) -> None:
    (bought.folder / "known.json").write_text(json.dumps({"other.com": "unknown", "more.com": "unknown"}))
    told = bought.json("enrich", "other.com", "--yes")
    assert (told["credits_perhaps"], sum(told["credits"].values())) == ({"headcounts": 2.0}, 0.0)
    assert "Spent: perhaps 2 credits" in bought.run("enrich", "more.com", "--yes").stdout


def test_one_that_agrees_is_not_said_to_be_overruled(place: Bought) -> None:
    (place.folder / "known.json").write_text(json.dumps({"federalrealty.com": int(HEADCOUNT)}))
    [learned] = place.json("enrich", REALTY, "--vendor", "headcounts")["learned"]
    assert (learned["won"], learned["agrees"], learned["against"]) == (False, True, "")
    assert place.json("explain", REALTY)["overruled"] == {}


def test_somebody_at_a_terminal_is_asked_first_and_may_say_no(bought: Bought) -> None:
    ours, theirs = pty.openpty()
    os.write(ours, b"n\n")
    done = subprocess.run(
        [sys.executable, "-m", "icp_sync", "enrich", "--config", str(bought.config)],
        stdin=theirs,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    os.close(ours)
    os.close(theirs)
    assert "a fact that could be bought may still change 5 of them" in done.stdout
    assert "Ask? [y/N]" in done.stdout
    assert bought.asked() == []


def test_beside_a_worker_the_request_is_the_workers(place: Bought) -> None:
    wired = wire(load(place.config))
    request = wired.journal.ask("enrich", {"id": ADVA, "vendors": []}, by="ada", now=time.time())
    assert serve(wired.parts, Scope())
    asked = wired.journal.request(request)
    wired.journal.close()
    assert asked is not None
    assert asked.state == "done"
    result: Any = asked.result
    assert [one["text"] for one in result["learned"]] == ["120"]
    assert place.asked() == ["adva.com"]


def test_without_an_active_profile_or_a_source_it_says_what_to_do(world: Simulator, tmp_path: Path) -> None:
    place = Bought(tmp_path, world).made()
    assert "next: icp-sync profile activate" in place.run("enrich", "new.com", code=2).stderr
    place.config.write_text(place.config.read_text().replace(VENDOR.format(folder=place.folder), ""))
    assert "next: icp-sync vendors --all" in place.run("enrich", "new.com", code=2).stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("a.com", "b.com"), "name one account, or none for all"),
        (("a.com", "--out", "x.json"), "is for --raw"),
        (("--raw",), "wants one vendor and one domain"),
        (("headcount", "a.com", "--raw"), "did you mean 'headcounts'?"),
        (("headcounts", "nothing", "--raw"), "is no domain"),
        (("headcounts", "a.com", "--raw"), "has no replies to record"),
        (("headcounts", "a.com", "--raw", "--out", "x.csv"), "a sample is a JSON file"),
    ],
)
def test_a_wrong_use_is_explained(bought: Bought, arguments: tuple[str, ...], said: str) -> None:
    assert said in bought.run("enrich", *arguments, code=2).stderr
    assert bought.asked() == []


def test_right_after_asking_explain_says_what_the_last_settlement_did_not_know_yet(place: Bought) -> None:
    before = place.json("explain", ADVA)
    assert [row["told"] for row in before["missing"] if row["fact"] == "employees"] == [""]
    place.json("enrich", ADVA)
    told = place.json("explain", ADVA)
    assert (told["tier"], told["score"]) == (before["tier"], before["score"])
    assert [(row["fact"], row["source"], row["state"]) for row in told["told"]] == [
        ("employees", "headcounts", "since")
    ]
    assert [row["told"] for row in told["missing"] if row["fact"] == "employees"] == ["headcounts"]
    assert any("known since, and not looked at yet: employees (headcounts)" in note for note in told["notes"])
    place.settle()
    after = place.json("explain", ADVA)
    [row] = after["told"]
    assert (row["value"], row["state"], row["at"]) == ("120", "counts", "2023-11-14")
    assert "employees" not in [missing["fact"] for missing in after["missing"]]
    assert not any("known since" in note for note in after["notes"])


def test_in_mode_nothing_only_a_persons_word_buys(bought: Bought) -> None:
    bought.made('[connections.main.enrichment]\nmode = "nothing"\n')
    bought.run("mode", "write")
    bought.run("run", "--backfill")
    assert bought.json("plan")["credits"]["most"] == 0.0
    assert bought.asked() == []
    assert bought.json("enrich", ADVA)["outcomes"] == {"headcounts": "hit"}
