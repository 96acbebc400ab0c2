"""`icp-sync undo` as a person types it: shown first, done with --apply; what cannot be undone says why."""

from __future__ import annotations

import time

import pytest

from icp_sync.ports import Stream
from tests.cli.conftest import Place


@pytest.fixture
def written(fresh: Place) -> Place:
    """Five companies of a portal nobody had used, settled once in mode route."""
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    fresh.run("mode", "route")
    fresh.settle()
    return fresh


def the_run(place: Place, kind: str = "backfill") -> str:
    runs = place.json("history")["runs"]
    return str(next(run["id"] for run in runs if run["kind"] == kind))


def tiers(place: Place) -> dict[str, str]:
    return {company["id"]: company["icp_tier"] or "" for company in place.companies(icp_tier=ANY)}


class _Any:
    def __eq__(self, _: object) -> bool:
        return True

    __hash__ = object.__hash__


ANY: str = _Any()  # type: ignore[assignment]


def test_a_run_is_listed_shown_undone_and_stays_undone(written: Place) -> None:
    run, before = the_run(written), tiers(written)
    assert all(before.values())
    planned = written.json("undo", run)
    assert (planned["restored"], planned["apply"], planned["undo"]) == (5, False, "")
    assert tiers(written) == before
    shown = written.run("undo", run).stdout
    assert f"Nothing was written. To do it: icp-sync undo {run} --apply" in shown
    assert "What no undo takes back" in shown
    edited = next(iter(before))
    written.crm.admin("POST edit", id=edited, properties={"icp_tier": "D" if before[edited] != "D" else "C"})
    theirs = tiers(written)[edited]
    done = written.json("undo", run, "--apply", "--note", "too early")
    assert (done["restored"], done["left"], done["people"]) == (5, 0, 1)
    assert (done["edited"][0]["id"], done["edited"][0]["live"]) == (edited, theirs)
    assert tiers(written) == {id: theirs if id == edited else "" for id in before}
    for stream in (Stream.POLL, Stream.TRAILING, Stream.DUE, Stream.SWEEP, Stream.BACKFILL):
        written.settle(stream)
    assert tiers(written) == {id: theirs if id == edited else "" for id in before}
    [listed] = [run_ for run_ in written.json("history")["runs"] if run_["id"] == done["undo"]]
    assert (listed["kind"], listed["undoes"], listed["note"]) == ("undo", run, "too early")
    assert f"of {run} too early" in written.run("history").stdout
    assert len(written.json("history", "--limit", "1")["runs"]) == 1
    assert "undo" in {entry["what"] for entry in audited(written)}


def test_what_an_undo_put_back_is_told_wherever_somebody_looks(written: Place) -> None:
    first = the_run(written)
    written.run("undo", first, "--apply")
    own = the_run(written, "undo")
    written.settle(Stream.BACKFILL)
    holds = f"5 accounts hold what undo {own} put back"
    planned = " ".join(written.run("plan").stdout.split())
    assert holds in planned
    assert "every record holds what it should" not in planned
    assert written.json("plan")["undone"] == {own: 5}
    assert holds in " ".join(written.run("status").stdout.split())
    assert written.json("status")["undone"] == {own: 5}
    account = written.companies()[0]["id"]
    assert f"undo {own} put back tier blank" in " ".join(written.run("explain", account).stdout.split())
    causes = [(e["cause"], e["why"]) for e in written.json("history", account)["events"] if "changes" in e]
    assert causes[-1] == ("UNDO", f"undo of {first}")
    assert "UNDO" in written.run("history", account).stdout
    written.run("undo", own, "--apply")
    assert written.json("status")["undone"] == {}


def audited(place: Place) -> list[dict[str, object]]:
    from icp_sync.journal import Journal

    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    try:
        return [{"what": entry.what, **entry.detail} for entry in journal.audited()]
    finally:
        journal.close()


def test_an_undo_is_undone_by_the_run_it_names(written: Place) -> None:
    before = tiers(written)
    first = written.run("undo", the_run(written), "--apply").stdout
    own = the_run(written, "undo")
    assert f"icp-sync undo {own} --apply" in first
    written.run("undo", own, "--apply")
    assert tiers(written) == before
    again = written.run("undo", own, "--apply").stdout
    assert "Nothing was restored" in again
    assert "To take it back" not in again


def test_a_run_that_was_killed_is_over_once_nobody_works_on_the_journal(written: Place) -> None:
    from icp_sync.journal import Journal

    url = f"sqlite:///{written.folder}/journal.sqlite"
    journal = Journal.open(url, "main")
    run = journal.start_run("apply", now=time.time(), detail={"apply": True})
    assert journal.lease("apply", holder="dead", now=time.time(), ttl=600.0)
    journal.close()
    journal = Journal.open(url, "main")
    with journal.hold("run"):
        refused = written.run("undo", run, code=2).stderr
    journal.close()
    assert "is still going on, an apply" in refused
    assert "one that was killed counts as ended in" in " ".join(refused.split())
    assert "an apply, wrote nothing" in written.run("undo", run, code=2).stderr


def test_one_field_of_one_account(written: Place) -> None:
    account = written.companies()[0]
    run = the_run(written)
    done = written.json("undo", run, account["id"], "--field", "lane", "--apply")
    assert (done["fields"], done["by_field"]) == (1, {"lane": 1})
    lanes = {company["id"]: company["icp_lane"] or "" for company in written.companies(icp_lane=ANY)}
    assert [id for id, lane in lanes.items() if not lane] == [account["id"]]


@pytest.mark.parametrize(
    ("arguments", "said", "step"),
    [
        (("20200101-000000-abcd",), "the journal knows no such run", "icp-sync history"),
        (("nonsense",), "a run's id looks like", "icp-sync history"),
        (("RUN", "--field", "teir"), "did you mean 'tier'?", "icp-sync undo 20"),
        (("RUN", "--field", "seal"), "no such field", "icp-sync undo 20"),
        (("RUN", "4711"), "the journal knows no account", "icp-sync run --once"),
    ],
)
def test_what_cannot_be_undone_says_why_and_what_to_type(
    written: Place, arguments: tuple[str, ...], said: str, step: str
) -> None:
    run = the_run(written)
    named = tuple(run if argument == "RUN" else argument for argument in arguments)
    refused = written.run("undo", *named, "--apply", code=2).stderr
    assert said in refused
    assert f"next: {step}" in refused


def test_what_the_crm_refuses_ends_with_1_and_the_same_command_again(written: Place) -> None:
    run = the_run(written)
    written.crm.admin("POST faults", kind="409", match="batch/update", probability=1.0)
    told = written.run("undo", run, "--apply", code=1).stdout
    assert f"To try those again: icp-sync undo {run} --apply" in told
