"""The plan: what would happen if the candidate files were activated: who moves, from where to where, by what."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.figures import Figures
from icp_sync.console.pages.accounts import profiles_of
from icp_sync.console.rehearsing import Asked, Made, Rehearsing, rehearsing_of
from icp_sync.console.rendering import page
from icp_sync.domain.profile import Profile
from icp_sync.reporting.migration import ORDER
from icp_sync.reporting.plan_files import plan_files
from icp_sync.reporting.profiles import Candidate, candidate
from icp_sync.reporting.rehearsal import Moved, Rehearsal

LIMIT = 50
LONGEST = 200
CHANGES = 40


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/plan", plan),
        Route("/c/{connection}/plan/again", again, methods=["POST"]),
    ]
