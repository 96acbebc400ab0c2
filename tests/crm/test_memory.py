"""The CRM in memory keeps the contract of every CRM, and does on request what only a fake can."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from icp_sync.crm.memory import MemoryCrm
from icp_sync.crm.windows import Windows
from icp_sync.domain.account import Account, Owner
from icp_sync.domain.plan import Outcome, Result, Write
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import AuthError, UnavailableError
from icp_sync.ports import Blueprint, Crm, CrmField, Editor, FieldKind, Note, Noted, Query, Stream
from tests.crm.contract import (
    LAG,
    OVERLAP,
    OWNED,
    STANDARD,
    CrmContract,
    World,
    blueprint,
    live,
    write_one,
)
from tests.crm.deal_contract import StampContract, StampWorld
from tests.crm.task_contract import LEFT, Given, TaskContract, TaskWorld

START = 1_795_302_000.0
OWNERS = (Owner(id="1", email=OWNED, name="Amara Okafor"),)


class Memory:
    """The world of a MemoryCrm: its own verbs."""

    page_size = 20
    archives = True
    editors = frozenset(Editor) - {Editor.UNKNOWN}

    def __init__(self) -> None:
        self.time = START
        self.crm = self._crm(("owner",))
        self.crm.provision(STANDARD, apply=True)
        self._reads_left: int | None = None
        self._losing = False
        self._deals_forbidden = False

    def _crm(self, fields: Sequence[str]) -> MemoryCrm:
        return MemoryCrm(
            clock=lambda: self.time,
            index_lag=3.0,
            fields=fields,
            owners=OWNERS,
            windows=Windows(overlap=OVERLAP, lag=LAG),
            page_size=self.page_size,
            lose_reply=lambda _: self._lose(),
            before=self._before,
        )

    def _before(self, call: str) -> None:
        if call == "page" and self._reads_left is not None:
            if self._reads_left == 0:
                raise UnavailableError("the CRM does not answer")
            self._reads_left -= 1
        if call == "deals" and self._deals_forbidden:
            raise AuthError("the right to read deals is missing")

    def _lose(self) -> bool:
        losing, self._losing = self._losing, False
        return losing

    def advance(self, seconds: float) -> None:
        self.time += seconds

    def create(self, name: str = "Acme", *, late: float = 0.0) -> str:
        return self.crm.create(name=name, late=late)

    def create_many(self, count: int) -> Sequence[str]:
        return [self.crm.create(name=f"Company {n}") for n in range(count)]

    def edit(self, id: str, *, late: float = 0.0, **fields: str) -> None:
        self.crm.edit(id, live=fields, late=late)

    def edit_as(self, id: str, by: Editor, **fields: str) -> None:
        self.crm.edit(id, live=fields, by=by)

    def touch(self, id: str) -> None:
        self.crm.bump([id])

    def delete(self, id: str) -> None:
        self.crm.delete(id)

    def merge(self, loser: str, survivor: str) -> None:
        self.crm.merge(loser, survivor)

    def put_under(self, id: str, parent: str) -> None:
        self.crm.edit(id, parent=parent)

    def add_contact(self, id: str, title: str = "") -> str:
        return self.crm.beside.add_contact(id, title)

    def drop_contact(self, contact: str) -> None:
        self.crm.beside.drop_contact(contact)

    def add_deal(
        self, account: str, *, won: bool | None = None, amount: float | None = None, name: str = "A sale"
    ) -> str:
        return self.crm.beside.add_deal(account, name=name, amount=amount, open=won is None, won=won is True)

    def add_deals(self, account: str, count: int) -> Sequence[str]:
        return [self.crm.beside.add_deal(account) for _ in range(count)]

    def win_deal(self, deal: str) -> None:
        self.crm.beside.change_deal(deal, open=False, won=True)

    def drop_deal(self, deal: str) -> None:
        self.crm.beside.drop_deal(deal)

    def forbid_deals(self) -> str:
        self._deals_forbidden = True
        return "read deals"

    def blueprint(self, *flags: str) -> Blueprint:
        return blueprint(*flags)

    def define(
        self,
        name: str,
        label: str,
        kind: FieldKind = FieldKind.TEXT,
        options: tuple[str, ...] = (),
        *,
        archived: bool = False,
    ) -> CrmField:
        separator = ";" if kind is FieldKind.CHOICES else ""
        made = CrmField(
            name=name,
            label=label,
            kind=kind,
            type=kind.value,
            options=options,
            separator=separator,
            archived=archived,
        )
        self.crm.beside.describe(made)
        return made

    def type_in(self, id: str, field: CrmField, value: str) -> None:
        self.crm.beside.type_in(id, **{field.name: value})

    def break_reads(self, after: int) -> None:
        self._reads_left = after

    def mend(self) -> None:
        self._reads_left = None

    def lose_next_reply(self) -> None:
        self._losing = True

    def depend(self, field: str) -> str:
        self.crm.made.depend(field, "list Hot accounts")
        return "Hot accounts"

    def take_away(self, field: str) -> None:
        self.crm.made.take_away(field)

    def drop_option(self, field: str, option: str) -> None:
        self.crm.made.drop_option(field, option)

    def give_back(self, field: str) -> None:
        self.crm.made.give_back(field)

    def grow_old(self) -> None:
        """Nothing is remembered of the fields in memory."""

    def bare(self) -> Crm:
        return self._crm(())


class Stamping(Memory):
    """The same where deals are stamped."""

    def __init__(self) -> None:
        super().__init__()
        self.stamp = {name: f"icp_{name}_at_creation" for name in STAMP}
        self._locked: set[str] = set()
        self._broken = False
        beside = self.crm.beside
        beside.stamp.update(STAMP)
        beside.refuse_note, beside.lose_reply = self._refuse, lambda _: self._lose()

    def _refuse(self, note: Note) -> Noted | None:
        if self._broken:
            return Noted(id=note.id, result=Result.FAILED, message="the CRM does not answer")
        locked = Noted(id=note.id, result=Result.REFUSED, message="it is locked")
        return locked if note.id in self._locked else None

    def mend(self) -> None:
        super().mend()
        self._broken = False

    def type_on_deal(self, deal: str, **fields: str) -> None:
        self.crm.beside.change_deal(deal, stamp=fields)

    def lock_deal(self, deal: str) -> None:
        self._locked.add(deal)

    def lose_next_note(self) -> None:
        self.lose_next_reply()

    def break_notes(self) -> None:
        self._broken = True

    def take_away_stamp(self, field: str) -> None:
        self.crm.beside.stamp.remove(field)


class TestMemory(CrmContract):
    @pytest.fixture
    def world(self) -> World:
        return Memory()


class TestMemoryStamping(StampContract):
    @pytest.fixture
    def world(self) -> StampWorld:
        return Stamping()


def memory(*records: Account, **how: object) -> MemoryCrm:
    return MemoryCrm(records, clock=lambda: START, owners=OWNERS, **how)  # type: ignore[arg-type]


def test_records_given_at_the_start_keep_their_stamp_or_get_the_present() -> None:
    crm = memory(Account(id="1", name="old", stamp=5), Account(id="2", name="new"))
    assert [crm.account(id).stamp for id in "12"] == [5, int(START * 1000)]


def test_a_rule_refuses_a_write_and_nothing_of_it_lands() -> None:
    refusal = Outcome(account_id="1", result=Result.REFUSED, code="LOCKED")
    crm = memory(Account(id="1", name="x"), refuse=lambda w: refusal if "tier" in w.values else None)
    assert write_one(crm, "1", tier="A", lane="sales") is refusal
    assert live(crm, "1")["lane"] == ""
    assert crm.writes == []


def test_every_value_written_is_in_the_log_with_its_instant() -> None:
    crm = memory(Account(id="1", name="x"))
    list(crm.write([Write(account_id="1", values={"tier": "A", "owner": OWNED})]))
    assert crm.writes == [(START, "1", "tier", "A"), (START, "1", "owner", OWNED)]


def test_writing_a_value_that_is_there_already_moves_the_stamp() -> None:
    crm = memory(Account(id="1", name="x", stamp=5, live={"tier": "A"}))
    write_one(crm, "1", tier="A")
    assert crm.account("1").stamp == int(START * 1000)


def test_a_mass_job_gives_its_records_one_stamp() -> None:
    crm = memory(*(Account(id=str(n), name="x", stamp=n) for n in range(1, 5)))
    crm.bump(["1", "2"], stamp=77)
    assert [crm.account(str(n)).stamp for n in range(1, 5)] == [77, 77, 3, 4]


def test_an_option_the_crm_does_not_offer_is_refused() -> None:
    crm = memory(Account(id="1", name="x"))
    assert write_one(crm, "1", tier="S").code == "INVALID_OPTION"


def test_ids_are_read_in_numeric_order() -> None:
    crm = memory(*(Account(id=id, name="x") for id in ("100", "9", "20")))
    (page,) = crm.pages(Query(stream=Stream.SWEEP))
    assert page.ids == ("9", "20", "100")


class _Errands(Memory):
    """The CRM in memory, and its tasks."""

    other, left = "linnea.berg@sales.example", LEFT

    def __init__(self) -> None:
        super().__init__()
        self.crm._owners |= {
            email: Owner(id=id, email=email, active=email != LEFT)
            for id, email in (("2", self.other), ("3", LEFT))
        }
        self._forbidden = ""
        self.crm.beside.refuse_note = self._refused

    def _refused(self, note: Note) -> Noted | None:
        if self._forbidden:
            return Noted(id="", result=Result.FAILED, message=self._forbidden)
        if note.values.get("subject") == "ICP fit: forbidden":
            return Noted(id="", result=Result.REFUSED, message="say something else")
        return None

    def tasks(self) -> list[Given]:
        held = self.crm.beside
        return [
            Given(
                id=id,
                owner=one.owner,
                subject=one.subject,
                body=one.body,
                accounts=one.accounts,
                open=id not in held.done,
            )
            for id, one in held.tasks.items()
        ]

    def finish(self, task: str) -> None:
        self.crm.beside.done.add(task)

    def retype(self, task: str, subject: str = "", body: str = "") -> None:
        held = self.crm.beside.tasks[task]
        self.crm.beside.tasks[task] = replace(held, subject=subject or held.subject, body=held.body + body)

    def lose_next_task(self) -> None:
        left = [True]
        self.crm.beside.lose_reply = lambda _: bool(left and left.pop())

    def break_tasks(self) -> None:
        self._forbidden = "it does not answer"

    def forbid_tasks(self) -> str:
        self._forbidden = "the right to make tasks is missing"
        return "right"

    def require(self) -> None:
        """It does so always."""

    def mend(self) -> None:
        super().mend()
        self._forbidden = ""


class TestMemoryTasks(TaskContract):
    @pytest.fixture
    def world(self) -> TaskWorld:
        return _Errands()
