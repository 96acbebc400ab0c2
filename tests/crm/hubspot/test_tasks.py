"""Tasks in a HubSpot portal: the contract, and what only HubSpot does."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from icp_sync.domain.plan import Result
from icp_sync.simulator.hubspot.portal import SCOPES
from tests.crm.hubspot.world import Portal
from tests.crm.task_contract import Given, TaskContract, TaskWorld, task


class Errands(Portal):
    other = "linnea.berg@sales.example"
    left = ""

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        people = [one for one in self.simulator.portal.owners if one.email]
        active = [one.email for one in people if not one.archived]
        self.other = active[1]
        self.left = next(one.email for one in people if one.archived)

    def tasks(self) -> list[Given]:
        portal = self.simulator.portal
        emails = {one.id: one.email for one in portal.owners}
        return [
            Given(
                id=str(one.id),
                owner=emails[one.props["hubspot_owner_id"]],
                subject=one.props["hs_task_subject"],
                body=one.props["hs_task_body"],
                accounts=tuple(map(str, portal.errands.companies_of(one.id))),
                open=one.props["hs_task_status"] != "COMPLETED",
            )
            for one in map(portal.tasks.store.records.__getitem__, portal.tasks.store.live)
        ]

    def finish(self, task: str) -> None:
        portal = self.simulator.portal.tasks
        portal.store.records[int(task)].props |= {"hs_task_status": "COMPLETED"}

    def retype(self, task: str, subject: str = "", body: str = "") -> None:
        held = self.simulator.portal.tasks.store.records[int(task)].props
        held |= {"hs_task_subject": subject or held["hs_task_subject"]}
        held |= {"hs_task_body": f"<p>{held['hs_task_body'].replace('<br>', '<br />')}</p>{body}"}

    def lose_next_task(self) -> None:
        self.fault("reset_after_apply", "POST tasks", nth=1)

    def break_tasks(self) -> None:
        self.fault("500", "POST tasks")

    def forbid_tasks(self) -> str:
        allowed = sorted(SCOPES - {"crm.objects.contacts.write"})
        self.simulator.admin("POST tokens", token=self.simulator.token, scopes=allowed)
        return "crm.objects.contacts.write"

    def require(self) -> None:
        self.fault("409", "POST tasks", nth=1)


class TestHubSpot(TaskContract):
    @pytest.fixture(params=["2026-03", "2026-09", "v3"])
    def world(self, request: pytest.FixtureRequest) -> Iterator[TaskWorld]:
        portal = Errands(version=request.param)
        yield portal
        portal.close()


@pytest.fixture
def portal() -> Iterator[Errands]:
    portal = Errands()
    yield portal
    portal.close()


def test_a_name_is_no_markup_in_the_task(portal: Errands) -> None:
    acme = portal.create()
    portal.crm.give_task(task(acme, body='- <img src=x onerror="x">\n- more'))
    (given,) = portal.tasks()
    assert "<img" not in given.body
    assert given.body.startswith("- &lt;img src=x onerror=&quot;x&quot;&gt;<br>- more<br>[icp-sync ")


def test_a_task_is_found_among_the_many_of_a_company(portal: Errands) -> None:
    acme = portal.create()
    for n in range(130):
        portal.crm.give_task(task(acme, key=f"icp-sync {n:04}"))
        portal.finish(portal.tasks()[-1].id)
    made = portal.crm.give_task(task(acme, key="icp-sync the last"))
    assert portal.crm.give_task(task(acme, key="icp-sync the last")).id == made.id
    assert len(portal.tasks()) == 131


def test_the_task_of_a_company_that_was_merged_is_found_at_its_survivor(portal: Errands) -> None:
    acme, kept = portal.create("Acme"), portal.create("Kept")
    made = portal.crm.give_task(task(acme))
    portal.merge(acme, kept)
    again = portal.crm.give_task(task(kept))
    assert (again.result, again.id) == (Result.WRITTEN, made.id)
    assert len(portal.tasks()) == 1


def test_a_task_that_an_editor_set_its_own_way_is_still_as_we_wrote_it(portal: Errands) -> None:
    acme = portal.create()
    first = portal.crm.give_task(task(acme, key="icp-sync 01"))
    portal.retype(first.id)
    assert portal.crm.give_task(task(acme, key="icp-sync 02")).id == first.id
