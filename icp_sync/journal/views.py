"""Which views in the CRM we made for reps, by the CRM's own ids: people may rename and move them.

A view whose id is lost is found again by its name and its filter; that is the CRM adapter's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import delete, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.bulk import upsert
from icp_sync.journal.encoding import plain

_VIEW = schema.view


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptView:
    """A view of ours. id: the CRM's; name: what it was called when we last looked. made_at: epoch seconds."""

    key: str
    id: str
    name: str
    made_at: float


class Views(Bound):
    def views(self) -> dict[str, KeptView]:
        """Key → what is known of it."""
        columns = (_VIEW.c.key, _VIEW.c.id, _VIEW.c.name, _VIEW.c.made_at)
        mine = _VIEW.c.connection == self.connection
        with self.reading() as conn:
            rows = conn.execute(select(*columns).where(mine).order_by(_VIEW.c.key))
            return {
                key: KeptView(key=key, id=id, name=name, made_at=made_at) for key, id, name, made_at in rows
            }

    def keep_view(self, key: str, id: str, name: str, *, now: float) -> None:
        """Remember the view of a key, in place of another. Of the same one only the name may be new."""
        known = self.views().get(key)
        same = known is not None and known.id == id
        if same and known is not None and known.name == name:
            return
        made_at = known.made_at if same and known is not None else now
        row = {"key": key, "id": id, "name": plain(name, 500), "made_at": made_at}
        with self.writing("view") as conn:
            upsert(conn, _VIEW, [{"connection": self.connection, **row}])

    def forget_views(self, keys: Iterable[str]) -> None:
        """They are gone from the CRM."""
        gone = list(keys)
        if gone:
            with self.writing("view") as conn:
                mine = (_VIEW.c.connection == self.connection, _VIEW.c.key.in_(gone))
                conn.execute(delete(_VIEW).where(*mine))
