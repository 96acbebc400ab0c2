"""The page of what is held and refused: shown with reasons, let pass, tried again, taken back."""

from __future__ import annotations

import time

import pytest

from icp_sync.console.pages.held import EXAMPLES, LIMIT
from icp_sync.domain.guard import Rule
from tests.console.conftest import Console, Serve, until
from tests.console.crafting import NOW, held, refused, settle, typed_over
from tests.console.test_access import USERS, log_in

NO_AGENCY = "INVALID_OPTION: 'Agency' is not one of the options of field 12345678"
NO_OTHER = "INVALID_OPTION: 'Studio' is not one of the options of field 12345678"
FORBIDDEN = "FORBIDDEN: <img src=x onerror=window.pwned=1>"


@pytest.fixture
def full(console: Console) -> Console:
    """Five that may not go down, one fought over, three refused for two reasons, two values typed over."""
    settle(console.journal, *(held(f"9{n}") for n in range(5)), held("80", Rule.ROBOTS, "every write"))
    settle(
        console.journal, refused("70", NO_AGENCY), refused("71", NO_OTHER), refused("72", FORBIDDEN, "dead")
    )
    settle(console.journal, typed_over("60"), typed_over("60", "tier"), typed_over("61"))
    return console


def counted(console: Console) -> str:
    until(lambda: "Being counted" not in console.get("held").text, "the counts")
    return console.get("held").text


def test_an_empty_page_says_what_would_be_there(console: Console) -> None:
    shown = counted(console)
    assert "Nothing waits." in shown
    assert "The CRM refuses nothing." in shown
    assert "Nothing was to be told so far." in shown


def test_rules_are_shown_with_moves_reasons_and_accounts(full: Console) -> None:
    shown = counted(full)
    assert "Downgrades: 5 accounts" in shown
    assert "Two robots: 1 account" in shown
    assert "A → C <b>5</b>" in shown
    assert "more than 5 % in a day" in shown
    assert "<script>window" not in shown
    assert "accounts/90" in shown


def test_one_rule_is_looked_through_page_by_page(console: Console) -> None:
    settle(console.journal, *(held(f"{1000 + n}") for n in range(LIMIT + 3)))
    assert f"All {LIMIT + 3} of them" in counted(console)
    assert counted(console).count("/accounts/1") == EXAMPLES
    first = console.get("held?rule=downgrades").text
    assert "accounts/1000" in first
    assert "accounts/1050" not in first
    holds = console.journal.holds_page("downgrades", limit=LIMIT)
    rest = console.journal.holds_page("downgrades", after=(holds[-1].since, holds[-1].account_id))
    assert [hold.account_id for hold in rest] == ["1050", "1051", "1052"]
    second = console.get(f"held?rule=downgrades&after={holds[-1].since!r}~{holds[-1].account_id}").text
    assert "accounts/1052" in second
    assert console.get("held?rule=downgrades&after=nan~x").status_code == 200
    assert console.get("held?rule=no-such-rule").status_code == 200


def test_letting_a_rule_pass_leaves_the_others(full: Console) -> None:
    said = full.post("held/pass", "held", rule="downgrades").text
    assert "5 changes may pass" in said
    assert full.journal.waiting_holds() == {"two robots": 1}
    assert full.journal.let_pass() == 5
    until(lambda: "5 accounts let pass" in full.get("held").text, "that they were let pass")
    entry = full.journal.audit_page(limit=1)[0]
    assert (entry.what, entry.who, entry.detail["rules"]) == ("apply --held", "test", {"downgrades": 5})
    assert entry.detail["via"] == "console"


def test_letting_one_account_pass_leaves_its_neighbours(full: Console) -> None:
    full.post("held/pass", "held", rule="downgrades", account="91")
    assert full.journal.waiting_holds()["downgrades"] == 4
    again = full.post("held/pass", "held", rule="downgrades", account="91")
    assert "Nothing of that is held any more." in again.text
    assert len([e for e in full.journal.audit_page() if e.what == "apply --held"]) == 1


def test_a_form_that_names_nothing_lets_nothing_pass(full: Console) -> None:
    for form in ({}, {"rule": "no such"}, {"account": ""}):
        assert "said problem" in full.post("held/pass", "held", **form).text
    for path in ("refused/retry", "theirs/release"):
        assert "said problem" in full.post(path, "held").text
    assert full.journal.waiting_holds() == {"downgrades": 5, "two robots": 1}


def test_refusals_are_grouped_and_retried_by_reason(full: Console) -> None:
    shown = counted(full)
    assert "onerror=window.pwned=1&gt;" in shown
    key = next(line.split('value="')[1][:16] for line in shown.splitlines() if 'name="reason"' in line)
    said = full.post("refused/retry", "held", reason=key).text
    assert "2 accounts due now" in said
    assert {"70", "71"} <= set(full.journal.due(time.time(), 10_000))


def test_one_refused_account_is_retried_or_all_of_them(full: Console) -> None:
    assert "1 account due now" in full.post("refused/retry", "held", account="72").text
    assert "3 accounts due now" in full.post("refused/retry", "held", all="1").text
    assert "Nothing of that" in full.post("refused/retry", "held", account="nobody").text
    assert [e.what for e in full.journal.audit_page(limit=2)] == ["retry", "retry"]


def test_a_value_people_hold_is_released_alone(full: Console) -> None:
    before = full.journal.left_alone_count()
    assert (
        "priority on 60: ours again"
        in full.post("theirs/release", "held", account="60", field="priority").text
    )
    assert full.journal.left_alone_count() == before - 1
    assert "any more" in full.post("theirs/release", "held", account="60", field="priority").text
    assert full.journal.left_alone_count() == before - 1


def test_held_values_are_listed_page_by_page_in_order(console: Console) -> None:
    settle(console.journal, *(typed_over(f"{2000 + n}") for n in range(7)))
    pages, after = [], ("", "")
    while rows := console.journal.left_alone_page(after, 3):
        pages += [(row.account_id, row.field) for row in rows]
        after = (rows[-1].account_id, rows[-1].field)
    whole = [(one.account_id, one.field) for one in console.journal.left_alone()]
    assert pages == whole
    assert console.get("held?theirs=2003~priority").status_code == 200


def test_accounts_that_carry_another_seal_are_listed_with_why(full: Console) -> None:
    settle(full.journal, refused("50", "carries the seal of installation 0badcafe", "held"))
    shown = counted(full)
    assert "0badcafe" in shown
    assert "Held whole for their seal" in shown


def test_alerts_that_stand_are_shown(console: Console) -> None:
    console.journal.raise_alert("backfill halted", "look <b>here</b>", now=NOW)
    assert "look &lt;b&gt;here&lt;/b&gt;" in console.get("held").text


def test_what_somebody_may_not_do_is_not_offered(serve: Serve) -> None:
    console = serve(users=USERS)
    settle(console.journal, held("90"), refused("70", NO_AGENCY), typed_over("60"))
    for name, operates, approves in (("ben", False, False), ("cy", True, False), ("ada", True, True)):
        console.session.cookies.clear()
        log_in(console, name)
        shown = counted(console)
        assert ("Let pass" in shown) is approves
        assert ("Retry all" in shown) is operates
        assert (">Release<" in shown) is operates
