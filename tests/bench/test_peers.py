"""The loops a user would write, and what readers miss: a short slice. No network, and no time asserted."""

from __future__ import annotations

from contextlib import contextmanager

import pytest

from icp_sync.simulator import Simulator
from icp_sync.simulator.salesforce.org import CONSUMER_KEY, CONSUMER_SECRET
from tests.bench.bare_loops import LOOPS, salesforce_bulk
from tests.bench.places import Served, prepared, settings_of
from tests.bench.sections.adversarial.readers import bare, ours
from tests.bench.sections.adversarial.scenes import LATE, SCENES, Found, crowd, late_ones
from tests.bench.sections.peers.places import peers

CRMS = ("hubspot", "salesforce")


@contextmanager
def serving(crm, accounts=0):
    lag = {"index_lag": 0.0} if crm == "hubspot" else {}
    with Simulator(crm=crm, accounts=accounts, **lag) as at:
        keys = {"consumer_key": CONSUMER_KEY, "consumer_secret": CONSUMER_SECRET}
        yield Served(crm=crm, url=at.url, token=at.token, accounts=accounts, keys=keys)


@pytest.mark.parametrize("crm", CRMS)
def test_each_loop_reads_all_and_those_that_write_write_all(crm, tmp_path):
    with serving(crm, accounts=25) as at:
        prepared(settings_of(at, tmp_path))
        for name in (name for name in LOOPS if name.startswith(crm)):
            before = at.stats()["records_written"]
            loop = LOOPS[name]
            read = (
                salesforce_bulk(at.url, at.token, wait=0.01)
                if name.endswith(".bulk")
                else loop(at.url, at.token)
            )
            assert read == 25
            assert at.stats()["records_written"] - before == (0 if name.endswith(".read") else 25)


@pytest.mark.parametrize("crm", CRMS)
def test_we_miss_nothing_and_come_to_an_end(crm, tmp_path):
    with serving(crm) as at, ours(at, tmp_path) as reader:
        found = Found()
        late_ones(at, reader, found, before=10)
        assert found.later == dict.fromkeys(SCENES, LATE)
        crowd(at, reader, found, many=250)
    assert (found.missed, found.looped) == (0, 0)


@pytest.mark.parametrize("crm", CRMS)
def test_a_loop_that_asks_for_what_is_newer_misses_what_comes_late(crm, tmp_path):
    with serving(crm) as at, bare(at, tmp_path) as reader:
        found = Found()
        late_ones(at, reader, found, before=10)
    assert found.later == dict.fromkeys(SCENES, 0)


def test_a_peer_either_runs_or_says_why_not():
    for peer in peers():
        assert bool(peer.kind) is not bool(peer.not_run), peer.name
        assert not peer.kind or (peer.stream and peer.id and peer.version), peer.name
