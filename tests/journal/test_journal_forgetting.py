"""Erasing an account: nothing of it stays, nothing of its neighbours goes."""

from __future__ import annotations

import json

import pytest
from journal_builders import NOW, Worker, employees, ours, settled, write
from sqlalchemy import text

from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import ERASED, Journal, Keep
from icp_sync.journal.backfills import BackfillState
from icp_sync.journal.schema import metadata

SECRET = "Quillfeather Ltd"


def change(account_id: str) -> Change:
    return Change(account_id=account_id, field="tier", live="", desired="B", reason=SECRET)


@pytest.fixture
def two(worker: Worker) -> Journal:
    """Accounts 4711 and 4712 of different companies, everything there can be about either."""
    for account_id, name in (("4711", SECRET), ("4712", "Neighbour")):
        one = settled(
            account_id,
            name=name,
            owner="anna@x",
            parent="4711" if account_id == "4712" else "",
            evidence={"facts": {"name": name}},
            evaluation={"at": NOW, "said": name},
            log_evaluation=True,
            confirmed={"tier": ours("B"), "seal": ours("icp1;x")},
            changes=(change(account_id),) if account_id == "4711" else (),
            left_alone={"lane": (name, "sales")},
            holds=(Hold(account_id=account_id, rule="downgrades", key="A → C", changes=(), reason=name),),
        )
        worker.commit(one)
    journal = worker.journal
    for key in ("#4711", "4711.example", "4712.example"):
        journal.reserve("vendor", {key: 2.0}, now=NOW, run="r")
        journal.record("vendor", key, "hit", [employees(5)], 2.0, now=NOW, expires_at=NOW + 1e6)
    run = journal.start_run("poll", now=NOW)
    report = {"problems": [["4711", SECRET], ["4712", "no"]], "left_alone": [["4711", SECRET, "tier"]]}
    journal.end_run(run, report, now=NOW)
    return journal


def whole(journal: Journal) -> str:
    """Everything the database holds, as text."""
    with journal.reading() as conn:
        rows = {name: conn.execute(table.select()).all() for name, table in metadata.tables.items()}
    return json.dumps({name: [list(map(str, row)) for row in found] for name, found in rows.items()})


def test_nothing_of_a_forgotten_account_stays_in_any_table(two: Journal) -> None:
    assert SECRET in whole(two)
    two.forget("4711", now=NOW)
    left = whole(two)
    assert SECRET not in left
    assert "4711.example" not in left
    assert left.count("4711") == 1  # its child's parent, which is the CRM's word on the child
    assert two.account("4711") is None


def test_its_neighbours_keep_everything(two: Journal) -> None:
    two.forget("4711", now=NOW)
    other = two.account("4712")
    assert other is not None
    assert (other.name, other.confirmed["tier"].value, dict(other.left_alone)) == (
        "Neighbour",
        "B",
        {"lane": ("Neighbour", "sales")},
    )
    assert len(two.evaluations("4712")) == 1
    assert two.runs()[0].report == {"problems": [["4712", "no"]], "left_alone": []}
    assert other.wake_at is not None  # what was known of its parent has changed


def test_what_it_cost_stays_counted(two: Journal) -> None:
    before = two.spent("vendor", 0.0)
    two.forget("4711", now=NOW)
    assert two.spent("vendor", 0.0) == before == 6.0


def test_its_owner_holds_one_account_less(two: Journal) -> None:
    two.set_owners([], now=NOW)
    assert two.recall({}, now=NOW).roster.loads["anna@x"] == 2
    two.forget("4711", now=NOW)
    assert two.recall({}, now=NOW).roster.loads["anna@x"] == 1
    assert two.verify(now=NOW) == []


def test_answers_about_a_company_stay_while_another_account_is_of_it(two: Journal, worker: Worker) -> None:
    worker.commit(settled("4713", domain="4711.example"))
    two.forget("4711", now=NOW)
    assert two.recall({"4713": "4711.example"}, now=NOW).of("4713").signals != ()
    assert two.recall({"4711": ""}, now=NOW, also={"4711": "#4711"}).of("4711").signals == ()


