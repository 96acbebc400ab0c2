"""Places of patient pages: never too many, who waits longest is next, and one that hangs loses its own."""

from __future__ import annotations

import threading
import time

from icp_sync.daemon.places import Places


def always() -> bool:
    return True


def test_there_are_never_more_than_so_many_and_everybody_gets_one() -> None:
    places, most, met = Places(at_once=3, longest=60.0), [0], []
    lock = threading.Lock()
    inside = [0]

    def work(number: int) -> None:
        for _ in range(20):
            with places.held(number, always):
                with lock:
                    inside[0] += 1
                    most[0] = max(most[0], inside[0])
                time.sleep(0.0005)
                with lock:
                    inside[0] -= 1
        met.append(number)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(met) == list(range(12))
    assert most[0] == 3
    assert (places.taken, places.waiting) == (0, 0)


def test_one_that_hangs_loses_its_place_to_the_next() -> None:
    places, release = Places(at_once=1, longest=0.0), threading.Event()

    def hang() -> None:
        with places.held("hangs", always):
            release.wait(60)

    thread = threading.Thread(target=hang)
    thread.start()
    while not places.taken:
        time.sleep(0.001)
    with places.held("next", always):
        assert places.taken == 1
        release.set()
        thread.join(60)
        assert places.taken == 1, "it gave back nothing that was another's"


def test_between_two_pages_whoever_waits_goes_first() -> None:
    places, order = Places(at_once=1, longest=60.0), []

    def other() -> None:
        with places.held("other", always):
            order.append("other")

    with places.held("long", always):
        assert not places.next_page("long", always), "nobody waits"
        thread = threading.Thread(target=other)
        thread.start()
        while not places.waiting:
            time.sleep(0.001)
        assert places.next_page("long", always)
        order.append("long")
    thread.join(60)
    assert order == ["other", "long"]


def test_who_is_told_to_stop_waits_no_longer() -> None:
    places = Places(at_once=1, longest=60.0)
    with places.held("first", always), places.held("second", lambda: False):
        assert places.waiting == 0
