"""Actions: done as a whole or not at all, once however often they are sent, and told plainly."""

from __future__ import annotations

import html
import re
import threading

import pytest
from sqlalchemy import text

from icp_sync.console.acting import plainly
from icp_sync.errors import ConfigError, IcpSyncError, Problem
from tests.console.conftest import Console, Serve
from tests.console.crafting import NOW

WHY = "HubSpot does not accept the token"


def told(page: str) -> list[str]:
    """What a page says in answer to an action."""
    return [html.unescape(one) for one in re.findall(r'<p class="said \w+" role="\w+">([^<]*)</p>', page)]


def without_audit(console: Console) -> None:
    """From now on no entry of the audit can be written."""
    with console.journal.writing("audit") as conn:
        said = "CREATE TRIGGER full BEFORE INSERT ON audit BEGIN SELECT RAISE(ABORT, 'disk full'); END"
        conn.execute(text(said))


def test_what_cannot_be_entered_in_the_audit_is_not_done(console: Console) -> None:
    without_audit(console)
    before = console.journal.audited()
    assert console.post("backfill/start", "backfill").status_code >= 500
    assert console.journal.requests() == []
    console.journal.request_backfill("a new profile", NOW)
    assert console.post("backfill/pause", "backfill").status_code >= 500
    assert console.journal.backfill_paused() is None
    assert console.journal.audited() == before


def test_what_fails_half_way_is_taken_back(console: Console) -> None:
    journal = console.journal
    with pytest.raises(ConfigError), journal.together("audit"):  # noqa: PT012  what it did before is the point
        journal.ask("backfill", {}, by="ada", now=NOW)
        assert len(journal.requests("waiting")) == 1, "what it did is seen within"
        raise ConfigError("no")
    assert journal.requests() == []
    journal.ask("backfill", {}, by="ada", now=NOW)
    assert len(journal.requests()) == 1


@pytest.mark.parametrize("action", ["backfill/start", "backfill/restart"])
def test_sent_many_times_at_once_it_is_asked_for_once(console: Console, action: str) -> None:
    csrf = console.csrf("backfill")
    cookies, together = console.session.cookies.get_dict(), threading.Barrier(6)

    def send() -> None:
        together.wait(30)
        console.session.__class__().post(
            console.at(action), data={"csrf": csrf}, cookies=cookies, allow_redirects=False, timeout=60
        )

    senders = [threading.Thread(target=send) for _ in range(6)]
    for one in senders:
        one.start()
    for one in senders:
        one.join()
    assert len(console.journal.requests()) == 1
    entries = [one for one in console.journal.audited() if one.what.startswith("run --backfill")]
    assert len(entries) == 1


def test_a_stopped_connection_promises_nothing(serve: Serve) -> None:
    console = serve(local="approver", halted=WHY)
    said = told(console.post("backfill/start", "backfill").text)
    assert not any("in a moment" in one for one in said)
    assert said[-1] == f"This connection is stopped: {WHY}. It begins once the worker is started again."
    assert len(console.journal.requests("waiting")) == 1
    for path in ("", "now", "backfill", "backfill/now", "held"):
        assert f"<b>This connection is stopped</b>: {WHY}." in console.get(path).text, path


def test_one_that_works_is_not_called_stopped(console: Console) -> None:
    assert "is stopped" not in console.get("").text
    said = told(console.post("backfill/start", "backfill").text)
    assert said[-1].endswith("The worker begins with it in a moment.")


def test_a_refusal_is_a_plain_sentence(console: Console) -> None:
    said = told(console.post("backfill/resume", "backfill").text)
    assert said == ["No backfill is paused or halted, so there is nothing to let go on."]


def test_errors_are_said_for_people() -> None:
    assert plainly(ConfigError("no such rule")) == "No such rule."
    step = plainly(ConfigError("name an account", next_step="icp-sync status --held"))
    assert step == "Name an account. On the command line: icp-sync status --held."
    here = plainly(ConfigError([Problem(where="profile files", what="they changed", hint="look again")]))
    assert here == "Profile files: they changed (look again)."
    assert plainly(IcpSyncError("it is away.", next_step="wait")) == "It is away. Wait."
