"""Every endpoint of the API, collected from the modules that serve them."""

from __future__ import annotations

from icp_sync.simulator.salesforce import (
    bulk_ingest,
    bulk_query,
    collections,
    composite,
    describe,
    metadata,
    objects,
    query,
    replication,
    resources,
    tooling,
)
from icp_sync.simulator.salesforce.routes import Routes

ENDPOINTS = Routes(
    (
        *resources.ROUTES,
        *describe.ROUTES,
        *query.ROUTES,
        *bulk_query.ROUTES,
        *objects.ROUTES,
        *collections.ROUTES,
        *composite.ROUTES,
        *bulk_ingest.ROUTES,
        *replication.ROUTES,
        *metadata.ROUTES,
        *tooling.ROUTES,
    )
)
