"""`provision --remove`: what was made goes out of the CRM again, and only on a clear word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from icp_sync.ports import Stream
from icp_sync.settings import load
from icp_sync.simulator.hubspot.portal import SCOPES
from icp_sync.sync.cycle import Scope, cycle
from icp_sync.wiring import wire
from tests.cli.conftest import Place


@pytest.fixture
def made(fresh: Place) -> Place:
    fresh.run("provision", "--apply")
    fresh.run("profile", "activate")
    return fresh


def properties(place: Place) -> set[str]:
    catalogue = place.crm.portal.catalogue
    return {one.name for one in catalogue.readable(archived=False) if one.custom}


def outputs(place: Place) -> dict[str, str]:
    return load(place.config).connection(None)[1].field_properties


def known(place: Place) -> set[str]:
    """The outputs whose values the journal believes to be ours on any account."""
    wired = wire(load(place.config))
    told = [wired.journal.known_of(company["id"]) for company in place.companies()]
    wired.journal.close()
    return {field for one in told if one is not None for field in one.ours}


def test_a_dry_run_lists_what_would_go_and_changes_nothing(made: Place) -> None:
    before = properties(made)
    said = made.run("provision", "--remove").stdout
    assert "mode observe" not in said
    made.run("mode", "write")
    told = " ".join(made.run("provision", "--remove").stdout.split())
    assert "next: icp-sync mode observe, then: icp-sync provision --remove --apply" in told
    assert "icp_tier" in said
    assert "90 days" in said
    assert "next: icp-sync provision --remove --apply" in said
    shown = made.json("provision", "--remove")
    assert (shown["applied"], shown["removed"]) == (False, [])
    assert "icp_seal" in shown["left"]
    assert shown["left"][-1].startswith("group ")
    assert properties(made) == before


def test_while_the_connection_may_write_nothing_is_removed(made: Place) -> None:
    before = properties(made)
    made.run("mode", "write")
    said = made.run("provision", "--remove", "--apply", code=2).stderr
    assert "next: icp-sync mode observe" in said
    assert properties(made) == before


def test_everything_goes_is_audited_and_can_be_made_and_written_again(made: Place) -> None:
    made.run("mode", "write")
    made.settle()
    tiers = made.companies(icp_tier="A") + made.companies(icp_tier="Needs data")
    before = {company["id"]: company["icp_tier"] for company in tiers}
    made.run("mode", "observe")
    done = made.json("provision", "--remove", "--apply")
    assert properties(made) == set()
    assert done["accounts_forgotten"] == 5
    assert (done["left"], done["conflict"]) == ([], [])
    wired = wire(load(made.config))
    begun, ended = wired.journal.audited()[-2:]
    assert (begun.what, ended.what) == ("provision remove", "provision removed")
    assert "icp_tier" in str(ended.detail)
    wired.journal.close()
    assert "Nothing of ours" in made.run("provision", "--remove", "--apply").stdout
    for record in made.crm.portal.store.records.values():  # the 90 days are over
        record.props = {name: value for name, value in record.props.items() if not name.startswith("icp_")}
    made.run("provision", "--apply")
    made.run("mode", "write")
    made.settle()
    tiers = made.companies(icp_tier="A") + made.companies(icp_tier="Needs data")
    assert {company["id"]: company["icp_tier"] for company in tiers} == before


def test_a_removal_cut_short_forgets_what_is_gone_and_is_written_down_all_the_same(made: Place) -> None:
    made.run("mode", "write")
    made.settle()
    made.run("mode", "observe")
    made.crm.admin("POST faults", kind="403", match="DELETE .*properties", nth=6, count=1)
    made.run("provision", "--remove", "--apply", code=2)
    made.crm.admin("DELETE faults")
    gone = {field for field, name in outputs(made).items() if name not in properties(made)}
    assert gone
    assert not known(made) & gone
    assert known(made)
    wired = wire(load(made.config))
    assert wired.journal.audited()[-1].what == "provision remove"
    wired.journal.close()


def test_what_a_killed_removal_left_to_forget_the_next_one_forgets(made: Place) -> None:
    made.run("mode", "write")
    made.settle()
    made.run("mode", "observe")
    wired = wire(load(made.config))
    wired.crm.provision(wired.blueprint(()), apply=True, remove=True)
    wired.journal.close()
    assert known(made)
    assert made.json("provision", "--remove", "--apply")["accounts_forgotten"] == 5
    assert not known(made)


def test_what_an_earlier_setting_named_goes_and_a_clone_of_it_stays(made: Place) -> None:
    catalogue = made.crm.portal.catalogue
    catalogue.put(replace(catalogue.all["icp_tier"], name="tier_of_our_partners", label="Tier (copy)"))
    file = made.config.read_text()
    made.config.write_text(
        file.replace("[connections.main.outputs]", '[connections.main.outputs]\nprefix = "fit_"')
    )
    done = made.json("provision", "--remove", "--apply")
    assert "icp_tier" in done["removed"]
    assert properties(made) == {"tier_of_our_partners"}
    assert {"what": "tier_of_our_partners", "detail": "it is not of this installation"} in done["keep"]


def test_what_is_used_stays_until_it_is_forced(made: Place) -> None:
    crm = made.crm
    crm.admin("POST tokens", token=crm.token, scopes=sorted(SCOPES | {"crm.lists.read"}))
    crm.admin("POST depend", property="icp_tier", by="list", name="Hot accounts")
    before = properties(made)
    assert "--apply --force" in made.run("provision", "--remove").stdout
    refused = made.run("provision", "--remove", "--apply", code=3)
    assert "list Hot accounts: it uses icp_tier" in refused.stderr
    assert "nothing was removed" in refused.stderr
    assert "next: icp-sync provision --remove --apply --force" in refused.stderr
    assert properties(made) == before
    forced = made.json("provision", "--remove", "--apply", "--force", code=2)
    assert [one["what"] for one in forced["conflict"]] == ["icp_tier"]
    assert properties(made) == {"icp_tier"}


def test_what_only_hubspot_knows_of_ends_the_removal_and_is_named(made: Place) -> None:
    made.crm.admin("POST depend", property="icp_lane", by="workflow", name="Alert the team")
    refused = made.run("provision", "--remove", "--apply", code=3)
    assert "icp_lane: HubSpot does not archive it: workflow" in refused.stderr
    assert "removed before that" in refused.stderr
    assert {"icp_lane", "icp_seal"} <= properties(made)


def test_a_journal_of_another_portal_removes_nothing(made: Place) -> None:
    before = properties(made)
    made.crm.portal.account.id += 1
    made.run("provision", "--remove", "--apply", code=2)
    assert properties(made) == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--remove", "--force"), "--force goes with --remove --apply"),
        (("--force",), "--force goes with --remove --apply"),
        (("--remove", "--apply", "--new-key"), "--new-key"),
        (("--remove", "--sfdx", "x"), "--sfdx"),
    ],
)
def test_options_that_do_not_go_together_are_said(fresh: Place, options: tuple[str, ...], said: str) -> None:
    assert said in fresh.run("provision", *options, code=2).stderr


def test_an_output_removed_while_the_worker_runs_stops_alone_and_comes_back(made: Place) -> None:
    made.run("mode", "write")
    catalogue, wired = made.crm.portal.catalogue, wire(load(made.config))
    assert wired.crm.history(["1"], ["lane"]) == {}  # its properties are known now
    lane = catalogue.all["icp_lane"]
    catalogue.put(replace(lane, archived_at=1))
    for _ in range(2):
        cycle(Stream.BACKFILL, wired.parts, Scope(restart=True))
    assert list(wired.crm.disabled) == ["lane"]
    written = made.companies(icp_certainty="provisional") + made.companies(icp_certainty="firm")
    assert len(written) == 5
    catalogue.put(lane)
    fresh = wire(load(made.config))
    cycle(Stream.BACKFILL, fresh.parts, Scope(restart=True))
    assert not made.companies(icp_lane="")
    assert sum(len(made.companies(icp_lane=one)) for one in ("sales", "research", "nurture", "none")) == 5
    for one in (wired, fresh):
        one.journal.close()
