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
    begins = "It begins once it is let go on, or the worker is started again."
    assert said[-1] == f"This connection is stopped: {WHY}. {begins}"
    assert len(console.journal.requests("waiting")) == 1
    for path in ("", "now", "backfill", "backfill/now", "held"):
        assert f"<b>This connection is stopped</b>: {WHY}." in console.get(path).text, path


def test_one_that_works_is_not_called_stopped(console: Console) -> None:
    assert "is stopped" not in console.get("").text
    said = told(console.post("backfill/start", "backfill").text)
    assert said[-1].endswith("The worker begins with it in a moment.")


def test_a_connection_is_paused_and_let_go_on_once_each_and_audited(console: Console) -> None:
    assert told(console.post("resume", "").text) == [
        "It is neither paused nor stopped, so there is nothing to let go on."
    ]
    console.post("pause", "")
    paused = console.journal.connection_paused()
    assert paused is not None
    assert "<b>This connection is paused</b>, by " in console.get("now").text
    assert told(console.post("pause", "").text)[0].startswith("It is paused already, by ")
    console.post("resume", "")
    assert console.journal.connection_paused() is None
    assert [one.what for one in console.journal.audited()][-2:] in (["pause", "resume"], ["resume", "pause"])


def test_one_that_was_stopped_is_let_go_on(serve: Serve) -> None:
    console = serve(local="operator", halted=WHY)
    before = console.journal.wishes().get(console.connection)
    assert "Let it go on" in console.get("").text
    console.post("resume", "")
    assert console.journal.wishes()[console.connection] != before


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
