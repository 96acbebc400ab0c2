"""The HTTP underneath: connections are kept, many clients at once lose nothing."""

import socket
from concurrent.futures import ThreadPoolExecutor

import requests
from simulator_client import COMPANIES, Client


def test_a_session_keeps_its_one_connection(crm, client):
    for _ in range(5):
        client.get(COMPANIES)
    client.post(f"{COMPANIES}/search", {})
    client.get(f"{COMPANIES}/1")
    assert crm.admin("GET stats")["connections"] == 1


def test_answers_leave_without_waiting_for_the_peers_acknowledgement(crm, client):
    client.get(COMPANIES)
    [connection] = crm._listener._open
    assert connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_many_clients_at_once_lose_no_write_and_share_no_id(crm):
    def work(number):
        client = Client(crm)
        ids = [client.make(name=f"{number}-{n}") for n in range(20)]
        client.update(*((i, {"city": f"city {i}"}) for i in ids))
        return ids

    with ThreadPoolExecutor(8) as pool:
        ids = [i for made in pool.map(work, range(8)) for i in made]
    assert len(set(ids)) == 160
    client = Client(crm)
    _, body = client.get(COMPANIES, limit=100, properties="city")
    assert all(c["properties"]["city"] == f"city {c['id']}" for c in body["results"])
    assert crm.admin("GET stats")["records_written"] == 320


def test_a_connection_that_asks_to_be_closed_is_closed(crm, client):
    answer = client.call("GET", COMPANIES, headers={"Connection": "close"})
    assert answer.headers["Connection"] == "close"


def test_a_body_without_a_length_is_refused(crm):
    def pieces():
        yield b"{}"

    answer = requests.post(
        crm.url + COMPANIES, data=pieces(), headers={"Authorization": f"Bearer {crm.token}"}, timeout=5
    )
    assert answer.status_code == 411
