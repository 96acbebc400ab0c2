"""Sources that know accounts, not companies: asked about each account by itself, and remembered so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from icp_sync.domain.conditions import AnyOf
from icp_sync.domain.facts import choice, number
from icp_sync.domain.profile import DAY, Criterion
from icp_sync.enrichers.contacts import Contacts
from icp_sync.errors import UnavailableError
from icp_sync.ports import Related
from icp_sync.sync.cycle import Scope
from tests.sync.world import GOOD, PROFILE, Vendor, World, without

VP = Criterion(
    name="Has a VP Sales",
    layer="buying",
    when=AnyOf(fact="contact_titles", values=frozenset({"vp sales"})),
    weight=100,
)
SELLING = without(PROFILE, criteria=(*PROFILE.criteria, VP))
"""Half of the score is whether there is a VP Sales."""


@dataclass
class Place:
    """A world whose only source beside the CRM's fields is the contacts in it."""

    world: World
    calls: list[tuple[str, ...]]

    def company(self, *titles: str, **known: object) -> str:
        account = self.world.company(**known)  # type: ignore[arg-type]
        for title in titles:
            self.world.crm.beside.add_contact(account, title)
        return account


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return placed(tmp_path)


def placed(tmp_path: Path, *others: Vendor, **keys: object) -> Place:
    world = World(folder=tmp_path, profile=SELLING)
    calls: list[tuple[str, ...]] = []
    asked = world.crm.related

    def related(ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
        calls.append(tuple(ids))
        return asked(ids, kind)

    world.crm.related = related  # type: ignore[method-assign]
    source = Contacts(world.crm, **keys)  # type: ignore[arg-type]
    source.clock = world.clock
    world.enrichers = (source, *others)
    return Place(world, calls)


def test_a_vp_sales_among_the_contacts_decides(place: Place) -> None:
    sells = place.company("VP, Sales EMEA", domain="acme.com", **GOOD)
    place.world.backfill()
    live = place.world.live(sells)
    assert (live["tier"], live["certainty"]) == ("A", "firm")
    assert place.calls == [(sells,)]


def test_two_accounts_of_one_domain_keep_their_own_people(place: Place) -> None:
    sells = place.company("VP Sales", domain="acme.com", **GOOD)
    other = place.company("CFO", domain="acme.com", **GOOD)
    place.world.backfill()
    assert place.world.live(sells)["certainty"] == "firm"
    assert place.world.live(other)["certainty"] != "firm"
    assert sorted(id for call in place.calls for id in call) == sorted([sells, other])


def test_an_account_without_a_domain_is_asked_about_too(place: Place) -> None:
    sells = place.company("VP Sales", **GOOD)
    place.world.backfill()
    assert place.world.live(sells)["certainty"] == "firm"


def test_only_accounts_whose_tier_it_could_change_are_read(place: Place) -> None:
    outside = place.company("VP Sales", lifecycle="customer", **GOOD)
    hopeless = place.company("VP Sales", employees=5000, industry="RETAIL")
    place.world.backfill()
    assert outside not in {id for call in place.calls for id in call}
    assert {id for call in place.calls for id in call} == {hopeless}


def test_a_page_of_accounts_is_one_request_to_the_crm(place: Place) -> None:
    ids = [place.company("VP Sales", **GOOD) for _ in range(120)]
    place.world.backfill()
    assert [len(call) for call in place.calls] == [120]
    assert {place.world.live(id)["certainty"] for id in ids} == {"firm"}


def test_who_was_read_is_not_read_again_before_the_answer_expires(place: Place) -> None:
    sells = place.company("VP Sales", domain="acme.com", **GOOD)
    nobody = place.company(**GOOD)
    place.world.backfill()
    place.calls.clear()
    place.world.clock.step(2 * DAY)
    again = place.world.backfill(Scope(restart=True))
    assert (place.calls, again.written) == ([], 0)
    place.world.crm.beside.add_contact(nobody, "VP Sales")
    place.world.clock.step(2 * DAY)  # beyond the negative answer
    place.world.due()
    assert place.calls == [(nobody,)]
    assert place.world.live(nobody)["certainty"] == "firm"
    place.world.clock.step(11 * DAY)  # beyond the positive one
    place.world.due()
    assert (sells,) in place.calls


def test_a_crm_that_cannot_tell_just_now_is_asked_again_soon(place: Place) -> None:
    sells = place.company("VP Sales", **GOOD)
    failing = [True]

    def before(call: str) -> None:
        if call == "related" and failing[0]:
            raise UnavailableError("busy")

    place.world.crm.before = before
    place.world.backfill()
    assert place.world.live(sells)["certainty"] != "firm"
    failing[0] = False
    place.world.clock.step(3600)
    place.world.due()
    assert place.world.live(sells)["certainty"] == "firm"


def test_a_dry_run_reads_nobody_and_counts_whom_it_would(place: Place) -> None:
    place.company("VP Sales", domain="acme.com", **GOOD)
    place.company("VP Sales", domain="acme.com", **GOOD)
    report = place.world.backfill(Scope(apply=False))
    assert (place.calls, report.asked["contacts"], report.credits["contacts"]) == ([], 2, 0)


def test_a_complete_crm_without_a_vp_sales_says_no(tmp_path: Path) -> None:
    place = placed(tmp_path, complete=True)
    account = place.company("CFO", **GOOD)
    place.world.backfill()
    live = place.world.live(account)
    assert (live["certainty"], live["fit_score"]) == ("firm", "50")


def test_a_source_of_companies_beside_it_is_still_asked_once_a_company(tmp_path: Path) -> None:
    vendor = Vendor(book={"acme.com": {"employees": number(100), "industry": choice("SOFTWARE")}})
    place = placed(tmp_path, vendor)
    ids = [place.company("VP Sales", domain="acme.com") for _ in range(3)]
    place.company("VP Sales")
    place.world.backfill()
    assert vendor.asked == ["acme.com"]
    assert {place.world.live(id)["tier"] for id in ids} == {"A"}
