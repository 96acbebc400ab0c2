"""One object of an org: its fields, its records, and what of them is committed.

An open transaction stamps its rows at once and shows them only when it commits; until then readers see what
was there before. Who may see and change what is `rights`' business, validation the API's.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Mapping
from random import Random
from typing import TYPE_CHECKING

from icp_sync.simulator.clock import iso
from icp_sync.simulator.index import Index, Version
from icp_sync.simulator.salesforce import formulas, ids
from icp_sync.simulator.salesforce.derived import derivation
from icp_sync.simulator.salesforce.schema import FieldDef, Value, printed
from icp_sync.simulator.store import Record, Source, Store

if TYPE_CHECKING:
    from icp_sync.simulator.salesforce.org import Org, User

PURGED_AFTER = 15 * 86_400_000
"""How long the recycle bin keeps a record, ms. https://help.salesforce.com/s/articleView?id=sf.home_delete.htm"""
Noticed = Callable[[Record, Mapping[str, str], Mapping[str, str], Source, int, int], None]
"""Told of every change: the record, its values before, those written, by whom, at (ms), seen so late (ms)."""
Derivation = Callable[["Org", "SObject", Record], Value]


class SObject:
    """An object and its records. All access under the org's lock."""

    def __init__(self, org: Org, name: str, label: str, prefix: str, fields: Iterable[FieldDef]) -> None:
        self.org = org
        self.name = name
        self.label = label
        self.prefix = prefix
        self.index = Index()
        self.store = Store(org.clock, org.switches, self.index, Random(f"{org.seed} {name}"))  # noqa: S311 - reproducible
        self.fields: dict[str, FieldDef] = {field.key: field for field in fields}
        self.changed_at = org.clock.now_ms()
        self.noticed: Noticed | None = None
        self._derived: dict[str, Derivation | None] = {}

    @property
    def key(self) -> str:
        return self.name.lower()

    # -- fields

    def field(self, name: str) -> FieldDef | None:
        """A field by its API name, in any case; whether somebody may see it is another question."""
        return self.fields.get(name.lower())

    def add_field(self, field: FieldDef) -> None:
        """Add or replace a field."""
        self.fields[field.key] = field
        self.changed_at = self.org.clock.now_ms()

    def drop_field(self, name: str) -> None:
        if self.fields.pop(name.lower(), None) is not None:
            self.changed_at = self.org.clock.now_ms()

    def value(self, record: Record, field: FieldDef) -> Value:
        """A record's value as the API prints it."""
        if field.formula:
            return formulas.value(self.org, self, record, field)
        key = field.name
        if key not in self._derived:
            self._derived[key] = derivation(self.name, key)
        derived = self._derived[key]
        if derived is not None:
            return derived(self.org, self, record)
        text = record.props.get(key, "")
        if field.type == "datetime" and text and not self.org.switches.milliseconds:
            text = f"{text[:19]}.000Z"
        return printed(field, text)

    # -- records

    def id_of(self, record: Record) -> str:
        return ids.shown(self.prefix, record.id)

    def number(self, id_text: str) -> int | None:
        """The number behind an id of this object."""
        return ids.number(id_text) if id_text[:3] == self.prefix else None

    def record(self, id_text: str) -> Record | None:
        """The live, committed record with an id."""
        number = self.number(id_text)
        return None if number is None else self.committed(number)

    def anything(self, id_text: str) -> Record | None:
        """The committed record with an id, also one that was deleted or merged away and is not yet purged."""
        number = self.number(id_text)
        return None if number is None else self.committed(number, deleted=True)

    def committed(self, number: int, *, deleted: bool = False) -> Record | None:
        """A record as other transactions see it: while its own is open, a copy of what was there before."""
        record = self.store.records.get(number)
        if record is None:
            return None
        if self.index.held(number, self.org.clock.now_ms()):
            version = self.index.visible.get(number)
            return None if version is None else _before(version, record)
        if record.archived_at is None:
            return record
        kept = self.org.clock.now_ms() - record.archived_at < PURGED_AFTER
        return record if deleted and kept else None

    def locked(self, number: int) -> bool:
        """Whether a transaction that is still open holds the record."""
        return self.index.held(number, self.org.clock.now_ms())

    def rows(
        self,
        user: User,
        *,
        deleted: bool = False,
        above: int = -1,
        stamped: tuple[int, int] | None = None,
    ) -> Iterator[Record]:
        """Committed records that a user may see, by id. deleted: also those in the recycle bin.

        above: only those whose number is higher. stamped: only those last stamped from … to, ms (a hint
        that spares work; deleted ones come whatever their stamp).
        """
        for number in self._numbers(deleted, above, stamped):
            record = self.committed(number, deleted=deleted)
            if record is not None and self.org.visible(user, self, record):
                yield record

    def _numbers(self, deleted: bool, above: int, stamped: tuple[int, int] | None) -> list[int]:
        if deleted:
            return [number for number in self.store.records if number > above]
        if stamped is not None:
            found = sorted({version.id for version in self.index.between(*stamped)})
            return found[bisect_right(found, above) :]
        return self.index.ids[bisect_right(self.index.ids, above) :]

    # -- writing

    def create(
        self, values: Mapping[str, str], source: Source, *, at: int | None = None, late: int = 0
    ) -> Record:
        """A new record. `late`: ms until its transaction commits. Values are taken as they are."""
        record = self.store.create(values, source, at=at, late=late)
        record.props |= {"CreatedById": self._editor(source)} | self._touched(source, record.created)
        self._note(source, changed=True, values=len(values))
        return record

    def write(
        self,
        record: Record,
        values: Mapping[str, str],
        source: Source,
        *,
        at: int | None = None,
        late: int = 0,
    ) -> bool:
        """Set values, "" is null; also the same value moves the stamps. Whether any differed.

        Never give it what `record` returned of a row that is locked: that is a copy.
        """
        now = self.org.clock.now_ms() if at is None else at
        before = record.props
        differs = any(record.props.get(name, "") != value for name, value in values.items())
        if differs or self.org.switches.same_value_bumps:
            record.props = {**record.props, **self._touched(source, now)}
        changed = self.store.write(record, values, source, at=now, late=late)
        if changed and self.noticed is not None:
            self.noticed(record, before, values, source, now, late)
        self._note(source, changed=changed, values=len(values))
        return changed

    def bump(self, record: Record, at: int, *, late: int = 0) -> None:
        """Stamp a record as a job of the platform does: only SystemModstamp moves."""
        self.store.stamp(record, at, late=late)
        self.index.catch_up(self.org.clock.now_ms())

    def archive(self, record: Record, *, late: int = 0) -> None:
        """Put a record into the recycle bin."""
        now = self.org.clock.now_ms()
        self.hold(record, late)
        record.modified = now
        self.store.archive(record)
        self.index.catch_up(now)

    def merge(self, survivor: Record, other: Record, *, late: int = 0) -> None:
        """Merge `other` away; the survivor keeps its own values and takes over what it lacked."""
        now = self.org.clock.now_ms()
        for record in (survivor, other):
            self.hold(record, late)
        other.modified = now
        self.store.merge(survivor, other, late=late)
        self.index.catch_up(now)

    def load(self, rows: Iterable[tuple[Mapping[str, str], Source, int, int]]) -> list[Record]:
        """Fill an empty object: (values, origin, created ms, modified ms) per record, in that order."""
        self.store.load(rows)
        return [self.store.records[number] for number in self.store.live]

    def place(self, number: int, values: Mapping[str, str], source: Source) -> Record:
        """A record with a number of its own, made when the org was."""
        record = Record(number, self.org.born, dict(values), source)
        self.store.place(record)
        self.index.catch_up(self.org.clock.now_ms())
        return record

    def hold(self, record: Record, late: int) -> None:
        """Keep a record's row in an open transaction for `late` ms."""
        if late:
            self.index.hold(record.id, self.org.clock.now_ms() + late)

    def _touched(self, source: Source, at: int) -> dict[str, str]:
        return {"LastModifiedDate": iso(at), "LastModifiedById": self._editor(source)}

    def _editor(self, source: Source) -> str:
        user = self.org.integration.number if source.user_id is None else source.user_id
        return ids.shown("005", user)

    def _note(self, source: Source, *, changed: bool, values: int) -> None:
        """Show what is committed, and count what came over the API."""
        self.index.catch_up(self.org.clock.now_ms())
        if source.type == "API":
            meter = self.org.meter
            meter.records_written += 1
            meter.noop_writes += not changed
            meter.values_written += values


def _before(version: Version, record: Record) -> Record:
    """A record as one of its versions was."""
    copy = Record(version.id, version.created, dict(version.props), record.origin)
    copy.modified = version.modified
    return copy
