"""A CRM in memory: the port's behaviour without a vendor, for trying profiles out and for tests.

It keeps a real CRM's habits that matter to correctness: an index that shows changes late, stamps that
several records share, edits between our read and our write, merges, refusals, writes whose reply is
lost. Every write moves the stamp, also of a value already there, which is the harsher assumption.
Time is an argument; nothing here sleeps.
"""

from __future__ import annotations

import threading
from bisect import bisect_right, insort
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import count

from icp_sync.crm.canonical import canonical_text, type_of
from icp_sync.crm.carrying import theirs_among
from icp_sync.crm.memory_beside import Beside
from icp_sync.crm.memory_fields import Fields
from icp_sync.crm.memory_past import Past
from icp_sync.crm.memory_views import Shelf
from icp_sync.crm.windows import WINDOW_STREAMS, Window, Windows, id_order, stamp_is_old
from icp_sync.domain.account import Account, Owner
from icp_sync.domain.facts import Signal
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.standing import FIELDS, FieldType
from icp_sync.domain.views import View
from icp_sync.errors import ConfigError, Problem
from icp_sync.ports import (
    NONE_READ,
    Blueprint,
    CrmField,
    Deal,
    Editor,
    Edits,
    Identity,
    Note,
    Noted,
    Page,
    Position,
    Query,
    Related,
    Step,
    StepKind,
    Stream,
    Task,
    Views,
    ViewStep,
    unnoted,
)

OWNERS = frozenset(name for name, known in FIELDS.items() if known.type is FieldType.OWNER)

OURS = (*(name for name, known in FIELDS.items() if not known.native), "owner")
"""The fields a connection carries unless told otherwise: all of ours, and the CRM's own owner."""


@dataclass(slots=True)
class _Row:
    """A record, and what the index shows of it: `indexed` now, `coming` at later instants."""

    account: Account
    indexed: int | None
    coming: list[tuple[float, int]]

    def indexed_at(self, now: float) -> int | None:
        """The stamp the index shows, None while it does not know the record."""
        while self.coming and self.coming[0][0] <= now:
            self.indexed = self.coming.pop(0)[1]
        return self.indexed


