"""The profile: what is active, its own tests, what it rests on, whether it drifts, what may replace it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from icp_sync.console.access import Role
from icp_sync.console.acting import Act, Done, action, figures_of
from icp_sync.console.figures import Figures
from icp_sync.console.pages.accounts import profiles_of
from icp_sync.console.place import Place
from icp_sync.console.rendering import page
from icp_sync.domain.kin import kin_facts
from icp_sync.errors import ConfigError, Problem, UnsafePlanError
from icp_sync.profile_file.page import Block, Bullets, Grid
from icp_sync.reporting import activation, subjects
from icp_sync.reporting.examples import FAILED, PASSED, Tried, judge
from icp_sync.reporting.profiles import Activation, activations, candidate, digest_of, page_of
from icp_sync.reporting.text import counted
from icp_sync.wiring import sources_of

if TYPE_CHECKING:
    from icp_sync.domain.compile import Compiled
    from icp_sync.profile_file.page import Page

EXAMPLES = 60
"""Of a profile's examples, how many are judged for a page."""
VERSIONS = 30


def routes() -> list[BaseRoute]:
    return [
        Route("/c/{connection}/profile", profile),
        action("profile/activate", Role.APPROVER, activate),
    ]


def profile(request: Request) -> Response:
    """The whole page."""
    found = figures_of(request)
    place = found.place
    version, compiled = profiles_of(place)
    versions = place.journal.versions()
    by = activations(place.journal)
    tried = _tried(place, compiled)
    return page(
        request,
        "profile.html",
        title="Profile",
        version=version,
        active=next((one for one in versions if one.active), None),
        by=by.get(version, Activation(who="", what="", note="", proof={})),
        unreadable=bool(versions) and not compiled,
        documents=[_laid(one) for one in _pages(found, version, compiled)],
        tried=tried,
        passed=sum(one.result == PASSED for one in tried),
        failed=sum(one.result == FAILED for one in tried),
        drift=_drift(place),
        versions=versions[:VERSIONS],
        who={number: one.who for number, one in by.items()},
        candidate=candidate(place.opened, [one.profile for one in compiled], place.wired().types),
    )


def _pages(found: Figures, version: int, compiled: Sequence[Compiled]) -> list[Page]:
    """Each active profile as a page for people."""
    active = found.place.journal.active()
    documents = active[1] if active is not None and active[0] == version else ()
    counts = found.latest.data["tiers"] if found.latest else {}
    sources = sources_of(found.place.wired())
    return [
        page_of(one.profile, name, text, version=version, counts=counts, sources=sources)
        for one, (name, text) in zip(compiled, documents, strict=False)
    ]


def _laid(one: Page) -> dict[str, Any]:
    """A page as its template needs it: every block with its kind."""
    return {
        "title": one.title,
        "lead": one.lead,
        "notes": one.notes,
        "sections": [
            {"title": section.title, "blocks": [_block(block) for block in section.blocks]}
            for section in one.sections
        ],
    }


def _block(block: Block) -> dict[str, Any]:
    kind = "grid" if isinstance(block, Grid) else "bullets" if isinstance(block, Bullets) else "paragraph"
    said = {"kind": kind, **asdict(block)}
    if isinstance(block, Grid) and block.bars is not None:
        numbers = [int(row[block.bars]) for row in block.rows]
        most = max(numbers, default=0) or 1
        said["widths"] = [round(100 * n / most, 1) for n in numbers]
    return said


def _tried(place: Place, compiled: Sequence[Compiled]) -> list[Tried]:
    """The first examples of the active profiles, judged on what the journal knows."""
    profiles = [one.profile for one in compiled]
    domains = list(dict.fromkeys(domain for one in profiles for domain in one.examples))[:EXAMPLES]
    asked = kin_facts(profiles)
    journal = place.journal
    known = {
        domain: list(subjects.stored(journal, journal.evaluable_of(domain), asked)) for domain in domains
    }
    return [one for one in judge(profiles, known, time.time()) if one.domain in known] if domains else []


def _drift(place: Place) -> Any:
    """What the last look at drift found, None before there was one."""
    from icp_sync.learning.drift.watch import report_of

    kept = place.journal.watched()
    return None if kept is None else report_of(kept)


def activate(act: Act) -> Done:
    """The files of the settings become the active version, exactly those that were looked at.

    One that was learned must have been promoted before: its gate is not passed by from here.
    """
    at = act.place.opened
    loaded = activation.ready(at, None)
    if digest_of(loaded) != act.form.get("digest"):
        what = "the files have changed since this page was shown; look at them again"
        raise ConfigError([Problem(where="profile files", what=what)])
    if unproven := activation.unproven(at, loaded):
        names = ", ".join(one.profile.name for one in unproven)
        said = f"{names}: learned from outcomes, and never promoted as it stands; nothing was changed."
        raise UnsafePlanError(said, next_step=activation.command("promote", None))
    note = " ".join(act.form.get("note", "").split())[:500]
    done = activation.make_active(at, loaded, note=note, now=act.now)
    alike = "".join(f" {one}." for one in done.resembling)
    rolled = f"{counted(done.accounts, 'account')} will be re-evaluated by a paced backfill."
    step = "New flags need options: icp-sync provision."
    said = f"Version {done.version} is active. {step}{alike}"
    return Done(
        what="profile activate",
        said=said if done.changed else f"These files are the active version {done.version} already.",
        then=rolled if done.changed else "",
        to=f"/c/{act.place.name}/profile",
        detail=activation.audited(done, loaded, note),
        changed=done.changed,
    )
