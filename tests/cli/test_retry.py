"""What the CRM refuses: grouped by its words in `status --refused`, tried again by `retry`."""

from __future__ import annotations

import pytest

from icp_sync.journal import Journal
from icp_sync.reporting.refusals import reasons
from tests.cli.conftest import Place


@pytest.fixture
def refused(fresh: Place) -> Place:
    """Accounts as they are after the CRM said no: two for one reason, one given up on for another."""
    journal = Journal.open(f"sqlite:///{fresh.folder}/journal.sqlite", "main")
    for account, status, problem in (
        ("11", "refused", "INVALID_OPTION: 'Agency' is not one of the options of company 100011"),
        ("12", "dead", "INVALID_OPTION: 'B2C' is not one of the options of company 100012"),
        ("13", "dead", "FORBIDDEN: a rule of this portal says no"),
        ("14", "settled", ""),
    ):
        _put(journal, account, status, problem)
    journal.close()
    return fresh


def _put(journal: Journal, account: str, status: str, problem: str) -> None:
    from icp_sync.journal import Settled

    lease = journal.lease(f"poll {account}", holder="t", now=0.0)
    assert lease is not None
    one = Settled(account_id=account, name=f"C{account}", status=status, problem=problem, attempts=8)
    journal.commit([one], gone={}, position=None, stream="poll", lease=lease, run="r", now=1.0)


def test_refusals_are_grouped_by_the_crms_words(refused: Place) -> None:
    told = refused.json("status", "--refused")
    assert [(r["accounts"], r["given_up"]) for r in told["reasons"]] == [(2, 1), (1, 1)]
    assert told["reasons"][0]["reason"].startswith("INVALID_OPTION: 'Agency'")
    assert [e["id"] for e in told["reasons"][0]["examples"]] == ["11", "12"]
    assert told["counts"]["dead"] == 2
    shown = refused.run("status", "--refused").stdout
    assert "FORBIDDEN: a rule of this portal says no" in shown
    assert "icp-sync retry --all" in shown


def test_retry_makes_accounts_due_at_once_as_if_never_tried(refused: Place) -> None:
    assert refused.json("retry", "13", "14") == {
        "connection": "main",
        "retried": 1,
        "ids": ["13"],
        "nothing_to_retry": ["14"],
    }
    assert stored(refused, "13") == (0, True)
    assert stored(refused, "12") == (8, False)
    assert refused.json("retry", "--all", "--note", "the rule is gone")["ids"] == ["11", "12", "13"]
    assert stored(refused, "12") == (0, True)
    assert stored(refused, "14") == (8, False)


def stored(place: Place, account: str) -> tuple[int, bool]:
    """How often it was tried, and whether it is due."""
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    found = journal.account(account)
    journal.close()
    assert found is not None
    return found.attempts, found.wake_at is not None


def test_retry_is_audited(refused: Place) -> None:
    refused.run("retry", "11", "--note", "now")
    journal = Journal.open(f"sqlite:///{refused.folder}/journal.sqlite", "main")
    [entry] = journal.audited()
    journal.close()
    assert (entry.what, entry.detail) == ("retry", {"accounts": 1, "ids": ["11"], "note": "now"})
    assert "@" in entry.who


@pytest.mark.parametrize("arguments", [(), ("11", "--all")])
def test_retry_wants_accounts_or_all_of_them(refused: Place, arguments: tuple[str, ...]) -> None:
    said = refused.run("retry", *arguments, code=2).stderr
    assert "name accounts, or --all" in said
    assert "next: icp-sync status --refused" in said


def test_with_nothing_to_retry_it_says_so(fresh: Place) -> None:
    assert "Nothing is refused" in fresh.run("retry", "--all").stdout


def test_reasons_beyond_the_first_many_are_counted_together(
    refused: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.reporting.refusals.REASONS", 1)
    journal = Journal.open(f"sqlite:///{refused.folder}/journal.sqlite", "main")
    told = reasons(journal)
    journal.close()
    assert [(r["accounts"], r["reason"][:13]) for r in told] == [(2, "INVALID_OPTIO"), (1, "other reasons")]
