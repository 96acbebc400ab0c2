"""Answers are bought once: reserved before the request, kept on arrival, and remembered across restarts."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from journal_builders import NOW, employees
from sqlalchemy import update

from icp_sync.journal import Answered, Journal, schema

HOUR = 3600.0
KEYS = ("acme.example", "beta.example")


def reserve(journal: Journal, *keys: str, now: float = NOW, price: float = 2.0) -> tuple[str, ...]:
    return journal.reserve("vendor", dict.fromkeys(keys, price), now=now, run="run-1").free


def test_a_hit_is_recalled_for_every_account_of_that_company_until_it_expires(journal: Journal) -> None:
    reserve(journal, "acme.example")
    journal.record(
        "vendor",
        "acme.example",
        "hit",
        (employees(70),),
        1.5,
        now=NOW,
        expires_at=NOW + HOUR,
        unread={"x": "?"},
    )
    keys = {"1": "acme.example", "2": "acme.example", "3": "beta.example", "4": ""}
    memory = journal.recall(keys, now=NOW + HOUR - 1)
    assert {i: memory.of(i).signals for i in keys} == {
        "1": (employees(70),),
        "2": (employees(70),),
        "3": (),
        "4": (),
    }
    assert [memory.of(i).answers_until for i in keys] == [NOW + HOUR, NOW + HOUR, None, None]
    assert journal.recall(keys, now=NOW + HOUR).of("1").signals == ()


def test_a_clean_miss_is_remembered_and_not_asked_again_before_it_expires(journal: Journal) -> None:
    assert reserve(journal, *KEYS) == KEYS
    journal.record("vendor", "acme.example", "miss", charge=2.0, now=NOW, expires_at=NOW + HOUR)
    journal.record("vendor", "beta.example", "miss", charge=0.0, now=NOW, expires_at=NOW + 2 * HOUR)
    assert journal.recall({"1": "acme.example"}, now=NOW).of("1").asked == {"vendor"}
    assert reserve(journal, *KEYS, now=NOW + HOUR - 1) == ()
    assert reserve(journal, *KEYS, now=NOW + HOUR) == ("acme.example",)


def test_a_request_of_unknown_fate_survives_a_restart_and_waits_an_hour(url: str, journal: Journal) -> None:
    assert reserve(journal, "acme.example") == ("acme.example",)
    journal.close()
    again = Journal.open(url, "main")
    assert again.recall({"1": "acme.example"}, now=NOW).of("1").asked == {"vendor"}
    assert reserve(again, "acme.example", now=NOW + HOUR - 1) == ()
    assert again.spent("vendor", NOW) == 2.0
    assert reserve(again, "acme.example", now=NOW + HOUR) == ("acme.example",)
    again.record("vendor", "acme.example", "hit", (employees(5),), 1.0, now=NOW + HOUR, expires_at=NOW * 2)
    assert again.spent("vendor", NOW) == 3.0
    assert reserve(again, "acme.example", now=NOW + 9 * HOUR) == ()
    again.close()


def test_the_wait_after_an_unknown_fate_can_be_set(journal: Journal) -> None:
    for now, expected in ((NOW, ("a.example",)), (NOW + 9, ()), (NOW + 10, ("a.example",))):
        got = journal.reserve("v", {"a.example": 0.0}, now=now, run="r", retry_unknown_after=10)
        assert got.free == expected


def test_no_answer_gives_the_reservation_and_its_price_back(journal: Journal) -> None:
    reserve(journal, *KEYS)
    journal.record("vendor", "acme.example", "none", now=NOW)
    assert journal.spent("vendor", 0) == 2.0
    assert journal.recall({"1": "acme.example"}, now=NOW).of("1").asked == frozenset()
    assert reserve(journal, *KEYS) == ("acme.example",)


def test_a_failed_repeat_takes_back_only_its_own_price(journal: Journal) -> None:
    reserve(journal, "acme.example")
    reserve(journal, "acme.example", now=NOW + HOUR)
    journal.record("vendor", "acme.example", "none", now=NOW + HOUR)
    assert journal.spent("vendor", 0) == 2.0


def test_the_price_counts_as_spent_until_the_real_charge_is_known(journal: Journal) -> None:
    reserve(journal, *KEYS)
    assert journal.spent("vendor", NOW) == 4.0
    answers = [
        Answered(key="acme.example", kind="hit", signals=(employees(5),), charge=3.0, expires_at=NOW + HOUR),
        Answered(key="beta.example", kind="miss", charge=0.0, expires_at=NOW + HOUR),
        Answered(key="unasked.example", kind="miss", charge=0.5, expires_at=NOW + HOUR),
    ]
    journal.record_all("vendor", answers, now=NOW)
    assert journal.spent("vendor", NOW) == 3.5
    assert journal.spent("vendor", NOW + 1) == 0.0
    assert journal.spent("another", 0) == 0.0


def test_signals_of_several_enrichers_come_together(journal: Journal) -> None:
    for name, n in (("b", 2), ("a", 1)):
        journal.record(name, "acme.example", "hit", (employees(n),), now=NOW, expires_at=NOW + HOUR)
    journal.record("c", "acme.example", "miss", now=NOW, expires_at=NOW + HOUR)
    remembered = journal.recall({"1": "acme.example"}, now=NOW).of("1")
    assert remembered.signals == (employees(1), employees(2))
    assert remembered.asked == {"a", "b", "c"}


def test_a_key_asked_for_twice_in_one_breath_is_reserved_once(journal: Journal) -> None:
    assert reserve(journal, "acme.example", "acme.example", "") == ("acme.example",)
    assert journal.spent("vendor", 0) == 2.0


def test_of_workers_with_the_same_question_only_one_pays(url: str, journal: Journal) -> None:
    rivals = [Journal.open(url, "main") for _ in range(4)]
    keys = [f"{n}.example" for n in range(1500)]
    with ThreadPoolExecutor(4) as pool:
        got = list(pool.map(lambda rival: reserve(rival, *keys, price=1.0), rivals))
    assert sorted(key for mine in got for key in mine) == sorted(keys)
    assert journal.spent("vendor", 0) == 1500.0
    for rival in rivals:
        rival.close()


@pytest.mark.parametrize("key", ["\ud800.example", "a\x00b.example", "münchen.example"])
def test_a_strange_company_key_is_stored_and_found(journal: Journal, key: str) -> None:
    assert reserve(journal, key) == (key,)
    journal.record("vendor", key, "hit", (employees(3),), now=NOW, expires_at=NOW + HOUR)
    assert journal.recall({"1": key}, now=NOW).of("1").signals == (employees(3),)


@pytest.mark.parametrize(
    "text",
    [
        "not JSON",
        "7",
        '{"a": 1}',
        "[7]",
        "[[]]",
        '[["employees", 120, "vendor", 1.0, 1.0, 0, ""]]',
        '[["employees", ["interval", "1", "2"], "vendor", 1.0, 1.0, 0, ""]]',
        '[["employees", ["interval", NaN, 2], "vendor", 1.0, 1.0, 0, ""]]',
        f'[["employees", ["interval", 1{"0" * 400}, 2], "vendor", 1.0, 1.0, 0, ""]]',
        '[["revenue", ["money", 1, 2, null], "vendor", 1.0, 1.0, 0, ""]]',
        '[["industry", ["set", [1], true], "vendor", 1.0, 1.0, 0, ""]]',
        '[["employees", ["interval", 1, 2], "vendor", null, 1.0, 0, ""]]',
        '[["employees", ["interval", 1, 2], "vendor", 1.0, NaN, 0, ""]]',
        '[["employees", ["interval", 1, 2], "vendor", 1.0, 1.0, 0, null]]',
        '[["employees", ["interval", 1, 2], "vendor", 1.0, 1.0, 0, "", null]]',
        '[["employees", ["interval", 1, 2], "vendor", 1.0, 1.0, 0, "", NaN]]',
        '[["employees", ["interval", 1, 2], "vendor", 1.0, 1.0, 0, "", 1.0, 2.0]]',
    ],
)
def test_an_answer_that_cannot_be_read_counts_as_not_asked_for_and_hides_no_other(
    journal: Journal, text: str
) -> None:
    for name in ("good", "vendor"):
        journal.record(name, "acme.example", "hit", (employees(7),), now=NOW, expires_at=NOW + HOUR)
    with journal.writing("record") as conn:
        conn.execute(update(schema.answer).where(schema.answer.c.enricher == "vendor").values(signals=text))
    remembered = journal.recall({"1": "acme.example"}, now=NOW).of("1")
    assert (remembered.signals, remembered.asked) == ((employees(7),), {"good"})
    assert reserve(journal, "acme.example") == ("acme.example",)
    assert reserve(journal, "acme.example") == (), "it has just been asked for"
    journal.record("vendor", "acme.example", "hit", (employees(8),), now=NOW, expires_at=NOW + HOUR)
    assert reserve(journal, "acme.example") == ()
    assert journal.recall({"1": "acme.example"}, now=NOW).of("1").asked == {"good", "vendor"}
