"""What is committed is what is recalled, value for value."""

from __future__ import annotations

from collections.abc import Iterator
from math import inf

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from journal_builders import NOW, Worker, ours, settled

from icp_sync.domain.account import Confirmed, Origin, Owner, Previous, Remembered
from icp_sync.domain.facts import Interval, Members, Money, Signal
from icp_sync.journal import Journal, Settled
from icp_sync.journal.encoding import (
    previous_from_text,
    previous_to_text,
    signals_from_text,
    signals_to_text,
)
from icp_sync.ports import Position

words = st.text(max_size=8)
instants = st.floats(0, 5e9)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.floats(allow_nan=False, allow_infinity=False) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=4,
)
previous = st.builds(
    Previous,
    tier=words,
    raw_tier=words,
    profile=words,
    profile_version=st.integers(0, 9),
    score=st.integers(0, 100),
    pending_tier=words,
    pending_since=st.none() | instants,
    previous_tier=words,
    tier_changed_at=st.none() | instants,
    routed_owner=words,
    routed_at=st.none() | instants,
    why=words,
)
fact_values = (
    st.builds(Interval, st.floats(-1e9, 1e9) | st.just(-inf), st.floats(-1e9, 1e9) | st.just(inf))
    | st.builds(Money, st.floats(0, 1e9), st.floats(0, 1e9) | st.just(inf), st.sampled_from(["", "USD"]))
    | st.builds(Members, st.frozensets(words, max_size=3), st.booleans())
)
signals = st.builds(
    Signal,
    fact=words,
    value=fact_values,
    source=words,
    observed_at=instants,
    confidence=st.floats(0.01, 1),
    rank=st.integers(0, 9),
    raw=words,
)
confirmed = st.builds(Confirmed, value=st.text(max_size=8), origin=st.sampled_from(Origin), at=instants)
fields = st.sampled_from(["tier", "lane", "owner"])


@given(previous=st.none() | previous)
def test_a_previous_standing_reads_back_as_it_was(previous: Previous | None) -> None:
    assert previous_from_text(previous_to_text(previous)) == previous


def test_a_previous_standing_of_a_newer_version_is_read_as_far_as_we_know_it() -> None:
    assert previous_from_text('{"tier":"A","invented_later":1}') == Previous(tier="A")


@given(signals=st.lists(signals, max_size=3))
def test_signals_read_back_as_they_were(signals: list[Signal]) -> None:
    assert signals_from_text(signals_to_text(signals)) == tuple(signals)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Journal]:
    journal = Journal.open(f"sqlite:///{tmp_path_factory.mktemp('recall')}/journal.db", "0")
    yield journal
    journal.close()


def settlements(account_id: str) -> st.SearchStrategy[Settled]:
    return st.builds(
        Settled,
        account_id=st.just(account_id),
        name=words,
        previous=st.none() | previous,
        fingerprint=st.sampled_from(["", "abc"]),
        evidence=st.dictionaries(words, json_values, max_size=3),
        attempts=st.integers(0, 9),
        confirmed=st.dictionaries(fields, confirmed, max_size=3),
        resolved=st.dictionaries(fields, st.tuples(words), max_size=2),
    )


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(pages=st.lists(st.tuples(settlements("1"), settlements("2")), min_size=1, max_size=3))
def test_what_is_committed_is_recalled(shared: Journal, pages: list[tuple[Settled, Settled]]) -> None:
    shared.count_event("example")
    worker = Worker(shared.for_connection(str(shared.events()["example"])))
    model: dict[str, Remembered] = {}
    for page in pages:
        worker.commit(*page)
        for one in page:
            before = model.get(one.account_id, Remembered())
            model[one.account_id] = Remembered(
                version=before.version + 1,
                previous=one.previous,
                confirmed=dict(before.confirmed) | dict(one.confirmed),
                fingerprint=one.fingerprint,
                evidence=one.evidence,
                attempts=one.attempts,
            )
        assert worker.recall("1", "2", "3").accounts == model


def test_a_page_of_a_thousand_is_recalled_whole(worker: Worker, journal: Journal) -> None:
    many = [str(n) for n in range(2000)]
    worker.commit(*(settled(i, confirmed={"tier": ours(i)}, stamp=7, seen=True) for i in many))
    memory = journal.recall({i: f"{i}.example" for i in many}, now=NOW)
    assert {i: memory.of(i).confirmed["tier"].value for i in many} == {i: i for i in many}
    assert journal.seen(dict.fromkeys(many, 7)) == set(many)


def test_an_account_never_met_is_not_remembered(journal: Journal) -> None:
    memory = journal.recall({"1": "1.example", "2": ""}, now=NOW)
    assert memory.accounts == {}
    assert memory.of("1") == Remembered()


def test_the_roster_comes_with_every_page_and_its_version_moves_only_with_it(journal: Journal) -> None:
    ann = Owner(id="7", email="ann@x.example", name="Ann")
    bob = Owner(id="8", email="bob@x.example", active=False)
    versions = []
    for owners in ((ann, bob), (bob, ann), (ann,), (), ()):
        journal.set_owners(owners, now=NOW)
        roster = journal.recall({}, now=NOW).roster
        assert set(roster.owners.values()) == set(owners)
        versions.append(roster.version)
    assert versions == [1, 1, 2, 3, 3]


@given(
    position=st.builds(
        Position,
        done_to=st.integers(0, 2**53),
        upper=st.integers(0, 2**53),
        last_id=words,
        finished=st.booleans(),
    )
)
@settings(max_examples=25, deadline=None)
def test_positions_read_back_as_they_were(shared: Journal, position: Position) -> None:
    journal = shared.for_connection("positions")
    lease = journal.lease("sweep", holder="x", now=NOW)
    assert lease is not None
    journal.commit((), gone={}, position=position, stream="sweep", lease=lease, run="r", now=NOW)
    journal.release_lease(lease)
    assert journal.position("sweep") == position
