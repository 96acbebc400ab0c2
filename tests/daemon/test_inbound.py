"""Calls with events, over real HTTP: who is let in, what is kept, and what is told to whom."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
from structlog.testing import capture_logs

from icp_sync.daemon import Daemon, Stopping
from icp_sync.daemon.inbound import Inbound
from icp_sync.domain.facts import Interval
from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.observe import registry
from icp_sync.settings.inbound import InboundServer
from tests.daemon.sending import HEADER, VISITS, door, known, post, served, served_portal, visit
from tests.daemon.station import until
from tests.daemon.test_daemon import running
from tests.sync.world import GOOD, Vendor, World

JANE = "jane.doe@acme.com"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(folder=tmp_path)


def test_visits_become_timing_facts_of_the_company(world: World) -> None:
    now = world.clock()
    with served(world, site=VISITS) as made:
        reply = post(made, [visit(id=1, at=now - 60), visit(id=2, at=now - 10), visit(id=3, at=now + 9e6)])
        assert reply.status_code == 202
        counts = {"accepted": 2, "repeated": 0, "refused": 1}
        assert reply.json() == {**counts, "reasons": {"in the future": 1}}
        assert known(world.journal, now=now) == {
            "last_visit": Interval(now - 10, now - 10),
            "web_visits": Interval(2, 2),
        }
        assert post(made, visit(id=2, at=now - 10)).json()["repeated"] == 1
    with served(world, site=VISITS) as again:
        assert post(again, visit(id=1, at=now - 60)).json()["accepted"] == 0
        assert post(again, visit(id=1, at=now - 91 * 86_400)).json()["reasons"] == {"too old": 1}
    assert known(world.journal, now=now)["web_visits"] == Interval(2, 2)


def test_nothing_of_a_person_is_kept_logged_or_sent_back(world: World) -> None:
    fields = (
        "email",
        "name",
        "company_domain",
        "company",
        "page_url",
        "visitor_id",
        "id",
        "at",
        "ip",
        "phone",
    )
    events = [{**visit(id=n), field: JANE} for n, field in enumerate(fields)]
    events += [{**visit(id="n"), "person": {"email": JANE, "emails": [JANE]}}]
    with served(world, site=VISITS, clay={"kind": "clay"}) as made, capture_logs() as logs:
        said = [post(made, events), post(made, events, "clay"), post(made, JANE.encode())]
        assert [reply.status_code for reply in said] == [202, 202, 400]
    told = repr(logs) + "".join(reply.text for reply in said)
    kept = b"".join(path.read_bytes() for path in world.folder.iterdir() if path.is_file())
    assert known(world.journal, now=world.clock())
    for word in ("jane", "doe"):
        assert word not in told.lower()
        assert word.encode() not in kept.lower()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"\xff", 400),
        (b"[NaN]", 400),
        (b"[" * 100_000, 400),
        (b"[" + b"1," * 1_000 + b"1]", 413),
        (b"x" * 300_000, 413),
        (b"[]", 202),
        (b"null", 202),
        (b'"text"', 202),
    ],
)
def test_bodies_that_are_none_are_answered_and_stop_nobody(world: World, body: bytes, status: int) -> None:
    with served(world, site=VISITS) as made:
        reply = post(made, body)
        assert reply.status_code == status
        assert post(made, visit(id=1)).json()["accepted"] == 1


def test_a_sender_that_calls_too_often_is_told_when_to_come_back(world: World) -> None:
    with served(world, site={**VISITS, "calls": 2}, other=VISITS) as made:
        assert [post(made, visit(id=n)).status_code for n in range(3)] == [202, 202, 429]
        assert 0 < int(post(made, visit(id=4)).headers["Retry-After"]) <= 30
        assert post(made, visit(id=4), headers={}).status_code == 401, "others' calls cost it nothing"
        assert post(made, visit(id=5), "other").status_code == 202


def test_while_the_journal_cannot_keep_anything_nothing_is_accepted(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(world, site=VISITS) as made:
        with monkeypatch.context() as broken:

            def locked(*_: object, **__: object) -> None:
                raise UnavailableError("the journal cannot be used now: locked")

            broken.setattr(type(world.journal), "take_events", locked)
            reply = post(made, visit(id=1))
            assert (reply.status_code, reply.json()) == (503, {"error": "not now"})
            assert reply.headers["Retry-After"] == "30"
        assert post(made, visit(id=1)).json()["accepted"] == 1


def test_only_post_is_answered_and_only_where_somebody_listens(world: World) -> None:
    with served(world, site=VISITS) as made:
        base = f"http://127.0.0.1:{made.port}"
        assert requests.get(f"{base}/inbound/main/site", headers=HEADER, timeout=10).status_code == 405
        for path in ("/", "/inbound", "/inbound/main", "/inbound/main/", "/inbound/x/site", "/metrics"):
            assert requests.post(base + path, b"{}", headers=HEADER, timeout=10).status_code == 404
        assert requests.post(f"{base}/inbound/main/site?x=1", b"[]", headers=HEADER, timeout=10).ok


def test_what_comes_in_is_counted(world: World) -> None:
    def count(name: str, **labels: str) -> float:
        return registry.get_sample_value(name, {"connection": "main", "source": "counted", **labels}) or 0.0

    with served(world, counted=VISITS) as made:
        post(made, [visit(id=1), visit(id=1), visit(id=2, company_domain="gmail.com")], "counted")
        post(made, visit(id=1), "counted", headers={})
    assert count("icp_sync_inbound_events_total", outcome="accepted") == 1
    assert count("icp_sync_inbound_events_total", outcome="repeated") == 1
    assert count("icp_sync_inbound_events_total", outcome="refused") == 1
    assert count("icp_sync_inbound_calls_total", status="202") == 1
    assert count("icp_sync_inbound_calls_total", status="401") == 1


@pytest.mark.parametrize(
    ("sources", "server", "says"),
    [
        ({"site": {**VISITS, "facts": {"x": "y"}}}, {}, "connections.main.inbound.site.facts.x"),
        ({"portal": {"kind": "hubspot"}}, {}, "inbound.public_url"),
        ({"vendor": VISITS}, {}, "an enricher has this name"),
        ({"site": VISITS}, {"host": "256.0.0.1", "port": 1}, "inbound 256.0.0.1:1: cannot listen"),
    ],
)
def test_settings_that_do_not_fit_end_the_start(
    world: World, sources: Mapping[str, Mapping[str, Any]], server: Mapping[str, Any], says: str
) -> None:
    world.enrichers = [Vendor()]
    with pytest.raises(ConfigError) as wrong:
        Inbound([served_portal(world, **sources)], InboundServer.model_validate(server))
    assert says in str(wrong.value)


def test_without_a_port_nobody_can_call_and_what_came_before_still_grows_old(world: World) -> None:
    with served(world, site=VISITS) as made:
        post(made, [visit(id=1, at=world.clock() - 29 * 86_400), visit(id=2)])
    with capture_logs() as logs:
        closed = Inbound([served_portal(world, site=VISITS)], InboundServer(), clock=world.clock)
    assert (closed.port, logs[0]["event"]) == (0, "nobody can send events: there is no port")
    world.clock.step(1.5 * 86_400)
    assert known(world.journal, now=world.clock())["web_visits"] == Interval(2, 2), "a day of grace"
    closed.look()
    assert known(world.journal, now=world.clock())["web_visits"] == Interval(1, 1)


def test_the_daemon_lets_events_in_and_follows_them(world: World) -> None:
    stopping = Stopping()
    world.clock.now = time.time()
    acme = world.company(**GOOD, domain="acme.com")
    made = served_portal(world, site=VISITS)
    made._stopping = stopping
    daemon = Daemon([made], stopping, inbound=InboundServer())
    inbound = daemon._inbound
    assert inbound is not None
    inbound._doorway = door(inbound, InboundServer())
    with running(daemon, stopping) as ended:
        until(lambda: world.live(acme)["tier"] == "A", "the first reading")
        assert post(inbound, visit(id=1)).json()["accepted"] == 1
        until(lambda: "last_visit" in known(world.journal, now=world.clock()), "the event is kept")
    assert ended == []
