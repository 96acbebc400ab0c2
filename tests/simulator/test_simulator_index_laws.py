"""The index is, at any instant, what the records were before the lag; hypothesis looks for exceptions."""

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.index import Index, Version
from icp_sync.simulator.store import Source, Store
from icp_sync.simulator.switches import Switches

PERSON = Source("CRM_UI")
LAG = 3
steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), st.just(0), st.just("")),
        st.tuples(st.just("write"), st.integers(0, 2), st.sampled_from("abc")),
        st.tuples(st.just("archive"), st.integers(0, 2), st.just("")),
        st.tuples(st.just("merge"), st.integers(0, 2), st.just("")),
        st.tuples(st.just("wait"), st.integers(1, 4), st.just("")),
    ),
    max_size=30,
)


def act(store, step):
    kind, number, value = step
    live = store.live
    if kind == "create" and len(live) < 3:
        store.create({"name": "n"}, PERSON)
    elif kind == "write" and number < len(live):
        store.write(store.records[live[number]], {"city": value}, PERSON)
    elif kind == "archive" and number < len(live):
        store.archive(store.records[live[number]])
    elif kind == "merge" and number > 0 and number < len(live):
        store.merge(store.records[live[0]], store.records[live[number]])


def state(store):
    return {i: (store.records[i].modified, dict(store.records[i].props)) for i in store.live}


@given(steps)
def test_the_index_is_what_the_records_were_before_the_lag(wanted):
    clock, index = Clock(), Index()
    clock.freeze(1_795_262_400.0)
    store = Store(clock, Switches(index_lag=LAG, follow_up=False), index, Random(1))
    then = {}  # second → state at its end
    second = 0
    then[-1] = state(store)
    for step in wanted:
        if step[0] != "wait":
            act(store, step)
            then[second] = state(store)
            continue
        for _ in range(step[1]):
            then[second] = state(store)
            second += 1
            clock.advance(1)
            store.tick()
            expected = then.get(second - LAG, {})
            shown = {i: (v.modified, dict(v.props)) for i, v in index.visible.items()}
            assert shown == expected
            assert index.ids == sorted(shown)
            stamped = sorted((v.modified, v.id) for v in index.between(0, 1 << 60))
            assert stamped == sorted((m, i) for i, (m, _) in expected.items())


@given(steps)
def test_every_id_is_live_archived_or_merged_away_and_survivors_are_live(wanted):
    clock, index = Clock(), Index()
    clock.freeze(1_795_262_400.0)
    store = Store(clock, Switches(), index, Random(1))
    for step in wanted:
        if step[0] == "wait":
            clock.advance(step[1])
            store.tick()
        else:
            act(store, step)
    for record in store.records.values():
        live, archived = record.id in store.live, record.id in store.archived
        assert [live, archived, record.merged_into is not None].count(True) == 1
        survivor = store.survivor(record.id)
        assert survivor is None or survivor.id in store.live
    clock.advance(60)
    store.tick()
    clock.advance(60)
    store.tick()
    assert set(index.visible) == set(store.live)
    assert index.waiting == 0


@given(st.permutations(range(1, 7)), st.integers(1, 7))
def test_versions_that_arrive_out_of_order_end_with_the_newest(delays, gone):
    index = Index()
    for seq, due in enumerate(delays, start=1):
        version = None if seq == gone else Version(seq, 1, 0, seq, {})
        index.publish(1, seq, version, due)
    highest = 0
    for now in range(1, 7):
        index.catch_up(now)
        highest = max(highest, delays.index(now) + 1)
        shown = index.visible.get(1)
        assert (shown.seq if shown else None) == (None if highest == gone else highest)
