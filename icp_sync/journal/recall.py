"""What the journal remembers for a page, in a handful of set-based queries."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

from sqlalchemy import Connection, or_, select

from icp_sync.domain.account import Memory, Remembered
from icp_sync.domain.facts import Signal
from icp_sync.journal import schema
from icp_sync.journal.among import among
from icp_sync.journal.assignments import tasks_of_ours, watched
from icp_sync.journal.bound import Bound
from icp_sync.journal.connections import roster
from icp_sync.journal.encoding import (
    confirmed_from_text,
    intents_from_text,
    owed_from_text,
    pairs_from_text,
    plain,
    previous_from_text,
    signals_from_text,
    withdrawn_from_text,
)
from icp_sync.journal.evidence import evidence_from_text
from icp_sync.observe import log

_ACCOUNT = schema.account
_ANSWER = schema.answer


class _Answers(NamedTuple):
    """What was learned under one key, of a company or of one account, and is still valid.

    until: when the first of it ends. pending: enricher → its job, and from when to look for the result.
    answered: enricher → when it told the signals.
    """

    signals: tuple[Signal, ...] = ()
    asked: frozenset[str] = frozenset()
    until: float | None = None
    pending: Mapping[str, tuple[str, float]] = MappingProxyType({})
    answered: Mapping[str, float] = MappingProxyType({})

    def __or__(self, other: _Answers) -> _Answers:
        if self is _NONE or other is _NONE:  # as a rule nothing was asked under either key
            return other if self is _NONE else self
        return _Answers(
            signals=self.signals + other.signals,
            asked=self.asked | other.asked,
            until=min((u for u in (self.until, other.until) if u is not None), default=None),
            pending={**self.pending, **other.pending},
            answered={**self.answered, **other.answered},
        )


_NONE = _Answers()


class Recall(Bound):
    def seen(self, stamps: Mapping[str, int]) -> set[str]:
        """The ids already settled at exactly this stamp (ms)."""
        return {
            account_id for account_id, stamp in self.stamps(stamps).items() if stamps[account_id] == stamp
        }

    def stamps(self, ids: Mapping[str, int] | tuple[str, ...] | list[str]) -> dict[str, int]:
        """id → the stamp (ms) up to which it counts as seen, for those that have one."""
        seen = select(_ACCOUNT.c.id, _ACCOUNT.c.seen_stamp).where(
            _ACCOUNT.c.connection == self.connection,
            among(_ACCOUNT.c.id, ids),
            _ACCOUNT.c.seen_stamp.is_not(None),
        )
        with self.reading() as conn:
            return dict(conn.execute(seen).all())

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
            given = watched(conn, self.connection, list(keys))
            told = tasks_of_ours(conn, self.connection, (id for id, one in given.items() if one.due))
            accounts = {row.id: _remembered(row, bought[row.id]) for row in self._accounts(conn, list(keys))}
            known = roster(conn, self.connection)
        for account_id in given.keys() & accounts.keys():
            accounts[account_id] = replace(
                accounts[account_id], assignment=given[account_id], told=told.get(account_id, ())
            )
        for account_id, answers in bought.items():
            if account_id not in accounts and answers != _NONE:
                accounts[account_id] = Remembered(
                    signals=answers.signals,
                    asked=answers.asked,
                    answers_until=answers.until,
                    pending=answers.pending,
                    answered=answers.answered,
                )
        return Memory(accounts=accounts, roster=known)

    def _answers(self, conn: Connection, keys: list[str], now: float) -> dict[str, _Answers]:
        found: dict[str, _Answers] = {}
        columns = [_ANSWER.c[name] for name in _Kept._fields]
        rows = conn.execute(
            select(*columns).where(
                _ANSWER.c.connection == self.connection,
                among(_ANSWER.c.key, keys),
                or_(_ANSWER.c.expires_at > now, _ANSWER.c.until > now, _ANSWER.c.job != ""),
            )
        )
        # Put into order here: asked for it, SQLite would walk all answers of the connection in that order.
        for kept in sorted(map(_Kept._make, rows), key=lambda one: one.enricher):
            found[kept.key] = found.get(kept.key, _NONE) | _recalled(kept, now)
        return found

    def _accounts(self, conn: Connection, ids: list[str]) -> Iterator[_Row]:
        columns = [_ACCOUNT.c[name] for name in _Row._fields]
        mine = (_ACCOUNT.c.connection == self.connection, among(_ACCOUNT.c.id, ids))
        return map(_Row._make, conn.execute(select(*columns).where(*mine)).all())


class _Kept(NamedTuple):
    """The columns of an answer that a page needs."""

    key: str
    enricher: str
    state: str
    at: float
    expires_at: float
    signals: str
    until: float
    job: str


def _recalled(kept: _Kept, now: float) -> _Answers:
    """What of one answer is still valid; an unreadable hit counts as not asked for."""
    signals: tuple[Signal, ...] = ()
    try:
        signals = signals_from_text(kept.signals) if kept.until > now else ()
    except ValueError as error:  # `reserve` lets it be asked for again
        log("journal").warning(
            "a stored answer cannot be read", enricher=kept.enricher, company=kept.key, error=str(error)
        )
        if kept.state == "hit":
            return _NONE
    held = tuple(s for s in signals if s.until is None or s.until > now)
    asked = kept.expires_at > now
    ends = [kept.until if s.until is None else min(s.until, kept.until) for s in held]
    return _Answers(
        signals=held,
        asked=frozenset({kept.enricher}) if asked else frozenset(),
        until=min([*ends, kept.expires_at] if asked else ends, default=None),
        pending={kept.enricher: (kept.job, kept.expires_at)} if kept.job else {},
        answered={kept.enricher: kept.at} if signals else {},
    )


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
        pending=answers.pending,
        answered=answers.answered,
        owner=row.owner,
        parent=row.parent,
        group=row.group_key,
        fingerprint=row.fingerprint,
        evidence=evidence_from_text(row.evidence),
        attempts=row.attempts,
        problem=row.problem,
        unechoed=pairs_from_text(row.unechoed),
        sent_at=row.sent_at,
        withdrawn=withdrawn_from_text(row.withdrawn),
        owed=owed_from_text(row.owed),
    )
