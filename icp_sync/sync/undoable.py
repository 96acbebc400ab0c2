"""Which run is to be undone, and whether it can be: it is known, over, wrote something, and is still kept."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2b

from icp_sync.domain.plan import Result
from icp_sync.domain.restoring import Then
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import Changed, Journal, RunRecord

UNDO = "undo"
"""The kind of a run that undoes another, and the stream its position is kept under."""

LANDED = frozenset({Result.WRITTEN.value, Result.UNCERTAIN.value})
"""Results after which what was sent may stand on the record."""

_LIST = "icp-sync history"


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is to be undone: a run, or of it only these fields and accounts, () for all; who asks, and why."""

    run: str
    fields: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    note: str = ""
    by: str = ""

    @property
    def partition(self) -> str:
        """Under what its position is kept: a selection is another undo than the whole run's."""
        if not (self.fields or self.ids):
            return self.run
        chosen = json.dumps([sorted(self.fields), sorted(self.ids)])
        return f"{self.run} {blake2b(chosen.encode(), digest_size=6).hexdigest()}"

    def then(self, changes: Sequence[Changed]) -> dict[str, Then]:
        """What the run found and left on one account, for the fields asked for; oldest change first."""
        found: dict[str, Then] = {}
        for c in changes:
            if c.result not in LANDED or c.field == "seal" or (self.fields and c.field not in self.fields):
                continue
            first = found.get(c.field)
            before, origin = (first.before, first.origin) if first else (c.before, c.origin)
            found[c.field] = Then(before=before, after=c.after, origin=origin)
        return found

    def to_json(self) -> dict[str, object]:
        """Plain JSON, null for all fields or accounts: an empty list is none of them."""
        return {
            "run": self.run,
            "fields": list(self.fields) or None,
            "ids": list(self.ids) or None,
            "note": self.note,
            "by": self.by,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, object], *, by: str = "") -> Wanted:
        """The inverse. by: who asked, where the data does not say. Raises ConfigError where a selection
        selects nothing: everything is undone only for who leaves it out."""
        run = str(data.get("run", ""))
        return cls(
            run=run,
            fields=_chosen(data, "fields", run),
            ids=_chosen(data, "ids", run),
            note=str(data.get("note", "")),
            by=str(data.get("by") or by),
        )


def _chosen(data: Mapping[str, object], name: str, run: str) -> tuple[str, ...]:
    value = data.get(name)
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not value:
        raise _no(run, f"'{name}' names none of them, so there is nothing to undo")
    return tuple(map(str, value))


def undoable(journal: Journal, run_id: str, now: float) -> RunRecord:
    """The run of this id. Raises ConfigError for one that cannot be undone, with the reason."""
    run = journal.run(run_id)
    if run is None:
        raise _no(run_id, "the journal knows no such run", _long_ago(journal, run_id))
    if not run.detail.get("apply", True):
        raise _no(run_id, f"was a dry run of {run.kind}: it wrote nothing")
    if until := journal.leased_until(run, now=now):
        hint = f"stop it, or wait for its end; one that was killed counts as ended in {until - now:.0f} s"
        raise _no(run_id, f"is still going on, {_a(run.kind)}", hint)
    if not journal.changed_in(run_id, limit=1):
        if _wrote(run):
            raise _no(run_id, "what it wrote is no longer kept", "older history is pruned; see retention")
        raise _no(run_id, f"{_a(run.kind)}, wrote nothing")
    return run


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeiou' else 'a'} {kind}"


def _wrote(run: RunRecord) -> bool:
    return any(run.report.get(count) for count in ("written", "restored"))


def _long_ago(journal: Journal, run_id: str) -> str:
    """A hint where the id tells of a time of which no run is kept any more."""
    oldest = journal.oldest_run()
    try:
        begun = datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).timestamp()
    except ValueError:
        return "a run's id looks like 20261121-223000-ab12"
    if oldest is None or begun >= oldest:
        return ""
    return f"runs are kept since {datetime.fromtimestamp(oldest, UTC):%Y-%m-%d} only"


def _no(run_id: str, what: str, hint: str = "") -> ConfigError:
    return ConfigError([Problem(where=f"run '{run_id[:60]}'", what=what, hint=hint)], next_step=_LIST)
