"""`icp-sync provision --views`: the lists and list views reps work from; ours are known by their ids.

The CRM adapter decides what is to be done about each; here it is asked, remembered and told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.domain.views import marked
from icp_sync.errors import AuthError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.ports import Blueprint, Step, Views, ViewStep
    from icp_sync.wiring import Wired

COMMAND = "icp-sync provision --views"
NAMED = 10


def provide(
    config: Path | None, connection: str | None, *, apply: bool, remove: bool, force: bool, as_json: bool
) -> dict[str, object]:
    """Show what would be made or taken away, or do it; what was said, for --json."""
    from icp_sync.cli import owning
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document

    first = "icp-sync bind" if remove else "icp-sync provision --apply"
    with wired(config, connection) as (_, parts):
        identity = parts.crm.identity()
        owning.belongs(parts, identity.id, acting=first if apply else "")
        blueprint = owning.blueprint(parts, identity.id)
        if apply and remove:
            told = withdraw(parts, blueprint, identity.id, force=force)
        elif apply:
            told = make(parts, blueprint, identity.id, force=force)
        else:
            told = ask(parts, blueprint, apply=False, remove=remove, force=force)
        done = _done(parts, identity.id, told, apply=apply, remove=remove)
        if as_json:
            document(done)
        else:
            _show(Screen.here(), told, done)
    if apply and remove:
        refuse_kept([one.step for one in told.steps], command=f"{COMMAND} --remove --apply", force=force)
    return done


def ask(
    parts: Wired,
    blueprint: Blueprint,
    *,
    apply: bool,
    remove: bool = False,
    force: bool = False,
    note: Callable[[ViewStep], None] = lambda _: None,
) -> Views:
    """The steps to all views there are, by the ids we know."""
    known = {key: view.id for key, view in parts.journal.views().items()}
    wanted = marked(blueprint.mark)
    return parts.crm.views(wanted, blueprint, known, apply=apply, remove=remove, force=force, note=note)


def make(parts: Wired, blueprint: Blueprint, identity: str, *, force: bool = False) -> Views:
    """Make the views, and remember each as it is made."""

    def note(one: ViewStep) -> None:
        _keep(parts, one)
        _audit(parts, "provision views", identity, one)

    told = ask(parts, blueprint, apply=True, force=force, note=note)
    for one in told.steps:
        _keep(parts, one)
    return told


def withdraw(parts: Wired, blueprint: Blueprint, identity: str, *, force: bool) -> Views:
    """Take the views away, forgetting each as it goes. What is not there any more is forgotten too."""

    def note(one: ViewStep) -> None:
        parts.journal.forget_views([one.key] if one.key else [])
        _audit(parts, "provision views removed", identity, one)

    told = ask(parts, blueprint, apply=True, remove=True, force=force, note=note)
    if not any(one.step.kind.value in ("conflict", "depends") for one in told.steps):
        there = {one.key for one in told.steps if one.id}
        parts.journal.forget_views(set(parts.journal.views()) - there)
    return told


def going(told: Views) -> Mapping[str, str]:
    """Key → id of the views that go, or would."""
    return {one.key: one.id for one in told.steps if one.step.kind.value == "remove" and one.id}


def refuse_kept(steps: Sequence[Step], *, command: str, force: bool) -> None:
    """Raise why something stays: AuthError for a scope or right, UnsafePlanError for what is used."""
    gone = sum(step.done for step in steps)
    so_far = f"{gone} removed before that" if gone else "nothing was removed"
    lacking = [step for step in steps if step.lacks]
    if lacking:
        said = dict.fromkeys(step.detail for step in lacking)
        raise AuthError(f"{'; '.join(said)}; {so_far}", next_step=f"give it, then {command}")
    depends = [step for step in steps if step.kind.value == "depends"]
    if force or not depends:
        return
    raise UnsafePlanError(
        f"what is to be removed is in use ({named(depends)}); {so_far}", next_step=f"{command} --force"
    )


def named(steps: Sequence[Step]) -> str:
    more = f"; and {len(steps) - NAMED} more" if len(steps) > NAMED else ""
    return "; ".join(f"{step.what}: {step.detail}" for step in steps[:NAMED]) + more


def _keep(parts: Wired, one: ViewStep) -> None:
    if one.key and one.id:
        parts.journal.keep_view(one.key, one.id, one.name, now=time.time())


def _audit(parts: Wired, what: str, identity: str, one: ViewStep) -> None:
    from icp_sync.cli.acting import who

    how = one.step.kind.value
    detail = {"over": one.step.detail} if how == "restore" else {}
    parts.journal.audit(
        what, who=who(), now=time.time(), crm=identity, views=[one.step.what], how=how, **detail
    )


def _done(parts: Wired, identity: str, told: Views, *, apply: bool, remove: bool) -> dict[str, object]:
    kinds = Counter(one.step.kind.value for one in told.steps)
    awaited = ("remove",) if remove else ("create", "add option", "update")
    return {
        "connection": parts.name,
        "crm": parts.crm.kind,
        "identity": identity,
        "applied": apply,
        "removing": remove,
        "changed": sum(one.step.done for one in told.steps),
        "left": sum(one.step.kind.value in awaited and not one.step.done for one in told.steps),
        "changed_by_people": [one.step.what for one in told.steps if _theirs(one, remove=remove)],
        "conflicts": kinds["conflict"],
        "views": [
            {
                "key": one.key,
                "step": one.step.kind.value,
                "what": one.step.what,
                "detail": one.step.detail,
                "done": one.step.done,
                "id": one.id,
                "name": one.name,
            }
            for one in told.steps
        ],
        "by_hand": list(told.by_hand),
    }


def _theirs(one: ViewStep, *, remove: bool) -> bool:
    """Whether people changed what it filters by, and nothing was done about it."""
    kind = one.step.kind.value
    return not one.step.done and (kind == "restore" or (remove and kind == "keep" and bool(one.id)))


def _show(screen: Screen, told: Views, done: dict[str, object]) -> None:
    from icp_sync.reporting.text import counted

    screen.say(f"{done['crm']} {done['identity']}, connection {done['connection']}")
    rows = [
        (one.step.kind.value, one.step.what, one.step.detail, "done" if one.step.done else "")
        for one in told.steps
        if one.step.kind.value != "keep" or one.step.detail
    ]
    if rows:
        screen.table(["step", "what", "detail", ""], rows)
    kept = sum(one.step.kind.value == "keep" for one in told.steps)
    left, changed = int(str(done["left"])), int(str(done["changed"]))
    command = COMMAND + (" --remove" if done["removing"] else "")
    if done["applied"]:
        verb = "taken away" if done["removing"] else "made"
        screen.say(f"{counted(changed, 'thing')} {verb}, {kept} left as they are.")
    elif left or done["changed_by_people"]:
        screen.say(f"Nothing was changed; {kept} already as they should be.")
    else:
        screen.say("Nothing to do.")
    if done["changed_by_people"]:
        screen.say(f"to set right what people changed: {command} --apply --force")
    if left and not done["applied"]:
        screen.say(f"next: {command} --apply")
    if told.by_hand:
        screen.heading("By hand")
        for line in told.by_hand:
            screen.say(line)
