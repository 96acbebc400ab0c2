"""What an undo would do, told by whoever may talk to the CRM to somebody who may not. Writes nothing.

A kind of request of its own, so that a worker which does not know it performs none rather than the undo.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from icp_sync.journal import Asked
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.undo import undo
from icp_sync.sync.undoable import Wanted


def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
    """The report of a dry undo; None when it was cut short."""
    report = undo(Wanted.from_json(asked.args, by=asked.by), parts, replace(scope, apply=False))
    return report.to_json() if report.done else None
