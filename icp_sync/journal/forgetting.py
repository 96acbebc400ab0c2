"""Erasing what is known of accounts: because somebody asks, or because they have long been gone from the CRM.

Everything kept under an account's id goes; answers bought about its company only when no other account is of
that company; costs stay, without saying whom they were for. The audit is append-only and stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, or_, select, update

from icp_sync.journal import schema
from icp_sync.journal.bound import Bound
from icp_sync.journal.database import chunks
from icp_sync.journal.encoding import dumps, loads, plain
from icp_sync.journal.families import wake
from icp_sync.journal.notices import OPERATOR, about
from icp_sync.journal.requests import CANCELLED, OPEN
from icp_sync.journal.rows import Loads, lock
from icp_sync.ports import account_key

_ACCOUNT = schema.account
_DEAL = schema.deal
_BY_ACCOUNT = (
    schema.evaluation,
    schema.evaluation_log,
    schema.change_log,
    schema.left_alone,
    schema.hold,
    schema.movement,
    schema.assignment,
    schema.notice,
    _DEAL,
)
_TOLD = ((schema.run, ("detail", "report")), (schema.request, ("args", "progress", "result")))
"""Tables whose reports may name accounts among others."""
_FEW = 20
BLOTTED = "(forgotten)"
FORGOTTEN = "it named an account that was forgotten meanwhile; ask again for the others"
"""Why a request was cancelled. Less a name it would be another request, of everything maybe."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forgotten:
    """What is, or would be, erased. ids: the account and the tombstones of those merged into it.

    rows: table → how many. answers: bought answers nobody else needs. ours: fields that still hold, as far
    as is known, a value of ours in the CRM. audited: entries of the audit that name it, which stay.
    """

    ids: tuple[str, ...]
    rows: dict[str, int]
    answers: int
    ours: tuple[str, ...]
    audited: int


class Forgetting(Bound):
    def known_of(self, account_id: str) -> Forgotten | None:
        """What `forget` would erase, None when nothing is known."""
        with self.reading() as conn:
            ids = self._ids(conn, account_id)
            rows = {}
            for table in (_ACCOUNT, *_BY_ACCOUNT):
                mine = (table.c.connection == self.connection, _whose(table, ids))
                rows[table.name] = int(conn.execute(select(func.count()).where(*mine)).scalar() or 0)
            answers = self._bought(conn, keys_of(conn, self.connection, ids))
            confirmed = conn.execute(
                select(_ACCOUNT.c.confirmed).where(
                    _ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id == account_id
                )
            ).scalar()
            audit = schema.audit
            named = (audit.c.connection == self.connection, _names(audit.c.detail, [account_id]))
            audited = int(conn.execute(select(func.count()).where(*named)).scalar() or 0)
        if not any(rows.values()) and not answers:
            return None
        ours = tuple(
            sorted(
                name for name, (value, origin, *_) in loads(confirmed).items() if value and origin == "ours"
            )
        )
        return Forgotten(ids=ids, rows=rows, answers=answers, ours=ours, audited=audited)

    def forget(self, account_id: str, *, now: float) -> Forgotten | None:
        """Erase all that is known of one account; its relatives are due. None when nothing was known.

        A worker that has it in hand settles it no more: its next read begins from nothing, and whose values
        stand there is for the seal to say.
        """
        known = self.known_of(account_id)
        if known is None:
            return None
        with self.writing("state") as conn:
            ids = self._ids(conn, account_id)
            moved = Loads()
            for stored in lock(conn, self.connection, ids).values():
                moved.move(stored.counted_owner, "")
            conn.execute(delete(_DEAL).where(_DEAL.c.connection == self.connection, _whose(_DEAL, ids)))
            erase(conn, self.connection, ids)
            conn.execute(
                delete(_ACCOUNT).where(_ACCOUNT.c.connection == self.connection, _ACCOUNT.c.id.in_(ids))
            )
            moved.store(conn, self.connection)
            wake(conn, self.connection, _ACCOUNT.c.parent, ids, now)
        return known

    def _ids(self, conn: Connection, account_id: str) -> tuple[str, ...]:
        merged = select(_ACCOUNT.c.id).where(
            _ACCOUNT.c.connection == self.connection,
            or_(_ACCOUNT.c.id == account_id, _ACCOUNT.c.survivor == account_id),
        )
        return tuple(sorted(conn.execute(merged).scalars())) or (account_id,)

    def _bought(self, conn: Connection, keys: Sequence[str]) -> int:
        answer = schema.answer
        mine = (answer.c.connection == self.connection, answer.c.key.in_(keys))
        return int(conn.execute(select(func.count()).where(*mine)).scalar() or 0)


