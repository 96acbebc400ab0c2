"""The profile that is active, the files that may replace it, and what that would make of the accounts."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from icp_sync.console.pages.plan import LIMIT
from icp_sync.domain.facts import CATALOGUE
from icp_sync.journal import Watched
from icp_sync.learning.drift.finding import Finding, State
from icp_sync.learning.drift.watch import WatchReport
from icp_sync.profile_file import load_all
from icp_sync.reporting.profiles import digest_of
from icp_sync.reporting.rehearsal import compare
from icp_sync.reporting.subjects import in_journal
from icp_sync.settings import load
from tests.console.conftest import Console, Serve, until
from tests.console.portal import Portal

SETTING = "ICP_SYNC_CONNECTIONS__DEMO__PROFILES"


@pytest.fixture
def file(portal: Portal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The profile file of the settings, a copy of the active version's that may be edited."""
    original = load(portal.world.config).connections["demo"].profiles[0]
    copied = tmp_path / "candidates" / original.name
    copied.parent.mkdir()
    copied.write_text(original.read_text())
    monkeypatch.setenv(SETTING, json.dumps([str(copied)]))
    return copied


def edit(file: Path) -> None:
    """Tier A begins earlier, and the heaviest criterion counts less."""
    text = file.read_text()
    changed = re.sub(r"A: 85", "A: 70", text.replace("weight: 30", "weight: 15", 1))
    assert changed != text
    file.write_text(changed)


def computed(console: Console, query: str = "") -> str:
    """The plan page once it was computed."""
    until(lambda: "would move" in console.get("plan").text, "the plan")
    return html.unescape(console.get(f"plan?{query}").text)


def test_the_profile_page_says_the_profile_and_who_made_it_active(console: Console, file: Path) -> None:
    console.journal.audit("profile activate", who="ada", now=1.0, version=1)
    text = html.unescape(console.get("profile").text)
    compiled = console.wired.parts.policy().compiled[0].profile
    assert "by ada" in text
    for criterion in compiled.criteria:
        assert criterion.name in text
    for flag in compiled.flags:
        assert flag.name in text
    for domain in compiled.examples:
        assert domain in text


