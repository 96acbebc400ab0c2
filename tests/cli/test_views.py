"""`provision --views`: lists for reps, remembered by id, told when plan or people stand in the way."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from shutil import copytree
from typing import Any

import pytest
import requests

from icp_sync.domain.views import VIEWS
from icp_sync.journal import Journal
from icp_sync.simulator import Simulator
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.cli.conftest import Place
from tests.simulators import Copied

TITLES = {view.title for view in VIEWS}


def lists(place: Place) -> dict[str, str]:
    """Name → id of every list there is."""
    found = _api(place, "POST", "/crm/v3/lists/search", json={"count": 500})["lists"]
    return {one["name"]: one["listId"] for one in found}


def members(place: Place, list_id: str) -> set[str]:
    found: set[str] = set()
    after: str | None = ""
    while after is not None:
        query = {"limit": 50} | ({"after": after} if after else {})
        page = _api(place, "GET", f"/crm/v3/lists/{list_id}/memberships", params=query)
        found |= {one["recordId"] for one in page["results"]}
        after = page.get("paging", {}).get("next", {}).get("after")
    return found


def records(place: Place, of: str, *properties: str, **query: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    after: str | None = ""
    while after is not None:
        asked = {"limit": "100", "properties": ",".join(properties), **query}
        page = _api(place, "GET", f"/crm/v3/objects/{of}", params=asked | ({"after": after} if after else {}))
        found += page["results"]
        after = page.get("paging", {}).get("next", {}).get("after")
    return found


def kept(place: Place) -> dict[str, str]:
    journal = Journal.open(f"sqlite:///{place.folder}/journal.sqlite", "main")
    known = {key: view.id for key, view in journal.views().items()}
    journal.close()
    return known


def _api(place: Place, method: str, path: str, **how: Any) -> Any:
    headers = {"Authorization": f"Bearer {place.crm.token}"}
    reply = requests.request(method, place.crm.url + path, headers=headers, timeout=20, **how)
    assert reply.ok, reply.text
    return reply.json() if reply.content else None


@pytest.fixture(scope="module")
def provisioned(tmp_path_factory: pytest.TempPathFactory) -> tuple[Copied, Path]:
    """A simulator whose properties are made, and the folder of the connection that made them."""
    folder = tmp_path_factory.mktemp("provisioned")
    simulator = Simulator(accounts=5, seed=9).start()
    simulator.admin("POST settings", property_lag=0)
    Place(folder, simulator).write().run("provision", "--apply")
    return Copied(simulator), folder


@pytest.fixture
def made(provisioned: tuple[Copied, Path], tmp_path: Path) -> Iterator[Place]:
    """A provisioned connection without views."""
    copied, folder = provisioned
    copytree(folder, tmp_path, dirs_exist_ok=True)
    with copied.another() as crm:
        yield Place(tmp_path, crm).write()


def test_each_step_is_shown_before_it_is_taken_and_twice_is_once(made: Place) -> None:
    planned = made.json("provision", "--views")
    assert (planned["changed"], planned["left"], planned["applied"]) == (0, len(VIEWS), False)
    assert (lists(made), kept(made)) == ({}, {})
    done = made.json("provision", "--views", "--apply")
    assert (done["changed"], done["left"], done["conflicts"]) == (len(VIEWS), 0, 0)
    assert set(lists(made)) == TITLES
    assert kept(made) == {one["key"]: one["id"] for one in done["views"]}
    again = made.json("provision", "--views", "--apply")
    assert (again["changed"], {one["step"] for one in again["views"]}) == (0, {"keep"})


def test_a_person_reads_what_would_be_made_and_how_to_save_a_view(made: Place) -> None:
    said = made.run("provision", "--views").stdout
    assert "companies whose icp_tier is A" in said
    assert "next: icp-sync provision --views --apply" in said
    assert "Save view" in said
    done = made.run("provision", "--views", "--apply").stdout
    assert f"{len(VIEWS)} things made" in done
    assert "Save view" in made.run("provision", "--views").stdout
    assert "Save view" in made.json("provision", "--views")["by_hand"][-1]


def test_who_made_them_and_took_them_away_is_in_the_audit(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    made.run("provision", "--views", "--remove", "--apply")
    told = [one["what"] for one in made.json("audit")["entries"]]
    assert {"provision views", "provision views removed"} <= set(told)


def test_they_can_be_taken_away_without_the_properties(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    planned = made.json("provision", "--views", "--remove")
    assert (planned["left"], planned["changed"], len(lists(made))) == (len(VIEWS), 0, len(VIEWS))
    gone = made.json("provision", "--views", "--remove", "--apply")
    assert gone["changed"] == len(VIEWS)
    assert (lists(made), kept(made)) == ({}, {})
    assert made.json("provision")["left"] == 0


def test_removing_the_properties_takes_the_lists_along_and_they_stop_nothing(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    planned = made.json("provision", "--remove")
    assert planned["depends"] == []
    assert {f"list {title}" for title in TITLES} <= set(planned["left"])
    done = made.json("provision", "--remove", "--apply")
    assert {f"list {title}" for title in TITLES} | {"icp_tier", "group icp_fit"} <= set(done["removed"])
    assert (lists(made), kept(made)) == ({}, {})


def test_lists_stay_while_somebody_elses_stops_the_removal(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    made.crm.admin("POST depend", property="icp_tier", by="list", name="Hot accounts")
    refused = made.run("provision", "--remove", "--apply", code=3)
    assert "list Hot accounts: it uses icp_tier" in refused.stderr
    assert set(lists(made)) == TITLES | {"Hot accounts"}
    made.run("provision", "--remove", "--apply", "--force", code=2)
    assert set(lists(made)) == {"Hot accounts"}


def test_a_list_of_our_name_is_a_conflict_that_ends_with_2(made: Place) -> None:
    branch = {"filterBranchType": "OR", "filterBranches": [_and("name")], "filters": []}
    body = {"name": "ICP: Tier A", "objectTypeId": "0-2", "processingType": "DYNAMIC"}
    _api(made, "POST", "/crm/v3/lists", json={**body, "filterBranch": branch})
    done = made.json("provision", "--views", "--apply", code=2)
    assert done["conflicts"] == 1
    assert "tier_a" not in kept(made)
    assert len(kept(made)) == len(VIEWS) - 1


def test_views_come_after_the_properties_they_filter_by(fresh: Place) -> None:
    for words in ((), ("--apply",)):
        said = fresh.run("provision", "--views", *words, code=2).stderr
        assert "next: icp-sync provision --apply" in said
    assert lists(fresh) == {}


def _second(made: Place) -> None:
    """Another connection of the same settings opens the same portal."""
    text = made.config.read_text()
    main = text[text.index("[connections.main") :]
    made.config.write_text(text + main.replace("connections.main", "connections.emea"))


@pytest.mark.parametrize("words", [("--views",), ("--views", "--remove"), ("--remove",), ()])
def test_what_belongs_to_one_connection_no_other_touches(made: Place, words: tuple[str, ...]) -> None:
    made.run("provision", "--views", "--apply")
    before = lists(made)
    _second(made)
    for more in ((), ("--apply",)):
        said = made.run("provision", *words, *more, "--connection", "emea", code=2).stderr
        assert "belongs to connection main already" in said
    assert lists(made) == before
    assert made.run("provision", "--connection", "main").stdout


def _elsewhere(made: Place) -> None:
    """The settings of another installation: a journal and a key of its own."""
    text = made.config.read_text()
    made.config.write_text(text.replace("journal.sqlite", "other.sqlite").replace("seal.key", "other.key"))


def test_an_unbound_journal_shows_and_takes_nothing(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    before = lists(made)
    _elsewhere(made)
    assert made.json("provision", "--remove")["removed"] == []
    for words in (("--remove",), ("--views", "--remove")):
        said = made.run("provision", *words, "--apply", code=2).stderr
        assert "next: icp-sync bind" in said
    assert lists(made) == before


def test_another_installation_takes_away_nothing_until_it_is_declared_ours(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    before = lists(made)
    _elsewhere(made)
    made.run("provision", "--apply")
    told = made.json("provision", "--views", "--apply", code=2)
    assert (told["changed"], told["conflicts"]) == (0, len(VIEWS))
    assert made.json("provision", "--views", "--remove", "--apply")["changed"] == 0
    kept = made.json("provision", "--remove", "--apply")
    assert (kept["removed"], lists(made)) == ([], before)
    assert "this journal did not make it" in str(kept["keep"])
    made.run("bind", "--take-over")
    assert "icp_tier" in made.json("provision", "--remove", "--apply")["removed"]
    assert lists(made) == {}


def test_our_seals_prove_what_a_lost_journal_wrote(made: Place) -> None:
    made.run("profile", "activate")
    made.run("mode", "write")
    made.settle()
    made.run("provision", "--views", "--apply")
    made.config.write_text(made.config.read_text().replace("journal.sqlite", "new.sqlite"))
    made.run("provision", "--apply")
    assert set(made.json("provision", "--views", "--apply")["views"][0]) >= {"id"}
    assert made.json("provision", "--views", "--remove", "--apply")["changed"] == len(VIEWS)


@pytest.mark.parametrize("lacking", ["crm.lists.read", "crm.lists.write"])
def test_a_missing_scope_is_named_and_force_is_not_offered(made: Place, lacking: str) -> None:
    made.run("provision", "--views", "--apply")
    before = lists(made), kept(made)
    made.crm.admin("POST tokens", token=made.crm.token, scopes=sorted(SCOPES - {lacking}))
    for words in (("--remove",), ("--views", "--remove"), ("--remove", "--force")):
        said = made.run("provision", *words, "--apply", code=2).stderr
        assert lacking in said
        assert "nothing was removed" in said
        assert "--force" not in said
    made.crm.admin("POST tokens", token=made.crm.token, scopes=sorted(SCOPES))
    assert (lists(made), kept(made)) == before


def test_each_is_remembered_and_audited_as_it_is_made_and_as_it_goes(made: Place) -> None:
    made.crm.admin("POST faults", kind="reset_after_apply", match="POST lists$", nth=4)
    made.run("provision", "--views", "--apply", code=1)
    assert len(kept(made)) == 3
    assert set(kept(made).values()) <= set(lists(made).values())
    made.crm.admin("DELETE faults")
    made.run("provision", "--views", "--apply")
    entries = made.json("audit")["entries"]
    told = [what for one in entries if one["what"] == "provision views" for what in one["detail"]["views"]]
    assert len(told) == len(set(told)) == len(VIEWS) - 1, "of the one whose reply was lost nothing is known"


def test_what_force_overwrites_is_in_the_audit(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    branch = {"filterBranchType": "OR", "filterBranches": [_and("name")], "filters": []}
    _api(
        made,
        "PUT",
        f"/crm/v3/lists/{kept(made)['tier_a']}/update-list-filters",
        json={"filterBranch": branch},
    )
    made.run("provision", "--views", "--apply", "--force")
    last = [one for one in made.json("audit")["entries"] if one["what"] == "provision views"][-1]
    assert "name IS_KNOWN" in str(last["detail"])


def test_what_people_changed_is_told_and_set_right_when_forced(made: Place) -> None:
    made.run("provision", "--views", "--apply")
    branch = {"filterBranchType": "OR", "filterBranches": [_and("name")], "filters": []}
    path = f"/crm/v3/lists/{kept(made)['tier_a']}/update-list-filters"
    _api(made, "PUT", path, json={"filterBranch": branch})
    said = made.run("provision", "--views", "--apply").stdout
    assert "to set right what people changed: icp-sync provision --views --apply --force" in said
    [finding] = [one for one in made.json("check")["problems"] if one["area"] == "views"]
    assert "people changed" in finding["what"]
    assert made.json("provision", "--views", "--apply", "--force")["changed"] == 1
    assert made.json("provision", "--views")["changed_by_people"] == []


def test_check_warns_of_a_view_that_is_gone_and_says_how_it_comes_back(made: Place) -> None:
    made.run("profile", "activate")
    assert "views" not in made.json("check")["passed"]
    made.run("provision", "--views", "--apply")
    assert made.json("check")["passed"]["views"] == f"{len(VIEWS)} for reps"
    _api(made, "DELETE", f"/crm/v3/lists/{kept(made)['tier_a']}")
    [finding] = [one for one in made.json("check")["problems"] if one["area"] == "views"]
    assert (finding["severity"], finding["where"]) == ("warning", "list ICP: Tier A")
    assert finding["next"] == "icp-sync provision --views --apply"
    made.run("provision", "--views", "--apply")
    assert not [one for one in made.json("check")["problems"] if one["area"] == "views"]


def test_a_plan_with_few_lists_gets_as_many_as_there_is_room_for(made: Place) -> None:
    made.crm.admin("POST settings", active_lists=2)
    done = made.json("provision", "--views", "--apply")
    assert done["changed"] == 2
    assert len(done["by_hand"]) == len(VIEWS) - 2 + 1
    assert len(kept(made)) == 2


def test_a_token_without_the_scope_is_told_what_to_click(made: Place) -> None:
    made.crm.admin("POST tokens", token=made.crm.token, scopes=sorted(SCOPES - {"crm.lists.write"}))
    said = made.run("provision", "--views", "--apply").stdout
    assert "crm.lists.write" in said
    assert "ICP: Tier A: open CRM > Companies" in said


def test_a_small_footprint_leaves_out_what_it_does_not_carry(made: Place) -> None:
    text = made.config.read_text()
    made.config.write_text(text.replace("owner = true", 'owner = true\nfootprint = "minimal"'))
    done = made.json("provision", "--views", "--apply")
    [note] = [one for one in done["views"] if one["step"] == "note"]
    assert (note["key"], "does not carry tier_changed_at" in note["detail"]) == ("tier_changed", True)


def test_a_journal_of_another_portal_makes_nothing(made: Place) -> None:
    made.crm.portal.account.id += 1
    made.run("provision", "--views", "--apply", code=2)
    assert lists(made) == {}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--force",), "--force goes with --views --apply"),
        (("--apply", "--new-key"), "--new-key"),
        (("--sfdx", "x"), "--sfdx"),
    ],
)
def test_what_does_not_go_together_is_said(made: Place, options: tuple[str, ...], said: str) -> None:
    assert said in made.run("provision", "--views", *options, code=2).stderr
    assert lists(made) == {}


def test_after_a_backfill_each_list_holds_exactly_the_companies_of_its_tier(settled: Place) -> None:
    settled.run("provision", "--views", "--apply")
    try:
        known = kept(settled)
        held = records(settled, "companies", "icp_tier", "icp_lane", "icp_tier_changed_at")
        assert len({one["properties"]["icp_tier"] for one in held}) > 4
        for view in VIEWS:
            if view.of == "accounts" and view.values:
                name = f"icp_{view.field}"
                wanted = {one["id"] for one in held if one["properties"][name] in view.values}
                assert members(settled, known[view.key]) == wanted
        changed = {one["id"] for one in held if one["properties"]["icp_tier_changed_at"]}
        assert members(settled, known["tier_changed"]) == changed
    finally:
        settled.run("provision", "--views", "--remove", "--apply")


def test_as_many_companies_as_the_demo_has_are_listed_one_by_one_with_their_people(
    tmp_path: Path,
) -> None:
    with Simulator(accounts=1_837, seed=1, contacts=True) as crm:
        crm.admin("POST settings", property_lag=0, follow_up=False)
        place = Place(tmp_path, crm).write()
        place.run("provision", "--apply")
        place.run("provision", "--views", "--apply")
        tiers = ("A", "B", "C", "D", "Needs data", "Not ICP", "")
        store, contacts = crm.portal.store, crm.portal.contacts.store
        for at, id in enumerate(sorted(store.live)):
            tier = tiers[at * 7919 % 13 % 7]
            lane = "research" if at % 5 == 0 else "sales"
            record = store.records[id]
            record.props = {**record.props, "icp_tier": tier, "icp_lane": lane}
        known = kept(place)
        held = records(place, "companies", "icp_tier", "icp_lane")
        assert len(held) == 1_837
        for view in VIEWS:
            if view.values and view.of == "accounts":
                wanted = {one["id"] for one in held if one["properties"][f"icp_{view.field}"] in view.values}
                assert members(place, known[view.key]) == wanted != set()
        for key, tier in (("contacts_a", "A"), ("contacts_b", "B")):
            theirs = {
                str(person)
                for one in held
                if one["properties"]["icp_tier"] == tier
                for person in crm.portal.ties.of(int(one["id"]))
                if contacts.get(person) is not None
            }
            assert members(place, known[key]) == theirs != set()


def _and(name: str) -> dict[str, Any]:
    known = {"operationType": "ALL_PROPERTY", "operator": "IS_KNOWN"}
    filters = [{"filterType": "PROPERTY", "property": name, "operation": known}]
    return {"filterBranchType": "AND", "filters": filters, "filterBranches": []}
