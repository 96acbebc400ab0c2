"""The pages of runs: what is listed and what is folded away, one run with its writes, and taking it back."""

from __future__ import annotations

import pytest

from icp_sync.console.pages.runs import LIMIT, WRITES
from icp_sync.domain.plan import Change
from icp_sync.journal import Journal, RunRecord, Settled
from icp_sync.reporting.undoing import PREVIEW
from icp_sync.sync.cycle import Scope
from icp_sync.sync.requests import OTHERS, serve
from tests.console.conftest import Console, Serve
from tests.console.crafting import NOW, a_run, settle
from tests.console.test_access import USERS, log_in


@pytest.fixture
def backfill(console: Console) -> RunRecord:
    """The run that wrote most accounts."""
    return next(run for run in console.journal.runs(50) if run.kind == "backfill" and run.report["written"])


def test_runs_that_did_nothing_are_folded_away_unless_asked_for(console: Console) -> None:
    idle = a_run(console.journal, "poll", read=0, written=0)
    busy = a_run(console.journal, "poll", read=3, written=0)
    failed = a_run(console.journal, "poll", read=0, written=0, outcome="failed")
    shown = console.get("runs").text
    assert f"runs/{idle}" not in shown
    assert f"runs/{busy}" in shown
    assert f"runs/{failed}" in shown
    assert f"runs/{idle}" in console.get("runs?all=1").text


def test_runs_are_chosen_by_kind_and_a_kind_nobody_knows_is_none(console: Console) -> None:
    sweep = a_run(console.journal, "sweep", read=5, written=1)
    shown = console.get("runs?kind=sweep").text
    assert f"runs/{sweep}" in shown
    assert shown.count("<tr>") == 2
    assert console.get("runs?kind=%3Cscript%3E").text.count("<tr>") > 2


def test_older_runs_are_reached_page_by_page_each_once(console: Console) -> None:
    made = {a_run(console.journal, "sweep", now=NOW + at, read=1, written=0) for at in range(LIMIT + 5)}
    first = console.journal.runs_page(kind="sweep", limit=LIMIT)
    second = console.journal.runs_page(kind="sweep", limit=LIMIT, after=first.after)
    assert [len(first.runs), len(second.runs), second.after] == [LIMIT, 5, ""]
    assert {run.id for run in (*first.runs, *second.runs)} == made
    assert f"runs?kind=sweep&amp;after={first.after}" in console.get("runs?kind=sweep").text
    assert "Older runs" not in console.get(f"runs?kind=sweep&after={first.after}").text


