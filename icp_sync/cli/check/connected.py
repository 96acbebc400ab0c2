"""What the CRM itself says of a connection: credentials, binding, rights and fields, inputs, owners."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from icp_sync.cli.check import views
from icp_sync.cli.check.examination import ERROR, PROVISION, WARNING, Examination
from icp_sync.cli.check.telling import unheard
from icp_sync.errors import Problem

if TYPE_CHECKING:
    from icp_sync.domain.profile import Profile
    from icp_sync.ports import Identity
    from icp_sync.wiring import Wired


def look(found: Examination, wired: Wired, profiles: tuple[Profile, ...]) -> None:
    """Credentials, identity, rights, fields, limits and owners."""
    identity = found.attempt(
        "credentials",
        wired.crm.identity,
        lambda i: f"{wired.crm.kind} {i.id}, {'production' if i.production else 'not production'}",
    )
    if identity is None:
        return
    if "journal" in found.passed:
        found.add(*_binding(wired, identity))
    problems = found.attempt("CRM", lambda: wired.crm.check(wired.blueprint(profiles)), lambda _: "")
    if problems is not None:
        found.add(ERROR, "CRM", problems)
        if problems:
            del found.passed["CRM"]
        else:
            found.passed["CRM"] = "what we may read and write, our fields, limits"
        _inputs(found, wired)
        if not problems and "journal" in found.passed:
            views.look(found, wired)
    if wired.settings.salesforce and wired.settings.salesforce.bulk_writes:
        what = "large pages are written by bulk jobs, which run the org's assignment rules: owners may move"
        hint = "bulk_writes = false, unless no rule may move an account"
        found.add(WARNING, "CRM", [Problem(where="bulk_writes", what=what, hint=hint)])
    people = found.attempt("owners", wired.crm.owners, lambda o: f"{len(o)} in the CRM")
    if people is not None:
        active = {owner.email for owner in people if owner.active}
        found.add(WARNING, "owners", _absent_people(profiles, active))
        found.add(WARNING, "telling", unheard(profiles, wired.settings.telling, active))
        found.add(ERROR, "owners", _strangers(wired, {owner.email for owner in people}))
        if wired.settings.salesforce and wired.settings.outputs.owner and not wired.settings.nobody:
            what = "nobody stands for an unowned account, so none is ever vacant and routes give no owner"
            hint = "name the users who stand for nobody in vacant_owners"
            found.add(WARNING, "owners", [Problem(where="vacant_owners", what=what, hint=hint)])


def _inputs(found: Examination, wired: Wired) -> None:
    """Whether the fields that feed facts are there for us: what is hidden tells nothing, and says nothing."""
    from icp_sync.cli.facts.checks import inputs

    fields = found.attempt("fields", wired.crm.fields, lambda f: f"{len(f)} in the CRM")
    if fields is not None:
        inputs(found, wired, fields)


def _binding(wired: Wired, identity: Identity) -> tuple[str, str, list[Problem]]:
    """How the journal's binding stands to the CRM the credentials open: severity, area, problems."""
    expected, where = wired.journal.bound_to(), f"connection {wired.name}"
    if not expected:
        what = f"not bound to {identity.id} yet"
        return WARNING, "journal", [Problem(where=where, what=what, hint=PROVISION)]
    if expected == identity.id:
        return ERROR, "journal", []
    what = f"the journal belongs to {expected}, but these credentials open {identity.id}"
    hint = "use the right credentials, or icp-sync bind --rebind"
    return ERROR, "journal", [Problem(where=where, what=what, hint=hint)]


def _strangers(wired: Wired, known: set[str]) -> Iterator[Problem]:
    """Owners said to stand for nobody whom the CRM does not know."""
    for email in sorted(wired.settings.nobody - known):
        what = f"no user of this org has the email {email}"
        yield Problem(where="vacant_owners", what=what, hint="correct the address")


def _absent_people(profiles: tuple[Profile, ...], active: set[str]) -> Iterator[Problem]:
    """People a profile routes to who cannot be given anything."""
    for profile in profiles:
        named = {(f"pool {p.name}", m.email) for p in profile.pools.values() for m in p.members}
        named |= {("a route", r.target.owner) for r in profile.routes if "@" in r.target.owner}
        for what, email in sorted(named):
            if email not in active:
                yield Problem(
                    where=f"profile {profile.name}, {what}",
                    what=f"{email} is not an active owner in the CRM and will be passed over",
                    hint="correct the address, or invite them",
                )
