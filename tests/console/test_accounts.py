"""Looking for accounts, and the page of one: why it stands where it does, and what people may do about it."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import quote

import pytest

from icp_sync.console.pages.accounts import LIMIT
from icp_sync.console.rendering import machine
from icp_sync.domain.plan import Hold
from icp_sync.journal import Settled
from icp_sync.reporting.explain import explain_account
from icp_sync.reporting.text import clean
from tests.console.conftest import Console, Serve
from tests.console.corpus import XSS

LINK = re.compile(r'accounts/([^"?/]+)"')


def settle(console: Console, account_id: str, **said: Any) -> None:
    """Commit an account as a page of a stream does."""
    journal, now = console.journal, 1_900_000_000.0
    lease = journal.lease("test", holder="test", now=now)
    assert lease is not None
    one = Settled(account_id=account_id, **({"name": "Test GmbH", "in_scope": True, "tier": "B"} | said))
    journal.commit([one], gone={}, position=None, stream="test", lease=lease, run="test", now=now)
    journal.release_lease(lease)


def ids(console: Console, query: str = "") -> list[str]:
    reply = console.get(f"accounts?{query}")
    assert reply.status_code == 200
    return LINK.findall(reply.text)


def some(console: Console) -> str:
    """The id of an account of tier A."""
    found = console.journal.accounts_page(tiers=("A",)).accounts
    assert found
    return found[0].id


def test_accounts_are_paged_to_the_end_without_a_repetition(console: Console) -> None:
    seen: list[str] = []
    query = ""
    for _ in range(20):
        text = console.get(f"accounts?{query}").text
        seen += LINK.findall(text)
        more = re.search(r'href="[^"]*accounts\?(after=[^"]+)">The next', text)
        if more is None:
            break
        query = html.unescape(more[1])
    assert len(seen) == len(set(seen)) == 150
    assert seen[:LIMIT] == sorted(seen)[:LIMIT]


def test_an_account_is_found_by_id_by_domain_and_by_how_its_name_begins(console: Console) -> None:
    one = next(a for a in console.journal.accounts_page().accounts if a.domain and a.name[:1].isalpha())
    assert ids(console, f"q={one.id}") == [one.id]
    assert one.id in ids(console, f"q={one.domain}")
    assert one.id in ids(console, f"q={one.name[:5].upper()}")
    assert "No account fits" in console.get("accounts?q=nobodyiscalledlikethis").text


def test_tier_and_state_narrow_the_list(console: Console) -> None:
    tiers = console.journal.tiers()
    for tier in ("A", "Needs data"):
        found = ids(console, f"tier={tier}")
        assert len(found) == min(tiers[tier], LIMIT)
        assert {one.tier for one in console.journal.accounts_of(found)} == {tier}
    settle(console, "900", status="refused", problem="no such option")
    assert ids(console, "status=refused") == ["900"]
    assert ids(console, "status=refused&tier=A") == []
    assert "refused: no such option" in console.get("accounts?status=refused").text


@pytest.mark.parametrize(
    "query", ["tier=Z", "status=x", "after=%01", "q=%ff%fe", "q=" + "x" * 5000, "tier=A&tier=B"]
)
def test_whatever_is_typed_gets_a_page(console: Console, query: str) -> None:
    assert console.get(f"accounts?{query}").status_code == 200


def test_typing_gets_only_the_list(console: Console) -> None:
    part = console.get("accounts?q=a", headers={"HX-Request": "true"}).text
    assert "<table" in part
    assert "<html" not in part


def test_names_are_text_on_their_pages_and_in_the_list(console: Console) -> None:
    for n, name in enumerate(XSS):
        settle(console, f"900{n:02}", name=name, status="refused", problem=name)
    for n, name in enumerate(XSS):
        for path in ("accounts?status=refused", f"accounts/900{n:02}"):
            text = console.get(path).text
            assert name not in text or not set(name) & set("<>\"'")
            assert not set(text) & set("\x1b\x07\u202e\u202c")
            assert 'href="javascript:' not in text
            assert " ".join(clean(name).split())[:60] in " ".join(html.unescape(text).split())


def test_the_page_of_an_account_tells_what_explain_tells(console: Console) -> None:
    one = some(console)
    text = html.unescape(console.get(f"accounts/{one}").text)
    policy = console.wired.parts.policy()
    told = explain_account(console.journal, one, policy.version, policy.compiled)
    for said in told.headline.splitlines():
        assert said in text
    for verdict in told.verdicts:
        assert verdict.name in text
        assert verdict.question in text
    assert f"{told.coverage} %" in text
    assert told.routing is not None
    assert f"Lane <b>{told.routing.lane}</b>" in text
    run = next(one.run for one in console.journal.history(one))
    assert f"runs/{run}" in text


def test_the_range_is_drawn_with_the_bounds_of_the_tiers(console: Console) -> None:
    one = next(a for a in console.journal.accounts_page(tiers=("B",)).accounts)
    text = console.get(f"accounts/{one.id}").text
    tiers = console.wired.parts.policy().compiled[0].profile.tiers
    assert f'aria-label="score {one.score} of 100' in text
    for tier, start in (("A", tiers.a), ("B", tiers.b), ("C", tiers.c)):
        assert f"{tier} from {start}" in text
        assert f'x="{start}%"' in text


def test_an_account_as_of_a_past_day_says_so_or_why_not(console: Console) -> None:
    one = some(console)
    today = console.get(f"accounts/{one}?as_of=2020-01-01")
    assert today.status_code == 200
    assert "As of 2020-01-01: older than retention" in today.text
    assert "Below is how it is now" in today.text
    at = console.journal.evaluations(one)[-1].at
    when = machine(at + 1)  # where the table of its history leads
    assert f"as_of={quote(when)}" in today.text
    past = console.get(f"accounts/{one}", params={"as_of": when}).text
    assert "Proved: recomputed equal" in past
    assert "as_of=" in past
    for nonsense in ("x", "2026-99-99", "<b>"):
        assert "is neither a day nor an instant" in console.get(f"accounts/{one}?as_of={nonsense}").text


def test_an_account_nobody_knows_is_not_there(console: Console) -> None:
    assert console.get("accounts/none-such").status_code == 404


def test_one_that_was_never_evaluated_says_so(console: Console) -> None:
    settle(console, "900", status="deferred", problem="later")
    assert "never evaluated" in console.get("accounts/900").text


def test_a_value_people_hold_is_taken_back_and_audited(console: Console) -> None:
    one = some(console)
    evidence = console.journal.accounts_of([one])[0].evidence
    held = {"tier": ("A", "C"), "owner": ("x@example.com", "y@example.com")}
    settle(console, one, tier="A", evidence=evidence, left_alone=held)
    page = f"accounts/{one}"
    assert "x@example.com" in console.get(page).text
    reply = console.post(f"{page}/release", page, field="tier")
    assert "tier: ours again" in reply.text
    stored = console.journal.account(one)
    assert stored is not None
    assert set(stored.left_alone) == {"owner"}
    entry = console.journal.audited()[-1]
    assert (entry.what, entry.detail["account"], entry.detail["fields"]) == ("release", one, ["tier"])
    again = console.post(f"{page}/release", page, field="tier")
    assert "People hold no such value" in again.text
    assert console.journal.audited()[-1].seq == entry.seq


def test_what_was_refused_is_tried_again(console: Console) -> None:
    one = some(console)
    evidence = console.journal.accounts_of([one])[0].evidence
    settle(console, one, status="refused", problem="no", attempts=3, wake_at=2e9, evidence=evidence)
    reply = console.post(f"accounts/{one}/retry", f"accounts/{one}")
    assert "The worker tries it within a minute" in reply.text
    stored = console.journal.account(one)
    assert stored is not None
    assert stored.attempts == 0
    assert console.journal.audited()[-1].what == "retry"


def test_a_tier_that_people_decided_says_who_and_until_when(console: Console) -> None:
    one = some(console)
    evidence = dict(console.journal.accounts_of([one])[0].evidence)
    said = {
        "tier": "C",
        "since": 1.8e9,
        "until": 1.9e9,
        "by": "workflow",
        "why": "<they asked>",
        "direct": False,
    }
    settle(console, one, tier="C", evidence={**evidence, "override": said})
    text = html.unescape(console.get(f"accounts/{one}").text)
    assert "was decided by a workflow, in the override field, since 2027-01-15 08:00 UTC" in text
    assert "“<they asked>”" in text
    assert "decided by people" in text


def held_by_the_guard(console: Console) -> str:
    one = some(console)
    evidence = console.journal.accounts_of([one])[0].evidence
    hold = Hold(account_id=one, rule="downgrades", key="A → C", reason="many moved", since=1.0)
    settle(console, one, status="held", holds=(hold,), evidence=evidence)
    return one


def test_an_approver_lets_pass_what_the_guard_holds(console: Console) -> None:
    one = held_by_the_guard(console)
    page = f"accounts/{one}"
    assert "many moved" in console.get(page).text
    assert "no such rule" in console.post(f"{page}/pass", page, rule="x").text
    said = console.post(f"{page}/pass", page, rule="downgrades").text
    assert "It is written when the account is settled next" in said
    assert console.journal.holds_of(one)[0].released_by
    entry = console.journal.audited()[-1]
    assert (entry.what, entry.detail["accounts"]) == ("apply --held", [one])


def test_an_operator_does_not(serve: Serve) -> None:
    console = serve(local="operator")
    one = held_by_the_guard(console)
    page = f"accounts/{one}"
    assert "an approver lets it pass" in console.get(page).text
    settle(
        console,
        "901",
        status="refused",
        problem="no",
        evidence=console.journal.accounts_of([one])[0].evidence,
    )
    form = {"csrf": console.csrf("accounts/901"), "rule": "downgrades"}
    assert console.session.post(console.at(f"{page}/pass"), data=form, timeout=30).status_code == 403
    assert not console.journal.holds_of(one)[0].released_by
