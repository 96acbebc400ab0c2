"""What an org still needs as a project for the Salesforce CLI: an administrator deploys it in our place."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from icp_sync.crm.salesforce.catalogue import Catalogue
from icp_sync.crm.salesforce.client import Client
from icp_sync.crm.salesforce.provisioning import packaging, provision
from icp_sync.crm.salesforce.views import components, making
from icp_sync.domain.views import View
from icp_sync.ports import Blueprint, Step


def project(
    client: Client, catalogue: Catalogue, blueprint: Blueprint, views: Sequence[View]
) -> tuple[Mapping[str, str], list[Step]]:
    """Path → text of a project in source format with what this org still needs, and what it cannot hold.

    views: those of reps that come with it. Changes nothing. Raises what a call raises.
    """
    made, by_hand = provision.lacking(client, catalogue, blueprint)
    if views:
        of_reps, more = making.lacking(client, views, blueprint)
        made, by_hand = components.together(made, of_reps, blueprint.fields), [*by_hand, *more]
    return packaging.project(made), by_hand
