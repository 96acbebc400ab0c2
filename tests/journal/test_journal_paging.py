"""Runs, writes, held changes, values people hold and the audit, page by page, on either database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from journal_builders import NOW, Worker, settled

from icp_sync.domain.guard import Rule
from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import Journal

DAY = 86_400.0


def ran(journal: Journal, kind: str, at: float, **report: object) -> str:
    run = journal.start_run(kind, now=at, detail={"apply": True})
    journal.end_run(run, {"outcome": "done", **report}, now=at)
    return run


def tier(account_id: str, desired: str, live: str = "") -> Change:
    return Change(account_id=account_id, field="tier", live=live, desired=desired)


def hold(account_id: str, rule: Rule = Rule.DOWNGRADES, key: str = "A → C") -> Hold:
    changes = (tier(account_id, "C", "A"),)
    return Hold(account_id=account_id, rule=rule.value, key=key, reason="too many", changes=changes)


def walked(page: Callable[[Any], Sequence[Any]], key: Callable[[Any], Any], begin: Any) -> list[Any]:
    """Everything, page after page, each after the last one's key."""
    found, after = [], begin
    while rows := page(after):
        found += rows
        after = key(rows[-1])
    return found


def test_runs_come_newest_first_without_those_that_did_nothing(journal: Journal) -> None:
    ran(journal, "poll", NOW, read=0, written=0)
    read = ran(journal, "poll", NOW + 1, read=10, written=0)
    wrote = ran(journal, "sweep", NOW + 2, read=0, written=1)
    undid = ran(journal, "undo", NOW + 3, restored=4)
    going = journal.start_run("poll", now=NOW + 4)
    failed = ran(journal, "poll", NOW + 5, written=0, read=0, outcome="failed")
    assert [run.id for run in journal.runs_page().runs] == [failed, going, undid, wrote, read]
    assert [run.id for run in journal.runs_page(kind="poll").runs] == [failed, going, read]
    assert len(journal.runs_page(dull=True).runs) == 6
    assert journal.runs_page(limit=2).after == going
    assert [run.id for run in journal.runs_page(limit=2, after=going).runs] == [undid, wrote]
    assert journal.run_kinds() == ("poll", "sweep", "undo")


def test_a_name_like_a_count_hides_no_run(journal: Journal) -> None:
    """Only counts of the report itself count: in a text of it their quotes are escaped."""
    said = {"problems": [["1", 'it said "read":0, "written":0,']]}
    run = ran(journal, "poll", NOW, read=1, written=1, **said)
    assert [found.id for found in journal.runs_page().runs] == [run]


def test_undoes_of_a_run_are_found_whole_or_in_part(journal: Journal) -> None:
    run = ran(journal, "backfill", NOW, read=1, written=1)
    other = ran(journal, "backfill", NOW + 1, read=1, written=1)
    undo = journal.start_run("undo", now=NOW + 2, detail={"undoes": run})
    part = journal.start_run("undo", now=NOW + 3, detail={"undoes": run, "ids": ["7"]})
    journal.start_run("undo", now=NOW + 4, detail={"undoes": other})
    assert [found.id for found in journal.undoes_of(run)] == [part, undo]


def test_what_a_run_sent_is_walked_through_each_write_once(worker: Worker, journal: Journal) -> None:
    for n in range(5):
        worker.commit(settled(f"{n}", name=f"C{n}", changes=(tier(f"{n}", "A"),)), run="one")
    worker.commit(settled("9", changes=(tier("9", "B"),)), run="another")
    found = walked(lambda after: journal.sent_in("one", after=after, limit=2), lambda one: one.seq, 0)
    assert [(one.account_id, one.name, one.changes[0].desired) for one in found] == [
        (f"{n}", f"C{n}", "A") for n in range(5)
    ]


def test_what_a_rule_holds_is_walked_through_oldest_first(worker: Worker, journal: Journal) -> None:
    worker.commit(*(settled(f"{n}", holds=(hold(f"{n}"),)) for n in range(3)), now=NOW + 5)
    worker.commit(settled("8", holds=(hold("8", key="A → D"),)), now=NOW)
    worker.commit(settled("9", holds=(hold("9", Rule.ROBOTS, "every write"),)), now=NOW)
    found = walked(
        lambda after: journal.holds_page("downgrades", after=after, limit=2),
        lambda one: (one.since, one.account_id),
        (float("-inf"), ""),
    )
    assert [one.account_id for one in found] == ["8", "0", "1", "2"]
    assert journal.waiting_moves() == {
        "downgrades": {"A → C": (3, NOW + 5), "A → D": (1, NOW)},
        "two robots": {"every write": (1, NOW)},
    }
    journal.release_holds(by="ada", rule="downgrades", now=NOW)
    assert journal.holds_page("downgrades") == ()
    assert set(journal.waiting_moves()) == {"two robots"}


def test_values_people_hold_are_walked_through_as_they_are_listed(worker: Worker, journal: Journal) -> None:
    for n in range(3):
        worker.commit(settled(f"{n}", left_alone={"tier": ("A", "B"), "lane": ("x", "y")}))
    found = walked(
        lambda after: journal.left_alone_page(after, 2), lambda one: (one.account_id, one.field), ("", "")
    )
    assert found == journal.left_alone()
    assert len(found) == 6


def test_the_audit_is_walked_back(journal: Journal) -> None:
    for n in range(5):
        journal.audit("mode", who="ada", now=NOW + n, n=n)
    journal.for_connection("another").audit("mode", who="ben", now=NOW)
    found = walked(lambda before: journal.audit_page(before=before, limit=2), lambda one: one.seq, None)
    assert [one.detail["n"] for one in found] == [4, 3, 2, 1, 0]


def test_a_pause_is_kept_beside_how_far_the_waves_are(journal: Journal) -> None:
    assert journal.backfill_paused() is None
    assert not journal.unpause_backfills()
    assert journal.pause_backfills(by="ada", now=NOW)
    journal.set_backfill_state(journal.backfill_state())
    paused = journal.backfill_paused()
    assert paused is not None
    assert (paused.by, paused.at) == ("ada", NOW)
    assert not journal.pause_backfills(by="ben", now=NOW)
    assert journal.unpause_backfills()
    assert journal.backfill_paused() is None
    assert journal.backfill_state().halted == ""