class MemoryCrm:
    """Implements `icp_sync.ports.Crm`; the verbs below it are what people and processes do to the CRM.

    records: accounts as they stand; a stamp of 0 becomes the clock's now.
    clock: UTC epoch seconds, the CRM's own.
    index_lag: seconds until a change shows in poll and trailing reads; `late=` adds to it per change.
    fields: the logical fields this CRM has; other fields are refused.
    refuse: asked for every write; an outcome refuses it. refuse_owner: the same of its owner alone, by a
    reason. lose_reply: asked for every write; true applies
    it and reports it UNCERTAIN. before: called with the name of each call; what it raises, the call raises.
    stamped: whether deals have the fields of our stamp from the start.
    """

    kind = "memory"

    def __init__(
        self,
        records: Iterable[Account] = (),
        *,
        clock: Callable[[], float],
        index_lag: float = 0.0,
        fields: Iterable[str] = OURS,
        owners: Iterable[Owner] = (),
        identity: str = "memory",
        currency: str = "USD",
        windows: Windows | None = None,
        page_size: int = 1000,
        refuse: Callable[[Write], Outcome | None] = lambda _: None,
        refuse_owner: Callable[[Write], str] = lambda _: "",
        lose_reply: Callable[[Write], bool] = lambda _: False,
        before: Callable[[str], None] = lambda _: None,
        stamped: bool = False,
    ) -> None:
        self.index_lag = index_lag
        self.refuse = refuse
        self.refuse_owner = refuse_owner
        self.lose_reply = lose_reply
        self.before = before
        self.writes: list[tuple[float, str, str, str]] = []
        self.made = Fields(fields)
        self._clock = clock
        self._owners = {owner.email.lower(): owner for owner in owners}
        self._identity = Identity(
            id=identity, name=identity, production=False, currency=currency, time_zone="UTC"
        )
        self._windows = windows or Windows()
        self._page_size = min(page_size, 1000)
        self._rows: dict[str, _Row] = {}
        self._order: list[tuple[int, str]] = []
        self._departed: dict[str, tuple[int, str]] = {}  # id → (ms, survivor or "")
        self._merged: dict[str, set[str]] = {}  # survivor → ids merged into it
        self._next_id = count(1001)
        self._lock = threading.RLock()
        self.beside = Beside(lambda id: id in self._rows, self._now_ms, stamped=stamped)
        self.shelf = Shelf()
        self._past = Past()
        for record in records:
            stamp = record.stamp or self._now_ms()
            self._put(replace(record, stamp=stamp), indexed=stamp)
            self._past.note(record.id, {}, _values(record), at=stamp, by=Editor.UNKNOWN)

    # What the port asks

    def now(self) -> float:
        return self._clock()

    def identity(self) -> Identity:
        self.before("identity")
        return self._identity

    def pages(self, query: Query) -> Iterator[Page]:
        if query.stream in WINDOW_STREAMS:
            yield from self._window_pages(query)
        else:
            yield from self._id_pages(query)

    def cuts(self, parts: int, after: str = "") -> tuple[str, ...]:
        self.before("cuts")
        with self._lock:
            left = [key[1] for key in self._order[bisect_right(self._order, id_order(after)) :]]
        parts = min(parts, len(left) // self._page_size)
        return tuple(left[len(left) * nth // parts - 1] for nth in range(1, parts))

    def fetch(self, ids: Sequence[str]) -> Page:
        self.before("fetch")
        return self._read(Stream.DUE, ids, Position())

    def departed(self, since: int) -> Mapping[str, str]:
        self.before("departed")
        with self._lock:
            return {gone: self._survivor(gone) for gone, (at, _) in self._departed.items() if at >= since}

    def write(self, writes: Sequence[Write]) -> Iterable[Outcome]:
        self.before("write")
        return [self._write_one(write) for write in writes]

    def check(self, blueprint: Blueprint) -> list[Problem]:
        self.before("check")
        absent = [
            Problem(where=name, what=f"there is no field {name!r}", hint="icp-sync provision --apply")
            for name in blueprint.fields
            if name not in self.made
        ]
        return absent + self.beside.check(blueprint)

    @property
    def disabled(self) -> Mapping[str, str]:
        return self.made.disabled

    def provision(
        self, blueprint: Blueprint, *, apply: bool, remove: bool = False, force: bool = False
    ) -> list[Step]:
        self.before("provision")
        if remove:
            steps = self.made.remove(apply=apply, force=force)
            acts = apply and (force or not any(step.kind is StepKind.DEPENDS for step in steps))
            return [*steps, *self.beside.unmake(blueprint, apply=acts)]
        return [*self.made.provision(blueprint, apply=apply), *self.beside.make(blueprint, apply=apply)]

    def views(
        self,
        wanted: Sequence[View],
        blueprint: Blueprint,
        known: Mapping[str, str],
        *,
        apply: bool,
        remove: bool = False,
        force: bool = False,
        note: Callable[[ViewStep], None] = unnoted,
    ) -> Views:
        self.before("views")
        act = self.shelf.withdraw if remove else self.shelf.provide
        told = act(wanted, blueprint, known, apply=apply, force=force)
        for step in told.steps:
            if step.step.done:
                note(step)
        return told

    def history(self, ids: Sequence[str], fields: Sequence[str]) -> Edits:
        self.before("history")
        with self._lock:
            carried = self.made.carried
            return self._past.told(
                [id for id in ids if id in self._rows], [name for name in fields if name in carried]
            )

    def owners(self) -> tuple[Owner, ...]:
        self.before("owners")
        return tuple(self._owners.values())

    def deals(self, since: int, *, after: str = "", spare: Mapping[str, int] = NONE_READ) -> Iterator[Deal]:
        self.before("deals")
        for deal in self.beside.deals(since, after, spare):
            yield replace(deal, currency=deal.currency or self._identity.currency)

    def annotate(self, kind: str, notes: Sequence[Note]) -> Iterable[Noted]:
        if kind != "deals":
            raise ConfigError(f"{kind!r} cannot be written on here, only deals can")
        self.before("annotate")
        return [self.beside.annotate(note) for note in notes]

    def give_task(self, task: Task) -> Noted:
        self.before("task")
        known = self._owners
        return self.beside.give_task(task, lambda email: email in known and known[email].active)

    def related(self, ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
        if kind != "contacts":
            raise ConfigError(f"{kind!r} cannot be read here, only contacts can")
        self.before("related")
        return self.beside.related(ids)

    def fields(self) -> tuple[CrmField, ...]:
        self.before("fields")
        return self.beside.fields()

    def sample(self, properties: Sequence[str], limit: int) -> Sequence[Mapping[str, str | None]]:
        self.before("sample")
        return self.beside.sample([key[1] for key in self._order], properties, limit)

    def canonical(self, field: str, raw: str | None) -> str:
        return canonical_text(type_of(field), raw)

    # What people and processes do to a CRM

    def account(self, account_id: str) -> Account:
        """The record as it is now. Raises KeyError when it is gone."""
        with self._lock:
            return self._as_read(self._rows[account_id].account)

    def create(
        self,
        *,
        id: str = "",
        name: str = "",
        signals: Iterable[Signal] = (),
        live: Mapping[str, str] | None = None,
        owner: str = "",
        parent: str = "",
        late: float = 0.0,
        by: Editor = Editor.PERSON,
    ) -> str:
        """Create a record and return its id."""
        with self._lock:
            account_id = id or next(str(n) for n in self._next_id if str(n) not in self._rows)
            account = Account(
                id=account_id,
                name=name,
                signals=tuple(signals),
                live=dict(live or {}),
                owner=owner,
                parent=parent,
                stamp=self._now_ms(),
            )
            self._put(account, late=late)
            self._past.note(account_id, {}, _values(account), at=account.stamp, by=by)
            return account_id

    def edit(
        self,
        account_id: str,
        *,
        live: Mapping[str, str] | None = None,
        signals: Iterable[Signal] | None = None,
        owner: str | None = None,
        name: str | None = None,
        parent: str | None = None,
        late: float = 0.0,
        by: Editor = Editor.PERSON,
        who: str = "",
    ) -> None:
        """Change a record as a person, or `by` whom, does. Signals replace those of the same fact and
        source."""
        with self._lock:
            account = self._rows[account_id].account
            given = {**(live or {}), **({} if owner is None else {"owner": owner})}
            self._past.note(account_id, _values(account), given, at=self._now_ms(), by=by, who=who)
            new = tuple(signals or ())
            replaced = {(s.fact, s.source) for s in new}
            kept = tuple(s for s in account.signals if (s.fact, s.source) not in replaced)
            self._put(
                replace(
                    account,
                    live={**account.live, **(live or {})},
                    signals=kept + new,
                    owner=account.owner if owner is None else owner,
                    name=account.name if name is None else name,
                    parent=account.parent if parent is None else parent,
                    stamp=self._now_ms(),
                ),
                late=late,
            )

    def bump(self, ids: Iterable[str], *, stamp: int | None = None, late: float = 0.0) -> None:
        """A mass job touches these records: all get one stamp (ms)."""
        with self._lock:
            at = self._now_ms() if stamp is None else stamp
            for account_id in ids:
                self._put(replace(self._rows[account_id].account, stamp=at), late=late)

    def delete(self, account_id: str, *, at: float | None = None) -> None:
        """`at`: the instant its deletion is listed under (epoch seconds), by default now."""
        with self._lock:
            self._drop(account_id, survivor="")
            if at is not None:
                self._departed[account_id] = (round(at * 1000), "")

    def forget_departures(self) -> None:
        """Whoever was deleted so far is listed no more."""
        with self._lock:
            self._departed.clear()

    def merge(self, loser: str, survivor: str) -> None:
        """`loser` ceases to exist; its name for the survivor is kept. Values of the survivor win."""
        with self._lock:
            self._drop(loser, survivor=survivor)
            self.beside.move(loser, survivor)
            self._merged.setdefault(survivor, set()).update({loser}, self._merged.pop(loser, ()))
            self._put(replace(self._rows[survivor].account, stamp=self._now_ms()))

    # Reading

    def _window_pages(self, query: Query) -> Iterator[Page]:
        window = self._windows.open(query.stream, query.position, self.now())
        last, told = window.last_id, 0
        size = self._size(query)
        while True:
            self.before("page")
            found = self._in_window(window, last, size)
            last = found[-1] if found else last
            closed = len(found) < size
            page = self._page(query, found, window.closed() if closed else window.up_to(last))
            yield page
            told += len(page.accounts)
            if closed or (query.limit is not None and told >= query.limit):
                return

    def _id_pages(self, query: Query) -> Iterator[Page]:
        last = ("" if query.position.finished else query.position.last_id) or query.after
        told, size = 0, self._size(query)
        while True:
            self.before("page")
            found = self._after(last, query, size)
            last = found[-1] if found else last
            end = len(found) < size
            page = self._page(query, found, Position(last_id=last, finished=end))
            yield page
            told += len(page.accounts)
            if end or (query.limit is not None and told >= query.limit):
                return

    def _size(self, query: Query) -> int:
        return min(self._page_size, query.limit or self._page_size)

    def _in_window(self, window: Window, last: str, size: int) -> list[str]:
        now, found = self._clock(), []
        with self._lock:
            for key in self._order[bisect_right(self._order, id_order(last)) :]:
                stamp = self._rows[key[1]].indexed_at(now)
                if stamp is not None and window.lower <= stamp <= window.upper:
                    found.append(key[1])
                    if len(found) == size:
                        break
        return found

    def _after(self, last: str, query: Query, size: int) -> list[str]:
        with self._lock:
            order = sorted(set(map(id_order, query.ids))) if query.stream is Stream.DUE else self._order
            start = bisect_right(order, id_order(last))
            end = bisect_right(order, id_order(query.up_to)) if query.up_to else len(order)
            return [key[1] for key in order[start : min(end, start + size)]]

    def _page(self, query: Query, found: Sequence[str], position: Position) -> Page:
        if query.stream is Stream.DUE:
            return self._read(query.stream, found, position)
        with self._lock:
            stamps = {id: self._rows[id].account.stamp for id in found if id in self._rows}
        spared = query.seen(stamps) if stamps else set()
        page = self._read(query.stream, [id for id in found if id not in spared], position)
        return replace(page, skipped=len(spared))

    def _read(self, stream: Stream, ids: Sequence[str], position: Position) -> Page:
        with self._lock:
            accounts = tuple(self._as_read(self._rows[id].account) for id in ids if id in self._rows)
            gone = {id: self._survivor(id) for id in ids if id not in self._rows}
            for account in accounts:  # a survivor names those merged into it
                gone |= dict.fromkeys(self._merged.get(account.id, ()), account.id)
        return Page(stream=stream, accounts=accounts, position=position, gone=gone)

    def _as_read(self, account: Account) -> Account:
        read_at = self._now_ms()
        live = {name: account.live.get(name, "") for name in self.made.carried}
        if "owner" in live:
            live["owner"] = account.owner
        return replace(account, live=live, read_at=read_at, stamp_is_old=stamp_is_old(account.stamp, read_at))

    # Writing

    def _write_one(self, write: Write) -> Outcome:
        with self._lock:
            if write.account_id not in self._rows:
                return Outcome(account_id=write.account_id, result=Result.GONE, code="OBJECT_NOT_FOUND")
            refusal = self.refuse(write)
            if refusal:
                return refusal
            if theirs := theirs_among(write.values):
                message = f"{', '.join(theirs)} belongs to people and is never written"
                return Outcome(
                    account_id=write.account_id, result=Result.REFUSED, code="THEIRS", message=message
                )
            if lost := self.made.missed(write.values):
                return _dropped(write, lost)
            refused = {
                field: why
                for field, value in write.values.items()
                if (why := self.made.impossible(field, value, self._owners))
            }
            if "owner" in write.values and (reason := self.refuse_owner(write)):
                refused["owner"] = ("INVALID_OWNER", reason)
            if refused.keys() - OWNERS or refused.keys() == write.values.keys() != set():
                code, message = next(iter(refused.values()))
                return Outcome(account_id=write.account_id, result=Result.REFUSED, code=code, message=message)
            return self._landed(write, {field: message for field, (_, message) in refused.items()})

    def _landed(self, write: Write, refused: Mapping[str, str]) -> Outcome:
        account, now = self._rows[write.account_id].account, self._clock()
        values = {field: value for field, value in write.values.items() if field not in refused}
        self.writes.extend((now, account.id, field, value) for field, value in values.items())
        live = {**account.live, **{field: value for field, value in values.items() if field != "owner"}}
        owner = values.get("owner", account.owner)
        self._past.note(account.id, _values(account), values, at=self._now_ms(), by=Editor.OURS)
        self._put(replace(account, live=live, owner=owner, stamp=self._now_ms()))
        if self.lose_reply(write):
            return Outcome(account_id=account.id, result=Result.UNCERTAIN, message="the reply was lost")
        return Outcome(account_id=account.id, result=Result.WRITTEN, confirmed=values, refused=refused)

    # The store

    def _now_ms(self) -> int:
        return round(self._clock() * 1000)

    def _put(self, account: Account, *, late: float = 0.0, indexed: int | None = None) -> None:
        row = self._rows.get(account.id)
        if row is None:
            row = self._rows[account.id] = _Row(account=account, indexed=indexed, coming=[])
            insort(self._order, id_order(account.id))
        row.account = account
        if indexed is None:
            row.coming.append((self._clock() + self.index_lag + late, account.stamp))
            row.coming.sort()

    def _drop(self, account_id: str, *, survivor: str) -> None:
        del self._rows[account_id]
        del self._order[bisect_right(self._order, id_order(account_id)) - 1]
        self._departed[account_id] = (self._now_ms(), survivor)

    def _survivor(self, account_id: str) -> str:
        """The record that stands for a merged one today, "" when it is deleted."""
        while account_id in self._departed:
            account_id = self._departed[account_id][1]
        return account_id if account_id in self._rows else ""


def _values(account: Account) -> Mapping[str, str]:
    return {**account.live, "owner": account.owner}


def _dropped(write: Write, lost: Mapping[str, str]) -> Outcome:
    """Nothing of a write is sent when the CRM has lost a field of it: a seal among its values covers all."""
    reasons = "; ".join(f"{field}: {why}" for field, why in lost.items())
    if lost.keys() == write.values.keys():
        return Outcome(account_id=write.account_id, result=Result.REFUSED, code="DISABLED", message=reasons)
    message = f"nothing was written, to be planned again without what is disabled: {reasons}"
    return Outcome(account_id=write.account_id, result=Result.FAILED, code="OUTPUT_DISABLED", message=message)