def test_what_was_bought_under_a_domain_the_company_had_before_goes_too(two: Journal, worker: Worker) -> None:
    worker.commit(settled("4711", domain="new.example", name=SECRET))
    worker.commit(settled("4711", domain="newest.example", name=SECRET))
    two.record("vendor", "new.example", "hit", [employees(5)], 2.0, now=NOW, expires_at=NOW + 1e6)
    worker.commit(gone={"4711": "4712"})
    told = two.known_of("4711")
    assert told is not None
    assert told.answers == 3
    two.forget("4711", now=NOW)
    left = whole(two)
    assert "4711.example" not in left
    assert "new.example" not in left


def test_sentences_told_to_people_name_it_no_more(two: Journal) -> None:
    said = "12 of 20 accounts were changed again, for example 4711: a workflow reacts"
    two.raise_alert("backfill halted", said, now=NOW)
    two.set_backfill_state(BackfillState(halted=said, waves=4711))
    request = two.ask("backfill", {}, by="ada", now=NOW)
    two.take_request(request, now=NOW)
    two.end_request(request, state="failed", result={"error": said}, now=NOW)
    two.forget("4711", now=NOW)
    blotted = said.replace("4711", "(forgotten)")
    ended = two.request(request)
    assert ended is not None
    assert [one.text for one in two.alerts()] == [blotted]
    assert (two.backfill_state().halted, two.backfill_state().waves) == (blotted, 4711)
    assert ended.result == {"error": blotted}


def test_tombstones_of_what_was_merged_into_it_go_with_it(two: Journal, worker: Worker) -> None:
    worker.commit(gone={"4711": "4712"})
    known = two.known_of("4712")
    assert known is not None
    assert known.ids == ("4711", "4712")
    two.forget("4712", now=NOW)
    assert two.account("4711") is None


def test_what_is_told_beforehand_is_what_goes(two: Journal) -> None:
    told = two.known_of("4711")
    assert told is not None
    assert {name: n for name, n in told.rows.items() if n} == {
        "account": 1,
        "evaluation": 1,
        "evaluation_log": 1,
        "change_log": 1,
        "left_alone": 1,
        "hold": 1,
    }
    assert (told.answers, told.ours) == (2, ("seal", "tier"))
    assert two.forget("4711", now=NOW) == told
    assert two.known_of("4711") is None
    assert two.forget("4711", now=NOW) is None


def test_a_worker_that_had_it_in_hand_brings_nothing_back(two: Journal, worker: Worker) -> None:
    memory = worker.recall("4711")
    two.forget("4711", now=NOW)
    written, lost = worker.intend(write("4711"), memory=memory)
    assert (written, set(lost)) == ((), {"4711"})
    worker.commit(settled("4711", name=SECRET, version=memory.of("4711").version))
    assert two.account("4711") is None
    assert SECRET not in whole(two)


def test_an_account_read_again_begins_from_nothing(two: Journal, worker: Worker) -> None:
    two.forget("4711", now=NOW)
    remembered = worker.recall("4711").of("4711")
    assert (remembered.version, remembered.previous, remembered.confirmed) == (0, None, {})
    worker.commit(settled("4711", version=0))
    assert two.account("4711") is not None


def test_of_accounts_long_gone_only_the_tombstone_stays(two: Journal, worker: Worker) -> None:
    worker.commit(gone={"4711": ""}, now=NOW)
    keep = Keep(gone=1000.0)
    assert two.prune(keep, now=NOW + 999).erased == 0
    assert SECRET in whole(two)
    assert two.prune(keep, now=NOW + 1001).erased == 1
    assert SECRET not in whole(two)
    tomb = two.account("4711")
    assert tomb is not None
    assert (tomb.status, tomb.problem, tomb.name) == ("gone", ERASED, "")
    assert two.prune(keep, now=NOW + 1002).erased == 0
    assert two.verify(now=NOW) == []


def test_an_erased_account_that_comes_back_is_an_account_again(two: Journal, worker: Worker) -> None:
    worker.commit(gone={"4711": ""})
    two.prune(Keep(gone=1.0), now=NOW + 10)
    version = worker.recall("4711").of("4711").version
    worker.commit(settled("4711", version=version))
    back = two.account("4711")
    assert back is not None
    assert (back.status, back.problem, back.name) == ("settled", "", "Company 4711")


def test_ids_that_others_begin_with_are_left_alone(two: Journal, worker: Worker) -> None:
    worker.commit(settled("471"), settled("47110"))
    two.forget("471", now=NOW)
    assert two.account("47110") is not None
    assert two.account("4711") is not None
    with two.reading() as conn:
        assert conn.execute(text("SELECT count(*) FROM account")).scalar() == 3
