"""A connection's identity, mode, profiles, requests, runs and counters, and the reports over its accounts."""

from __future__ import annotations

import re

import pytest
from journal_builders import NOW, Worker, human, ours, settled, write

from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError
from icp_sync.journal import BackfillRequest, Journal
from icp_sync.ports import Position


def test_a_connection_is_bound_once_and_another_portal_is_refused(journal: Journal) -> None:
    assert journal.bound_to() == ""
    journal.bind("111", crm="hubspot", now=NOW)
    journal.bind("111", crm="hubspot", now=NOW + 1)
    with pytest.raises(ConfigError, match="belongs to 111, but these credentials open 222") as refused:
        journal.bind("222", crm="hubspot", now=NOW)
    assert refused.value.next_step == "icp-sync bind --rebind"
    assert journal.bound_to() == "111"


def test_rebinding_starts_every_stream_over_and_keeps_the_evidence(worker: Worker, journal: Journal) -> None:
    journal.bind("111", crm="hubspot", now=NOW)
    worker.commit(
        settled("1", stamp=5, seen=True, confirmed={"tier": ours("A")}), position=Position(done_to=5)
    )
    journal.change_quota(lambda *_: ("what 111 said of its day", None))
    journal.raise_alert("quota", "the day's calls of 111 are used up", now=NOW)
    journal.raise_alert("backfill", "halted", now=NOW)
    journal.bind("222", crm="hubspot", now=NOW, rebind=True)
    assert journal.bound_to() == "222"
    assert journal.quota_text()[0] == ""
    assert [alert.name for alert in journal.alerts()] == ["backfill"]
    assert journal.position("poll") == Position()
    assert journal.seen({"1": 5}) == set()
    assert journal.backfill_request() == BackfillRequest(reason="rebound from 111 to 222", at=NOW)
    assert worker.recall("1").of("1").confirmed == {"tier": ours("A")}


def test_a_new_connection_observes_until_told_otherwise(journal: Journal) -> None:
    assert journal.mode() is Mode.OBSERVE
    assert journal.set_mode(Mode.WRITE, now=NOW) is Mode.OBSERVE
    assert journal.set_mode(Mode.ROUTE, now=NOW) is Mode.WRITE
    assert journal.mode() is Mode.ROUTE


def test_a_profile_version_is_new_only_when_it_differs_from_the_active_one(journal: Journal) -> None:
    first, second = (("a.yaml", "profile: a"),), (("a.yaml", "profile: a"), ("b.yaml", "profile: b"))
    assert journal.active() is None
    got = [journal.activate(documents, now=NOW) for documents in (first, first, second, first)]
    assert got == [1, 1, 2, 3]
    assert journal.active() == (3, first)
    assert [(v.version, v.names, v.active) for v in journal.versions()] == [
        (3, ("a.yaml",), True),
        (2, ("a.yaml", "b.yaml"), False),
        (1, ("a.yaml",), False),
    ]


def test_backfill_requests_add_up_until_cleared(journal: Journal) -> None:
    assert journal.backfill_request() is None
    for reason, at in (("mode write", NOW), ("profile 2", NOW + 5), ("mode write", NOW + 9)):
        journal.request_backfill(reason, at)
    assert journal.backfill_request() == BackfillRequest(reason="mode write; profile 2", at=NOW)
    journal.clear_backfill_request()
    assert journal.backfill_request() is None


def test_due_accounts_come_oldest_first_and_only_the_living(worker: Worker, journal: Journal) -> None:
    worker.commit(
        settled("1", wake_at=NOW + 2),
        settled("2", wake_at=NOW + 1),
        settled("3"),
        settled("4", wake_at=NOW + 99),
    )
    assert journal.due(NOW + 5, 10) == ("2", "1")
    assert journal.due(NOW + 5, 1) == ("2",)
    worker.commit(gone={"2": ""})
    assert journal.wake_all(NOW + 3) == 3
    assert journal.due(NOW + 3, 10) == ("1", "3", "4")


def test_runs_are_listed_newest_first_with_what_they_did(journal: Journal) -> None:
    first = journal.start_run("backfill", now=NOW, detail={"where": "x"})
    second = journal.start_run("poll", now=NOW + 1)
    assert re.fullmatch(r"20270115-080000-[0-9a-f]{4}", first)
    assert first < second
    journal.end_run(first, {"written": 3}, now=NOW + 9)
    told = [(run.id, run.kind, run.ended_at, run.detail, run.report) for run in journal.runs(5)]
    assert told == [
        (second, "poll", None, {}, {}),
        (first, "backfill", NOW + 9, {"where": "x"}, {"written": 3}),
    ]
    assert [run.id for run in journal.runs(1)] == [second]


def test_many_runs_in_one_second_have_ids_of_their_own(journal: Journal) -> None:
    assert len({journal.start_run("poll", now=NOW) for _ in range(60)}) == 60


def test_counters_add_up(journal: Journal) -> None:
    journal.count_event("sweep_found_missing", 2)
    journal.count_event("sweep_found_missing")
    assert journal.events() == {"sweep_found_missing": 3}


