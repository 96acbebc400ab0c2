"""Taking away what we made in an org: list views, fields, permission sets. What depends on it is told first.

Salesforce tries every deletion before one is done. Views and fields go in one deployment, all or none, then
our permission sets are taken from their holders, ours last, and deleted. A deleted field is kept for 15 days
with its values ("Manage Deleted Custom Fields", Salesforce Help); the history of a field goes at once.
https://developer.salesforce.com/docs/atlas.en-us.api_meta.meta/api_meta/meta_deploy_deleting_files.htm
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import access, belongings
from icp_sync.crm.salesforce.provisioning.belongings import FIELD, SET, VIEW, Belonging, Belongings
from icp_sync.crm.salesforce.provisioning.dependents import Dependent, dependents, named
from icp_sync.crm.salesforce.provisioning.deploying import Failure, NoRightError, delete
from icp_sync.crm.salesforce.soql import literal, select
from icp_sync.crm.salesforce.views import own
from icp_sync.crm.salesforce.views.own import OwnUses
from icp_sync.errors import AuthError, ConfigError, Problem, RequestError
from icp_sync.ports import Blueprint, Step, StepKind

ROUNDS = 5
"""Deletions tried: what Salesforce will not let go stays, and the rest is tried without it."""

BY_HAND = "have an administrator delete them: Setup → Object Manager → Account, and Opportunity"
KEPT = Step(
    kind=StepKind.NOTE,
    what="deleted fields",
    detail="Salesforce keeps them and their values for 15 days (Object Manager → Account or Opportunity → "
    "Fields & Relationships → Deleted Fields), their history it deletes at once. Made again they are new "
    "and empty; the old ones, restored, have _del in their names",
)
REPORTS = Step(
    kind=StepKind.NOTE,
    what="reports",
    detail="nobody tells which reports use our fields: look with 'Where is this used?' on the field's page",
)


def remove(
    client: Client, catalogue: Catalogue, blueprint: Blueprint, *, apply: bool, force: bool
) -> list[Step]:
    """The steps back to an org without us, taken when `apply`, else only tried by Salesforce.

    With something that depends on a field nothing is taken, unless `force`; then what Salesforce refuses to
    delete is a CONFLICT, and the rest goes. While anything could not be looked at nothing is taken at all:
    our permission sets, once gone, would leave it out of sight. Raises what a call raises.
    """
    found = belongings.look(client, blueprint)
    work = _Removal(client, found, own.uses(client, blueprint))
    try:
        work.try_it()
    except NoRightError as error:
        detail = f"{error}; {BY_HAND}"
        refused = Step(kind=StepKind.CONFLICT, what="right to change metadata", detail=detail, lacks=True)
        return [*work.steps(force=force), refused]
    if apply and not found.blind and (force or not work.uses):
        work.take()
        catalogue.refresh()
    return work.steps(force=force)


class _Removal:
    """One removal: what is there, what uses it, and what has become of it.

    refused: lower-case full name of what Salesforce will not delete → why.
    """

    def __init__(self, client: Client, found: Belongings, mine: OwnUses) -> None:
        self._client = client
        self._found = found
        self._mine = mine
        views = [one.id for one in found.ours(VIEW)]
        self.uses, self._untold = dependents(client, found.ours(FIELD), [*views, *mine.ids])
        self._refused: dict[str, str] = {}
        self._done: set[str] = set()

    # Trying and taking

    def try_it(self) -> None:
        """Have Salesforce try everything, and learn what it would not delete."""
        self._delete(self._going(VIEW, FIELD), check_only=True)

    def take(self) -> None:
        """Delete what can go."""
        self._delete(self._going(VIEW, FIELD), check_only=False)
        for one in self._going(SET):
            if problem := self._emptied(one):
                self._refused[one.full_name.lower()] = problem
        self._delete(self._going(SET), check_only=False)

    def _going(self, *kinds: str) -> list[Belonging]:
        return [one for one in self._found.ours(*kinds) if one.full_name.lower() not in self._refused]

    def _delete(self, doomed: Sequence[Belonging], *, check_only: bool) -> None:
        for _ in range(ROUNDS):
            if not doomed:
                return
            failures = delete(self._client, [one.doomed for one in doomed], check_only=check_only)
            if not failures:
                self._done |= set() if check_only else {one.full_name for one in doomed}
                return
            # What only a formula of ours keeps goes behind that formula: it cannot be tried before.
            waiting = {one.name.lower() for one in failures if check_only and self._mine.keeps(one)}
            doomed = [one for one in doomed if one.full_name.lower() not in waiting]
            if others := [one for one in failures if one.name.lower() not in waiting]:
                self._learn(others, doomed)
            doomed = [one for one in doomed if one.full_name.lower() not in self._refused]
        if doomed:
            raise _unexpected(failures)

    def _learn(self, failures: Sequence[Failure], doomed: Sequence[Belonging]) -> None:
        names = {one.full_name.lower() for one in doomed}
        blamed = {one.name.lower(): one for one in failures if one.name.lower() in names}
        if not blamed:
            raise _unexpected(failures)
        for name, failure in blamed.items():
            self._refused[name] = failure.problem
            user = named(failure)
            if user is not None and user not in self.uses:
                self.uses = [*self.uses, user]

    def _emptied(self, one: Belonging) -> str:
        """Take a permission set from everybody; why that could not be done, "" when it could."""
        where = [f"PermissionSetId = {literal(one.id)}"]
        try:
            given = access.rows(self._client, select(["Id"], "PermissionSetAssignment", where))
            for row in given:
                self._client.call("DELETE", f"sobjects/PermissionSetAssignment/{row['Id']}")
        except (AuthError, RequestError) as error:
            return f"it could not be taken from those who have it: {error}"
        return ""

    # Telling

    def steps(self, *, force: bool) -> list[Step]:
        """What depends on ours, what goes, what stays and why, and what to know."""
        going = [self._step(one, force=force) for one in self._found.found if one.told]
        unread = [
            Step(kind=StepKind.CONFLICT, what=what, detail=why) for what, why in self._found.unread.items()
        ]
        return [*map(_depends, self.uses), *going, *unread, *self._notes()]

    def _step(self, one: Belonging, *, force: bool) -> Step:
        if one.spared:
            return Step(kind=StepKind.CONFLICT, what=one.what, detail=one.spared)
        why = self._refused.get(one.full_name.lower())
        # Until it is forced, what depends on it is told in its stead.
        if why and (force or not any(use.field == one.what for use in self.uses)):
            return Step(kind=StepKind.CONFLICT, what=one.what, detail=f"Salesforce keeps it: {why}")
        people = f"{one.holders} {'person has' if one.holders == 1 else 'people have'} it"
        step = Step(kind=StepKind.REMOVE, what=one.what, detail=people if one.kind == SET else "")
        return replace(step, done=one.full_name in self._done)

    def _notes(self) -> list[Step]:
        if not self._found.ours(FIELD):
            return []
        detail = f"{self._untold}; what Salesforce refuses to delete is found by trying"
        untold = Step(kind=StepKind.NOTE, what="what uses our fields could not be asked", detail=detail)
        return [*([untold] if self._untold else []), REPORTS, KEPT]


def _depends(one: Dependent) -> Step:
    return Step(kind=StepKind.DEPENDS, what=one.what, detail=f"uses {one.field}")


def _unexpected(failures: Sequence[Failure]) -> ConfigError:
    told: Mapping[str, str] = {f"{one.kind} {one.name}".strip(): one.problem for one in failures}
    return ConfigError([Problem(where=where, what=what, hint=BY_HAND) for where, what in told.items()])
