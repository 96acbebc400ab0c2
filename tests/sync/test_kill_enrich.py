"""Processes killed while they buy facts: nothing that was answered is paid twice, no budget is exceeded by
one call, and what is of unknown fate is counted.

The command, the CRM, the database and the vendors are real; what happened is read from the vendors' own log.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.sync.processes import Nursery
from tests.vendors.market import Market, market

AT_RANDOM = ("", 0)
KILLS = {
    "sqlite": (("enrich.ask.before", 3), AT_RANDOM, ("journal.record.before", 2), AT_RANDOM),
    "postgresql": (("enrich.answer.after", 2), AT_RANDOM, ("journal.reserve.after", 2), AT_RANDOM),
}
"""Database → (fault point, its passage) of each kill."""


@pytest.fixture(scope="module")
def nursery(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Nursery]:
    made = Nursery(tmp_path_factory.mktemp("processes"))
    yield made
    made.close()


def _killed(place: Market, point: str, passage: int) -> None:
    if point:
        assert place.dies_at(point, passage), f"{point} was not passed {passage} times"
    else:
        place.dies_at_random()


@pytest.mark.parametrize("database", KILLS)
def test_a_process_killed_while_it_buys_pays_nothing_twice_and_exceeds_no_budget(
    database: str, nursery: Nursery
) -> None:
    with market(database, nursery, seed=len(database), companies=8) as place:
        for point, passage in KILLS[database]:
            _killed(place, point, passage)
        place.settle()
        table = place.judged()
        assert table.clean(), table.said()
        assert sum(life.killed for life in place.lives) >= 2
        if database == "sqlite":
            place.without_limits()
            place.settle()
            table = place.judged()
            assert table.clean(), table.said()
            assert place.would_ask() <= {"several"}, "only who was out of credit is still to be asked"
