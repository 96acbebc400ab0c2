"""Accounts are listed a page at a time: nobody twice, nobody left out, whatever is asked for."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from journal_builders import NOW, Worker, settled

from icp_sync.domain.plan import Hold
from icp_sync.journal import Journal
from icp_sync.journal.listing import LOOKED, STATUSES, TIERS, Page

NAMES = ("Acme", "acme west", "ACME", "Acm", "Zebra", "Äcme", "%", "acme_", "", "acme\U0010fffe")
LIMIT = 3


@pytest.fixture
def accounts(journal: Journal, worker: Worker) -> dict[str, tuple[str, str, str]]:
    """id → (name, tier, status) of accounts of every tier and status."""
    found = {}
    pages = []
    live = [status for status in STATUSES if status not in ("", "gone")]
    for n, (tier, status) in enumerate((tier, status) for tier in TIERS for status in live):
        name, account_id = NAMES[n % len(NAMES)], f"{n:03}"
        domain = f"{'acme' if n % 3 else 'zoo'}{n}.com"
        pages.append(
            settled(account_id, name=name, tier=tier, status=status, domain=domain, in_scope=bool(tier))
        )
        found[account_id] = (name, tier, status)
    worker.commit(*pages)
    worker.commit(gone={"000": "", "017": "018"})
    for account_id in ("000", "017"):
        found[account_id] = (*found[account_id][:2], "gone")
    return found


def walked(ask: Callable[[str], Page]) -> list[str]:
    """Ids of all pages, one after the other."""
    ids: list[str] = []
    after = ""
    for _ in range(500):
        page = ask(after)
        ids += [one.id for one in page.accounts]
        after = page.after
        if not after:
            return ids
        assert len(page.accounts) <= LIMIT
    raise AssertionError("it never ends")


@pytest.mark.parametrize("status", [None, *STATUSES])
@pytest.mark.parametrize("tier", [None, *TIERS])
def test_every_account_that_fits_is_on_one_page(
    journal: Journal, accounts: dict[str, tuple[str, str, str]], tier: str | None, status: str | None
) -> None:
    those = {
        "tiers": None if tier is None else (tier,),
        "statuses": None if status is None else (status,),
    }
    wanted = [
        account_id
        for account_id, (_, its, state) in sorted(accounts.items())
        if tier in (None, its) and (state == status if status is not None else state != "gone")
    ]
    assert walked(lambda after: journal.accounts_page(**those, after=after, limit=LIMIT)) == wanted
    named = walked(lambda after: journal.accounts_named("acme", **those, after=after, limit=LIMIT))
    assert sorted(named) == [one for one in wanted if accounts[one][0].casefold().startswith("acme")]


@pytest.mark.parametrize(
    ("text", "wanted"), [("ACM", {"Acme", "acme west", "ACME", "Acm", "acme_"}), ("%", {"%"})]
)
def test_a_name_is_found_by_how_it_begins_in_any_case(
    journal: Journal, accounts: dict[str, tuple[str, str, str]], text: str, wanted: set[str]
) -> None:
    page = journal.accounts_named(text, limit=100)
    assert {one.name for one in page.accounts} - {"acme\U0010fffe"} == wanted
    assert page.accounts == tuple(sorted(page.accounts, key=lambda one: (one.name.casefold(), one.id)))


def test_a_domain_is_found_by_how_it_begins(
    journal: Journal, accounts: dict[str, tuple[str, str, str]]
) -> None:
    found = walked(lambda after: journal.accounts_named("ZOO", by_domain=True, after=after, limit=LIMIT))
    assert set(found) == {
        f"{n:03}" for n in range(len(accounts)) if n % 3 == 0 and f"{n:03}" not in ("000", "017")
    }


def test_what_waits_comes_along(journal: Journal, worker: Worker) -> None:
    hold = Hold(account_id="1", rule="downgrades", key="A → C", reason="too many", since=NOW)
    worker.commit(
        settled("1", status="held", holds=(hold,), left_alone={"tier": ("A", "C"), "owner": ("x", "y")}),
        settled("2"),
    )
    first, second = journal.accounts_page().accounts
    assert (first.holds[0].key, first.theirs) == ("A → C", 2)
    assert (second.holds, second.theirs) == ((), 0)
    assert journal.holds_of("1") == first.holds
    assert journal.holds_of("2") == ()


def test_another_connection_sees_none_of_them(
    journal: Journal, accounts: dict[str, tuple[str, str, str]]
) -> None:
    other = journal.for_connection("other")
    assert other.accounts_page() == Page(accounts=())
    assert other.accounts_page(tiers=("A",)) == Page(accounts=())
    assert other.accounts_named("a") == Page(accounts=())
    assert other.accounts_of(["001"]) == ()


def test_a_search_looks_at_so_many_and_says_where_to_go_on(journal: Journal, worker: Worker) -> None:
    worker.commit(*(settled(f"{n:05}", name="same", tier="D") for n in range(LOOKED)))
    worker.commit(settled("99999", name="same", tier="A"))
    first = journal.accounts_named("sam", tiers=("A",))
    assert first.accounts == ()
    assert first.after
    second = journal.accounts_named("sam", tiers=("A",), after=first.after)
    assert ([one.id for one in second.accounts], second.after) == (["99999"], "")


def test_histories_can_be_asked_for_their_end(journal: Journal, worker: Worker) -> None:
    for tier in "ABC":
        worker.commit(settled("1", tier=tier, log_evaluation=True, evaluation={"at": NOW}))
    assert [one.tier for one in journal.evaluations("1")] == ["A", "B", "C"]
    assert [one.tier for one in journal.evaluations("1", last=2)] == ["B", "C"]
