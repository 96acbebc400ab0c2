"""Users as owners: emails for ids and back, who wins a shared email, and when they are read again."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.crm.contract import OWNED
from tests.crm.salesforce.reads import PLATFORM, Reads, reading
from tests.crm.salesforce.world import NOBODY

LEFT = "gwen.former@sales.example"
STRANGER = "005000000000001AAA"


@pytest.fixture
def reads() -> Iterator[Reads]:
    with reading() as found:
        yield found


def test_everyone_with_an_email_is_told_the_inactive_among_them(reads: Reads) -> None:
    owners = {owner.email: owner for owner in reads.roster.owners()}
    assert owners[OWNED].active
    assert not owners[LEFT].active
    assert owners[OWNED].id.startswith("005")
    assert len(owners[OWNED].id) == 18
    assert owners[OWNED].name


def test_an_email_stands_for_an_id_and_an_id_for_an_email(reads: Reads) -> None:
    id = reads.roster.id(OWNED.upper())
    assert id is not None
    assert reads.roster.email(id) == OWNED
    assert (reads.roster.id(""), reads.roster.email("")) == ("", "")


def test_an_id_nobody_has_stays_an_id(reads: Reads) -> None:
    assert reads.roster.email(STRANGER) == f"#{STRANGER}"
    assert reads.roster.id(f"#{STRANGER}") == STRANGER
    assert reads.roster.id("nobody@sales.example") is None


def test_users_are_read_once_and_again_when_somebody_is_missing(reads: Reads) -> None:
    for _ in range(3):
        reads.roster.id(OWNED)
        reads.roster.id("nobody@sales.example")
    asked = reads.asked("GET /services/data/v66.0/query")
    assert asked == 1
    reads.admin("POST users", email="new@sales.example", active=True)
    reads.monotonic += 61
    assert reads.roster.id("new@sales.example") is not None
    assert reads.asked("GET /services/data/v66.0/query") == asked + 1


def test_of_users_who_share_an_email_the_active_ordinary_one_owns(reads: Reads) -> None:
    users = reads.simulator.org.objects["user"]

    def hire(active: bool, kind: str) -> str:
        held = {"LastName": "Twin", "Username": f"{kind}{active}@x.example", "Email": "twin@sales.example"}
        record = users.create({**held, "IsActive": "true" if active else "false", "UserType": kind}, PLATFORM)
        return users.id_of(record)

    ordinary = hire(True, "Standard")
    hire(True, "PowerPartner")
    hire(False, "Standard")
    reads.monotonic += 901
    assert reads.roster.id("twin@sales.example") == ordinary
    assert len(reads.roster.all_ids("twin@sales.example")) == 3


def test_the_mask_of_a_sandbox_is_taken_off_emails(reads: Reads) -> None:
    reads.admin("POST users", email="masked@sales.example.invalid", active=True)
    id = reads.roster.id("masked@sales.example")
    assert id
    assert reads.roster.email(id) == "masked@sales.example"
    assert reads.roster.id("masked@sales.example.invalid") == id


def test_an_account_of_a_vacant_owner_is_nobodys_and_is_given_back_to_them(reads: Reads) -> None:
    (id,) = reads.create()
    account = reads.one(id)
    assert (account.owner, account.live["owner"]) == ("", "")
    assert reads.values.wire("owner", "") == reads.roster.id(NOBODY)
    assert reads.values.canonical("owner", reads.roster.id(NOBODY)) == ""
    assert reads.values.canonical("routed_owner", reads.roster.id(NOBODY)) == NOBODY


def test_an_owner_we_do_not_know_is_no_vacancy(reads: Reads) -> None:
    (id,) = reads.create(OwnerId=reads.roster.id(LEFT) or "")
    assert reads.one(id).owner == LEFT


def test_an_owner_nobody_can_name_keeps_the_case_of_their_id(reads: Reads) -> None:
    stranger = "005D000000AbCdEIAV"
    told = reads.values.canonical("owner", stranger)
    assert told == f"#{stranger}"
    assert reads.values.canonical("owner", told) == told
    assert reads.values.wire("owner", told) == stranger
