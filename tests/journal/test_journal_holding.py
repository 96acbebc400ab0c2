"""What waits for a person, what the guard counts by, and whom one tells only once."""

from __future__ import annotations

from journal_builders import NOW, Worker, settled, write

from icp_sync.domain.guard import Rule
from icp_sync.domain.plan import Change, Hold, Result
from icp_sync.journal import Journal

DAY = 86_400.0


def hold(account_id: str, key: str = "A → C", rule: Rule = Rule.DOWNGRADES, since: float = 0.0) -> Hold:
    change = Change(account_id=account_id, field="tier", live="A", desired="C", reason="why", origin="ours")
    return Hold(
        account_id=account_id, rule=rule.value, key=key, changes=(change,), reason="too many", since=since
    )


def test_what_is_held_comes_back_as_it_was_with_the_day_it_began(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", holds=(hold("1"),)))
    worker.commit(settled("1", holds=(hold("1"),)), now=NOW + 100)
    (found,) = journal.holds()
    assert found.changes == hold("1").changes
    assert (found.account_id, found.rule, found.key, found.reason) == ("1", "downgrades", "A → C", "too many")
    assert found.since == NOW
    assert journal.waiting_holds() == {"downgrades": 1}


def test_a_hold_nobody_wants_any_more_is_gone(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", holds=(hold("1"),)), settled("2", holds=(hold("2"),)))
    worker.commit(settled("1"))
    assert [h.account_id for h in journal.holds()] == ["2"]


def test_a_release_wakes_its_accounts_and_no_others(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", holds=(hold("1"),)), settled("2", holds=(hold("2", rule=Rule.ROBOTS),)))
    assert journal.release_holds(by="ada", rule="downgrades", now=NOW + 5) == 1
    assert journal.release_holds(by="ada", rule="downgrades", now=NOW + 5) == 0
    assert journal.due(NOW + 5, 10) == ("1",)
    assert [(h.account_id, h.released_by) for h in journal.holds()] == [("1", "ada"), ("2", "")]
    assert journal.waiting_holds() == {"two robots": 1}


def test_only_the_accounts_named_are_released(worker: Worker, journal: Journal) -> None:
    worker.commit(*(settled(str(n), holds=(hold(str(n)),)) for n in range(3)))
    assert journal.release_holds(by="ada", ids=["1", "nobody"], now=NOW) == 1
    assert journal.release_holds(by="ada", ids=[], now=NOW) == 0
    assert [h.account_id for h in journal.holds() if h.released_by] == ["1"]


def test_a_release_given_while_the_account_was_being_settled_is_not_lost(
    worker: Worker, journal: Journal
) -> None:
    worker.commit(settled("1", holds=(hold("1"),)))
    judged_before_the_release = settled("1", holds=(hold("1"),))
    journal.release_holds(by="ada", now=NOW)
    worker.commit(judged_before_the_release)
    assert [h.released_by for h in journal.holds()] == ["ada"]


def test_the_guard_counts_a_sliding_day_and_an_hour_of_writes(worker: Worker, journal: Journal) -> None:
    change = Change(account_id="1", field="tier", live="A", desired="B")
    lands = {"changes": (change,), "counted": ("downgrades",)}
    worker.commit(settled("1", **lands), now=NOW - DAY - 1)
    worker.commit(settled("1", **lands), now=NOW - 3601)
    worker.commit(settled("1", **lands), settled("2", **lands), now=NOW - 10)
    worker.commit(settled("1", changes=(change,), result=Result.REFUSED), now=NOW - 5)
    worker.commit(settled("3", in_scope=False), settled("4", holds=(hold("4", rule=Rule.ROBOTS),)))
    counted = journal.guarded(["1", "2", "4"], ["1", "2"], population=journal.population(), now=NOW)
    assert (counted.population, counted.moved) == (3, {"downgrades": 2}), "accounts"
    assert {rule: set(ids) for rule, ids in counted.again.items()} == {"downgrades": {"1", "2"}}
    assert counted.writes == {"1": 1, "2": 1}
    assert (list(counted.held), counted.robots) == (["4"], 1)


def test_other_connections_see_none_of_it(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", holds=(hold("1"),), counted=("downgrades",)))
    other = journal.for_connection("other")
    assert (other.holds(), other.waiting_holds(), other.population()) == ([], {}, 0)
    assert other.release_holds(by="ada", now=NOW) == 0
    assert other.guarded(["1"], ["1"], population=0, now=NOW).moved == {}


def test_somebody_is_told_once_when_it_begins_and_once_when_it_ends(journal: Journal) -> None:
    assert journal.raise_alert("held: downgrades", "20 accounts wait", now=NOW)
    assert not journal.raise_alert("held: downgrades", "21 accounts wait", now=NOW + 1)
    assert [(a.name, a.text, a.since) for a in journal.alerts()] == [
        ("held: downgrades", "21 accounts wait", NOW)
    ]
    assert journal.for_connection("other").alerts() == []
    assert journal.end_alert("held: downgrades")
    assert not journal.end_alert("held: downgrades")
    assert journal.raise_alert("held: downgrades", "again", now=NOW + 2)


def test_a_request_goes_from_hand_to_hand_and_ends_once(journal: Journal) -> None:
    first = journal.ask("backfill", {"limit": 5}, by="ada", now=NOW)
    second = journal.ask("undo", {}, by="bob", now=NOW + 1)
    asked = journal.next_request()
    assert asked is not None
    assert (asked.id, asked.kind, asked.args, asked.by, asked.state) == (
        first,
        "backfill",
        {"limit": 5},
        "ada",
        "waiting",
    )
    assert not journal.progress_request(first, {"read": 1}, now=NOW)  # nobody has begun
    assert journal.take_request(first, now=NOW)
    assert journal.progress_request(first, {"read": 1}, now=NOW)
    again = journal.next_request()  # whoever takes over from a process that died
    assert again is not None
    assert (again.id, again.state, again.progress) == (first, "running", {"read": 1})
    assert journal.cancel_request(first, now=NOW)
    assert not journal.progress_request(first, {"read": 2}, now=NOW)
    assert not journal.end_request(first, state="done", result={}, now=NOW)
    assert [r.id for r in journal.requests("waiting")] == [second]
    assert journal.for_connection("other").next_request() is None


def test_what_a_write_assumed_is_known_to_the_next_read_even_if_nothing_was_committed(
    worker: Worker, journal: Journal
) -> None:
    lease, memory = worker.lease, worker.recall("1")
    journal.intend(
        [write("1", tier="B", seal="s")],
        versions={},
        assignments={},
        load_versions=memory.roster.load_versions,
        run="run-1",
        lease=lease,
        now=NOW,
        sent_at=NOW + 2,
    )
    remembered = worker.recall("1").of("1")
    assert (remembered.unechoed, remembered.sent_at) == ({"tier": ("", "B")}, NOW + 2)
