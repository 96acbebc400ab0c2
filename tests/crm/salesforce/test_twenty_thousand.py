"""Twenty thousand accounts with one stamp, transactions ten minutes late, merges, deletes, private sharing:
none is missed or settled on what a late commit may have changed, and what is hidden from us is said.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.observe import accounts_total
from icp_sync.ports import Stream
from tests.crm.contract import LAG, Consumer
from tests.crm.salesforce.world import STANDARD, Org

MANY = 20_000
HIDDEN = 40


@pytest.fixture
def org() -> Iterator[Org]:
    made = Org(page_size=2_000)
    yield made
    made.close()


def unreadable() -> float:
    return accounts_total.labels("salesforce", "read", "unreadable")._value.get()


def test_twenty_thousand_of_one_second_are_each_settled_whatever_else_happens(org: Org) -> None:
    consumer = Consumer(org.crm)
    consumer.run(Stream.POLL)
    consumer.run(Stream.TRAILING)
    ids = list(org.create_many(MANY))
    late = [org.create(f"Late {n}", late=600.0) for n in range(20)]  # stamped now, shown in ten minutes
    hidden = ids[100 : 100 + HIDDEN]
    org.simulator.admin("POST access", hide=hidden)
    org.delete(ids[7])
    org.merge(ids[8], ids[9])
    org.advance(10)

    polled = consumer.run(Stream.POLL)
    shown = set(ids) - set(hidden) - {ids[7], ids[8]}
    assert (len(polled), set(polled)) == (len(shown), shown), "each once, none missed"
    assert consumer.gone == {}, "who was never met is not mourned"

    org.advance(200)
    assert len(consumer.run(Stream.POLL)) == len(shown), "young stamps, read again within the overlap"
    org.advance(600)
    assert consumer.run(Stream.POLL) == [], "shown too late for the poll"
    org.advance(LAG)
    assert consumer.run(Stream.TRAILING) == sorted([*shown, *late]), "the correctness cursor settles them"
    assert consumer.run(Stream.SWEEP) == []

    departed = org.crm.departed(0)
    assert departed == {ids[7]: "", ids[8]: ids[9]}
    org.simulator.admin("POST settings", hidden_access_told=True)
    before = unreadable()
    page = org.crm.fetch([*hidden, ids[7], ids[8], ids[9]])
    assert (page.ids, dict(page.gone)) == ((ids[9],), {ids[7]: "", ids[8]: ids[9]})
    assert unreadable() - before == HIDDEN, "hidden is not deleted, and said"
    assert org.simulator.admin("GET stats")["limited"] == 0


def test_what_the_integration_cannot_see_is_counted_against_what_the_admin_states(org: Org) -> None:
    ids = list(org.create_many(50))
    org.simulator.admin("POST access", hide=ids[:8])
    org.advance(10)
    stated = org.connect(visible_accounts=50)
    (problem,) = stated.check(STANDARD)
    assert "42" in problem.what
    assert "50" in problem.what
    assert problem.hint
