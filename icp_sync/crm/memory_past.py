"""Whose hand gave a record in memory the values it has had. Remembers as far back as CRMs do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from icp_sync.ports import Edit, Editor, Edits

KEPT = 20


class Past:
    def __init__(self) -> None:
        self._edits: dict[str, dict[str, list[Edit]]] = {}

    def note(
        self,
        account_id: str,
        before: Mapping[str, str],
        after: Mapping[str, str],
        *,
        at: int,
        by: Editor,
        who: str = "",
    ) -> None:
        """These values were given to an account, at an instant (ms); one that is as it was is no edit."""
        for name, value in after.items():
            if value != before.get(name, ""):
                kept = self._edits.setdefault(account_id, {}).setdefault(name, [])
                kept.append(Edit(value=value, at=at, by=by, who=who))
                del kept[:-KEPT]

    def told(self, ids: Iterable[str], fields: Sequence[str]) -> Edits:
        """Newest first. A field that never had a value has an empty past."""
        return {
            id: {name: tuple(reversed(self._edits.get(id, {}).get(name, ()))) for name in fields}
            for id in ids
        }
