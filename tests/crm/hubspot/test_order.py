"""A window is walked by id, so the order in which its records changed loses none of them."""

from __future__ import annotations

from icp_sync.ports import Position, Query, Stream
from tests.crm.hubspot.world import Portal

MANY = 205
"""Companies: more than one page of search."""


def test_companies_that_changed_in_the_opposite_order_of_their_ids_are_all_found(portal: Portal) -> None:
    ids = portal.create_many(MANY)
    portal.advance(600)
    began = round(portal.crm.now() * 1000)
    for id in reversed(ids):
        portal.advance(0.01)
        portal.edit(id, tier="A")
    portal.advance(60)
    query = Query(stream=Stream.POLL, position=Position(done_to=began))
    found = [account.id for page in portal.crm.pages(query) for account in page.accounts]
    assert sorted(found) == sorted(ids)
