"""What the simulator's controls need of a CRM: somebody at its screen, who sees one type of records.

The controls are the same for every CRM; what an id, a value or a record looks like, its desk knows.
"""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Mapping
from typing import Protocol

from icp_sync.simulator.clock import Clock
from icp_sync.simulator.faults import Faults
from icp_sync.simulator.index import Index
from icp_sync.simulator.limits import Meter
from icp_sync.simulator.others import Competitors, Watch
from icp_sync.simulator.store import Record, Source, Store

Json = dict[str, object]
Arguments = Mapping[str, object]


class Unusable(ValueError):
    """A control that cannot be carried out as asked. Becomes a 400 with this message."""


class Limited(Protocol):
    """The calls of a day, which others use too."""

    @property
    def others(self) -> Competitors: ...
    @property
    def watch(self) -> Watch: ...

    def catch_up(self, now: float) -> None:
        """Let the others have made the calls that are due by `now`, epoch seconds."""


class Simulated(Protocol):
    """The account behind a desk."""

    meter: Meter

    @property
    def clock(self) -> Clock: ...
    @property
    def lock(self) -> threading.RLock: ...
    @property
    def faults(self) -> Faults: ...
    @property
    def limits(self) -> Limited: ...
    @property
    def requests(self) -> deque[Json]: ...

    def tick(self) -> None: ...


class Desk(ABC):
    """One type of records, as the person sees them who works with them."""

    stamp_name: str
    """What this CRM calls the stamp of a record's last change."""

    @property
    @abstractmethod
    def crm(self) -> Simulated: ...

    @property
    @abstractmethod
    def store(self) -> Store: ...

    @property
    @abstractmethod
    def index(self) -> Index: ...

    @abstractmethod
    def at(self, kind: object) -> Desk:
        """The desk for another type of records. Raises Unusable."""

    @abstractmethod
    def number(self, record_id: str) -> int:
        """The number behind an id; -1, which nothing has, for what is none."""

    @abstractmethod
    def shown(self, number: int) -> str:
        """The id of a record."""

    @abstractmethod
    def domain_of(self, record: Record) -> str:
        """The web domain a record is known by."""

    def name_of(self, record: Record) -> str:
        return record.props.get("name", "")

    @abstractmethod
    def kept(self, wanted: Mapping[str, object], record: Record | None) -> dict[str, str]:
        """Values in the form they are kept in; also those no app may set. Raises Unusable."""

    @abstractmethod
    def source(self, given: Arguments) -> Source:
        """Who does it, by `user`, `source` and `source_id`."""

    @abstractmethod
    def edit(
        self,
        record: Record,
        kept: Mapping[str, str],
        source: Source,
        *,
        at: int | None,
        late: int,
        follow_up: bool,
    ) -> bool:
        """Set values; whether any differed. Instants are ms, `late` is ms."""

    @abstractmethod
    def make(
        self, given: Arguments, kept: dict[str, str], source: Source, *, many: int, at: int | None, late: int
    ) -> list[Record]:
        """New records, tied to what `given` says they belong to. Raises Unusable."""

    @abstractmethod
    def bump(self, record: Record, at: int, *, late: int) -> None:
        """Stamp a record as a background job does."""

    @abstractmethod
    def delete(self, record: Record, *, late: int) -> None: ...

    @abstractmethod
    def merge(self, survivor: Record, other: Record, *, late: int) -> None: ...

    @abstractmethod
    def document(self, record: Record) -> Json:
        """Everything about a record: `properties` without blanks, stamps, whether it is gone."""

    @abstractmethod
    def compete(self, calls: int) -> None:
        """Others make so many calls at once."""

    @abstractmethod
    def plan(self) -> Json:
        """`plan` and `used_today`, and whatever else only this CRM counts."""

    @abstractmethod
    def settle(self, changes: Mapping[str, object]) -> Json:
        """Turn switches and change the account; the switches as they stand. Raises ValueError."""

    @abstractmethod
    def credentials(self, given: Arguments) -> Json:
        """Make or change a credential. Raises Unusable."""
