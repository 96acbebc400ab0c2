"""Answers kept for an account of its own, beside those kept for its company."""

from __future__ import annotations

from journal_builders import NOW

from icp_sync.domain.facts import Members, Signal
from icp_sync.journal import Journal

HOUR = 3600.0


def roles(*known: str) -> Signal:
    value = Members(frozenset(known), False)
    return Signal(fact="contact_titles", value=value, source="contacts", observed_at=NOW)


def test_an_account_recalls_its_own_answers_and_its_companys(journal: Journal) -> None:
    journal.record("vendor", "acme.example", "hit", [roles("founder")], now=NOW, expires_at=NOW + 2 * HOUR)
    journal.record("contacts", "#1", "hit", [roles("vp sales")], now=NOW, expires_at=NOW + HOUR)
    keys = {"1": "acme.example", "2": "acme.example", "3": ""}
    memory = journal.recall(keys, now=NOW, also={id: f"#{id}" for id in keys})
    assert {id: len(memory.of(id).signals) for id in keys} == {"1": 2, "2": 1, "3": 0}
    assert memory.of("1").asked == {"vendor", "contacts"}
    assert memory.of("2").asked == {"vendor"}
    assert memory.of("1").answers_until == NOW + HOUR
    assert memory.of("2").answers_until == NOW + 2 * HOUR


def test_a_clean_miss_about_an_account_is_recalled_for_it_alone(journal: Journal) -> None:
    journal.record("contacts", "#1", "miss", now=NOW, expires_at=NOW + HOUR)
    memory = journal.recall({"1": "", "2": ""}, now=NOW, also={"1": "#1", "2": "#2"})
    assert memory.of("1").asked == {"contacts"}
    assert "2" not in memory.accounts


def test_an_answer_about_an_account_is_nobodys_until_it_is_asked_for(journal: Journal) -> None:
    journal.record("contacts", "#1", "hit", [roles("ceo")], now=NOW, expires_at=NOW + HOUR)
    assert journal.recall({"1": "acme.example"}, now=NOW).of("1").signals == ()