def _whose(table: Any, ids: Sequence[str]) -> ColumnElement[bool]:
    """Rows about these accounts. A deal is of two: the one that has it, and the one that had it."""
    if table is _DEAL:
        return or_(_DEAL.c.account.in_(ids), _DEAL.c.tier_of.in_(ids))
    if table is schema.notice:
        return about(ids)
    named: ColumnElement[bool] = (table.c.id if table is _ACCOUNT else table.c.account).in_(ids)
    return named


def keys_of(conn: Connection, connection: str, ids: Sequence[str]) -> list[str]:
    """Under which keys answers about nobody but these accounts are kept."""
    mine = (_ACCOUNT.c.connection == connection, _ACCOUNT.c.domain != "")
    named = (_ACCOUNT.c.connection == connection, _ACCOUNT.c.id.in_(ids))
    wanted: set[str] = set()
    for domain, former in conn.execute(select(_ACCOUNT.c.domain, _ACCOUNT.c.former).where(*named)):
        wanted |= {domain, *(loads(former) or ())} - {""}
    others = (_ACCOUNT.c.domain.in_(wanted), _ACCOUNT.c.id.not_in(ids), _ACCOUNT.c.status != "gone")
    shared = set(conn.execute(select(_ACCOUNT.c.domain).where(*mine, *others).distinct()).scalars())
    return sorted({plain(account_key(id)) for id in ids} | (wanted - shared))


def erase(conn: Connection, connection: str, ids: Sequence[str]) -> None:
    """Remove everything about these accounts (some hundreds at most) but their own rows."""
    keys = keys_of(conn, connection, ids)
    for table in _BY_ACCOUNT:
        whose = about(ids) if table is schema.notice else table.c.account.in_(ids)
        conn.execute(delete(table).where(table.c.connection == connection, whose))
    # A deal another account has now goes on; whose it was is not remembered.
    had = (_DEAL.c.connection == connection, _DEAL.c.tier_of.in_(ids))
    conn.execute(update(_DEAL).where(*had).values(tier_of=""))
    answer, purchase, heard = schema.answer, schema.purchase, schema.inbound_event
    for chunk in chunks(keys):
        conn.execute(delete(answer).where(answer.c.connection == connection, answer.c.key.in_(chunk)))
        conn.execute(delete(heard).where(heard.c.connection == connection, heard.c.domain.in_(chunk)))
        conn.execute(
            update(purchase)
            .where(purchase.c.connection == connection, purchase.c.key.in_(chunk))
            .values(key="")
        )
    _cancel_requests(conn, connection, ids)
    for told, names in _TOLD:
        _scrub(conn, connection, told, names, ids)
    _scrub_watch(conn, connection, ids)
    _scrub_sentences(conn, connection, ids)


def _scrub_watch(conn: Connection, connection: str, ids: Sequence[str]) -> None:
    """Take these accounts out of those named behind what drifted."""
    watch = schema.watch
    mine = watch.c.connection == connection
    text = str(conn.execute(select(watch.c.findings).where(mine)).scalar() or "")
    if (after := dumps(_without(loads(text), frozenset(ids)))) != text and text:
        conn.execute(update(watch).where(mine).values(findings=after))


def _cancel_requests(conn: Connection, connection: str, ids: Sequence[str]) -> None:
    """End the requests that name these accounts and are not over: only what is over may be scrubbed."""
    request, wanted = schema.request, frozenset(ids)
    still = (request.c.connection == connection, request.c.state.in_(OPEN))
    for request_id, args in conn.execute(select(request.c.id, request.c.args).where(*still)).all():
        if _without(loads(args), wanted) != loads(args):
            left = {"args": dumps(_without(loads(args), wanted)), "result": dumps({"error": FORGOTTEN})}
            conn.execute(
                update(request).where(*still, request.c.id == request_id).values(state=CANCELLED, **left)
            )


