"""Being told to stop: gently, firmly, at once."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest

from icp_sync.daemon import Stopping


def test_a_drain_stops_new_pages_and_only_later_the_waits() -> None:
    stopping = Stopping(grace=3600)
    assert stopping.going()
    stopping.drain()
    stopping.drain()
    assert (stopping.going(), stopping.ended.is_set()) == (False, False)
    stopping.end()
    assert stopping.ended.is_set()


def test_waits_end_by_themselves_after_the_grace_period() -> None:
    stopping = Stopping(grace=0.01)
    stopping.drain()
    assert stopping.ended.wait(30)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_begins_the_drain_and_the_old_handlers_come_back(number: signal.Signals) -> None:
    assert threading.current_thread() is threading.main_thread()
    before = signal.getsignal(number)
    stopping = Stopping(grace=3600)
    with stopping.on_signals():
        os.kill(os.getpid(), number)
        assert stopping.draining.wait(30)
    assert signal.getsignal(number) is before


def test_a_second_signal_ends_the_process_at_once_with_130() -> None:
    code = """
import os, signal, time
from icp_sync.daemon import Stopping
stopping = Stopping(grace=3600)
with stopping.on_signals():
    os.kill(os.getpid(), signal.SIGTERM)
    assert stopping.draining.wait(30)
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(60)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 130


def test_a_part_stops_with_the_whole_and_the_whole_not_with_it() -> None:
    whole = Stopping()
    one, other = whole.part(), whole.part()
    one.drain()
    assert (one.going(), other.going(), whole.going()) == (False, True, True)
    one.end()
    assert one.ended.is_set()
    assert not whole.ended.is_set()
    whole.drain()
    assert not other.going()
    assert not other.ended.is_set(), "its page in flight may still wait"
    whole.end()
    assert other.ended.is_set()
    late = whole.part()
    assert (late.going(), late.ended.is_set()) == (False, True)
