"""Things that go wrong on purpose."""

import pytest
import requests
from simulator_client import COMPANIES, Client

BROKEN = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def break_next(crm, kind, match="", **more):
    crm.admin("POST faults", rules=[{"kind": kind, "match": match, "nth": 1, **more}])


ANSWERS = [
    ("429", 429, "ten_secondly_rolling"),
    ("429_retry_after", 429, "ten_secondly_rolling"),
    ("429_daily", 429, "daily limit"),
    ("401", 401, "INVALID_AUTHENTICATION"),
    ("401_expired", 401, "EXPIRED_AUTHENTICATION"),
    ("403", 403, "MISSING_SCOPES"),
    ("404", 404, "OBJECT_NOT_FOUND"),
    ("409", 409, "CONFLICT"),
    ("423", 423, "locked"),
    ("477", 477, "migrated"),
    ("500", 500, "internal error"),
    ("502_html", 502, "<h1>502 Bad Gateway</h1>"),
    ("503", 503, ""),
    ("504", 504, "504 Gateway Time-out"),
    ("524", 524, "524: A timeout occurred"),
    ("empty_200", 200, ""),
    ("empty_results", 200, '"results":[]'),
    ("error_200", 200, '"status":"error"'),
]


@pytest.mark.parametrize(("kind", "status", "words"), ANSWERS, ids=[kind for kind, *_ in ANSWERS])
def test_a_pretended_answer_comes_instead_of_the_write(crm, client, kind, status, words):
    made = client.make(name="Acme")
    break_next(crm, kind, match="PATCH")
    answer = client.call("PATCH", f"{COMPANIES}/{made}", json={"properties": {"city": "Oslo"}})
    assert answer.status_code == status
    assert words in answer.text
    assert ("Retry-After" in answer.headers) == (kind in ("429_retry_after", "477"))
    assert client.company(made, "city")["city"] is None


@pytest.mark.parametrize(
    ("kind", "applied"),
    [
        ("reset", False),
        ("timeout", False),
        ("reset_after_apply", True),
        ("timeout_after_apply", True),
        ("truncated", True),
        ("gzip_garbage", True),
    ],
)
def test_a_broken_connection_tells_nothing_of_what_was_done(crm, client, kind, applied):
    made = client.make(name="Acme")
    break_next(crm, kind, match="PATCH", seconds=0.05)
    with pytest.raises((*BROKEN, requests.exceptions.ContentDecodingError)):
        client.patch(f"{COMPANIES}/{made}", {"properties": {"city": "Oslo"}})
    assert client.company(made, "city")["city"] == ("Oslo" if applied else None)


@pytest.mark.parametrize("kind", ["slow", "drip"])
def test_a_slow_answer_is_a_whole_answer(crm, client, kind):
    made = client.make(name="Acme")
    break_next(crm, kind, match="GET", seconds=0.1)
    assert client.company(made)["hs_object_id"] == made


def test_a_refused_connection_stays_refused_for_a_while(crm, client):
    break_next(crm, "refused", seconds=0.3)
    with pytest.raises(BROKEN):
        client.get(COMPANIES)
    session = requests.Session()
    session.mount("http://", requests.adapters.HTTPAdapter(max_retries=_patient()))
    answer = session.get(crm.url + COMPANIES, headers={"Authorization": f"Bearer {crm.token}"}, timeout=5)
    assert answer.status_code == 200


def _patient():
    return requests.adapters.Retry(connect=30, backoff_factor=0.05, backoff_max=0.1)


def test_a_mixed_batch_writes_every_second_input_and_names_the_rest(crm, client):
    ids = [client.make(name=f"n{n}") for n in range(5)]
    break_next(crm, "207_mixed", match="batch/update")
    status, body = client.update(*((i, {"city": "Oslo"}, f"t{i}") for i in ids))
    assert (status, body["numErrors"]) == (207, 2)
    assert {c["id"] for c in body["results"]} == set(ids[::2])
    assert [e["context"]["objectWriteTraceId"] for e in body["errors"]] == [[f"t{i}"] for i in ids[1::2]]
    assert [client.company(i, "city")["city"] for i in ids] == ["Oslo", None, "Oslo", None, "Oslo"]


def test_a_rule_fires_on_the_nth_match_only(crm, client):
    crm.admin("POST faults", rules=[{"kind": "500", "match": "GET companies", "nth": 2}])
    client.get("/crm/v3/owners")
    assert [client.get(COMPANIES)[0] for _ in range(3)] == [200, 500, 200]


def test_a_rule_fires_as_often_as_it_says_or_until_cleared(crm, client):
    crm.admin("POST faults", rules=[{"kind": "503", "match": "owners$", "count": 2}])
    assert [client.call("GET", "/crm/v3/owners").status_code for _ in range(3)] == [503, 503, 200]
    crm.admin("POST faults", rules=[{"kind": "500"}])
    assert [client.get(COMPANIES)[0] for _ in range(3)] == [500] * 3
    crm.admin("DELETE faults")
    assert client.get(COMPANIES)[0] == 200


def test_probable_faults_are_the_same_for_the_same_seed(crm):
    def run():
        crm.admin("POST reset")
        crm.admin("POST faults", rules=[{"kind": "500", "probability": 0.5}])
        return [Client(crm).get(COMPANIES)[0] for _ in range(20)]

    first = run()
    assert set(first) == {200, 500}
    assert run() == first


@pytest.mark.parametrize(
    "rule", [{"kind": "flood"}, {"match": "x"}, {"kind": "500", "when": 1}, {"kind": "500", "match": "("}, 7]
)
def test_what_is_no_rule_is_refused(client, rule):
    status, body = client.post("/__simulator/faults", [rule])
    assert (status, body["status"]) == (400, "error")
