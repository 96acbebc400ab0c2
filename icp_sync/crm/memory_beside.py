"""What a CRM in memory holds beside its accounts: contacts, deals, descriptions of fields, raw values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from icp_sync.ports import CrmField, Deal, Related


class Beside:
    """The verbs are what people do; `related`, `deals`, `fields` and `sample` answer the port.

    exists: whether there is an account with this id. now: the CRM's clock, ms.
    """

    def __init__(self, exists: Callable[[str], bool], now: Callable[[], int]) -> None:
        self._exists = exists
        self._now = now
        self._deals: dict[str, Deal] = {}
        self._people: dict[str, Related] = {}
        self._of: dict[str, list[str]] = {}
        self._fields: dict[str, CrmField] = {}
        self._typed: dict[str, dict[str, str]] = {}
        self._next_id = count(9001)

    # What people do

    def add_contact(self, account_id: str, title: str = "") -> str:
        """Somebody new works there; their id."""
        contact = str(next(self._next_id))
        self._people[contact] = Related(id=contact, title=title)
        self._of.setdefault(account_id, []).append(contact)
        return contact

    def drop_contact(self, contact: str) -> None:
        del self._people[contact]

    def add_deal(self, account_id: str = "", **what: Any) -> str:
        """A sale to an account, or to nobody yet; its id. what: fields of a `Deal`."""
        id, at = str(next(self._next_id)), self._now()
        self._deals[id] = Deal(id=id, account_id=account_id, **{"created_at": at, "changed_at": at, **what})
        return id

    def change_deal(self, deal: str, **what: Any) -> None:
        self._deals[deal] = replace(self._deals[deal], **{"changed_at": self._now(), **what})

    def drop_deal(self, deal: str) -> None:
        del self._deals[deal]

    def describe(self, field: CrmField) -> None:
        """There is such a field now, or it is archived."""
        self._fields[field.name] = field

    def type_in(self, account_id: str, **values: str) -> None:
        self._typed.setdefault(account_id, {}).update(values)

    def move(self, account_id: str, survivor: str) -> None:
        """The survivor of a merge takes over the contacts and the deals, whose stamps stay."""
        self._of.setdefault(survivor, []).extend(self._of.pop(account_id, []))
        for deal in [deal for deal in self._deals.values() if deal.account_id == account_id]:
            self._deals[deal.id] = replace(deal, account_id=survivor)

    # What the port asks

    def related(self, ids: Sequence[str]) -> Mapping[str, tuple[Related, ...]]:
        return {
            id: tuple(
                self._people[contact]
                for contact in sorted(self._of.get(id, ()), key=int)
                if self._exists(id) and contact in self._people
            )
            for id in ids
        }

    def deals(self, since: int) -> Iterator[Deal]:
        for deal in list(self._deals.values()):
            if deal.changed_at >= since:
                yield deal if self._exists(deal.account_id) else replace(deal, account_id="")

    def fields(self) -> tuple[CrmField, ...]:
        return tuple(sorted(self._fields.values(), key=lambda field: field.archived))

    def sample(
        self, ids: Sequence[str], properties: Sequence[str], limit: int
    ) -> Sequence[Mapping[str, str | None]]:
        """ids: every account's, in order. Every n-th of them, so that the sample is spread out."""
        step = max(1, len(ids) // max(1, limit))
        there = [name for name in dict.fromkeys(properties) if self._is_there(name)]
        return [{name: self._typed.get(id, {}).get(name) for name in there} for id in ids[::step][:limit]]

    def _is_there(self, name: str) -> bool:
        return name in self._fields and not self._fields[name].archived
