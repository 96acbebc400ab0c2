"""Whether the views we made for reps are still there, and still show what they are for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from icp_sync.cli.check.examination import WARNING, Examination
from icp_sync.cli.owning import written_down
from icp_sync.domain.views import marked
from icp_sync.errors import Problem
from icp_sync.ports import StepKind

if TYPE_CHECKING:
    from icp_sync.ports import ViewStep
    from icp_sync.wiring import Wired

AGAIN = "icp-sync provision --views --apply"
MISSING = "reps' views need it, and it is not there"


def look(found: Examination, wired: Wired) -> None:
    """Nothing is asked where none was ever made."""
    known = {key: view.id for key, view in wired.journal.views().items()}
    if not known:
        return
    outputs = wired.blueprint(())
    blueprint = replace(outputs, made=written_down(wired, wired.journal.bound_to()))
    wanted = [view for view in marked(outputs.mark) if view.key in known]
    told = found.attempt(
        "views",
        lambda: wired.crm.views(wanted, blueprint, known, apply=False),
        lambda views: f"{sum(bool(one.key and one.id) for one in views.steps)} for reps",
    )
    if told is not None:
        found.add(WARNING, "views", _wrong(told.steps))


def _wrong(steps: Sequence[ViewStep]) -> Iterator[Problem]:
    """What is wrong with views, and (without a key) with what they need: fields of contacts, a section."""
    for one in steps:
        match one.step.kind:
            case StepKind.CREATE:
                what = "it was made for reps and is not there any more"
                yield Problem(where=one.step.what, what=what if one.key else MISSING, hint=AGAIN)
            case StepKind.ADD_OPTION:
                yield Problem(where=one.step.what, what=f"it lacks {one.step.detail}", hint=AGAIN)
            case StepKind.UPDATE:
                yield Problem(where=one.step.what, what=one.step.detail, hint=AGAIN)
            case StepKind.NOTE if not one.key:
                continue
            case StepKind.RESTORE:
                what = "people changed what it filters by"
                yield Problem(where=one.step.what, what=what, hint=f"{AGAIN} --force, or leave it theirs")
            case StepKind.CONFLICT | StepKind.NOTE:
                yield Problem(where=one.step.what, what=one.step.detail, hint="icp-sync provision --views")
