"""What the journal remembers for a page, in a handful of set-based queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sqlalchemy import Connection, select

from icp_sync.domain.account import Memory, Remembered
from icp_sync.domain.facts import Signal
from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.connections import roster
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import (
    confirmed_from_text,
    intents_from_text,
    loads,
    owed_from_text,
    pairs_from_text,
    plain,
    previous_from_text,
    signals_from_text,
    withdrawn_from_text,
)
from icp_sync.observe import log

_ACCOUNT = schema.account
_ANSWER = schema.answer


class _Answers(NamedTuple):
    """What was learned under one key, of a company or of one account, and is still valid."""

    signals: tuple[Signal, ...] = ()
    asked: frozenset[str] = frozenset()
    until: float | None = None

    def also(self, enricher: str, signals: tuple[Signal, ...], expires_at: float) -> _Answers:
        first = expires_at if self.until is None else min(self.until, expires_at)
        return _Answers(self.signals + signals, self.asked | {enricher}, first)

    def __or__(self, other: _Answers) -> _Answers:
        if not self.asked or not other.asked:  # nothing was asked under one of the keys, as a rule both
            return self if self.asked else other
        first = min((u for u in (self.until, other.until) if u is not None), default=None)
        return _Answers(self.signals + other.signals, self.asked | other.asked, first)


_NONE = _Answers()


class Recall(Bound):
    def seen(self, stamps: Mapping[str, int]) -> set[str]:
        """The ids already settled at exactly this stamp (ms)."""
        return {
            account_id for account_id, stamp in self.stamps(stamps).items() if stamps[account_id] == stamp
        }

    def stamps(self, ids: Mapping[str, int] | tuple[str, ...] | list[str]) -> dict[str, int]:
        """id → the stamp (ms) up to which it counts as seen, for those that have one."""
        found: dict[str, int] = {}
        with self.reading() as conn:
            for chunk in chunks(list(ids)):
                rows = conn.execute(
                    select(_ACCOUNT.c.id, _ACCOUNT.c.seen_stamp).where(
                        _ACCOUNT.c.connection == self.connection,
                        _ACCOUNT.c.id.in_(chunk),
                        _ACCOUNT.c.seen_stamp.is_not(None),
                    )
                )
                found |= dict(rows.all())
        return found

    def recall(self, keys: Mapping[str, str], *, now: float, also: Mapping[str, str] | None = None) -> Memory:
        """Account id → company key (registrable domain or "") to all that is remembered of the page.

        also: account id → the key of answers about this very account, where there may be any. An account
        the journal has never met is absent, unless answers about it or its company are. An answer that
        cannot be read counts as not asked for.
        """
        with self.reading() as conn:
            sought = {plain(key) for key in (*keys.values(), *(also or {}).values()) if key}
            about = self._answers(conn, sorted(sought), now)
            bought = {
                id: about.get(plain(key), _NONE) | about.get(plain((also or {}).get(id, "")), _NONE)
                for id, key in keys.items()
            }
            accounts = {row.id: _remembered(row, bought[row.id]) for row in self._accounts(conn, list(keys))}
            known = roster(conn, self.connection)
        for account_id, answers in bought.items():
            if account_id not in accounts and answers != _NONE:
                accounts[account_id] = Remembered(
                    signals=answers.signals, asked=answers.asked, answers_until=answers.until
                )
        return Memory(accounts=accounts, roster=known)

    def _answers(self, conn: Connection, keys: list[str], now: float) -> dict[str, _Answers]:
        found: dict[str, _Answers] = {}
        for chunk in chunks(keys):
            rows = conn.execute(
                select(
                    _ANSWER.c.key,
                    _ANSWER.c.enricher,
                    _ANSWER.c.state,
                    _ANSWER.c.signals,
                    _ANSWER.c.expires_at,
                )
                .where(
                    _ANSWER.c.connection == self.connection,
                    _ANSWER.c.key.in_(chunk),
                    _ANSWER.c.expires_at > now,
                )
                .order_by(_ANSWER.c.enricher)
            )
            for key, enricher, state, text, expires_at in rows:
                try:
                    signals = signals_from_text(text) if state == "hit" else ()
                except ValueError as error:  # `reserve` lets it be asked for again
                    log("journal").warning(
                        "a stored answer cannot be read", enricher=enricher, company=key, error=str(error)
                    )
                    continue
                found[key] = found.get(key, _NONE).also(enricher, signals, expires_at)
        return found

    def _accounts(self, conn: Connection, ids: list[str]) -> Iterator[_Row]:
        columns = [_ACCOUNT.c[name] for name in _Row._fields]
        for chunk in chunks(ids):
            mine = (_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(chunk))
            yield from (_Row(*row) for row in conn.execute(select(*columns).where(*mine)))


class _Row(NamedTuple):
    """The columns of an account that a page needs."""

    id: str
    version: int
    stamp: int
    previous: str
    confirmed: str
    intents: str
    owner: str
    parent: str
    group_key: str
    fingerprint: str
    evidence: str
    attempts: int
    problem: str
    unechoed: str
    sent_at: float
    withdrawn: str
    owed: str


def _remembered(row: _Row, answers: _Answers) -> Remembered:
    return Remembered(
        version=row.version,
        stamp=row.stamp,
        previous=previous_from_text(row.previous),
        confirmed=confirmed_from_text(row.confirmed),
        intents=intents_from_text(row.intents),
        signals=answers.signals,
        asked=answers.asked,
        answers_until=answers.until,
        owner=row.owner,
        parent=row.parent,
        group=row.group_key,
        fingerprint=row.fingerprint,
        evidence=loads(row.evidence),
        attempts=row.attempts,
        problem=row.problem,
        unechoed=pairs_from_text(row.unechoed),
        sent_at=row.sent_at,
        withdrawn=withdrawn_from_text(row.withdrawn),
        owed=owed_from_text(row.owed),
    )
