"""`icp-sync provision --remove`: our properties go out of a CRM again, after showing what depends on them."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.cli.views import ask, going, named, refuse_kept, withdraw
from icp_sync.domain.standing import Mode
from icp_sync.errors import ConfigError, IcpSyncError, Problem, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.ports import Blueprint, Step, Views
    from icp_sync.wiring import Wired

COMMAND = "icp-sync provision --remove"


def remove(
    config: Path | None, connection: str | None, *, apply: bool, force: bool, as_json: bool
) -> dict[str, object]:
    """Show what would go, or take it away; what was said, for --json.

    Raises ConfigError while the connection may write, UnsafePlanError when something depends on what would go
    and nobody forces it.
    """
    from icp_sync.cli import owning
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document

    with wired(config, connection) as (_, parts):
        identity = parts.crm.identity()
        owning.belongs(parts, identity.id, acting="icp-sync bind" if apply else "")
        if apply:
            _refuse_writing(parts)
        blueprint = owning.blueprint(parts, identity.id)
        views = ask(parts, blueprint, apply=False, remove=True, force=force)
        blueprint = replace(blueprint, views=going(views))
        steps, forgotten = parts.crm.provision(blueprint, apply=False, remove=True, force=force), 0
        planned = [*(one.step for one in views.steps), *steps]
        used = any(step.kind.value == "depends" for step in planned)
        if apply and (force or not used) and not any(step.lacks for step in planned):
            views = withdraw(parts, blueprint, identity.id, force=force)
            kept = [one.step for one in views.steps if one.step.kind.value == "conflict"]
            if not any(step.lacks for step in kept) and (force or not kept):
                steps, forgotten = _taken(parts, blueprint, identity.id, force=force)
        steps = [*_but_those_of(steps, views), *steps]
        gone = [step.what for step in steps if step.done]
        done: dict[str, object] = {
            "connection": parts.name,
            "identity": identity.id,
            "applied": apply,
            "removed": gone,
            "accounts_forgotten": forgotten,
            **{kind: _of(steps, kind) for kind in ("depends", "conflict", "keep", "note")},
            "left": [step.what for step in steps if step.kind.value == "remove" and not step.done],
        }
        if as_json:
            document(done)
        else:
            _show(Screen.here(), parts, steps, done)
    if apply:
        refuse_kept(steps, command=f"{COMMAND} --apply", force=force)
    if apply and not force:
        _refuse_left(steps, gone)
    return done


def _but_those_of(steps: Sequence[Step], views: Views) -> list[Step]:
    """The steps of views, but for list views that stay there as they are made, and go, with the fields."""
    named_too = {step.what for step in steps if step.kind.value != "note"}
    return [
        one.step for one in views.steps if one.step.kind.value != "keep" or one.step.what not in named_too
    ]


def _refuse_writing(parts: Wired) -> None:
    mode = parts.journal.mode()
    if mode is not Mode.OBSERVE:
        what = f"it may write (mode {mode.value}), and would go on writing to what is to be removed"
        problem = Problem(where=f"connection {parts.name}", what=what, hint="icp-sync mode observe")
        raise ConfigError([problem], next_step="icp-sync mode observe")


def _refuse_left(steps: list[Step], gone: list[str]) -> None:
    """Raise UnsafePlanError for what the CRM said when asked, or what is not ours alone."""
    kept = [step for step in steps if step.kind.value == "conflict"]
    if not kept:
        return
    so_far = f"{len(gone)} removed before that" if gone else "nothing was removed"
    waiting = any(step.kind.value == "remove" and not step.done for step in steps)
    raise UnsafePlanError(
        f"what is to be removed does not all go ({named(kept)}); {so_far}",
        next_step=f"{COMMAND} --apply --force" if waiting else f"{COMMAND} shows what stays, and why",
    )


def _taken(parts: Wired, blueprint: Blueprint, identity: str, *, force: bool) -> tuple[list[Step], int]:
    """The steps, taken, and of how many accounts something was forgotten.

    Who began it is written down before anything goes. However it ends, the journal then forgets what the CRM
    no longer has; and what an attempt that was killed left to forget, the next one forgets.
    """
    from icp_sync.cli.acting import who

    told = {"crm": identity, "fields": sorted(blueprint.fields.values()), "forced": force}
    parts.journal.audit("provision remove", who=who(), now=time.time(), **told)
    steps: list[Step] = []
    try:
        steps = parts.crm.provision(blueprint, apply=True, remove=True, force=force)
    finally:
        gone = [step.what for step in steps if step.done]
        if gone:
            parts.journal.audit("provision removed", who=who(), now=time.time(), crm=identity, removed=gone)
        forgotten = _forget(parts, blueprint, gone)
    return steps, forgotten


def _forget(parts: Wired, blueprint: Blueprint, gone: list[str]) -> int:
    """Forget whose values stood in each output that has gone, now or earlier."""
    names = {_name(what) for what in gone}
    with suppress(IcpSyncError):  # of a CRM that cannot be read now the next attempt learns what is missing
        names |= _missing(parts, blueprint)
    fields = [field for field, name in blueprint.fields.items() if name.lower() in names]
    return parts.journal.forget_fields(fields)


def _missing(parts: Wired, blueprint: Blueprint) -> set[str]:
    """The names that provisioning would have to make; none where it could not look at everything."""
    steps = parts.crm.provision(blueprint, apply=False)
    outputs = {name.lower() for name in blueprint.fields.values()}
    if any(step.kind.value == "conflict" and _name(step.what) not in outputs for step in steps):
        return set()
    return {_name(step.what) for step in steps if step.kind.value == "create"}


def _name(what: str) -> str:
    return what.lower().split()[-1].rpartition(".")[2]  # "field Account.Tier__c"


def _of(steps: list[Step], kind: str) -> list[dict[str, str]]:
    return [{"what": step.what, "detail": step.detail} for step in steps if step.kind.value == kind]


def _show(screen: Screen, parts: Wired, steps: list[Step], done: dict[str, object]) -> None:
    from icp_sync.reporting.text import counted

    screen.say(f"{parts.crm.kind} {done['identity']}, connection {parts.name}")
    counts = Counter(step.kind.value for step in steps)
    rows = [
        (s.kind.value, s.what, s.detail, "done" if s.done else "") for s in steps if s.kind.value != "note"
    ]
    if rows:
        screen.table(["step", "what", "detail", ""], rows)
    for step in steps:
        if step.kind.value == "note":
            screen.say(f"Note: {step.what}: {step.detail}.")
    if not counts["remove"]:
        screen.say("Nothing of ours is left to remove.")
    elif not done["applied"]:
        screen.say("Nothing was changed. Native fields and what others made are never touched.")
        first = "" if parts.journal.mode() is Mode.OBSERVE else "icp-sync mode observe, then: "
        screen.say(f"next: {first}{COMMAND} --apply" + (" --force" if counts["depends"] else ""))
    elif gone := sum(step.done for step in steps):
        screen.say(f"{counted(gone, 'thing')} removed; the journal no longer counts on their values.")
        screen.say("Keep the seal key: values that come back are known by it.")
