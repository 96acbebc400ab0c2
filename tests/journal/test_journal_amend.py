"""Writes that evaluated nothing: whose values are whose and what was withdrawn change, no evaluation does."""

from __future__ import annotations

import pytest
from journal_builders import NOW, Worker, human, ours, settled, write

from icp_sync.domain.account import Withdrawn
from icp_sync.domain.plan import Change
from icp_sync.errors import LostLeaseError
from icp_sync.journal import Amended, Journal
from icp_sync.ports import Position

UNDONE = Withdrawn(mark="inputs", fields={"tier": "B"}, run="undo-1")


def amend(worker: Worker, *amended: Amended, run: str = "undo-1") -> list[str]:
    return worker.journal.amend(
        amended,
        position=Position(last_id="9"),
        stream="undo",
        partition="run-1",
        lease=worker.lease,
        run=run,
        now=NOW + 10,
    )


def written(worker: Worker) -> int:
    """Account 1 settled with a tier of ours and owned by Ann; and its version after the intent to undo."""
    worker.commit(
        settled(
            "1", confirmed={"tier": ours("B"), "lane": ours("sales")}, owner="ann@x", evidence={"facts": 1}
        )
    )
    worker.intend(write("1", tier="A"))
    return worker.recall("1").of("1").version


def test_values_get_their_owners_back_and_the_account_is_due(worker: Worker, journal: Journal) -> None:
    version = written(worker)
    change = Change(account_id="1", field="tier", live="B", desired="A", origin="ours")
    one = Amended(
        account_id="1", version=version, confirmed={"tier": human("A")}, changes=(change,), withdrawn=UNDONE
    )
    assert amend(worker, one) == []
    after = worker.recall("1").of("1")
    assert (after.confirmed["tier"].value, after.confirmed["tier"].origin.value) == ("A", "human")
    assert after.confirmed["lane"].value == "sales"
    assert (after.withdrawn, after.evidence, after.version) == (UNDONE, {"facts": 1}, version + 1)
    assert journal.due(NOW + 10, 5) == ("1",)
    assert journal.position("undo", "run-1").last_id == "9"
    (sent,) = journal.history("1")
    assert (sent.run, sent.before, sent.after, sent.origin) == ("undo-1", "B", "A", "ours")
    assert list(journal.changed_in("undo-1")) == ["1"]


def test_an_owner_given_back_counts_for_their_load(worker: Worker, journal: Journal) -> None:
    version = written(worker)
    assert worker.recall("1").roster.loads["ann@x"] == 1
    amend(worker, Amended(account_id="1", version=version, owner="bob@x"))
    assert worker.recall("1").roster.loads == {"ann@x": 0, "bob@x": 1}
    assert worker.recall("1").of("1").owner == "bob@x"


def test_of_an_account_settled_by_another_meanwhile_only_the_evidence_stays(
    worker: Worker, journal: Journal
) -> None:
    version = written(worker)
    worker.commit(settled("1", confirmed={"tier": ours("C")}))
    one = Amended(
        account_id="1", version=version, confirmed={"tier": ours("A")}, withdrawn=UNDONE, owner="bob@x"
    )
    assert amend(worker, one) == ["1"]
    after = worker.recall("1").of("1")
    assert (after.confirmed["tier"].value, after.withdrawn) == ("C", None)
    assert "A" in after.intents["tier"]
    assert "bob@x" not in worker.recall("1").roster.loads


def test_a_worker_whose_lease_is_gone_amends_nothing(worker: Worker, journal: Journal) -> None:
    version = written(worker)
    journal.break_leases()
    with pytest.raises(LostLeaseError):
        amend(worker, Amended(account_id="1", version=version, withdrawn=UNDONE))
    assert worker.recall("1").of("1").withdrawn is None
