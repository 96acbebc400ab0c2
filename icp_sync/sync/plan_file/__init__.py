"""Plans as files: made by a dry run, read back, and applied exactly.

`document` is the format, `binding` what a plan is bound to, `making` draws a dry run into one, `applying`
writes it. Knows nothing of who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from icp_sync.journal import Asked
from icp_sync.sync.cycle import Parts, Scope
from icp_sync.sync.plan_file.applying import apply
from icp_sync.sync.plan_file.document import PlanFile, read_plan
from icp_sync.sync.plan_file.making import Drawn

__all__ = ["Drawn", "PlanFile", "apply", "perform", "read_plan"]


def perform(asked: Asked, parts: Parts, scope: Scope) -> Mapping[str, object] | None:
    """A plan that a command handed over. args: path, digest (as the command read it), note, force.

    None when it was cut short. Raises ConfigError when the file is another one by now, and what `apply`
    raises.
    """
    plan = read_plan(Path(str(asked.args["path"])))
    plan.refuse_another(str(asked.args["digest"]))
    note, force = str(asked.args.get("note", "")), bool(asked.args.get("force", False))
    applied = apply(plan, parts, scope, by=asked.by, note=note, force=force)
    return applied.to_json() if applied.done else None
