"""What is kept of an account as JSON: read as it was written, by this version and by those before."""

from __future__ import annotations

import json

import pytest
from journal_builders import NOW, Worker, human, ours, settled
from sqlalchemy import event

from icp_sync.domain.account import Confirmed, Origin, Previous
from icp_sync.journal import Journal
from icp_sync.journal.encoding import confirmed_from_text, confirmed_to_json, dumps, previous_from_text
from icp_sync.journal.evidence import evidence_from_text

ODD = "Žižkov – NUL \x00, half a pair \ud83d"


def test_a_confirmed_value_reads_the_same_whoever_wrote_it() -> None:
    kept = {"tier": ours(ODD), "owner": Confirmed(value="a", origin=Origin.HUMAN, at=5.0, by="person")}
    assert confirmed_from_text(dumps(confirmed_to_json(kept))) == kept
    escaped = json.dumps({"tier": [ODD, "ours", NOW], "owner": ["a", "human", 5, "person"]})
    assert confirmed_from_text(escaped) == kept


def test_a_previous_standing_of_a_later_version_is_read_as_far_as_it_is_known() -> None:
    for why in ("more – people", ODD):
        kept = json.dumps({"tier": "A", "score": 81, "why": why, "later": [1]})
        assert previous_from_text(kept) == Previous(tier="A", score=81, why=why)


def test_evidence_is_what_was_kept_however_it_is_looked_at() -> None:
    kept = {"in_scope": True, "facts": {"city": [["set", ["Brno"], True], ODD]}, "points": {"2–5": [1, 2]}}
    for written in (json.dumps(kept), json.dumps({**kept, "facts": {}}, ensure_ascii=False)):
        read = evidence_from_text(written)
        assert read == json.loads(written)
        assert {name: read[name] for name in read} == json.loads(written)
        assert read.get("in_scope") is True
        assert read.get("absent", 7) == 7
    assert evidence_from_text("") == {}


def test_text_that_is_no_json_is_refused() -> None:
    for read in (evidence_from_text, confirmed_from_text, previous_from_text):
        with pytest.raises(ValueError, match="line 1"):
            read('{"tier":')


def test_of_an_account_that_stands_as_it_stood_only_the_date_and_the_like_are_written(
    worker: Worker, journal: Journal
) -> None:
    stands = {
        "evidence": {"in_scope": True, "note": ODD},
        "previous": Previous(tier="B", why="more – people"),
    }
    worker.commit(settled("1", confirmed={"tier": human(ODD)}, **stands))
    written: list[str] = []

    @event.listens_for(journal.engine, "before_cursor_execute")
    def note(_: object, __: object, text: str, *more: object) -> None:
        if "account" in text and not text.startswith("SELECT"):
            written.append(text)

    worker.commit(settled("1", stamp=6, seen=True, **stands))
    assert len(written) == 1
    assert "stamp" in written[0]
    assert "evidence" not in written[0]
    worker.commit(settled("1", stamp=7, **stands | {"evidence": {"in_scope": False}}))
    assert "evidence" in written[1]
    found = worker.recall("1").of("1")
    assert (found.version, found.stamp, found.confirmed["tier"].value) == (3, 7, ODD)
    assert (found.evidence, found.previous) == ({"in_scope": False}, stands["previous"])
