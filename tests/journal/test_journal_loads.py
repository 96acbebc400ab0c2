"""Loads: each account counts for at most one owner, whatever is reserved, refused, raced or lost."""

from __future__ import annotations

import atexit
import tempfile
from collections import Counter
from functools import cache
from itertools import count
from pathlib import Path
from shutil import rmtree

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from journal_builders import Worker, ids, settled, write
from sqlalchemy import select

from icp_sync.domain.account import Memory
from icp_sync.journal import Journal, schema

ANN, BOB = "ann@x.example", "bob@x.example"


def loads(journal: Journal) -> dict[str, int]:
    return dict(journal.recall({}, now=0).roster.loads)


def test_an_assignment_is_counted_when_intended_and_not_again_when_confirmed(
    worker: Worker, journal: Journal
) -> None:
    worker.intend(write("1", owner=ANN), write("2", owner=ANN), assignments={"1": ANN, "2": ANN})
    assert loads(journal) == {ANN: 2}
    worker.commit(settled("1", owner=ANN, version=1), settled("2", owner="", version=1))
    assert loads(journal) == {ANN: 1}


def test_a_refused_reassignment_goes_back_to_the_old_owner(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", owner=BOB))
    worker.intend(write("1", owner=ANN), assignments={"1": ANN})
    assert loads(journal) == {ANN: 1, BOB: 0}
    worker.commit(settled("1", owner=BOB, version=2))
    assert loads(journal) == {ANN: 0, BOB: 1}


def test_only_in_scope_accounts_that_exist_count(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1", owner=ANN), settled("2", owner=ANN), settled("3", owner=ANN, in_scope=False))
    assert loads(journal) == {ANN: 2}
    worker.commit(settled("1", owner=ANN, in_scope=False), gone={"2": "3"})
    assert loads(journal) == {ANN: 0}


def test_a_place_reserved_before_a_crash_is_not_reserved_twice(worker: Worker, journal: Journal) -> None:
    for _ in range(2):
        worker.intend(write("1", owner=ANN), assignments={"1": ANN})
    assert loads(journal) == {ANN: 1}


def test_a_place_reserved_on_a_tombstone_is_given_back(worker: Worker, journal: Journal) -> None:
    worker.commit(settled("1"), gone={"1": ""})
    worker.intend(write("1", owner=ANN), assignments={"1": ANN})
    worker.commit(gone={"1": ""})
    assert loads(journal) == {ANN: 0}


def test_two_workers_cannot_both_take_an_owners_last_place(journal: Journal) -> None:
    one, two = Worker(journal, "one", "poll"), Worker(journal, "two", "backfill")
    memory = one.recall("1", "2", "3")
    one.intend(write("1", owner=ANN), assignments={"1": ANN}, memory=memory)
    kept, lost = two.intend(
        write("2", owner=ANN), write("3", tier="A"), assignments={"2": ANN}, memory=memory
    )
    assert ids(kept) == ["3"]
    assert ANN in lost["2"]
    assert loads(journal) == {ANN: 1}
    assert journal.account("2") is None


def test_an_assignment_to_somebody_else_is_not_disturbed(journal: Journal) -> None:
    one, two = Worker(journal, "one", "poll"), Worker(journal, "two", "backfill")
    memory = one.recall("1", "2")
    one.intend(write("1", owner=ANN), assignments={"1": ANN}, memory=memory)
    kept, _ = two.intend(write("2", owner=BOB), assignments={"2": BOB}, memory=memory)
    assert ids(kept) == ["2"]


accounts = st.sampled_from(["1", "2", "3"])
owners = st.sampled_from(["", ANN, BOB])


EXAMPLES = count()


@cache
def shared() -> Journal:
    """One file for all examples, each a connection of its own."""
    folder = Path(tempfile.mkdtemp())
    atexit.register(rmtree, folder)
    return Journal.open(f"sqlite:///{folder}/journal.db", "main")


class Loads(RuleBasedStateMachine):
    """Two workers with memories of any age; the counters always equal a recount, and so does the model."""

    def __init__(self) -> None:
        super().__init__()
        self.journal = shared().for_connection(f"example {next(EXAMPLES)}")
        self.workers = [Worker(self.journal, str(n), f"stream-{n}") for n in range(2)]
        self.memories: list[Memory] = [Memory(), Memory()]
        self.counted: dict[str, str] = {}
        self.versions: Counter[str] = Counter()

    @rule(who=st.integers(0, 1))
    def recall(self, who: int) -> None:
        self.memories[who] = self.workers[who].recall("1", "2", "3")

    @rule(who=st.integers(0, 1), assigned=st.dictionaries(accounts, st.sampled_from([ANN, BOB]), min_size=1))
    def assign(self, who: int, assigned: dict[str, str]) -> None:
        memory = self.memories[who]
        kept, lost = self.workers[who].intend(
            *(write(account_id, owner=owner) for account_id, owner in assigned.items()),
            assignments=assigned,
            memory=memory,
        )
        assert {*ids(kept), *lost} == set(assigned)
        for account_id in ids(kept):
            assert memory.of(account_id).version == self.versions[account_id]
            self.versions[account_id] += 1
            self.counted[account_id] = assigned[account_id]

    @rule(
        who=st.integers(0, 1), account_id=accounts, owner=owners, in_scope=st.booleans(), check=st.booleans()
    )
    def settle(self, who: int, account_id: str, owner: str, in_scope: bool, check: bool) -> None:
        version = self.memories[who].of(account_id).version if check else None
        self.workers[who].commit(settled(account_id, owner=owner, in_scope=in_scope, version=version))
        if version in (None, self.versions[account_id]):
            self.versions[account_id] += 1
            self.counted[account_id] = owner if in_scope else ""

    @rule(account_id=accounts, survivor=st.sampled_from(["", "1", "2", "3"]))
    def bury(self, account_id: str, survivor: str) -> None:
        self.workers[0].commit(gone={account_id: survivor})
        self.counted.pop(account_id, None)
        memory = self.workers[0].recall("1", "2", "3")
        self.versions = Counter({i: memory.of(i).version for i in ("1", "2", "3")})

    @invariant()
    def counters_equal_a_recount(self) -> None:
        table = schema.account
        with self.journal.engine.connect() as conn:
            mine = table.c.connection == self.journal.connection
            stored = Counter(conn.execute(select(table.c.counted_owner).where(mine)).scalars())
        counters = {owner: n for owner, n in loads(self.journal).items() if n}
        assert counters == {owner: n for owner, n in stored.items() if owner}
        assert counters == dict(Counter(owner for owner in self.counted.values() if owner))


TestLoads = Loads.TestCase
TestLoads.settings = settings(max_examples=60, stateful_step_count=15, deadline=None)
