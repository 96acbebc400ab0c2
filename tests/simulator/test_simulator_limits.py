"""Rate limits: who is refused, with which of the three bodies, and what is counted."""

import pytest
from simulator_client import COMPANIES, Client

from icp_sync.simulator import Simulator


@pytest.fixture
def tight(crm):
    """A plan small enough to exceed: 5 in ten seconds, 2 searches a second, 20 a day."""
    crm.admin("POST settings", plan="free", burst_limit=5, search_limit=2, daily_limit=20)
    return Client(crm)


def test_the_burst_limit_refuses_with_its_policy_and_no_retry_after(tight):
    statuses = [tight.get(COMPANIES)[0] for _ in range(5)]
    refused = tight.call("GET", COMPANIES)
    assert statuses == [200] * 5
    assert refused.status_code == 429
    body = refused.json()
    assert body["message"] == "You have reached your ten_secondly_rolling limit."
    assert (body["errorType"], body["policyName"]) == ("RATE_LIMIT", "TEN_SECONDLY_ROLLING")
    assert "Retry-After" not in refused.headers


def test_retry_after_is_a_switch(crm, tight):
    crm.admin("POST settings", retry_after=True)
    refused = [tight.call("GET", COMPANIES) for _ in range(6)][-1]
    assert 1 <= int(refused.headers["Retry-After"]) <= 10


def test_each_token_has_its_own_burst(crm, tight):
    crm.admin("POST tokens", token="other")
    assert [tight.get(COMPANIES)[0] for _ in range(6)][-1] == 429
    assert Client(crm, "other").get(COMPANIES)[0] == 200


def test_the_search_limit_is_the_accounts_and_names_no_policy(crm, tight):
    crm.admin("POST tokens", token="other")
    other = Client(crm, "other")
    answers = [client.call("POST", f"{COMPANIES}/search", json={}) for client in (tight, other, tight, other)]
    refused = next(answer for answer in answers if answer.status_code == 429)
    body = refused.json()
    assert body["message"] == "You have reached your secondly limit."
    assert body["category"] == "RATE_LIMITS"
    assert "policyName" not in body
    assert not [name for name in refused.headers if "RateLimit" in name]


def test_searches_use_no_burst_slot_but_count_into_the_day(crm, tight):
    tight.post(f"{COMPANIES}/search", {})
    headers = tight.call("GET", COMPANIES).headers
    assert headers["X-HubSpot-RateLimit-Remaining"] == "4"
    assert headers["X-HubSpot-RateLimit-Daily-Remaining"] == "18"


def test_the_daily_limit_ends_at_midnight_of_the_account(crm, tight, later):
    crm.admin("POST settings", burst_limit=100, daily_limit=3)
    assert [tight.get(COMPANIES)[0] for _ in range(3)] == [200] * 3
    status, body = tight.get(COMPANIES)
    assert (status, body["policyName"], body["message"]) == (
        429,
        "DAILY",
        "You have reached your daily limit.",
    )
    later(16 * 3600)  # noon UTC to 04:00 UTC, an hour before midnight in New York
    assert tight.get(COMPANIES)[0] == 429
    later(3600)
    assert tight.get(COMPANIES)[0] == 200


def test_the_usage_report_says_when_the_day_ends(client):
    _, body = client.get("/account-info/v3/api-usage/daily/private-apps")
    assert body["results"][0]["resetsAt"] == "2026-11-22T05:00:00.000Z"
    assert body["results"][0]["currentUsage"] == 1


def test_normal_answers_carry_the_limits_and_searches_none(client):
    headers = client.call("GET", COMPANIES).headers
    assert headers["X-HubSpot-RateLimit-Interval-Milliseconds"] == "10000"
    assert headers["X-HubSpot-Correlation-Id"]
    searched = client.call("POST", f"{COMPANIES}/search", json={}).headers
    assert not [name for name in searched if "RateLimit" in name]
    assert searched["X-HubSpot-Correlation-Id"]


@pytest.mark.parametrize(("plan", "burst", "daily"), [("free", "100", "250000"), ("pro", "190", "625000")])
def test_a_plan_has_hubspots_figures(plan, burst, daily):
    with Simulator(accounts=0, limits=plan) as crm:
        headers = Client(crm).call("GET", COMPANIES).headers
    assert (headers["X-HubSpot-RateLimit-Max"], headers["X-HubSpot-RateLimit-Daily"]) == (burst, daily)


def test_a_plan_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="'gold' is none of off, free, pro"):
        Simulator(accounts=0, limits="gold")


def test_statistics_count_the_api_by_endpoint_and_controls_not_at_all(crm, tight):
    for _ in range(6):
        tight.get(COMPANIES)
    tight.post(f"{COMPANIES}/search", {})
    tight.get("/__simulator/stats")
    stats = crm.admin("GET stats")
    assert stats["requests"] == {"GET companies": 6, "POST search": 1}
    assert (stats["total"], stats["limited"]) == (7, 1)
    assert (stats["peak_10s"], stats["peak_search_1s"]) == (6, 1)
    assert stats["limited_by"] == {"TEN_SECONDLY_ROLLING": 1}
    assert stats["used_today"] == 6


@pytest.mark.parametrize("kind", ["hubspot", "salesforce"])
def test_others_use_the_same_day_at_once_and_as_time_goes_by(kind):
    with Simulator(kind, accounts=0, limits="free") as simulator:
        simulator.admin("POST clock", freeze=True, at=1_795_262_400)
        simulator.admin("POST others", used=100, a_second=2)
        simulator.admin("POST clock", advance=60)
        assert simulator.admin("GET stats")["used_today"] == 220
        simulator.admin("POST others", a_second=0)
        simulator.admin("POST clock", advance=60)
        stats = simulator.admin("GET stats")
        assert (stats["used_today"], stats["used_by_others"]) == (220, 220)
        with pytest.raises(ValueError, match="no number from 0 up"):
            simulator.admin("POST others", used=-1)


def test_others_searches_take_up_the_accounts_searches(crm, tight):
    crm.admin("POST others", searches_a_second=1000)
    answers = {tight.post(f"{COMPANIES}/search", {})[0] for _ in range(3)}
    while 429 not in answers:
        answers.add(tight.post(f"{COMPANIES}/search", {})[0])
    assert crm.admin("GET stats")["limited_by"].keys() == {"SECONDLY"}


def test_statistics_note_who_goes_on_below_the_reserve_and_who_could_know(crm, tight):
    crm.admin("POST settings", burst_limit=100, reserve=10)
    for _ in range(8):
        assert tight.get(COMPANIES)[0] == 200
    crm.admin("POST others", used=4)
    for _ in range(3):  # 7 left, 6, 5: the first of them by one who could not have known
        assert tight.get(COMPANIES)[0] == 200
    stats = crm.admin("GET stats")
    assert stats["lowest_remaining"] == 5
    noted = stats["apps"][crm.token]
    assert (noted["calls"], noted["below_reserve"]) == (11, 3)
    assert 1 <= noted["knowing"] <= 2
