"""What was thought of every account, now and at an instant, a page at a time, on either database."""

from __future__ import annotations

from journal_builders import NOW, Worker, settled

from icp_sync.journal import Journal, Keep, Settled, Snapshot

EVIDENCE = {"version": 1, "facts": {}}


def judged(account_id: str, tier: str, **changes: object) -> Settled:
    shown = {"at": NOW, "evidence": EVIDENCE, "owner": f"{tier}@x.example", "decision": {"lane": "sales"}}
    given = {"tier": tier, "evidence": EVIDENCE, "evaluation": shown, "log_evaluation": True, **changes}
    return settled(account_id, **given)


def then(journal: Journal, at: float, size: int = 2) -> dict[str, str]:
    """Account → tier at an instant, read in small pages."""
    found: list[Snapshot] = []
    page, last = journal.snapshot_page_at(at, "", size)
    found += page
    while last:
        page, last = journal.snapshot_page_at(at, last, size)
        found += page
    assert len({one.id for one in found}) == len(found)
    return {one.id: one.tier for one in found}


def test_the_last_evaluation_up_to_an_instant_is_the_one_in_force(worker: Worker, journal: Journal) -> None:
    worker.commit(*(judged(str(n), "B") for n in range(5)), now=NOW)
    worker.commit(judged("1", "A", version=1), judged("3", "C", version=1), now=NOW + 100)
    assert then(journal, NOW - 1) == {}
    assert then(journal, NOW) == dict.fromkeys("01234", "B")
    assert then(journal, NOW + 99) == dict.fromkeys("01234", "B")
    assert then(journal, NOW + 100) == {"0": "B", "1": "A", "2": "B", "3": "C", "4": "B"}
    assert journal.evaluated_since() == NOW


def test_who_is_gone_is_there_until_then_and_not_after(worker: Worker, journal: Journal) -> None:
    worker.commit(judged("1", "A"), judged("2", "B"), now=NOW)
    worker.commit(gone={"1": ""}, now=NOW + 50)
    assert then(journal, NOW + 49) == {"1": "A", "2": "B"}
    assert then(journal, NOW + 50) == {"2": "B"}
    assert [one.id for one in journal.snapshot_page("", 10)] == ["2"]


def test_who_was_erased_counts_for_the_instants_before(worker: Worker, journal: Journal) -> None:
    worker.commit(judged("1", "A"), judged("2", "B"), judged("3", "C"), now=NOW)
    worker.commit(gone={"1": "", "2": "3"}, now=NOW + 50)
    assert journal.erased_since(NOW) == 0
    journal.prune(Keep(gone=10), now=NOW + 100)
    assert (journal.erased_since(NOW + 49), journal.erased_since(NOW + 50)) == (2, 0)
    assert journal.for_connection("other").erased_since(NOW) == 0


def test_now_is_what_was_last_settled_with_its_route(worker: Worker, journal: Journal) -> None:
    worker.commit(judged("1", "A", owner="amara@x.example"), settled("2", evidence={}), now=NOW)
    (one,) = journal.snapshot_page("", 10)
    assert (one.id, one.tier, one.owner, one.at) == ("1", "A", "amara@x.example", NOW)
    assert one.decision["lane"] == "sales"
    assert journal.snapshot_page("1", 10) == ()


def test_of_another_connection_nothing_is_told(worker: Worker, journal: Journal) -> None:
    worker.commit(judged("1", "A"), now=NOW)
    other = journal.for_connection("other")
    assert (other.snapshot_page("", 10), then(other, NOW), other.evaluated_since()) == ((), {}, None)
