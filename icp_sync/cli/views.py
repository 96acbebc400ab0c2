"""`icp-sync provision --views`: the lists and list views reps work from; ours are known by their ids.

The CRM adapter decides what is to be done about each; here it is asked, remembered and told.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.domain.views import VIEWS

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.ports import Blueprint, Views, ViewStep
    from icp_sync.wiring import Wired

COMMAND = "icp-sync provision --views"


def provide(
    config: Path | None, connection: str | None, *, apply: bool, remove: bool, force: bool, as_json: bool
) -> dict[str, object]:
    """Show what would be made or taken away, or do it; what was said, for --json."""
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document

    with wired(config, connection) as (_, parts):
        identity = parts.crm.identity()
        if parts.journal.bound_to() or (apply and not remove):
            parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time())
        blueprint = parts.blueprint(())
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
    return done


def ask(
    parts: Wired, blueprint: Blueprint, *, apply: bool, remove: bool = False, force: bool = False
) -> Views:
    """The steps to all views there are, by the ids we know."""
    known = {key: view.id for key, view in parts.journal.views().items()}
    return parts.crm.views(VIEWS, blueprint, known, apply=apply, remove=remove, force=force)


def make(parts: Wired, blueprint: Blueprint, identity: str, *, force: bool = False) -> Views:
    """Make the views, and remember which are ours."""
    told = ask(parts, blueprint, apply=True, force=force)
    for one in told.steps:
        if one.key and one.id:
            parts.journal.keep_view(one.key, one.id, one.name, now=time.time())
    _audit(parts, "provision views", identity, told)
    return told


def withdraw(parts: Wired, blueprint: Blueprint, identity: str, *, force: bool) -> Views:
    """Take the views away. What is not there any more is forgotten too."""
    told = ask(parts, blueprint, apply=True, remove=True, force=force)
    staying = {one.key for one in told.steps if one.id}
    if not any(one.step.kind.value == "conflict" for one in told.steps):
        parts.journal.forget_views(set(parts.journal.views()) - staying)
    else:
        parts.journal.forget_views(one.key for one in told.steps if one.step.done)
    _audit(parts, "provision views removed", identity, told)
    return told


def going(told: Views) -> Mapping[str, str]:
    """Key → id of the views that go, or would."""
    return {one.key: one.id for one in told.steps if one.step.kind.value == "remove" and one.id}


def _audit(parts: Wired, what: str, identity: str, told: Views) -> None:
    from icp_sync.cli.acting import who

    acted = [one.step.what for one in told.steps if one.step.done]
    if acted:
        parts.journal.audit(what, who=who(), now=time.time(), crm=identity, views=acted)


def _done(parts: Wired, identity: str, told: Views, *, apply: bool, remove: bool) -> dict[str, object]:
    kinds = Counter(one.step.kind.value for one in told.steps)
    awaited = ("remove",) if remove else ("create", "add option")
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
    from icp_sync.cli.text import counted

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
