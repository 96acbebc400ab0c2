"""Audit: who changed what, when, a page at a time; and whether the record of it is whole."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.acting import figures_of
from icp_sync.console.beside import counted, failing
from icp_sync.console.rendering import page
from icp_sync.reporting.trail import broken_in_words, entry_of, in_words

LIMIT = 50
VERIFIED_EVERY = 300.0
"""Seconds for which a walk along the whole chain is good."""


def routes() -> list[BaseRoute]:
    return [Route("/c/{connection}/audit", audit)]


def audit(request: Request) -> Response:
    journal = figures_of(request).place.journal
    said = request.query_params.get("before", "")
    before = int(said) if said.isdecimal() and len(said) < 19 else None
    found = journal.audit_page(before=before, limit=LIMIT + 1)
    chain = counted(
        journal,
        "audit chain",
        lambda: {"broken": journal.audit_broken()},
        request.app.state.clock,
        every=VERIFIED_EVERY,
    )
    return page(
        request,
        "audit.html",
        title="Audit",
        failed=failing(journal, "audit chain"),
        rows=[{**entry_of(one), "said": in_words(one.detail)} for one in found[:LIMIT]],
        more=found[LIMIT - 1].seq if len(found) > LIMIT else 0,
        begun=before is not None,
        chain=chain,
        broken=broken_in_words(chain.value["broken"]) if chain and chain.value["broken"] is not None else "",
    )