def _scrub(conn: Connection, connection: str, table: Any, names: Sequence[str], ids: Sequence[str]) -> None:
    """Take the lines that name these accounts out of what was reported."""
    named = or_(*(_names(table.c[name], ids) for name in names))
    columns = [table.c[name] for name in names]
    mine = [table.c.connection == connection, named]
    if table is schema.request:
        mine.append(table.c.state.not_in(OPEN))
    found = conn.execute(select(table.c.id, *columns).where(*mine)).all()
    wanted = frozenset(ids)
    for row_id, *texts in found:
        after = {
            name: dumps(_without(loads(text), wanted)) if text else text
            for name, text in zip(names, texts, strict=True)
        }
        if list(after.values()) != texts:
            conn.execute(
                update(table).where(table.c.connection == connection, table.c.id == row_id).values(after)
            )


def _scrub_sentences(conn: Connection, connection: str, ids: Sequence[str]) -> None:
    """Blot these ids out of what people are told in sentences: alerts, a halt, how a request ended."""
    blotted = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, sorted(ids)))})(?!\w)")
    alert, state, request = schema.alert, schema.connection_state, schema.request
    notice = schema.notice
    told = (notice.c.connection == connection, notice.c.audience == OPERATOR)
    for seq, said in conn.execute(select(notice.c.seq, notice.c.data).where(*told)).all():
        if (after := _blotted(said, blotted)) != said:
            conn.execute(update(notice).where(notice.c.seq == seq).values(data=after))
    texts = select(alert.c.name, alert.c.text).where(alert.c.connection == connection)
    for name, said in conn.execute(texts).all():
        if (after := blotted.sub(BLOTTED, said)) != said:
            those = (alert.c.connection == connection, alert.c.name == name)
            conn.execute(update(alert).where(*those).values(text=after))
    mine = state.c.connection == connection
    said = str(conn.execute(select(state.c.backfill_state).where(mine)).scalar() or "")
    if (after := _blotted(said, blotted)) != said:
        conn.execute(update(state).where(mine).values(backfill_state=after))
    over = (request.c.connection == connection, request.c.state.not_in(OPEN))
    for request_id, said in conn.execute(select(request.c.id, request.c.result).where(*over)).all():
        if (after := _blotted(said, blotted)) != said:
            conn.execute(update(request).where(*over, request.c.id == request_id).values(result=after))


def _blotted(text: str, ids: re.Pattern[str]) -> str:
    """JSON as text, its sentences less the ids."""
    return dumps(_sentences(loads(text), ids)) if text and ids.search(text) else text


def _sentences(value: Any, ids: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        return {name: _sentences(item, ids) for name, item in value.items()}
    if isinstance(value, list):
        return [_sentences(item, ids) for item in value]
    return ids.sub(BLOTTED, value) if isinstance(value, str) else value


def _names(column: Any, ids: Sequence[str]) -> Any:
    """Whether JSON text may name one of these; of many only whether it lists anything at all."""
    if len(ids) > _FEW:
        return column.contains("[[")
    return or_(*(column.contains(f'"{account_id}"', autoescape=True) for account_id in ids))


def _without(value: Any, ids: frozenset[str]) -> Any:
    """Plain JSON less every line, a list or mapping that holds one of these, and less the ids themselves."""
    if isinstance(value, dict):
        kept = {name: item for name, item in value.items() if name not in ids and not _is(item, ids)}
        return {name: _without(item, ids) for name, item in kept.items()}
    if isinstance(value, list):
        return [_without(item, ids) for item in value if not _is(item, ids) and not _line_of(item, ids)]
    return value


def _is(value: Any, ids: frozenset[str]) -> bool:
    return isinstance(value, str) and value in ids


def _line_of(value: Any, ids: frozenset[str]) -> bool:
    items = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return any(_is(item, ids) for item in items)
