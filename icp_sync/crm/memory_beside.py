"""What a CRM in memory holds beside its accounts: contacts, deals, descriptions of fields, raw values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import Problem
from icp_sync.ports import (
    FILLED,
    NO_OWNER,
    Blueprint,
    CrmField,
    Deal,
    Note,
    Noted,
    Related,
    Step,
    StepKind,
    Task,
)


class Beside:
    """The verbs are what people do; `related`, `deals`, `fields` and `sample` answer the port.

    exists: whether there is an account with this id. now: the CRM's clock, ms. stamp: which fields of
    our stamp deals have. refuse_note: asked for every note; an answer refuses it. lose_reply: asked for every
    note; true applies it and reports it UNCERTAIN. notes: what was written on deals. tasks: by id, those in
    `done` are done; they are refused, or their replies lost, as notes with the same id as their key are.
    """

    def __init__(
        self, exists: Callable[[str], bool], now: Callable[[], int], *, stamped: bool = False
    ) -> None:
        self.stamp = set(STAMP if stamped else ())
        self.refuse_note: Callable[[Note], Noted | None] = lambda _: None
        self.lose_reply: Callable[[Note], bool] = lambda _: False
        self.notes: list[Note] = []
        self.tasks: dict[str, Task] = {}
        self.done: set[str] = set()
        self._told: dict[str, tuple[Task, int]] = {}  # as we wrote it, and when it was made
        self._exists = exists
        self._now = now
        self._deals: dict[str, Deal] = {}
        self._hidden: dict[str, int] = {}  # deal → until when (ms) no reading by stamp shows its last change
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

    def deal(self, id: str) -> Deal:
        """As it stands, with blanks for what nobody stamped; KeyError for one that is not there."""
        deal = self._deals[id]
        return replace(deal, stamp={n: deal.stamp.get(n, "") for n in STAMP if n in self.stamp})

    def hide_deal(self, deal: str, seconds: float) -> None:
        """Its last change shows to whoever reads all deals, and late to whoever reads what changed."""
        self._hidden[deal] = self._now() + round(seconds * 1000)

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

    def deals(self, since: int, after: str, spare: Mapping[str, int]) -> Iterator[Deal]:
        for deal in sorted(self._deals.values(), key=lambda deal: int(deal.id)):
            shows = since <= 0 or self._hidden.get(deal.id, 0) <= self._now()
            fresh = deal.changed_at >= since and spare.get(deal.id) != deal.changed_at
            if shows and fresh and int(deal.id) > int(after or 0):
                shown = self.deal(deal.id)
                yield shown if self._exists(deal.account_id) else replace(shown, account_id="")

    def annotate(self, note: Note) -> Noted:
        if note.id not in self._deals:
            return Noted(id=note.id, result=Result.GONE, code="OBJECT_NOT_FOUND")
        if unknown := sorted(note.values.keys() - STAMP.keys()):
            message = f"deals have no field of ours called {', '.join(unknown)}"
            return Noted(id=note.id, result=Result.REFUSED, code="NOT_CONFIGURED", message=message)
        if lost := sorted(note.values.keys() - self.stamp):
            message = f"deals do not have the fields of our stamp: {', '.join(lost)}"
            return Noted(id=note.id, result=Result.FAILED, code="NOT_PROVISIONED", message=message)
        if any((live := self.deal(note.id).stamp).values()):
            if all(live.get(name) == value for name, value in note.values.items()):
                return Noted(id=note.id, result=Result.WRITTEN)
            message = "somebody filled it since it was read; not overwritten"
            return Noted(id=note.id, result=Result.FAILED, code=FILLED, message=message)
        if (refusal := self.refuse_note(note)) is not None:
            return refusal
        self.notes.append(note)
        deal = self._deals[note.id]
        self._deals[note.id] = replace(
            deal, stamp={**deal.stamp, **note.values}, changed_at=max(self._now(), deal.changed_at)
        )
        if self.lose_reply(note):
            return Noted(id=note.id, result=Result.UNCERTAIN, message="the reply was lost")
        return Noted(id=note.id, result=Result.WRITTEN)

    def give_task(self, task: Task, active: Callable[[str], bool]) -> Noted:
        """active: whether there is such an owner."""
        asked = Note(id=task.key, values={"subject": task.subject})
        if found := next((id for id, one in self.tasks.items() if one.key == task.key), ""):
            return Noted(id=found, result=Result.WRITTEN, made_at=self._told[found][1])
        if not active(task.owner):
            return Noted(id="", result=Result.REFUSED, code=NO_OWNER)
        if not any(map(self._exists, task.accounts)):
            return Noted(id="", result=Result.GONE, code="OBJECT_NOT_FOUND")
        if (refusal := self.refuse_note(asked)) is not None:
            return refusal
        id = self._open_about(task) or str(next(self._next_id))
        self.tasks[id] = task
        self._told[id] = (task, self._told[id][1] if id in self._told else self._now())
        if self.lose_reply(asked):
            return Noted(id="", result=Result.UNCERTAIN, message="the reply was lost")
        return Noted(id=id, result=Result.WRITTEN)

    def _open_about(self, task: Task) -> str:
        """The open task for this owner about exactly this one account, as we wrote it; "" for none."""
        mine = (
            id
            for id, one in self.tasks.items()
            if (one.accounts, one.owner) == (task.accounts, task.owner)
            and id not in self.done
            and one == self._told[id][0]
        )
        return next(mine, "") if len(task.accounts) == 1 else ""

    def check(self, blueprint: Blueprint) -> list[Problem]:
        absent = [name for field, name in blueprint.deal_fields.items() if field not in self.stamp]
        hint = "icp-sync provision --apply"
        return [Problem(where=name, what=f"deals have no field {name!r}", hint=hint) for name in absent]

    def make(self, blueprint: Blueprint, *, apply: bool) -> list[Step]:
        steps = []
        for field, name in blueprint.deal_fields.items():
            there = field in self.stamp
            kind = StepKind.KEEP if there else StepKind.CREATE
            steps.append(Step(kind=kind, what=f"deals.{name}", done=apply and not there))
        self.stamp |= set(blueprint.deal_fields if apply else ())
        return steps

    def unmake(self, blueprint: Blueprint, *, apply: bool) -> list[Step]:
        names = [name for field, name in blueprint.deal_fields.items() if field in self.stamp]
        self.stamp -= set(blueprint.deal_fields if apply else ())
        return [Step(kind=StepKind.REMOVE, what=f"deals.{name}", done=apply) for name in names]

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
