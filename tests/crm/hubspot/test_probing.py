"""The probe's verdicts follow what the portal does: every switch of the simulator, turned both ways."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from icp_sync.crm.hubspot import HubSpot
from icp_sync.crm.hubspot.probing.scratch import LABEL, PROPERTY
from icp_sync.crm.probing import DOMAIN, MOST_CALLS, NAME, Answer, Probed, Verdict, Wanted
from icp_sync.errors import AuthError, ConfigError, UnavailableError
from icp_sync.quota import Quota, Rate
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.crm.hubspot.world import connect

QUICK = {"index_lag": 0.0, "property_lag": 0.0, "follow_up": False}
HELD, NOT_HELD, OPEN = Verdict.HELD, Verdict.NOT_HELD, Verdict.OPEN
RULE = {"when": {"property": "name", "value": NAME}, "require": ["industry"]}


class Probing:
    """A portal of two companies and our adapter."""

    def __init__(self) -> None:
        self.crm = Simulator(accounts=2, seed=5).start()
        self.crm.admin("POST settings", **QUICK)
        quota = Quota({"burst": Rate(1_000, 1.0)})
        self.adapter: HubSpot = connect(self.crm, quota=quota, patience=30.0)
        self.made: list[str] = []

    def set(self, **switches: Any) -> None:
        self.crm.admin("POST settings", **switches)

    def probe(self, **how: Any) -> dict[str, Answer]:
        return {answer.question.key: answer for answer in self.whole(**how).answers}

    def whole(self, **how: Any) -> Probed:
        return self.adapter.probe(
            Wanted(**{"overlap": 0.2, "settles": 0.02, "made": self.made.append, **how})
        )

    def create(self, name: str, **how: Any) -> str:
        """Somebody makes a company of the scratch record's domain; its id."""
        made = self.crm.admin("POST create", properties={"name": name, "domain": DOMAIN}, **how)
        return str(made["ids"][0])

    def has_property(self) -> bool:
        return self.adapter._client.property(PROPERTY) is not None

    def records(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.crm.admin("GET find", domain=DOMAIN)["results"]
        return found


@pytest.fixture
def at() -> Iterator[Probing]:
    made = Probing()
    yield made
    made.adapter.close()
    made.crm.stop()


def test_the_defaults_hold_and_nothing_is_left(at: Probing) -> None:
    before = at.crm.admin("GET stats")["records"]
    done = at.whole()
    verdicts = {answer.question.key: answer.verdict for answer in done.answers}
    assert verdicts == {
        "same value bumps": HELD,
        "207 for values": HELD,
        "10,000 matches": HELD,
        "our source": HELD,
        "Retry-After": OPEN,
        "index lag": HELD,
        "conditional rules": OPEN,
    }
    stats = at.crm.admin("GET stats")
    assert stats["records"] == before
    assert done.calls == stats["total"] - stats["requests"]["GET account-info/details"] <= MOST_CALLS
    assert (done.removed, done.left) == (tuple(at.made), ())
    assert {str(write["id"]) for write in at.crm.admin("GET writes")["results"]} == set(at.made)
    assert not at.has_property()


@pytest.mark.parametrize("value", [True, False])
@pytest.mark.parametrize(
    ("switch", "key"),
    [("same_value_bumps", "same value bumps"), ("update_validation_207", "207 for values")],
)
def test_a_verdict_follows_its_switch(at: Probing, switch: str, key: str, value: bool) -> None:
    at.set(**{switch: value})
    answer = at.probe()[key]
    assert answer.found is value
    assert answer.verdict is (HELD if value is answer.question.assumed else NOT_HELD)


@pytest.mark.parametrize(("lag", "verdict"), [(0.0, HELD), (0.3, HELD), (600.0, NOT_HELD)])
def test_the_index_is_measured_against_the_overlap(at: Probing, lag: float, verdict: Verdict) -> None:
    at.set(index_lag=lag)
    answer = at.probe(overlap=1.0 if lag < 1 else 0.6)["index lag"]
    assert answer.verdict is verdict, answer.seen
    samples = answer.detail["seconds"]
    assert isinstance(samples, list)
    assert len(samples) == (3 if verdict is HELD else 1)
    assert all(hidden < lag for hidden, shown in samples if shown is not None and hidden)


@pytest.mark.parametrize("fires", [True, False])
def test_a_rule_about_other_properties_is_found_out_where_there_is_one(at: Probing, fires: bool) -> None:
    at.set(conditional_required=[RULE], conditional_on_any_write=fires)
    answer = at.probe()["conditional rules"]
    assert answer.verdict is (HELD if fires else NOT_HELD)
    assert "MISSING_CONDITIONAL_REQUIRED_PROPERTY" in answer.seen


def test_without_such_a_rule_the_probe_says_how_to_make_one(at: Probing) -> None:
    answer = at.probe()["conditional rules"]
    assert "no such rule" in answer.seen
    assert NAME in str(answer.detail["to_settle"])


@pytest.mark.parametrize("said", [True, False])
def test_a_429_is_provoked_only_when_asked_for(at: Probing, said: bool) -> None:
    at.set(search_limit=8, retry_after=said)
    quiet = at.probe()["Retry-After"]
    assert (quiet.verdict, at.crm.admin("GET stats")["limited"]) == (OPEN, 0)
    answer = at.probe(provoke=True)["Retry-After"]
    assert answer.found is said
    assert answer.verdict is (NOT_HELD if said else HELD)


@pytest.mark.parametrize(("app", "verdict"), [("19083857", HELD), ("", NOT_HELD)])
def test_our_source_is_what_the_history_says_of_this_key(at: Probing, app: str, verdict: Verdict) -> None:
    at.crm.admin("POST tokens", token=at.crm.token, app=app)
    answer = at.probe()["our source"]
    assert answer.verdict is verdict
    assert f"sourceId {app or 'none'}" in answer.seen


def test_a_search_answered_beyond_its_end_is_seen(at: Probing) -> None:
    at.crm.admin("POST faults", kind="empty_results", match="POST search", nth=5)  # leftovers, three samples
    assert at.probe()["10,000 matches"].verdict is NOT_HELD


def test_records_of_others_stay_and_those_of_probes_go(at: Probing) -> None:
    others = at.create("Somebody")
    left = at.create(NAME)
    at.crm.admin("POST flush")
    done = at.whole()
    assert done.removed == (left, *at.made)
    assert [record["id"] for record in at.records() if not record["archived"]] == [others]
    assert others not in {
        str(w["id"]) for w in at.crm.admin("GET writes")["results"] if w["source"] != "CRM_UI"
    }


def test_what_the_index_does_not_show_yet_is_removed_by_its_id(at: Probing) -> None:
    left = at.create(NAME, visible_late=600)
    gone = "99999999999"
    done = at.whole(left=[left, gone, "no id"])
    assert (done.removed, done.gone) == ((left, *at.made), (gone,))


def test_a_property_an_earlier_probe_left_is_used_and_removed(at: Probing) -> None:
    make(at, LABEL)
    assert at.probe()["index lag"].verdict is HELD
    assert not at.has_property()


def test_a_property_of_others_by_that_name_stops_the_probe(at: Probing) -> None:
    make(at, "Somebody's own")
    with pytest.raises(ConfigError, match="no probe made"):
        at.probe()
    assert at.has_property()
    assert not at.made


def test_what_cannot_be_removed_is_said(at: Probing) -> None:
    at.crm.admin("POST faults", kind="409", match="DELETE")
    done = at.whole()
    assert [one.partition(":")[0] for one in done.left] == [f"company {at.made[0]}", f"property {PROPERTY}"]
    assert done.removed == ()


def test_a_portal_that_falls_silent_is_asked_nothing_more(at: Probing) -> None:
    at.adapter.close()
    at.adapter = connect(at.crm)
    at.crm.admin("POST faults", kind="503", match="batch/read|PATCH")
    answers = at.probe()
    assert answers["207 for values"].verdict is HELD
    assert answers["our source"].verdict is answers["Retry-After"].verdict is OPEN
    assert at.crm.admin("GET stats")["requests"].get("PATCH companies/{id}") is None


def test_without_the_right_to_make_properties_nothing_is_made(at: Probing) -> None:
    scopes = [scope for scope in SCOPES if scope != "crm.schemas.companies.write"]
    at.crm.admin("POST tokens", token=at.crm.token, scopes=scopes)
    with pytest.raises(AuthError, match=r"crm\.schemas\.companies\.write"):
        at.probe()
    assert not at.records()


def test_a_record_whose_making_fails_leaves_no_property(at: Probing) -> None:
    at.crm.admin("POST faults", kind="409", match="POST companies$")
    with pytest.raises(UnavailableError, match="did not make the scratch company"):
        at.probe()
    assert not at.has_property()


def make(at: Probing, label: str) -> None:
    """The scratch property, as somebody else made it."""
    definition = {
        "name": PROPERTY,
        "label": label,
        "type": "number",
        "fieldType": "number",
        "groupName": "companyinformation",
    }
    at.adapter._client.create_property(definition)
