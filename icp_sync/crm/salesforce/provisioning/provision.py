"""Our fields, permission sets and list views in an org: the missing are made, others' are not touched.

Looks first, decides everything, has Salesforce try it, looks again, then deploys it as one, and looks once
more for what somebody else did meanwhile. Doing it twice changes nothing. Where the user may not change
metadata the steps are shown all the same, for somebody else to take.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import access
from icp_sync.crm.salesforce.provisioning.deploying import Failure, NoRightError, deploy
from icp_sync.crm.salesforce.provisioning.field_steps import HIDDEN, Intent, Learned
from icp_sync.crm.salesforce.provisioning.granting import give
from icp_sync.crm.salesforce.provisioning.looking import Org, Unread, look
from icp_sync.crm.salesforce.provisioning.metadata import Component
from icp_sync.crm.salesforce.provisioning.permission_sets import INTEGRATION
from icp_sync.crm.salesforce.provisioning.reunion import reunited
from icp_sync.crm.salesforce.provisioning.steps import assignment, intents
from icp_sync.errors import ConfigError, Problem, UnavailableError
from icp_sync.ports import Blueprint, Step, StepKind

ROUNDS = 5
"""Deployments tried: what Salesforce will not take becomes a conflict, and the rest is tried without it."""

PASSES = 2
"""Times we begin again for what came to light, or was lost, by our own work."""

BY_HAND = "icp-sync provision --sfdx FOLDER, and have an administrator deploy that project"

_GRANTED = re.compile(r"\b(?:Account|Opportunity)\.\w+__c\b")


def provision(client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool) -> list[Step]:
    """The steps to the blueprint, taken when `apply`, else only checked by Salesforce.

    Raises what a call raises, and ConfigError naming the component for a failure that is of no step.
    """
    work = _Work(client, catalogue, blueprint)
    try:
        if not apply:
            return [intent.step for intent in work.tried()]
        work.show_ourselves()
        steps = work.taken()
        for _ in range(PASSES):
            if work.has_more():
                steps = _merged(steps, work.taken())
    except NoRightError as error:
        detail = "; ".join(filter(None, (str(error), work.blind_spot(), BY_HAND)))
        refused = Step(kind=StepKind.CONFLICT, what="right to change metadata", detail=detail)
        return [*work.told(), refused]
    catalogue.refresh()
    return steps


def lacking(client: Client, catalogue: Catalogue, blueprint: Blueprint) -> tuple[list[Component], list[Step]]:
    """What a project for this org must hold, and what none can.

    The second are steps for an administrator's own hands. What could not be read is in the project as if it
    was not there, and named among them. Changes nothing.
    """
    org = look(client, catalogue, blueprint)
    blind = replace(
        org,
        integration=None if isinstance(org.integration, Unread) else org.integration,
        readers=None if isinstance(org.readers, Unread) else org.readers,
        list_views=frozenset() if isinstance(org.list_views, Unread) else org.list_views,
    )
    planned = intents(blind, blueprint, Learned())
    unread = {
        "permission sets": org.integration if isinstance(org.integration, Unread) else org.readers,
        "list views": org.list_views,
        "fields nobody shows us": Unread(why=org.untold) if org.untold else None,
    }
    replaced = "; the project replaces those of the same names"
    steps = [
        Step(kind=StepKind.CONFLICT, what=what, detail=f"{found.why}{replaced}")
        for what, found in unread.items()
        if isinstance(found, Unread)
    ]
    by_hand = (StepKind.CONFLICT, StepKind.NOTE)
    steps += [one.step for one in planned if one.rows or one.step.kind in by_hand]
    return _components(planned), steps


class _Work:
    """One provisioning: what is known of the org, and what trying has taught."""

    def __init__(self, client: Client, catalogue: Catalogue, blueprint: Blueprint) -> None:
        self._client = client
        self._catalogue = catalogue
        self._blueprint = blueprint
        self._org = self._look()
        self._learned = Learned()
        self._surprises: set[str] = set()
        self._plain: Mapping[str, str] = {}  # list views refused with plain names of fields → why
        self._assigned = False
        self._revealed = False

    def show_ourselves(self) -> None:
        """Take the permission set that is there before judging what is hidden without it.

        It shows our fields, and the setup that tells what it gives itself.
        """
        org = self._org
        if org.integration_id and org.assigned is False:
            self._assigned = not access.assign(self._client, org.integration_id, org.user)
            self._org = self._look()

    def told(self) -> list[Step]:
        """The steps as they are planned, with what was done of them."""
        return [self._told(intent) for intent in self._plan()]

    def blind_spot(self) -> str:
        """What the steps may be wrong about, as Salesforce has not tried them."""
        return "fields nobody shows us would look missing, too" if self._org.untold else ""

    def tried(self) -> list[Intent]:
        """The plan less what Salesforce does not take of it; nothing is changed."""
        for _ in range(ROUNDS):
            planned = self._plan()
            components = _components(planned)
            if not components:
                return planned
            new = frozenset(one.full_name.lower() for one in components) - self._seen()
            failures = deploy(self._client, components, check_only=True, new=new)
            if not failures:
                return planned
            self._learn(failures, components)
        raise _unexpected(failures)

    def taken(self) -> list[Step]:
        """The steps, taken."""
        for _ in range(ROUNDS):
            planned = self.tried()
            self._org = self._look()
            if self._plan() != planned:
                continue  # somebody else was at work meanwhile
            components = _components(planned)
            failures = deploy(self._client, components, check_only=False) if components else []
            if not failures:
                return self._finished(planned, components)
            self._learn(failures, components)
        raise UnavailableError("the org changes while we look at it", next_step="icp-sync provision --apply")

    def has_more(self) -> bool:
        """Whether there is more to do now: values others lost by our work, or fields we see only now."""
        return bool(self._learned.reunited) or self._revealed

    def _finished(self, planned: Sequence[Intent], components: Sequence[Component]) -> list[Step]:
        steps = [self._done(intent) for intent in planned]
        before, self._org = self._org, self._look()
        lost = reunited(before, self._org, components)
        self._learned = replace(self._learned, reunited=lost)
        hidden = {one.step.what.lower() for one in planned if one.step.detail == HIDDEN}
        seen = {t.ours.shown(name).lower() for t in self._org.tables for name in t.definitions}
        self._revealed = bool(hidden & seen)
        return steps

    def _done(self, intent: Intent) -> Step:
        """A step as it was taken. Rights and our assignment are given here, once what they name exists."""
        step, problem = intent.step, ""
        if intent.rows and intent.wanted is not None:
            name = step.what.removeprefix("permission set ")
            problem = give(self._client, name, intent.wanted, intent.rows)
        if intent.assigns:
            id = self._org.integration_id or access.set_id(self._client, INTEGRATION)
            problem = "it cannot be seen after deployment"
            problem = access.assign(self._client, id, self._org.user) if id else problem
        if problem:
            return replace(step, kind=StepKind.CONFLICT, detail=problem)
        done = step.kind in (StepKind.CREATE, StepKind.ADD_OPTION)
        return replace(step, done=True) if done else self._told(intent)

    def _told(self, intent: Intent) -> Step:
        if self._assigned and intent.step.what == assignment(self._org).what:
            return replace(assignment(self._org), done=True)
        return intent.step

    def _look(self) -> Org:
        return look(self._client, self._catalogue, self._blueprint)

    def _plan(self) -> list[Intent]:
        return intents(self._org, self._blueprint, self._learned)

    def _seen(self) -> frozenset[str]:
        """Lower-case full names of what is there and is deployed again on purpose."""
        types = () if isinstance(self._org.record_types, Unread) else self._org.record_types
        fields = (
            table.ours.full_name(name).lower() for table in self._org.tables for name in table.definitions
        )
        return frozenset((*fields, *(f"account.{one.name.lower()}" for one in types)))

    def _learn(self, failures: Sequence[Failure], components: Sequence[Component]) -> None:
        surprises = {one.name.lower() for one in failures if one.there} - self._surprises
        if surprises:  # made a moment ago, perhaps: look before it counts as hidden
            self._surprises |= surprises
            self._org = self._look()
            return
        names = {component.full_name.lower() for component in components}
        blamed = _blamed(failures, names)
        views = {one.full_name.lower() for one in components if one.kind == "ListView"}
        learned = self._learned
        if blamed.keys() <= views and not self._plain:
            self._plain = blamed
            self._learned = replace(learned, prefixed=True)
            return
        if blamed.keys() == self._plain.keys():  # neither spelling helps
            blamed, learned = self._plain, replace(learned, prefixed=False)
        self._learned = replace(learned, refused={**learned.refused, **blamed})


def _components(planned: Sequence[Intent]) -> list[Component]:
    return [component for intent in planned for component in intent.components]


def _merged(first: Sequence[Step], second: Sequence[Step]) -> list[Step]:
    """The steps of two passes: what the second did beyond the first is told with it."""
    later = {step.what: step for step in second if step.kind is not StepKind.KEEP}
    steps = []
    for step in first:
        more = later.pop(step.what, None)
        if more is None or more == step:
            steps.append(step)
        elif step.done and more.done and more.detail != step.detail:
            steps.append(replace(step, detail="; ".join(filter(None, (step.detail, more.detail)))))
        else:
            steps.append(more)
    return [*steps, *later.values()]


def _blamed(failures: Sequence[Failure], names: set[str]) -> Mapping[str, str]:
    """Lower-case component → problem. A field that fails takes along what names it, so fields come first.

    A permission set that fails for a field names it; it is tried again without.
    """
    blamed: dict[str, list[str]] = {}
    for kinds in ({"CustomField"}, {"RecordType", "PermissionSet", "ListView"}):
        for failure in failures:
            if failure.kind in kinds and failure.name.lower() in names:
                named = _field_named(failure) or failure.name.lower()
                blamed.setdefault(named, []).append(failure.problem)
        if blamed:
            return {name: "; ".join(dict.fromkeys(problems)) for name, problems in blamed.items()}
    raise _unexpected(failures)


def _field_named(failure: Failure) -> str:
    """The field a permission set cannot grant, "" when it names none."""
    found = _GRANTED.search(failure.problem) if failure.kind == "PermissionSet" else None
    return found[0].lower() if found else ""


def _unexpected(failures: Sequence[Failure]) -> ConfigError:
    return ConfigError(
        [
            Problem(where=f"{failure.kind} {failure.name}".strip(), what=failure.problem, hint=BY_HAND)
            for failure in failures
        ]
    )
