"""Accounts that are gone: tombstones, and the evidence that moves on to a survivor."""

from __future__ import annotations

import pytest
from journal_builders import NOW, Worker, human, ours, settled, values, write

from icp_sync.journal import Journal


def test_a_deleted_account_is_a_tombstone_that_nothing_wakes(worker: Worker, journal: Journal) -> None:
    worker.commit(
        settled("1", wake_at=NOW, stamp=5, seen=True, left_alone={"tier": ("x", "B")}), settled("2")
    )
    worker.commit(gone={"1": "", "never met": ""})
    stored = journal.account("1")
    assert stored is not None
    assert (stored.status, stored.survivor, stored.name) == ("gone", "", "Company 1")
    assert journal.due(NOW + 9, 10) == ()
    assert journal.left_alone() == []
    assert journal.seen({"1": 5}) == set()
    assert journal.tiers() == {"B": 1}
    assert journal.live_ids_page("", 10) == ("2",)
    assert journal.account("never met") is None


def test_a_deleted_account_that_comes_back_still_has_its_evidence(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}))
    worker.commit(gone={"1": ""})
    memory = worker.recall("1")
    assert values(memory, "1") == {"tier": "A"}
    worker.commit(settled("1", version=memory.of("1").version))
    assert journal.counts() == {"settled": 1}


def test_a_survivor_inherits_what_was_ours_and_nothing_of_people_s(worker: Worker) -> None:
    worker.intend(write("1", lane="sales"))
    worker.commit(settled("1", confirmed={"tier": ours("A"), "flags": human("Agency")}), settled("2"))
    worker.commit(gone={"1": "2"})
    heir = worker.recall("2").of("2")
    assert heir.confirmed == {}
    assert heir.intents == {"lane": ("sales",), "tier": ("A",)}


def test_a_value_of_ours_from_the_merged_account_is_ours_beside_the_survivors_own(worker: Worker) -> None:
    worker.commit(
        settled(
            "1", confirmed={"tier": ours("A"), "lane": ours(""), "flags": human("x"), "profile": ours("p")}
        ),
        settled("2", confirmed={"tier": ours("C"), "lane": ours("sales"), "flags": ours("y")}),
        settled("3", confirmed={"tier": human("A"), "profile": ours("q")}),
    )
    worker.commit(gone={"1": "2"})
    heir = worker.recall("2").of("2")
    assert values(worker.recall("2"), "2") == {"tier": "C", "lane": "sales", "flags": "y"}
    assert heir.intents == {"tier": ("A",), "profile": ("p",)}
    worker.commit(gone={"2": "3"})
    assert worker.recall("3").of("3").confirmed["tier"] == human("A")
    assert worker.recall("3").of("3").intents == {
        "tier": ("A", "C"),
        "profile": ("p",),
        "lane": ("sales",),
        "flags": ("y",),
    }


def test_a_survivor_met_only_through_the_merge_inherits_before_it_is_ever_settled(
    worker: Worker, journal: Journal
) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}))
    worker.commit(gone={"1": "2"})
    heir = worker.recall("2").of("2")
    assert (heir.version, heir.intents) == (0, {"tier": ("A",)})
    assert journal.due(NOW, 10) == ("2",)
    worker.intend(write("2", tier="B"))
    worker.commit(settled("2", version=1))
    assert worker.recall("2").of("2").intents == {"tier": ("A", "B")}


@pytest.mark.parametrize(
    "pages",
    [
        ({"1": "2", "2": "3"},),
        ({"2": "3", "1": "2"},),
        ({"1": "2"}, {"2": "3"}),
        ({"2": "3"}, {"1": "2"}),
    ],
)
def test_merges_of_merges_reach_the_last_survivor_in_any_order(
    worker: Worker, journal: Journal, pages: tuple[dict[str, str], ...]
) -> None:
    worker.commit(
        settled("1", confirmed={"tier": ours("A")}),
        settled("2", confirmed={"tier": ours("B")}),
        settled("3", confirmed={"tier": ours("C")}),
    )
    for page in pages:
        worker.commit(gone=page)
    heir = worker.recall("3").of("3")
    assert values(worker.recall("3"), "3") == {"tier": "C"}
    assert sorted(heir.intents["tier"]) == ["A", "B"]
    assert journal.counts() == {"gone": 2, "settled": 1}


def test_merges_in_a_circle_end(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), settled("2"), settled("3"))
    worker.commit(gone={"1": "2", "2": "1", "3": "3"})
    assert journal.counts() == {"gone": 3}


def test_a_merge_told_again_wakes_nobody(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}), settled("2"))
    worker.commit(gone={"1": "2"})
    assert journal.due(NOW, 10) == ("2",)
    worker.commit(settled("2", wake_at=None))
    before = [journal.account(account_id) for account_id in ("1", "2")]
    worker.commit(gone={"1": "2"}, now=NOW + 60)
    assert [journal.account(account_id) for account_id in ("1", "2")] == before


def test_a_worker_that_recalled_the_survivor_before_the_merge_must_look_again(worker: Worker) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}), settled("2", fingerprint="same"))
    memory = worker.recall("2")
    worker.commit(gone={"1": "2"})
    _, lost = worker.intend(write("2", tier="B"), memory=memory)
    assert list(lost) == ["2"]
    assert worker.recall("2").of("2").fingerprint == ""


def test_a_survivor_settled_on_the_same_page_still_inherits(worker: Worker) -> None:
    worker.commit(settled("1", confirmed={"tier": ours("A")}))
    worker.commit(settled("2", confirmed={"tier": human("A")}), gone={"1": "2"})
    assert worker.recall("2").of("2").intents == {"tier": ("A",)}
