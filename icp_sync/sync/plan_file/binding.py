"""What a plan is bound to: it is applied where, by what and as what it was made, or not at all."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256

from icp_sync.domain.evaluation import ENGINE
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, Problem, UnsafePlanError
from icp_sync.journal import Journal
from icp_sync.sync.cycle import Parts
from icp_sync.sync.plan_file.document import AGAIN, Header, PlanFile

APPROVE = "approve"
"""Under this name the audit keeps who approved which plan."""

Documents = Sequence[tuple[str, str]]


def documents_digest(documents: Documents) -> str:
    """A digest of profile documents, (file name, text) each."""
    return sha256(json.dumps([list(one) for one in documents]).encode()).hexdigest()


def header(
    parts: Parts,
    documents: Documents,
    version: int,
    mode: Mode,
    *,
    author: str,
    selection: str = "",
) -> Header:
    """What a plan made now with these profiles is bound to. Asks the CRM who it is."""
    return Header(
        connection=parts.journal.connection,
        crm=parts.crm.kind,
        identity=parts.crm.identity().id,
        mode=mode.value,
        profile=documents_digest(documents),
        profile_version=version,
        profile_names=tuple(name for name, _ in documents),
        engine=ENGINE,
        outputs=parts.outputs,
        author=author,
        made_at=parts.clock(),
        selection=selection,
    )


def refuse_misfit(plan: PlanFile, parts: Parts) -> None:
    """Raise ConfigError, naming every difference, unless the plan fits where it is about to be applied."""
    made = plan.header
    if made.connection != parts.journal.connection or made.crm != parts.crm.kind:
        here = f"{parts.journal.connection} ({parts.crm.kind})"
        what = f"it was made for the connection {made.connection} ({made.crm}), this is {here}"
        raise ConfigError([Problem(where=str(plan.path), what=what)], next_step=AGAIN)
    problems, step = [], AGAIN
    if other := other_profile(plan, parts.journal):
        problems.append(other)
        version, _ = parts.journal.active() or (0, ())
        if not version or made.profile_version > version:
            step = "icp-sync profile activate"
    if made.mode != (mode := parts.journal.mode().value):
        problems.append(f"it was made as for mode {made.mode}, and the connection is in mode {mode}")
        step = _towards(made.mode) if mode == Mode.OBSERVE.value and not problems[:-1] else step
    if made.engine != ENGINE:
        problems.append(f"it was made by engine {made.engine}, this is engine {ENGINE}")
    if dict(made.outputs) != dict(parts.outputs):
        moved = sorted(dict(set(made.outputs.items()) ^ set(parts.outputs.items())))
        problems.append(f"the outputs were mapped otherwise then: {', '.join(moved)}")
    if made.identity != (identity := parts.crm.identity().id):
        problems.append(f"it was made for the portal {made.identity}, the credentials are for {identity}")
    if problems:
        raise ConfigError([Problem(where=str(plan.path), what=what) for what in problems], next_step=step)


def other_profile(plan: PlanFile, journal: Journal) -> str:
    """That the plan was made with other profiles than are active now, in words; "" where it was not."""
    version, documents = journal.active() or (0, ())
    if plan.header.profile == documents_digest(documents):
        return ""
    names = ", ".join(plan.header.profile_names)
    return f"it was made with {names}, which is not what is active now (version {version})"


def _towards(mode: str) -> str:
    """What to do about a plan for this mode in mode observe: no step up is skipped unasked."""
    if mode == Mode.ROUTE.value:
        return "icp-sync plan --mode write --out plan.json, for the next step up; or: icp-sync mode route"
    return f"icp-sync mode {mode}"


def refuse_unapproved(plan: PlanFile, parts: Parts) -> None:
    """Raise UnsafePlanError unless no approval is asked for here, or another than the author gave it."""
    if not parts.needs_approval:
        return
    known = parts.journal.audited(since=plan.header.made_at)
    approvers = [a.who for a in known if a.what == APPROVE and a.detail.get("plan") == plan.digest]
    if any(who != plan.header.author for who in approvers):
        return
    what = "nobody has approved it"
    if approvers:
        what = f"only its author, {plan.header.author}, has approved it"
    raise UnsafePlanError(
        f"{plan.path}: {what}, and this connection needs an approval",
        next_step=f"somebody other than {plan.header.author}: icp-sync approve {plan.path}",
    )