def test_where_all_that_was_looked_at_did_nothing_it_says_where_to_go_on(
    console: Console, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("icp_sync.journal.paging.LOOKED", 3)
    early = a_run(console.journal, "sweep", now=NOW, read=1, written=1)
    for at in range(4):
        a_run(console.journal, "sweep", now=NOW + 1 + at, read=0, written=0)
    first = console.journal.runs_page(kind="sweep")
    assert first.runs == ()
    found = console.journal.runs_page(kind="sweep", after=first.after)
    assert [run.id for run in found.runs] == [early]


def test_a_run_shows_what_it_sent_field_by_field_and_which_tiers_moved(
    console: Console, backfill: RunRecord
) -> None:
    shown = console.get(f"runs/{backfill.id}").text
    sent = console.journal.sent_in(backfill.id, limit=WRITES)
    assert "Tiers, before → after" in shown
    for one in sent[:5]:
        assert f"accounts/{one.account_id}" in shown
    assert "icp1;" not in shown, "the seal is nobody's business"
    assert f"?after={sent[-1].seq}#writes" in shown
    second = console.get(f"runs/{backfill.id}?after={sent[-1].seq}").text
    after = console.journal.sent_in(backfill.id, after=sent[-1].seq, limit=1)
    assert f"accounts/{after[0].account_id}" in second
    assert f"accounts/{sent[0].account_id}" not in second


def test_writes_without_a_tier_and_without_an_account_are_shown(console: Console) -> None:
    run = a_run(console.journal, "poll", read=1, written=1)
    change = Change(account_id="77", field="lane", live="<b>x</b>", desired="", reason="DATA")
    settle(console.journal, Settled(account_id="77", name="", changes=(change,)), run=run)
    shown = console.get(f"runs/{run}").text
    assert "&lt;b&gt;x&lt;/b&gt;" in shown
    assert "1 field: lane" in shown


def test_a_run_nobody_knows_is_not_there(console: Console) -> None:
    assert console.get("runs/20200101-000000-ffff").status_code == 404
    assert console.get("runs/%3Cscript%3E").status_code == 404
    run = console.journal.runs(1)[0].id
    assert console.get(f"runs/{run}?after=x").status_code == 200


def test_what_an_undo_would_give_back_is_asked_of_the_worker_and_shown(
    console: Console, backfill: RunRecord
) -> None:
    page = f"runs/{backfill.id}"
    assert "shows it in a moment" in console.post(f"{page}/preview", page).text
    assert "The worker looks what would go back" in console.get(f"{page}/now").text
    asked = console.journal.requests("waiting")[0]
    assert (asked.kind, asked.args["run"], asked.by) == (PREVIEW, backfill.id, "test")
    assert serve(console.wired.parts, Scope(), [OTHERS])
    shown = console.get(f"{page}/now").text
    assert f"{backfill.report['written']:,} would go back" in shown
    assert "What no undo takes back" in shown
    assert console.journal.runs_page(kind="undo").runs == (), "it was only asked"


def test_an_undo_is_handed_to_the_worker_once_and_audited(console: Console, backfill: RunRecord) -> None:
    page = f"runs/{backfill.id}"
    assert "Handed to the worker" in console.post(f"{page}/undo", page, note="too early").text
    asked = console.journal.requests("waiting")[0]
    assert asked.kind == "undo"
    assert asked.args == {"run": backfill.id, "fields": None, "ids": None, "note": "too early", "by": "test"}
    again = console.post(f"{page}/undo", page, back=f"/c/{console.connection}/{page}")
    assert "is asked for already" in again.text
    assert len(console.journal.requests("waiting")) == 1
    assert [e.what for e in console.journal.audit_page(limit=1)] == ["undo asked for"]


def test_what_cannot_be_undone_says_why_and_offers_nothing(console: Console) -> None:
    idle = a_run(console.journal, "sweep", read=5, written=0)
    shown = console.get(f"runs/{idle}").text
    assert "wrote nothing" in shown
    assert "Undo this run" not in shown
    tried = console.post(f"runs/{idle}/undo", "backfill")
    assert "wrote nothing" in tried.text
    assert console.journal.requests("waiting") == []


def test_an_undo_and_what_it_undoes_name_each_other(console: Console, backfill: RunRecord) -> None:
    journal = console.journal
    undo = journal.start_run("undo", now=NOW + 10**8, detail={"apply": True, "undoes": backfill.id})
    journal.end_run(undo, {"outcome": "done", "done": True, "restored": 7, "left": 0}, now=NOW + 10**8 + 1)
    assert f"runs/{backfill.id}" in console.get(f"runs/{undo}").text
    shown = console.get(f"runs/{backfill.id}").text
    assert f'Undone by run <a href="/c/{console.connection}/runs/{undo}">' in shown
    assert "7 accounts restored" in shown
    assert "Undo this run" not in shown
    part = journal.start_run("undo", now=NOW + 10**8 + 2, detail={"undoes": backfill.id, "ids": ["1"]})
    assert "Undone in part" in console.get(f"runs/{backfill.id}").text
    assert [one.id for one in journal.undoes_of(backfill.id)] == [part, undo]


def test_viewers_look_and_operators_ask_but_only_approvers_undo(serve: Serve) -> None:
    console = serve(users=USERS)
    run = next(one for one in console.journal.runs(50) if one.report.get("written"))
    for name, preview, undo in (("ben", False, False), ("cy", True, False), ("ada", True, True)):
        console.session.cookies.clear()
        log_in(console, name)
        shown = console.get(f"runs/{run.id}").text
        assert ("See what would go back" in shown) is preview
        assert ("Undo this run" in shown) is undo
        csrf = console.csrf("")  # the form to log out has it as well
        reply = console.session.post(
            console.at(f"runs/{run.id}/undo"), data={"csrf": csrf}, timeout=30, allow_redirects=False
        )
        assert reply.status_code == (303 if undo else 403)


def test_kinds_are_found_from_one_to_the_next(console: Console) -> None:
    a_run(console.journal, "sweep")
    a_run(console.journal, "apply")
    kinds = console.journal.run_kinds()
    assert {"apply", "backfill", "poll", "sweep"} <= set(kinds)
    assert list(kinds) == sorted(kinds)
    assert Journal.for_connection(console.journal, "another").run_kinds() == ()