def test_files_that_are_active_are_not_offered(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    text = console.get("profile").text
    assert "nothing to activate" in text
    assert "profile/activate" not in text
    assert "nothing would happen" in console.get("plan").text


def test_an_edited_file_is_shown_with_its_differences_and_activated(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    edit(file)
    text = html.unescape(console.get("profile").text)
    assert "2 differences to the active version" in text
    assert "weight 30 → 15" in text
    digest = re.search(r'name="digest" value="([0-9a-f]+)"', text)
    assert digest
    said = console.post("profile/activate", "profile", digest=digest[1], note="more A").text
    assert "Version 2 is active" in said
    active = console.journal.active()
    assert active is not None
    assert active == (2, ((file.name, file.read_text()),))
    entry = console.journal.audited()[-1]
    assert (entry.what, entry.detail["version"], entry.detail["note"]) == ("profile activate", 2, "more A")
    request = console.journal.backfill_request()
    assert request is not None
    assert request.reason == "profile version 2"


def test_what_was_not_looked_at_is_not_activated(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    edit(file)
    form = re.search(r'name="digest" value="([0-9a-f]+)"', console.get("profile").text)
    assert form
    file.write_text(file.read_text() + "\n# more\n")
    for digest in (form[1], ""):
        assert "have changed since" in console.post("profile/activate", "profile", digest=digest).text
    active = console.journal.active()
    assert active is not None
    assert active[0] == 1


def test_one_that_was_learned_and_never_promoted_is_not_activated_from_here(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    edit(file)
    file.write_text(file.read_text() + "\nlearned: {goal: won, until: 2026-01-01, cases: 200, good: 40}\n")
    text = console.get("profile").text
    assert "never promoted as it stands" in text
    assert "icp-sync profile promote" in text
    assert 'name="digest"' not in text
    computed(console)
    digest = digest_of(load_all([file], types=console.wired.types))
    assert "nothing was changed" in console.post("profile/activate", "plan", digest=digest).text
    active = console.journal.active()
    assert active is not None
    assert active[0] == 1


def test_only_an_approver_activates(serve: Serve, file: Path) -> None:
    console = serve(local="operator")
    edit(file)
    assert "An approver activates them" in console.get("profile").text
    computed(console)
    form = {"csrf": console.csrf("plan"), "digest": "x"}
    assert console.session.post(console.at("profile/activate"), data=form, timeout=30).status_code == 403


def test_a_file_that_cannot_be_read_is_said_on_both_pages(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    file.write_text(file.read_text() + "\n<script>alert(1)</script>: 1\n")
    for path in ("profile", "plan"):
        text = console.get(path).text
        assert "cannot be activated" in text
        assert "<script>alert" not in text
    file.unlink()
    assert "cannot be activated" in console.get("plan").text


def test_the_plan_counts_and_names_who_moves(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    edit(file)
    text = computed(console)
    before = [one.profile for one in console.wired.parts.policy().compiled]
    after = [one.profile for one in load_all([file], types=console.wired.types)]
    wanted = compare(Here(console), before, after, version=1, limit=10_000)
    assert wanted.moved > 0
    assert f"{wanted.moved} would move" in text
    for (was, will), n in wanted.moves.items():
        if was != will:
            link = urlencode({"from": was, "to": will})
            assert re.search(rf"{re.escape(link)}#movers\">{n}<", text), (was, will, n)
    seen: set[str] = set()
    query = ""
    while True:
        found = console.get(f"plan?{query}").text
        seen |= set(re.findall(r'<th scope="row"><a href="[^"]*/accounts/(\d+)"', found))
        more = re.search(r'plan\?(after=\d+)#movers">More', found)
        if more is None:
            break
        query = more[1]
    assert seen == {one.id for one in wanted.examples}


class Here:
    """The accounts of a console's journal."""

    source = "the journal"

    def __init__(self, console: Console) -> None:
        self._journal = console.journal

    def accounts(self, told: Any = None) -> Any:
        return in_journal(self._journal, frozenset(), told)


def test_who_moves_is_narrowed_by_tier_and_name(serve: Serve, file: Path) -> None:
    console = serve(local="approver")
    edit(file)
    computed(console)
    rehearsed = computed(console, "from=B&to=A")
    rows = re.findall(r'accounts/\d+">([^<]*)</a></th><td class="short"><span class="tier t-(\w)', rehearsed)
    assert rows
    assert len(rows) <= LIMIT
    assert {tier for _, tier in rows} == {"b"}
    name = rows[0][0]
    assert name in computed(console, f"q={name[:6].upper()}")
    assert "Nobody" in computed(console, "q=nobodyiscalledthis")
    for odd in ("from=Z", "after=-1", "after=999999", "q=%01"):
        assert console.get(f"plan?{odd}").status_code == 200


def test_it_is_computed_again_when_asked_and_when_the_file_changes(serve: Serve, file: Path) -> None:
    console = serve(local="viewer")
    edit(file)
    first = computed(console)
    assert "computed again" in console.post("plan/again", "plan").text
    assert re.findall("[0-9]+ would move", computed(console)) == re.findall("[0-9]+ would move", first)
    file.write_text(file.read_text().replace("A: 70", "A: 99"))
    assert "A 85 → 99" in computed(console)
    assert console.journal.audited() == [] or console.journal.audited()[-1].what != "plan"


def test_plans_that_somebody_approved_are_named(console: Console) -> None:
    console.journal.audit("approve", who="ben", now=5.0, plan="ab" * 32, author="ada", note="")
    text = console.get("plan").text
    assert "abababababab" in text
    assert "approved, not applied" in text
    console.journal.audit(
        "applied", who="ada", now=6.0, plan="ab" * 32, run="20261121-223000-ab12", outcome="done"
    )
    text = console.get("plan").text
    assert "approved, not applied" not in text
    assert "runs/20261121-223000-ab12" in text


def test_drift_is_shown_gravest_first_with_its_accounts(console: Console) -> None:
    one = console.journal.accounts_page().accounts[0].id
    found = Finding(
        name="fill/<b>", state=State.ALERT, sentence="<i>less</i> is known", accounts=(one,), behind=1
    )
    report = WatchReport(at=1.0, version=1, baseline_at=None, findings=(found,))
    console.journal.keep_watch(Watched(at=1.0, version=1, findings=report.to_json()))
    text = console.get("profile").text
    assert "&lt;i&gt;less&lt;/i&gt; is known" in text
    assert f"accounts/{one}" in text


def test_a_comparison_names_so_many_of_each_move_and_counts_all(console: Console, file: Path) -> None:
    edit(file)
    before = [one.profile for one in console.wired.parts.policy().compiled]
    after = [one.profile for one in load_all([file], types=CATALOGUE)]
    whole = compare(Here(console), before, after, version=1, limit=10_000)
    few = compare(Here(console), before, after, version=1, limit=10_000, each=2)
    assert few.moves == whole.moves
    kept = [(one.before, one.after) for one in few.examples]
    assert all(kept.count(move) == min(2, n) for move, n in whole.moves.items() if move[0] != move[1])
