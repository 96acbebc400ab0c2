"""The outbox: kept with what made it true, sent once it is due, forgotten with its account."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from icp_sync.errors import LostLeaseError
from icp_sync.journal import Journal, Keep, Notice, Settled, Told
from tests import postgres

NOW = 1_800_000_000.0
DAY = 86_400.0
QUIET = {"rep": 30 * DAY, "operator": 900.0}


@pytest.fixture(params=["sqlite", "postgresql"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    url = f"sqlite:///{tmp_path}/j.db" if request.param == "sqlite" else postgres.server().scratch()
    made = Journal.open(url, "main").listening(QUIET)
    yield made
    made.close()


def news(subject: str = "1", key: str = "A ada", **what: str) -> Notice:
    return Notice(audience="rep", kind="tier", subject=subject, to="ada@example.com", key=key, **what)  # type: ignore[arg-type]


def settle(journal: Journal, *settled: Settled, gone: dict[str, str] | None = None) -> None:
    lease = journal.lease("poll", holder="x", now=NOW)
    assert lease is not None
    journal.commit(
        list(settled), gone=gone or {}, position=None, stream="poll", lease=lease, run="r", now=NOW
    )
    journal.release_lease(lease)


def test_a_notice_is_kept_with_the_page_that_made_it_true(journal: Journal) -> None:
    settle(journal, Settled(account_id="1", tier="A", notices=(news(),)), Settled(account_id="2", silent=1))
    (kept,) = journal.notices()
    assert (kept.subject, kept.to, kept.state, kept.at) == ("1", "ada@example.com", "waiting", NOW)
    assert journal.notice_counts().silent == 1


def test_an_account_that_was_overtaken_gives_nothing_to_tell(journal: Journal) -> None:
    settle(journal, Settled(account_id="1", tier="B"))
    settle(journal, Settled(account_id="1", tier="A", version=7, notices=(news(),), silent=1))
    assert journal.notices() == []
    assert journal.notice_counts().silent == 0


def test_the_same_news_is_kept_once_within_the_quiet_time_unless_it_was_dropped(journal: Journal) -> None:
    assert journal.note(news(), news(), news("2"), now=NOW) == 2
    assert journal.note(news(), now=NOW + 29 * DAY) == 0
    assert journal.note(news(key="A bob"), now=NOW) == 1
    assert journal.note(news(), now=NOW + 31 * DAY) == 1
    lease = journal.lease("telling", holder="x", now=NOW)
    assert lease is not None
    journal.settle_notices([Told(seq=one.seq, state="dropped") for one in journal.notices()], lease, now=NOW)
    assert journal.note(news(), now=NOW + 32 * DAY) == 1


def test_nobody_hears_what_nobody_listens_for(journal: Journal) -> None:
    deaf = journal.for_connection("other").listening({})
    assert deaf.note(news(), now=NOW) == 0
    assert deaf.notices() == []


def test_what_is_due_comes_person_by_person_and_waits_for_its_period(journal: Journal) -> None:
    journal.note(news("1"), news("2"), now=NOW)
    journal.note(news("3"), Notice(audience="rep", kind="breach", subject="4", to="ada"), now=NOW + 10)
    due = journal.notices_due(NOW + 20, "rep", upto=NOW + 5, urgent=("breach",))
    assert [one.subject for one in due] == ["4", "1", "2"]
    assert journal.notices_due(NOW + 20, "operator") == []


def test_a_batch_keeps_its_name_and_only_the_holder_of_the_lease_settles_it(journal: Journal) -> None:
    journal.note(news(), now=NOW)
    (kept,) = journal.notices()
    lease = journal.lease("telling", holder="x", now=NOW)
    assert lease is not None
    journal.batch_notices({"one": [kept.seq]}, lease)
    journal.batch_notices({"two": [kept.seq]}, lease)
    assert [one.seq for one in journal.notices_in("one")] == [kept.seq]
    assert journal.notices_in("two") == []
    journal.release_lease(lease)
    with pytest.raises(LostLeaseError):
        journal.settle_notices([Told(seq=kept.seq, state="sent")], lease, now=NOW)
    again = journal.lease("telling", holder="y", now=NOW)
    assert again is not None
    journal.settle_notices([Told(seq=kept.seq, state="sent", attempts=1)], again, now=NOW + 1)
    journal.settle_notices([Told(seq=kept.seq, state="failed", attempts=2)], again, now=NOW + 2)
    (sent,) = journal.notices()
    assert (sent.state, sent.due, sent.sent_at, sent.attempts) == ("sent", None, NOW + 1, 1)


def test_notices_follow_a_merge_and_are_forgotten_with_their_account(journal: Journal) -> None:
    settle(journal, Settled(account_id="1"), Settled(account_id="2"))
    journal.note(news("1"), now=NOW)
    journal.raise_alert("robots", "two write to account 2 here", now=NOW)
    settle(journal, gone={"1": "2"})
    assert {one.subject for one in journal.notices(audience="rep")} == {"2"}
    forgotten = journal.forget("2", now=NOW)
    assert forgotten is not None
    assert forgotten.rows["notice"] == 1
    (alert,) = journal.notices()
    assert alert.data["text"] == "two write to account (forgotten) here"


def test_only_what_is_settled_is_pruned(journal: Journal) -> None:
    journal.note(news("1"), news("2"), now=NOW)
    lease = journal.lease("telling", holder="x", now=NOW)
    assert lease is not None
    first = journal.notices()[-1]
    journal.settle_notices([Told(seq=first.seq, state="sent")], lease, now=NOW)
    assert journal.prune(Keep(runs=DAY), now=NOW + 2 * DAY).notices == 1
    assert [one.subject for one in journal.notices()] == ["2"]


def test_the_outbox_comes_along_in_an_export(journal: Journal, tmp_path: Path) -> None:
    journal.note(news(), now=NOW)
    lines = list(journal.export(now=NOW))
    other = Journal.open(f"sqlite:///{tmp_path}/other.db", "main")
    assert other.take_in(lines)["notice"] == 1
    assert [one.subject for one in other.notices()] == ["1"]
    other.close()
