"""Activated profile versions. The file on disk is a candidate; what evaluates is a version in here."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.encoding import dumps, plain
from icp_sync.journal.records import ProfileVersion

_TABLE = schema.profile_version
Documents = tuple[tuple[str, str], ...]
"""(file name, YAML text) in order."""


class Profiles(Bound):
    def activate(self, documents: Sequence[tuple[str, str]], *, now: float, note: str = "") -> int:
        """Make these documents the active version; the same as the active ones keep its number."""
        text = dumps([[name, yaml] for name, yaml in documents])
        with self.writing("profile") as conn:
            state = self.state(conn)
            active = int(str(state.active_version)) if state else 0
            stored = conn.execute(
                select(_TABLE.c.documents).where(_of(self.connection), _TABLE.c.version == active)
            ).scalar_one_or_none()
            if stored == text:
                return active
            newest = (
                conn.execute(select(func.max(_TABLE.c.version)).where(_of(self.connection))).scalar() or 0
            )
            row = {
                "connection": self.connection,
                "version": newest + 1,
                "activated_at": now,
                "note": plain(note),
                "documents": text,
            }
            conn.execute(_TABLE.insert(), [row])
            self.set_state(conn, active_version=newest + 1)
        return int(newest + 1)

    def active(self) -> tuple[int, Documents] | None:
        """The active version with its documents, None before the first activation."""
        with self.reading() as conn:
            state = self.state(conn)
            version = int(str(state.active_version)) if state else 0
            text = conn.execute(
                select(_TABLE.c.documents).where(_of(self.connection), _TABLE.c.version == version)
            ).scalar_one_or_none()
        return None if text is None else (version, tuple((name, yaml) for name, yaml in json.loads(text)))

    def documents(self, version: int) -> Documents | None:
        """The documents of one version, None where there is none such."""
        with self.reading() as conn:
            text = conn.execute(
                select(_TABLE.c.documents).where(_of(self.connection), _TABLE.c.version == version)
            ).scalar_one_or_none()
        return None if text is None else tuple((name, yaml) for name, yaml in json.loads(text))

    def versions(self) -> list[ProfileVersion]:
        """All versions, newest first."""
        with self.reading() as conn:
            state = self.state(conn)
            active = int(str(state.active_version)) if state else 0
            columns = (_TABLE.c.version, _TABLE.c.activated_at, _TABLE.c.note, _TABLE.c.documents)
            rows = conn.execute(
                select(*columns).where(_of(self.connection)).order_by(_TABLE.c.version.desc())
            ).all()
        return [
            ProfileVersion(
                version=version,
                activated_at=at,
                note=note,
                names=tuple(name for name, _ in json.loads(text)),
                active=version == active,
            )
            for version, at, note, text in rows
        ]


def _of(connection: str) -> ColumnElement[bool]:
    return _TABLE.c.connection == connection
