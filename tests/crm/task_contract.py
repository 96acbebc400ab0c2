"""What every CRM adapter must do with a task for an owner: subclass `TaskContract`, give it a `world`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import pytest

from icp_sync.domain.plan import Result
from icp_sync.ports import NO_OWNER, Task
from tests.crm.contract import OWNED, World

DUE = 1_795_400_000_000
LEFT = "left@sales.example"


@dataclass(frozen=True, kw_only=True)
class Given:
    """A task as it stands in the CRM. accounts: those it is tied to."""

    id: str
    owner: str
    subject: str
    body: str
    accounts: tuple[str, ...]
    open: bool


class TaskWorld(World, Protocol):
    """A CRM that shows its tasks. other: another active owner. left: one who is not active any more."""

    other: str
    left: str

    def tasks(self) -> list[Given]:
        """All of them, oldest first."""

    def finish(self, task: str) -> None:
        """Somebody does it."""

    def remove(self, task: str) -> None: ...

    def retype(self, task: str, subject: str = "", body: str = "") -> None:
        """Its owner types over it: another subject, or more text at its end."""

    def lose_next_task(self) -> None:
        """The next task is made and the reply lost."""

    def break_tasks(self) -> None:
        """No task can be made until `mend`."""

    def forbid_tasks(self) -> str:
        """We may not make tasks any more; a word of what a person has to grant."""

    def require(self) -> None:
        """The CRM refuses tasks with this very subject, "ICP fit: forbidden"."""


def task(*accounts: str, key: str = "icp-sync 0a1b2c3d", owner: str = OWNED, **what: str) -> Task:
    said = {"subject": "ICP fit: Acme for you", "body": "Given to you:\n- Acme & <b>Sons</b>: tier A", **what}
    return Task(key=key, owner=owner, accounts=accounts, due_at=DUE, **said)


class TaskContract:
    @pytest.fixture
    def world(self) -> TaskWorld:
        raise NotImplementedError

    def test_a_task_is_made_once_with_its_owner_and_its_account(self, world: TaskWorld) -> None:
        acme = world.create()
        made = world.crm.give_task(task(acme))
        assert made.result is Result.WRITTEN
        again = world.crm.give_task(task(acme))
        assert (again.result, again.id) == (Result.WRITTEN, made.id)
        (given,) = world.tasks()
        assert (given.id, given.owner, given.accounts, given.open) == (made.id, OWNED, (acme,), True)
        assert given.subject == "ICP fit: Acme for you"
        assert "tier A" in given.body

    def test_a_task_whose_reply_was_lost_is_found_again_by_its_key(self, world: TaskWorld) -> None:
        acme = world.create()
        world.lose_next_task()
        assert world.crm.give_task(task(acme)).result is Result.UNCERTAIN
        assert world.crm.give_task(task(acme)).result is Result.WRITTEN
        assert len(world.tasks()) == 1

    def test_a_task_that_is_done_is_not_made_again(self, world: TaskWorld) -> None:
        acme = world.create()
        made = world.crm.give_task(task(acme))
        world.finish(made.id)
        assert world.crm.give_task(task(acme)).id == made.id
        assert len(world.tasks()) == 1

    def test_the_open_task_about_an_account_becomes_the_new_one(self, world: TaskWorld) -> None:
        acme, rival = world.create("Acme"), world.create("Rival")
        world.crm.give_task(task(rival, key="icp-sync 99"))
        first = world.crm.give_task(task(acme, key="icp-sync 01"))
        second = world.crm.give_task(task(acme, key="icp-sync 02", subject="ICP fit: now", body="- tier B"))
        third = world.crm.give_task(task(acme, key="icp-sync 03", subject="ICP fit: then", body="- tier C"))
        assert first.id == second.id == third.id
        assert [one.subject for one in world.tasks()] == ["ICP fit: Acme for you", "ICP fit: then"]

    def test_everybody_has_their_own_open_task_about_an_account(self, world: TaskWorld) -> None:
        acme = world.create()
        first = world.crm.give_task(task(acme, key="icp-sync 01"))
        second = world.crm.give_task(task(acme, key="icp-sync 02", owner=world.other))
        assert first.id != second.id
        assert [one.owner for one in world.tasks()] == [OWNED, world.other]

    @pytest.mark.parametrize("typed", [{"subject": "Call on Tuesday"}, {"body": "They want a demo."}])
    def test_what_a_person_typed_into_a_task_stays(self, world: TaskWorld, typed: dict[str, str]) -> None:
        acme = world.create()
        first = world.crm.give_task(task(acme, key="icp-sync 01"))
        world.retype(first.id, **typed)
        before = world.tasks()
        second = world.crm.give_task(task(acme, key="icp-sync 02"))
        assert second.id != first.id
        assert world.tasks()[:1] == before
        assert world.crm.give_task(task(acme, key="icp-sync 03")).id == second.id

    def test_a_task_that_is_found_again_says_when_it_was_made(self, world: TaskWorld) -> None:
        acme = world.create()
        world.lose_next_task()
        world.crm.give_task(task(acme))
        made = world.crm.now()
        world.advance(3600)
        found = world.crm.give_task(task(acme))
        assert found.made_at is not None
        assert abs(found.made_at / 1000 - made) < 60

    def test_after_it_is_done_the_next_news_is_another_task(self, world: TaskWorld) -> None:
        acme = world.create()
        first = world.crm.give_task(task(acme, key="icp-sync 01"))
        world.finish(first.id)
        second = world.crm.give_task(task(acme, key="icp-sync 02"))
        assert first.id != second.id
        assert [one.open for one in world.tasks()] == [False, True]

    def test_a_digest_is_one_task_and_takes_no_other_ones_place(self, world: TaskWorld) -> None:
        ids = [world.create(f"Company {n}") for n in range(3)]
        single = world.crm.give_task(task(ids[0], key="icp-sync 01"))
        digest = world.crm.give_task(task(*ids, key="icp-sync 02"))
        again = world.crm.give_task(task(*ids[1:], key="icp-sync 02"))
        assert digest.id == again.id != single.id
        assert len(world.tasks()) == 2

    def test_whoever_is_not_active_gets_no_task(self, world: TaskWorld) -> None:
        acme = world.create()
        for owner in (world.left, "nobody@nowhere.example"):
            answer = world.crm.give_task(task(acme, owner=owner))
            assert (answer.result, answer.code) == (Result.REFUSED, NO_OWNER)
        assert world.tasks() == []

    def test_an_account_that_is_gone_gets_no_task(self, world: TaskWorld) -> None:
        acme, rival = world.create(), world.create()
        world.delete(acme)
        assert world.crm.give_task(task(acme)).result is Result.GONE
        assert world.crm.give_task(task(acme, rival)).result is Result.WRITTEN
        assert len(world.tasks()) == 1

    def test_a_refusal_is_an_answer_and_so_is_an_outage(self, world: TaskWorld) -> None:
        acme = world.create()
        world.require()
        refused = world.crm.give_task(task(acme, subject="ICP fit: forbidden"))
        assert refused.result is Result.REFUSED
        assert refused.message
        world.break_tasks()
        assert world.crm.give_task(task(acme)).result in (Result.FAILED, Result.UNCERTAIN)
        world.mend()
        assert world.crm.give_task(task(acme)).result is Result.WRITTEN
        assert len(world.tasks()) == 1

    def test_a_right_that_is_missing_is_named(self, world: TaskWorld) -> None:
        acme = world.create()
        word = world.forbid_tasks()
        answer = world.crm.give_task(task(acme))
        assert answer.result is Result.FAILED
        assert word in answer.message
