"""How many calls of one process are under way at once, where somebody wants few."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from icp_sync.errors import UnavailableError
from icp_sync.http.places import Places
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from icp_sync.simulator.server import Reply, Request
from icp_sync.wiring import wire


@pytest.mark.parametrize("most", [1, 3])
def test_never_more_are_under_way_than_there_are_places(most: int) -> None:
    places, lock = Places(most, threading.Event()), threading.Lock()
    under_way, peak = 0, 0
    full = threading.Barrier(most)

    def call(_: int) -> None:
        nonlocal under_way, peak
        with places.one():
            with lock:
                under_way += 1
                peak = max(peak, under_way)
            full.wait(10)  # all places are taken before one is given back
            with lock:
                under_way -= 1

    with ThreadPoolExecutor(4 * most) as pool:
        list(pool.map(call, range(4 * most)))
    assert peak == most


def test_whoever_waits_for_a_place_is_told_to_stop() -> None:
    stop = threading.Event()
    places = Places(1, stop)
    with places.one():
        stop.set()
        with pytest.raises(UnavailableError, match="stopped"), places.one():
            pass


class Counting(Simulator):
    """Notes how many requests were under way at once at most."""

    under_way = peak = 0
    counting = threading.Lock()

    def _answer(self, request: Request) -> Reply:
        with self.counting:
            self.under_way += 1
            self.peak = max(self.peak, self.under_way)
        try:
            time.sleep(0.02)  # long enough for another to come
            return super()._answer(request)
        finally:
            with self.counting:
                self.under_way -= 1


@pytest.mark.parametrize("at_once", [0, 1])
def test_a_connection_that_is_told_so_has_one_request_under_way(tmp_path: Path, at_once: int) -> None:
    with Counting(accounts=400, index_lag=0.0) as crm:
        config = tmp_path / "icp-sync.toml"
        config.write_text(
            f'journal = "sqlite:///{tmp_path}/j.sqlite"\nseal_file = "{tmp_path}/seal.key"\n'
            f'[connections.main]\nbase_url = "{crm.url}"\ntoken = "{crm.token}"\nprofiles = ["p.yaml"]\n'
            f"[connections.main.quota]\nat_once = {at_once}\n"
        )
        wired = wire(load(config, {}), create_seal=True)
        try:
            found = wired.crm.fetch([str(id) for id in crm.portal.store.records])
            assert len(found.accounts) == 400
        finally:
            wired.crm.close()  # type: ignore[attr-defined]
            wired.journal.close()
        assert (crm.peak == 1) is bool(at_once)
