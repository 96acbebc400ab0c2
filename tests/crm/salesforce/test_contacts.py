"""Contacts of accounts: what is told of them, and what is missing when we may not see it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from icp_sync.crm.salesforce.reads.contacts import contacts
from icp_sync.errors import AuthError
from tests.crm.salesforce.reads import Reads, reading


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def employ(reads: Reads, account: str, title: str = "") -> str:
    held = {"LastName": "Somebody"} | ({"Title": title} if title else {})
    return str(reads.admin("POST create", type="contacts", account=account, properties=held)["id"])


def titles(reads: Reads, *ids: str) -> dict[str, list[str]]:
    return {
        id: [one.title for one in found] for id, found in contacts(reads.client, reads.executor, ids).items()
    }


def test_titles_come_in_order_of_id_without_blanks_around_them(reads: Reads) -> None:
    first, second = reads.create(2)
    made = [employ(reads, first, title) for title in (" VP Sales ", "", "CFO")]
    assert titles(reads, first, second) == {first: ["VP Sales", "", "CFO"], second: []}
    assert [one.id for one in contacts(reads.client, reads.executor, [first])[first]] == made


def test_accounts_are_asked_for_400_at_a_time(reads: Reads) -> None:
    ids = reads.create(401)
    employ(reads, ids[400], "CEO")
    assert titles(reads, *ids)[ids[400]] == ["CEO"]
    assert reads.asked("GET /services/data/v66.0/query") == 2


def test_an_id_is_answered_as_it_was_asked_for(reads: Reads) -> None:
    (id,) = reads.create()
    employ(reads, id, "CEO")
    assert titles(reads, id[:15], "no id") == {id[:15]: ["CEO"], "no id": []}


def test_nothing_but_id_title_and_account_is_asked_for(reads: Reads) -> None:
    (id,) = reads.create()
    contacts(reads.client, reads.executor, [id])
    asked = str(list(reads.simulator.org.requests)[-1])
    assert not any(word in asked for word in ("LastName", "Email", "Phone"))


def test_titles_that_are_hidden_from_us_are_blank(reads: Reads) -> None:
    (id,) = reads.create()
    employ(reads, id, "CEO")
    reads.admin("POST fields", object="Contact", hide=["Title"])
    assert titles(reads, id) == {id: [""]}


def test_the_missing_right_is_named(reads: Reads) -> None:
    (id,) = reads.create()
    reads.admin("POST fields", object="Contact", hide=["AccountId"])
    with pytest.raises(AuthError) as raised:
        contacts(reads.client, reads.executor, [id])
    assert "Read on Contact" in raised.value.next_step


def test_contacts_of_a_deleted_account_are_gone_with_it(reads: Reads) -> None:
    (id,) = reads.create()
    employ(reads, id, "CEO")
    reads.admin("POST delete", id=id)
    assert titles(reads, id) == {id: []}
