"""Making profile files the active version, and what stands in the way of one that was learned.

`profile activate` and `profile promote` end here alike. What a profile has to show is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from icp_sync.errors import UnsafePlanError

if TYPE_CHECKING:
    from icp_sync.profile_file import Loaded
    from icp_sync.reporting.opened import Opened

PROMOTED = "profile promote"
"""The audit's word for a profile that was proven, or promoted in spite of that."""
REFUSED = "profile promote refused"
LEARNED = "profile learned"
_SAID = {PROMOTED: "promoted", REFUSED: "refused", LEARNED: "written"}
"""What the audit may say of a learned profile → what became of it then."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activated:
    """What became of it. changed: the files were not active already. accounts: how many will be settled.
    resembling: which of them ask what was learned once, though they do not say so, in sentences."""

    version: int
    changed: bool
    names: tuple[str, ...]
    accounts: int
    resembling: tuple[str, ...] = ()

    def to_json(self) -> dict[str, object]:
        return {
            "version": self.version,
            "changed": self.changed,
            "profiles": list(self.names),
            "accounts": self.accounts,
            "resembling": list(self.resembling),
        }


def ready(at: Opened, files: Sequence[Path] | None) -> tuple[Loaded, ...]:
    """The profiles of the files, or of those of the settings, fit to be activated.

    Raises ConfigError with every problem; a route must not lead to nowhere.
    """
    from icp_sync.profile_file import load_all
    from icp_sync.wiring import facts_of, tables_of

    types = facts_of(at.connection)[1]
    loaded = load_all(files or list(at.connection.profiles), types=types)
    tables_of(at.connection, [one.profile for one in loaded], types)
    return loaded


def is_active(at: Opened, loaded: Sequence[Loaded]) -> bool:
    """Whether these very files are the active version."""
    active = at.journal.active()
    return active is not None and active[1] == documents_of(loaded)


def make_active(at: Opened, loaded: Sequence[Loaded], *, note: str, now: float) -> Activated:
    """Activate, and request the backfill that rolls it out. Whoever calls enters it in the audit."""
    documents = documents_of(loaded)
    before = at.journal.active()
    version = at.journal.activate(documents, now=now, note=note)
    changed = before is None or before[0] != version
    counts = at.journal.counts()
    if changed:
        at.journal.request_backfill(f"profile version {version}", now)
    return Activated(
        version=version,
        changed=changed,
        names=tuple(one.profile.name for one in loaded),
        accounts=sum(counts.values()) - counts.get("gone", 0),
        resembling=resembling(at, loaded),
    )


def audited(done: Activated, loaded: Sequence[Loaded], note: str) -> dict[str, object]:
    """What the audit keeps of an activation."""
    files = [one.path.name for one in loaded]
    said: dict[str, object] = {"version": done.version, "files": files, "note": note}
    return said | ({"resembling": list(done.resembling)} if done.resembling else {})


def asked(loaded: Sequence[Loaded]) -> dict[str, object]:
    """What learned profiles ask, as digests for the audit: name → its questions."""
    from icp_sync.profile_file.marks import questions_of

    learned = [one.profile for one in loaded if one.profile.learned is not None]
    return {"questions": {profile.name: list(questions_of(profile)) for profile in learned}}


def resembling(at: Opened, loaded: Sequence[Loaded]) -> tuple[str, ...]:
    """Which profiles without a `learned` entry ask what one with it asked that the audit knows: all of it, or
    under the same name most of it. Somebody may have taken the entry out; a sentence each."""
    from icp_sync.profile_file.marks import questions_of

    known = _learned_before(at)
    found = []
    for profile in (one.profile for one in loaded if one.profile.learned is None):
        mine = set(questions_of(profile))
        for name, theirs, when in known:
            common = len(mine & theirs)
            if common and (mine == theirs or (name == profile.name and 2 * common > len(mine))):
                what = "the same questions as" if mine == theirs else "mostly the same questions as"
                entry = "its own 'learned' entry is missing, so nothing holds it to later deals"
                found.append(f"{profile.name} asks {what} {name}, which was {when}; {entry}")
                break
    return tuple(found)


def _learned_before(at: Opened) -> list[tuple[str, set[str], str]]:
    """Learned profiles the audit knows, newest first: name, its questions, what became of it and when."""
    from icp_sync.reporting.text import day

    found = []
    for entry in reversed(at.journal.audited()):
        questions = entry.detail.get("questions") if entry.what in _SAID else None
        if isinstance(questions, dict):
            when = f"learned and {_SAID[entry.what]} on {day(entry.at)}"
            found += [(name, set(asked), when) for name, asked in questions.items()]
    return found


def unproven(at: Opened, loaded: Sequence[Loaded]) -> tuple[Loaded, ...]:
    """Those that were learned and never promoted, in this very wording. One that is active may stay."""
    learned = [one for one in loaded if one.profile.learned is not None]
    if not learned:
        return ()
    active = at.journal.active()
    known = {text for _, text in active[1]} if active else set()
    for entry in at.journal.audited():
        version = entry.detail.get("version") if entry.what == PROMOTED else None
        if isinstance(version, int):
            known |= {text for _, text in at.journal.documents(version) or ()}
    return tuple(one for one in learned if one.text not in known)


def refuse(found: Sequence[Loaded], files: Sequence[Path] | None) -> None:
    """Raises UnsafePlanError for what was learned and never promoted."""
    if found:
        names = ", ".join(one.profile.name for one in found)
        message = (
            f"{names}: learned from outcomes, and never promoted as it stands, so nobody has seen it proven; "
            "nothing was changed"
        )
        raise UnsafePlanError(message, next_step=f"{command('promote', files)}, or repeat with --force")


def command(verb: str, files: Sequence[Path] | None) -> str:
    """The command line that does this with the same files."""
    import shlex

    return shlex.join(["icp-sync", "profile", verb, *map(str, files or ())])


def documents_of(loaded: Sequence[Loaded]) -> tuple[tuple[str, str], ...]:
    """(file name, text) of each, as the journal keeps them."""
    return tuple((one.path.name, one.text) for one in loaded)
