"""Every page there is, for tests that go to all of them."""

from __future__ import annotations

from collections.abc import Iterator

from icp_sync.console.rendering import PAGES
from icp_sync.journal import Journal
from tests.console.corpus import XSS


def paths(journal: Journal) -> Iterator[str]:
    """Every page of a connection, and one of each kind below them, as addresses below the connection."""
    for address, _ in PAGES:
        yield "" if address == "overview" else address
    yield "accounts?q=%3C"
    found = journal.find(XSS[0])
    yield f"accounts/{found[0][0] if found else journal.live_ids_page('', 1)[0]}"
    yield f"runs/{next(run.id for run in journal.runs(50) if run.report.get('written'))}"
