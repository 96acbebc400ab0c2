"""What of reps' views uses our own fields: list views, formulas and layouts that are no strangers to them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning.deploying import Failure
from icp_sync.crm.salesforce.views import looking, sections
from icp_sync.crm.salesforce.views.components import CONTACT
from icp_sync.crm.salesforce.views.looking import Unread
from icp_sync.ports import Blueprint


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnUses:
    """ids: of everything of ours that uses a field of ours. formulas: API names of our fields of contacts."""

    ids: frozenset[str]
    formulas: frozenset[str]

    def keeps(self, failure: Failure) -> bool:
        """Whether a field cannot be deleted for the sake of one of our formulas and nothing else."""
        said = failure.problem.lower()
        named = (f"{CONTACT}.{name.removesuffix('__c')}".lower() for name in self.formulas)
        return "formula" in said and any(name in said for name in named)


def uses(client: Client, blueprint: Blueprint) -> OwnUses:
    """Ours, as far as it can be asked: what cannot is told as a stranger's."""
    formulas = looking.told(lambda: looking.formulas(client, blueprint))
    mine = [] if isinstance(formulas, Unread) else [one for one in formulas.values() if not one.why_not]
    layouts = looking.told(lambda: looking.with_section(client, sections.of(blueprint)))
    pages: Iterable[str] = () if isinstance(layouts, Unread) else (page.id for page in layouts)
    return OwnUses(
        ids=frozenset((*blueprint.views.values(), *(one.id for one in mine), *pages)),
        formulas=frozenset(one.target for one in mine),
    )
