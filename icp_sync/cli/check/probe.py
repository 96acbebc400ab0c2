"""`icp-sync check --probe`: what the vendor leaves open, settled in this portal or org on one scratch record.

It asks before it begins, and refuses where people work unless told otherwise. What it found is kept in the
audit, and before that the id of the scratch record: so the next probe finds what a killed one left.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from icp_sync.cli.stopped import tidy
from icp_sync.errors import ConfigError, UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
    from icp_sync.crm.probing import Answer, Probed, Probes
    from icp_sync.ports import Identity
    from icp_sync.wiring import Wired

BEGUN, DONE = "probe begun", "probe"
"""What the audit calls a scratch record that is there, and a probe that came to its end."""
WIDTH = 100
COMMAND = "icp-sync check --probe"


def probe(
    config: Path | None,
    connection: str | None,
    *,
    yes: bool,
    yes_production: bool,
    provoke: bool,
    as_json: bool,
) -> None:
    """Ask every open question and print how each assumption stands.

    Raises UnsafePlanError in production or where nobody agreed; exits 1 where something could not be removed.
    """
    from icp_sync.cli.opening import wired
    from icp_sync.cli.rendering import Screen, document
    from icp_sync.crm.probing import Probes

    with wired(config, connection) as (_, parts):
        if not isinstance(parts.crm, Probes):
            raise ConfigError(f"{parts.crm.kind}: there is nothing to probe")
        identity = parts.crm.identity()
        if parts.journal.bound_to():
            parts.journal.bind(identity.id, crm=parts.crm.kind, now=time.time())
        screen = None if as_json else Screen.here()
        _agree(parts, identity, screen, yes=yes, yes_production=yes_production)
        with tidy():
            done = _probed(parts, parts.crm, identity, provoke=provoke)
        told = _json(parts, identity, done)
        if screen is None:
            document(told)
        else:
            _show(screen, done)
    if done.left:
        raise typer.Exit(1)


# Before


def _agree(
    parts: Wired, identity: Identity, screen: Screen | None, *, yes: bool, yes_production: bool
) -> None:
    if identity.production and not yes_production:
        what = f"{identity.name} is in production; a probe makes a record there, and removes it again"
        hint = f"probe a test portal or sandbox; or {COMMAND} --yes-production"
        raise UnsafePlanError(what, next_step=hint)
    if yes or yes_production:
        return
    if screen is None or not sys.stdin.isatty():
        what = f"a probe makes a scratch record in {identity.name}; somebody must agree to that first"
        raise UnsafePlanError(what, next_step=f"{COMMAND} --yes")
    for line in _announced(parts, identity):
        screen.say(line)
    if not typer.confirm("Begin?"):
        raise typer.Exit


def _announced(parts: Wired, identity: Identity) -> Iterator[str]:
    """What a person agrees to."""
    from icp_sync.crm.probing import DOMAIN, MOST_CALLS, NAME

    yield f'In {identity.name}: a record called "{NAME}", domain {DOMAIN}, is made, written to and removed.'
    if parts.crm.kind == "hubspot":
        yield "So is the company property icp_sync_probe. Nothing else is touched."
    else:
        yield "No field is made; a deployment is checked and not carried out. Nothing else is touched."
    yield f"At most {MOST_CALLS} calls, and those that remove it. A worker may score it meanwhile."


# The probe and its record


def _probed(parts: Wired, crm: Probes, identity: Identity, *, provoke: bool) -> Probed:
    from icp_sync.cli.acting import who
    from icp_sync.crm.probing import Wanted

    journal, by = parts.journal, who()

    def begins() -> None:
        journal.audit(BEGUN, who=by, now=time.time(), crm=identity.id)

    def made(id: str) -> None:
        journal.audit(BEGUN, who=by, now=time.time(), crm=identity.id, scratch=id)

    wanted = Wanted(
        overlap=parts.settings.schedule.overlap or 0.0,
        provoke=provoke,
        left=_left_by_others(parts, identity),
        begins=begins,
        made=made,
    )
    done = crm.probe(wanted)
    found = {a.question.key: {"verdict": a.verdict.value, "seen": a.seen} for a in done.answers}
    journal.audit(
        DONE,
        who=by,
        now=time.time(),
        crm=identity.id,
        calls=done.calls,
        removed=[*done.removed, *done.gone],
        left=list(done.left),
        found=found,
    )
    return done


def _left_by_others(parts: Wired, identity: Identity) -> tuple[str, ...]:
    """Scratch records whose removal nobody noted, of this portal or org."""
    begun: dict[str, None] = {}
    for entry in parts.journal.audited():
        if entry.detail.get("crm") != identity.id:
            continue
        if entry.what == BEGUN and entry.detail.get("scratch"):
            begun[str(entry.detail.get("scratch"))] = None
        elif entry.what == DONE:
            removed = entry.detail.get("removed")
            for id in removed if isinstance(removed, list) else ():
                begun.pop(str(id), None)
    return tuple(begun)


# What is shown


def _json(parts: Wired, identity: Identity, done: Probed) -> dict[str, Any]:
    return {
        "connection": parts.name,
        "crm": parts.crm.kind,
        "identity": identity.id,
        "production": identity.production,
        "calls": done.calls,
        "removed": list(done.removed),
        "left": list(done.left),
        "questions": [
            {
                "question": answer.question.key,
                "asks": answer.question.asks,
                "assumed": answer.question.assumed,
                "where": answer.question.where,
                "setting": answer.question.setting,
                "switch": answer.question.switch,
                "verdict": answer.verdict.value,
                "found": answer.found,
                "seen": answer.seen,
                "instead": answer.question.instead,
                "detail": dict(answer.detail),
            }
            for answer in done.answers
        ],
    }


def _show(screen: Screen, done: Probed) -> None:
    """A line a question, then what asks for more words."""
    from icp_sync.crm.probing import Verdict
    from icp_sync.reporting.text import counted, short

    widths = max(len(a.question.key) for a in done.answers), len("assumed"), len(Verdict.NOT_HELD)
    room = WIDTH - sum(widths) - 3 * len("  ")
    rows = [
        (a.question.key, _yes(a.question.assumed), a.verdict.value, short(a.seen, room)) for a in done.answers
    ]
    screen.table(["question", "assumed", "verdict", "seen"], rows, whole=(0, 1, 2))
    _explain(screen, "Did not hold", [a for a in done.answers if a.verdict is Verdict.NOT_HELD])
    _explain(screen, "Not settled", [a for a in done.answers if a.verdict is Verdict.OPEN])
    screen.say()
    screen.say(
        f"{counted(done.calls, 'call')}, kept in `icp-sync audit`. What our code assumes where: --json."
    )
    if len(done.removed) > 1:
        screen.say(f"{len(done.removed)} scratch records are gone, those of earlier probes among them.")
    for left in done.left:
        screen.say(_filled(f"not removed: {left}"))
    if done.left:
        screen.say(f"next: {COMMAND} again; it removes what is left")


def _explain(screen: Screen, heading: str, answers: Sequence[Answer]) -> None:
    """What each of these means: why it is open, or what was assumed where and what to do about it."""
    if not answers:
        return
    screen.heading(heading)
    for line in _grouped(answers):
        screen.say(_filled(line, indent="  "))


def _grouped(answers: Sequence[Answer]) -> Iterator[str]:
    """What was not settled for one reason is said at once."""
    together: dict[str, list[Answer]] = {}
    for answer in answers:
        together.setdefault(answer.seen, []).append(answer)
    for same in together.values():
        if len(same) == 1:
            yield from _words(same[0])
        else:
            yield f"{', '.join(answer.question.key for answer in same)}: {same[0].seen}."


def _filled(text: str, *, indent: str = "") -> str:
    import textwrap

    return textwrap.fill(text, WIDTH, initial_indent=indent, subsequent_indent=indent + "  ")


def _words(answer: Answer) -> Iterator[str]:
    question, seen = answer.question, answer.seen[:1].upper() + answer.seen[1:]
    if answer.found is None:
        yield f"{question.asks} {seen}."
        if "to_settle" in answer.detail:
            yield f"  To settle it: {answer.detail['to_settle']}."
        return
    yield f"{question.asks} {_yes(answer.found).capitalize()}: {answer.seen}."
    yield f"  {question.where}."
    setting = f" Setting: {question.setting}." if question.setting else ""
    yield f"  {question.instead}{setting}"


def _yes(answer: bool) -> str:
    return "yes" if answer else "no"
