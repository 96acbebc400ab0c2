"""The simulator's own controls, over HTTP and from Python."""

import pytest
from simulator_client import COMPANIES

from icp_sync.simulator import Simulator
from icp_sync.simulator.controls import CONTROLS


def test_the_write_log_tells_who_wrote_what_over_what(crm, client):
    made = client.make(city="Oslo")
    crm.admin("POST edit", id=made, properties={"city": "Bergen"})
    client.update((made, {"city": "Bergen"}))
    _, log = client.get("/__simulator/writes", id=made)
    seen = [(e["property"], e["before"], e["value"], e["source"]) for e in log["results"]]
    assert seen == [
        ("city", "", "Oslo", "INTEGRATION"),
        ("city", "Oslo", "Bergen", "CRM_UI"),
        ("city", "Bergen", "Bergen", "INTEGRATION"),
    ]
    assert [e["value"] for e in crm.admin("GET writes", source="CRM_UI")["results"]] == ["Bergen"]


def test_the_write_log_is_read_in_pages(crm, client):
    for n in range(5):
        client.make(name=f"n{n}")
    first = crm.admin("GET writes", limit=3)
    second = crm.admin("GET writes", limit=3, after=first["results"][-1]["seq"])
    assert [e["value"] for e in first["results"] + second["results"]] == [f"n{n}" for n in range(5)]
    assert (first["more"], second["more"]) == (True, False)


def test_the_request_log_tells_what_was_asked(crm, client):
    client.get(COMPANIES, limit=1)
    [entry] = crm.admin("GET requests")["results"]
    assert (entry["method"], entry["endpoint"], entry["status"]) == ("GET", "GET companies", 200)
    assert entry["query"] == [["limit", "1"]]


def test_a_record_is_found_by_domain_and_shown_whole(crm, client, later):
    made = client.make(name="Acme", domain="acme.example")
    [found] = client.get("/__simulator/find", domain="acme.example")[1]["results"]
    assert (found["id"], found["properties"]["name"], found["indexed"]) == (made, "Acme", None)
    later(5)
    assert client.get(f"/__simulator/record/{made}")[1]["indexed"] is not None


def test_people_edit_by_id_or_by_domain_also_what_an_app_may_not(crm, client):
    made = client.make(name="Acme", domain="acme.example")
    crm.admin("POST edit", domain="acme.example", properties={"hs_num_open_deals": 2, "is_public": True})
    shown = client.company(made, "hs_num_open_deals", "is_public")
    assert (shown["hs_num_open_deals"], shown["is_public"]) == ("2", "true")


def test_people_create_delete_and_merge(crm, client):
    first = crm.admin("POST create", properties={"name": "Acme"})["id"]
    second = crm.admin("POST create", properties={"city": "Oslo"})["id"]
    crm.admin("POST merge", **{"into": first, "from": second})
    assert client.company(second, "name", "city")["city"] == "Oslo"
    crm.admin("POST delete", id=first)
    assert client.get(f"{COMPANIES}/{first}")[0] == 404
    record = crm.admin(f"GET record/{second}")
    assert (record["archived"], record["mergedInto"]) == (True, first)


def test_the_clock_moves_stands_and_runs_on(crm, client):
    assert client.post("/__simulator/clock", {"freeze": True, "at": 1_800_000_000})[1]["frozen"] is True
    moved = crm.admin("POST clock", advance=90)
    assert moved["now"] == "2027-01-15T08:01:30.000Z"
    crm.admin("POST clock", freeze=False)
    running = crm.admin("GET clock")
    assert running["frozen"] is False
    assert running["epoch"] >= 1_800_000_090
    assert crm.admin("POST clock", set="2030-01-01T00:00:00Z")["now"].startswith("2030-01-01")


def test_a_simulator_may_start_at_any_time():
    with Simulator(accounts=3, start_clock=1_000_000_000) as crm:
        assert crm.admin("GET clock")["now"].startswith("2001-09-09")
        assert all(r.modified < 1_000_000_000_000 for r in crm.portal.store.records.values())


def test_a_reset_brings_the_seeded_account_back():
    with Simulator(accounts=5) as crm:
        before = dict(crm.portal.store.records)
        crm.admin("POST delete", id=str(min(before)))
        assert crm.admin("GET stats")["records"] == 4
        assert crm.admin("POST reset") == {"records": 5}
        assert list(crm.portal.store.records) == list(before)


def test_statistics_and_logs_can_be_started_anew(crm, client):
    client.make(name="Acme")
    client.json("DELETE", "/__simulator/stats")
    assert crm.admin("GET stats")["total"] == 0
    assert crm.admin("GET writes")["results"] == []


@pytest.mark.parametrize(
    ("control", "arguments", "words"),
    [
        ("POST explode", {}, "is none of: GET stats"),
        ("POST edit", {"id": "1"}, "no such record: '1'"),
        ("POST edit", {}, "no such record"),
        ("POST create", {"properties": {"nope": 1}}, "no such property: nope"),
        ("POST create", {"properties": {"industry": "Tech"}}, "industry: Tech was not one"),
        ("POST create", {"properties": [1]}, "properties: a JSON object"),
        ("POST create", {"at": "soon"}, "not an instant: 'soon'"),
        ("POST clock", {"advance": [1]}, "advance: a number of seconds"),
        ("POST settings", {"lag": 1}, "lag: no such switch"),
        ("POST settings", {"index_lag": "long"}, "index_lag: 'long' is not float"),
        ("POST settings", {"plan": "gold"}, "'gold' is none of"),
        ("POST tokens", {}, "token: which one?"),
    ],
)
def test_a_control_that_cannot_be_carried_out_says_why(crm, client, control, arguments, words):
    with pytest.raises(ValueError, match=r".") as refused:
        crm.admin(control, **arguments)
    assert words in str(refused.value)
    method, _, name = control.partition(" ")
    status, body = client.json(method, f"/__simulator/{name}", arguments)
    assert (status, words in body["message"]) == (400, True)


def test_every_control_says_what_it_does_or_speaks_for_itself(crm):
    plain = {"GET stats", "GET requests", "POST delete", "GET faults", "POST faults", "DELETE faults"}
    assert {name for name, control in CONTROLS.items() if not control.__doc__} <= plain


def test_starting_twice_is_one_server_and_stopping_frees_the_port():
    crm = Simulator(accounts=1).start()
    assert crm.start().url == crm.url
    url = crm.url
    assert crm.ready_line() == f'{{"url": "{url}", "token": "{crm.token}", "accounts": 1}}'
    crm.stop()
    crm.stop()
    with pytest.raises(RuntimeError, match="not running"):
        assert crm.url
    port = int(url.rpartition(":")[2])
    with Simulator(accounts=1, port=port) as again:
        assert again.url == url


def test_a_crm_there_is_not_is_an_error():
    with pytest.raises(ValueError, match="'pipedrive' is none of hubspot"):
        Simulator(crm="pipedrive")
