"""The org's metadata: deployments over REST, permission sets, record types, list views.

Nothing here reads or writes records; what a permission set comes to when they are is `rights`' business.
"""

from __future__ import annotations

from icp_sync.simulator.salesforce.metadata import deploy, picklist_values, views

ROUTES = (*deploy.ROUTES, *picklist_values.ROUTES, *views.ROUTES)