def test_an_account_is_found_by_id_domain_or_whole_name(worker: Worker, journal: Journal) -> None:
    worker.commit(
        settled("17", name="Straße GmbH", domain="strasse.example"),
        settled("18", name="Acme", domain="acme.example"),
        settled("19", name="ACME", domain="acme.test"),
    )
    assert journal.find("17") == [("17", "Straße GmbH", "strasse.example")]
    assert journal.find(" Strasse.Example ") == [("17", "Straße GmbH", "strasse.example")]
    assert [account_id for account_id, _, _ in journal.find("STRASSE gmbh")] == ["17"]
    assert [account_id for account_id, _, _ in journal.find("acme")] == ["18", "19"]
    assert journal.find("acm") == journal.find("") == journal.find("\x00\ud800") == []


def test_status_counts_tiers_progress_and_those_in_need(worker: Worker, journal: Journal) -> None:
    version = journal.activate([("a.yaml", "profile: a")], now=NOW)
    worker.commit(
        settled("1", tier="A", profile_version=version),
        settled("2", tier="A"),
        settled("3", tier="Not ICP", in_scope=False, profile_version=version),
        settled("4", tier="B", status="refused", problem="READ_ONLY_VALUE", attempts=2, wake_at=NOW + 60),
        settled("5", tier="B", status="deferred", problem="429"),
        settled("6"),
    )
    worker.commit(gone={"6": ""})
    worker.intend(write("7"))
    assert journal.tiers() == {"A": 2, "B": 2}
    assert journal.progress() == (1, 4)
    assert journal.counts() == {"settled": 3, "refused": 1, "deferred": 1, "gone": 1, "met": 1}
    (refused,) = journal.refused()
    assert (refused.account_id, refused.problem, refused.attempts) == ("4", "READ_ONLY_VALUE", 2)
    assert [one.account_id for one in journal.deferred()] == ["5"]
    assert journal.live_ids_page("2", 3) == ("3", "4", "5")


def test_what_we_ever_sent_is_known_for_all_connections(worker: Worker, journal: Journal) -> None:
    other = journal.for_connection("other")
    assert not journal.ever_wrote()
    trap = human('a,"ours",b')
    worker.commit(settled("1", stamp=5, confirmed={"tier": trap}, left_alone={"tier": ("D", "A")}))
    assert not journal.ever_wrote(), "people's values are not ours"
    worker.intend(write("1"))
    assert journal.ever_wrote(), "what may have been sent counts"
    assert other.ever_wrote()
    worker.commit(settled("1", confirmed={"tier": ours("B")}, resolved={"tier": ("B",)}, version=2))
    assert journal.ever_wrote(), "what was seen counts"


def test_accounts_nothing_may_be_written_on_are_listed_with_why(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", status="held", problem="sealed by another"), settled("2", in_scope=False))
    assert [(one.account_id, one.problem) for one in journal.held()] == [("1", "sealed by another")]
    assert journal.out_of_scope() == 1


def test_nothing_known_is_nothing_reported(journal: Journal) -> None:
    assert (journal.held(), journal.out_of_scope(), journal.ever_wrote()) == ([], 0, False)
    assert journal.account("1") is None
    assert (journal.tiers(), journal.progress(), journal.counts()) == ({}, (0, 0), {})
    assert (journal.runs(), journal.refused(), journal.left_alone()) == ([], [], [])


def test_released_values_are_ours_again_and_the_account_is_due(worker: Worker, journal: Journal) -> None:
    held = {"tier": ("D", "A"), "lane": ("sales", "research")}
    worker.commit(
        settled("1", fingerprint="f", left_alone=held, confirmed={"tier": human("D"), "flags": human("x")})
    )
    assert journal.release("1", ["tier", "no such field"], now=NOW + 1) == ["tier"]
    remembered = worker.recall("1").of("1")
    assert remembered.confirmed == {"tier": ours("D", NOW + 1), "flags": human("x")}
    assert (remembered.fingerprint, journal.due(NOW + 1, 5)) == ("", ("1",))
    assert [held.field for held in journal.left_alone()] == ["lane"]
    assert [(entry.field, entry.result) for entry in journal.history("1")] == [("tier", "released")]

    assert journal.release("1", None, now=NOW + 2) == ["lane"]
    assert journal.release("1", None, now=NOW + 3) == []
    assert journal.release("unknown", None, now=NOW) == []


def test_a_worker_that_recalled_before_a_release_must_look_again(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", left_alone={"tier": ("D", "A")}))
    memory = worker.recall("1")
    journal.release("1", None, now=NOW)
    assert list(worker.intend(write("1"), memory=memory)[1]) == ["1"]


def test_a_second_connection_to_the_same_portal_is_refused(journal: Journal) -> None:
    journal.bind("portal 1", crm="hubspot", now=NOW)
    other = journal.for_connection("another")
    with pytest.raises(ConfigError, match="belongs to connection"):
        other.bind("portal 1", crm="hubspot", now=NOW)
    other.bind("portal 2", crm="hubspot", now=NOW)


def test_postponed_accounts_come_after_the_others(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", wake_at=NOW + 1), settled("2", wake_at=NOW + 2))
    journal.postpone(["1"], until=NOW + 60)
    assert journal.due(NOW + 5, 1) == ("2",)
    assert journal.due(NOW + 60, 10) == ("2", "1")
