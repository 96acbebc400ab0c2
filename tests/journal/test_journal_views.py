"""Which views are ours is remembered by the CRM's ids, on either database, and forgotten with the portal."""

from __future__ import annotations

from journal_builders import NOW

from icp_sync.journal import Journal, KeptView


def test_a_view_is_read_back_as_it_was_kept(journal: Journal) -> None:
    assert journal.views() == {}
    journal.keep_view("tier_a", "11", "ICP: Tier A", now=NOW)
    journal.keep_view("tier_b", "12", "ICP: Tier B", now=NOW)
    assert journal.views() == {
        "tier_a": KeptView(key="tier_a", id="11", name="ICP: Tier A", made_at=NOW),
        "tier_b": KeptView(key="tier_b", id="12", name="ICP: Tier B", made_at=NOW),
    }
    assert journal.for_connection("other").views() == {}


def test_a_new_name_keeps_its_birthday_and_another_view_has_its_own(journal: Journal) -> None:
    journal.keep_view("tier_a", "11", "ICP: Tier A", now=NOW)
    journal.keep_view("tier_a", "11", "Hot\x00 \ud800", now=NOW + 5)
    renamed = journal.views()["tier_a"]
    assert (renamed.made_at, renamed.name.startswith("Hot")) == (NOW, True)
    journal.keep_view("tier_a", "99", "ICP: Tier A", now=NOW + 5)
    assert journal.views()["tier_a"] == KeptView(key="tier_a", id="99", name="ICP: Tier A", made_at=NOW + 5)


def test_what_is_gone_is_forgotten_alone(journal: Journal) -> None:
    for key in ("tier_a", "tier_b", "tier_c"):
        journal.keep_view(key, key, key, now=NOW)
    journal.for_connection("other").keep_view("tier_a", "1", "x", now=NOW)
    journal.forget_views(["tier_a", "tier_b", "never"])
    journal.forget_views([])
    assert set(journal.views()) == {"tier_c"}
    assert set(journal.for_connection("other").views()) == {"tier_a"}


def test_another_portals_ids_are_others_views(journal: Journal) -> None:
    journal.bind("100", crm="hubspot", now=NOW)
    journal.keep_view("tier_a", "11", "ICP: Tier A", now=NOW)
    journal.bind("100", crm="hubspot", now=NOW + 1)
    assert set(journal.views()) == {"tier_a"}
    journal.bind("200", crm="hubspot", now=NOW + 2, rebind=True)
    assert journal.views() == {}


def test_it_travels_with_an_export(journal: Journal) -> None:
    journal.keep_view("tier_a", "11", "ICP: Tier A", now=NOW)
    other = journal.for_connection("other")
    other.take_in(list(journal.export(now=NOW)))
    assert other.views() == journal.views()
