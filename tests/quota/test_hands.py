"""Processes that die, hang or cannot keep what they learned, and clocks that are set back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.errors import UnavailableError
from icp_sync.journal import Journal
from icp_sync.quota import DAILY, Daily, InJournal, Ledger, Quota, Rate
from icp_sync.quota.day import Told
from icp_sync.quota.ledger import Granted, News
from icp_sync.quota.priority import Priority
from icp_sync.quota.rates import Window

NOW, RESERVE = 1_000_000.0, 200
ROLLING, CALENDAR = Daily(rolling=True), Daily()


def told(ledger: Ledger, who: str, now: float, left: int, known: int, flying: int = 0) -> None:
    said = Told(limit=1000, remaining=left, known=known, period=ledger.day.period)
    ledger.hear(News(told=((DAILY, said),), flying=flying), who, now)


def take(ledger: Ledger, who: str, now: float, daily: Daily = ROLLING) -> Granted | None:
    given = ledger.take((), now=now, priority=Priority.INCREMENTAL, holder=who, daily=daily)
    return given if isinstance(given, Granted) else None


@pytest.mark.parametrize("daily", [ROLLING, CALENDAR], ids=["rolling", "calendar"])
def test_calls_of_a_process_that_died_count_until_a_later_call_has_told(daily: Daily) -> None:
    ledger = Ledger()
    told(ledger, "dead", NOW, 231, known=0)
    ledger.day.resets_at = 0.0 if daily.rolling else NOW + 9 * 3600
    while take(ledger, "dead", NOW, daily):
        pass
    assert ledger.day.in_flight() == 30
    early = ledger.day.number  # what a call of another knew that began before the death was noticed
    look = take(ledger, "living", NOW + 121, daily)
    assert look is not None, "one call finds out, as far above the reserve as that allows"
    assert take(ledger, "living", NOW + 122, daily) is None
    told(ledger, "living", NOW + 123, 230, known=early, flying=1)
    assert ledger.day.in_flight() == 31
    told(ledger, "living", NOW + 124, 200, known=look.known)
    assert (ledger.day.in_flight(), ledger.day.remaining) == (0, 200)
    assert Ledger.from_text(ledger.to_text(), {}).to_text() == ledger.to_text()


def test_a_process_thought_dead_that_speaks_again_is_believed() -> None:
    ledger = Ledger()
    told(ledger, "slow", NOW, 900, known=0)
    take(ledger, "slow", NOW)
    ledger.day.turn(NOW + 121)
    assert ledger.day.in_flight() == 1
    assert Ledger.from_text(ledger.to_text(), {}).day.in_flight() == 1
    ledger.hear(News(), "slow", NOW + 122)
    assert ledger.day.in_flight() == 0


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["call", "reply", "die", "wait"]))))
def test_however_processes_die_the_reserve_is_not_entered(steps: list[tuple[str, str]]) -> None:
    ledger, now, left = Ledger(), NOW, 212
    out: dict[str, list[Granted]] = {}
    lives = dict.fromkeys("abc", 0)
    told(ledger, "a0", now, left, known=0)
    for name, step in steps:
        who = f"{name}{lives[name]}"
        mine = out.setdefault(who, [])
        if step == "call" and (given := take(ledger, who, now)):
            left -= 1  # counted as soon as sent
            mine.append(given)
        elif step == "reply" and mine:
            told(ledger, who, now, left, known=mine.pop(0).known, flying=len(mine))
        elif step == "die":
            lives[name] += 1
        elif step == "wait":
            now += 70.0
        assert left >= RESERVE


def test_the_first_word_is_waited_for_from_when_its_call_left_however_often_its_process_asks() -> None:
    ledger = Ledger()
    assert take(ledger, "a", NOW)
    for second in range(1, 7):
        assert bool(take(ledger, "b", NOW + second)) is (second == 5)
        ledger.hear(News(flying=1), "a", NOW + second)


def test_calls_that_hang_above_the_reserve_are_not_waited_for_for_ever() -> None:
    ledger = Ledger()
    told(ledger, "a", NOW, 205, known=0)
    while take(ledger, "a", NOW):
        pass
    ledger.hear(News(flying=4), "a", NOW + 40)
    given = ledger.take((), now=NOW + 40, priority=Priority.INCREMENTAL, holder="b", daily=ROLLING)
    assert getattr(given, "why", "") == "the day's calls are used up to the reserve for others"


class Locked(InJournal):
    """A journal that another process keeps locked while an alert should be kept."""

    locked = False

    def alert(self, text: str, now: float) -> None:
        if self.locked:
            raise UnavailableError("database is locked")
        super().alert(text, now)


def test_an_alert_that_cannot_be_kept_costs_no_call_and_is_kept_later(tmp_path: Path) -> None:
    journal = Journal.open(f"sqlite:///{tmp_path}/journal.db", "main")
    kept = Locked(journal, {})
    quota = Quota({}, daily=ROLLING, kept=kept, patience=0.0)

    def call(left: int) -> None:
        with quota.call("api"):
            quota.observe(DAILY, limit=1000, remaining=left)

    def alerts() -> list[str]:
        return [alert.name for alert in journal.alerts()]

    call(200)
    kept.locked = True
    with pytest.raises(UnavailableError, match="up to the reserve"):
        call(199)
    assert alerts() == []
    kept.locked = False
    with pytest.raises(UnavailableError, match="up to the reserve"):
        call(199)
    assert alerts() == ["quota"]
    quota.observe(DAILY, limit=1000, remaining=900)
    kept.locked = True
    call(899)
    assert alerts() == ["quota"]
    kept.locked = False
    call(898)
    assert alerts() == []
    assert quota.standing()[0].day.in_flight == 0  # type: ignore[union-attr]
    journal.close()


def test_a_clock_set_back_stops_nobody_for_as_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, ahead = time.time, [3600.0]
    monkeypatch.setattr(time, "time", lambda: real() + ahead[0])
    journal, rates = Journal.open(f"sqlite:///{tmp_path}/journal.db", "main"), {"burst": Rate(2, 300.0)}

    def quota() -> Quota:
        return Quota(rates, daily=CALENDAR, kept=InJournal(journal, rates), patience=0.0)

    first = quota()
    for _ in range(2):
        with first.call("burst"):
            first.observe(DAILY, limit=1000, remaining=900, resets_in=7200.0)
    first.pause("burst", 600.0)
    ahead[0] = 0.0
    for one in (first, quota()):
        with pytest.raises(UnavailableError) as refused:
            one.acquire("burst")
        assert 300.0 < (refused.value.retry_after or 0.0) <= 600.0
    day = quota().standing()[0]
    assert day.used == 2
    assert day.day is not None
    assert 0 <= (day.day.observed_ago or 0.0) < 3600
    assert 3600 < (day.day.resets_in or 0.0) <= 7200
    journal.close()


def test_a_call_that_was_out_when_the_clock_was_set_back_takes_no_slot_in_the_future() -> None:
    ledger = Ledger(windows={"search": Window(rate=Rate(1, 1.0))})
    ledger.hear(News(later=(("search", NOW + 3600, NOW + 3601),)), "a", NOW)
    assert ledger.windows["search"].free_at(NOW) <= NOW + 1.2
