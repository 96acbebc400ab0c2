"""How deals are read: what fails or is out of sight costs nothing that is known, and none is asked twice."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from icp_sync.domain.standing import Mode
from icp_sync.errors import UnavailableError
from icp_sync.journal import Stamp
from icp_sync.ports import Deal
from icp_sync.sync.deals import AT_ONCE, FEW
from icp_sync.sync.following import Following
from icp_sync.sync.stamping import GAP
from tests.sync.deals_world import A_STAMP, B_STAMP, BLANK, Selling, known
from tests.sync.world import GOOD, POOR, World, facts

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def selling(tmp_path: Path) -> Selling:
    return Selling(World(folder=tmp_path, mode=Mode.WRITE))


def hidden(selling: Selling, *deals: str) -> list[Deal]:
    """No read shows these any more."""
    return [selling.world.crm.beside._deals.pop(deal) for deal in deals]


def back(selling: Selling, deals: list[Deal]) -> None:
    for deal in deals:
        selling.world.crm.beside._deals[deal.id] = deal
        selling.world.crm.beside.change_deal(deal.id)


def asked(selling: Selling) -> list[tuple[float, str, int]]:
    """The reads from now on: days back (infinite for all), after which id, and how many deals each told."""
    crm, reads = selling.world.crm, []
    real = crm.deals

    def noted(since: int, *, after: str = "", spare: object = None) -> Iterator[Deal]:
        found = list(real(since, after=after, spare=spare or {}))  # type: ignore[arg-type]
        reads.append(((crm.now() - since / 1000) / DAY if since else float("inf"), after, len(found)))
        yield from found

    crm.deals = noted  # type: ignore[method-assign, assignment]
    return reads


def test_a_deal_that_was_out_of_sight_keeps_its_tier_and_is_never_stamped_again(selling: Selling) -> None:
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.follow()
    selling.world.crm.beside.change_deal(deal, stamp={})
    selling.later(600)
    selling.follow()
    away = hidden(selling, deal)
    selling.later(DAY + 60)
    assert selling.follow().dropped == 1
    assert selling.world.journal.deals() == []
    back(selling, away)
    selling.later(600)
    assert selling.follow().to_json() == {"read": 1, "new": 0, "dropped": 0, "stamps": {}}
    assert selling.notes == [deal]
    assert (selling.stored(deal).tier, selling.stored(deal).gone_at) == ("A", None)


def test_where_most_deals_are_out_of_sight_none_counts_as_gone(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deals = [selling.sell(account) for _ in range(FEW + 5)]
    selling.later(60)
    selling.follow()
    hidden(selling, *deals[: FEW + 1])
    selling.later(DAY + 60)
    with capture_logs() as told:
        for _ in range(3):
            assert selling.follow().dropped == 0
            selling.later(600)
    assert len(selling.world.journal.deals()) == FEW + 5
    (error,) = [line for line in told if line["log_level"] == "error"]
    assert (error["missing"], error["known"]) == (FEW + 1, FEW + 5)
    hidden(selling, *deals[FEW + 1 :])
    selling.later(DAY + 60)
    assert selling.follow().dropped == 0


def test_few_of_many_deals_may_go(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deals = [selling.sell(account) for _ in range(2 * FEW + 4)]
    selling.later(60)
    selling.follow()
    hidden(selling, *deals[: FEW + 1])
    selling.later(DAY + 60)
    assert selling.follow().dropped == FEW + 1


def test_a_read_of_all_that_breaks_off_goes_on_where_it_was_and_keeps_no_new_deal_waiting(
    selling: Selling,
) -> None:
    account = known(selling, **GOOD)
    for _ in range(AT_ONCE + 5):
        selling.sell(account)
    selling.later(60)
    selling.follow()
    selling.later(DAY)
    new = selling.sell(account)
    selling.later(60)
    crm, real, told = selling.world.crm, selling.world.crm.deals, []

    def breaking(since: int, **how: object) -> Iterator[Deal]:
        for n, deal in enumerate(real(since, **how)):  # type: ignore[arg-type]
            if since == 0 and n == AT_ONCE + 3:
                raise UnavailableError("the CRM does not answer")
            told.append(deal.id)
            yield deal

    crm.deals = breaking  # type: ignore[method-assign, assignment]
    with pytest.raises(UnavailableError):
        selling.follow()
    assert selling.deal(new).stamp == A_STAMP
    told.clear()
    selling.later(600)
    assert selling.follow().dropped == 0, "those that the first part met were met"
    assert len(told) < 20
    told.clear()
    selling.later(600)
    selling.follow()
    assert told == [], "all were read"


def test_nothing_is_read_again_while_it_stays_as_it_is(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deals = [selling.sell(account) for _ in range(3)]
    selling.later(60)
    selling.follow()
    reads = asked(selling)
    for _ in range(3):
        selling.later(600)
        selling.follow()
    assert [n for _, _, n in reads] == [3, 0, 0], "each once more, to see its stamp"
    selling.world.crm.beside.change_deal(deals[1], amount=7.0)
    selling.later(60)
    assert selling.follow().read == 1


def test_a_deal_without_a_company_is_read_until_it_has_one(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deal = selling.sell("")
    selling.later(60)
    selling.follow()
    at = selling.deal(deal).changed_at
    selling.world.crm.beside.change_deal(deal, account_id=account, changed_at=at)  # a tie moves no stamp
    selling.later(600)
    selling.follow()
    assert selling.deal(deal).stamp == A_STAMP


def test_a_stamp_whose_fate_nobody_can_see_is_looked_for_once(selling: Selling) -> None:
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.world.crm.beside.lose_reply = lambda _: True
    selling.follow()
    selling.world.crm.beside.stamp.clear()
    selling.following = Following(stamp=False)
    selling.later(5 * DAY)
    selling.follow()
    reads = asked(selling)
    for _ in range(2):
        selling.later(600)
        selling.follow()
    assert max(days for days, _, _ in reads) < 0.1
    assert selling.stored(deal).stamp is Stamp.INTENDED


def test_a_first_verdict_is_waited_for_until_a_read_shows_the_deal_open_since(selling: Selling) -> None:
    selling.follow()
    selling.later(60)
    account = selling.world.company(**GOOD)  # type: ignore[arg-type]
    deal = selling.sell(account)
    for _ in range(3):
        selling.later(HOUR)
        selling.follow()
    selling.world.backfill()
    selling.later(60)
    reads = asked(selling)
    selling.follow()
    assert reads[0][0] > 2 * HOUR / DAY, "back to the deal's last change"
    assert selling.deal(deal).stamp == A_STAMP
    selling.later(600)
    selling.follow()
    selling.later(600)
    selling.follow()
    assert reads[-1][0] < 2 * HOUR / DAY


def test_after_a_gap_deals_of_meanwhile_are_not_stamped(selling: Selling) -> None:
    account = known(selling, **GOOD)
    meanwhile = selling.sell(account)
    selling.later(GAP + HOUR)
    selling.follow()
    selling.later(60)
    new = selling.sell(account)
    selling.later(60)
    selling.follow()
    assert selling.notes == [new]
    assert selling.deal(meanwhile).stamp == BLANK


def test_what_an_older_backup_does_not_know_is_taken_from_the_deals(selling: Selling) -> None:
    account = known(selling, **GOOD)
    backup = (selling.world.folder / "journal.db").read_bytes()
    selling.world.crm.edit(account, signals=facts(**POOR))  # type: ignore[arg-type]
    selling.world.poll()
    selling.later(60)
    deal = selling.sell(account)
    selling.later(60)
    selling.follow()
    assert selling.deal(deal).stamp == B_STAMP
    selling.world.journal.close()
    (selling.world.folder / "older.db").write_bytes(backup)
    selling.world.journal = selling.world.open("older.db")
    selling.world.journal.break_leases()
    selling.later(60)
    assert selling.follow().stamps == {Stamp.STAMPED: 1}
    assert (selling.stored(deal).tier, selling.notes) == ("B", [deal])


def test_after_the_journal_was_lost_stamps_tell_how_companies_stood(selling: Selling) -> None:
    deal = selling.sell(known(selling, **GOOD))
    selling.later(60)
    selling.follow()
    selling.world.lose_journal()
    selling.world.journal.set_mode(Mode.WRITE, now=selling.world.clock())
    selling.later(60)
    assert selling.follow().stamps == {Stamp.STAMPED: 1}
    stored = selling.stored(deal)
    assert (stored.tier, stored.score, stored.profile, stored.version) == ("A", 100, "mid-market", 1)


def test_the_deals_of_another_portal_are_gone_when_a_connection_is_bound_to_it(selling: Selling) -> None:
    account = known(selling, **GOOD)
    deals = [selling.sell(account) for _ in range(FEW + 5)]
    selling.later(60)
    selling.follow()
    hidden(selling, *deals)
    journal, now = selling.world.journal, selling.world.clock()
    journal.bind("first", crm="memory", now=now, rebind=True)
    journal.bind("other", crm="memory", now=now, rebind=True)
    selling.later(DAY)
    assert selling.follow().dropped == FEW + 5
