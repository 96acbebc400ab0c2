"""What every CRM adapter must do that stamps deals: subclass `StampContract`, give it a `world`, done.

Its adapter is configured to stamp, and the fields of the stamp are provisioned.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

import pytest

from icp_sync.domain.plan import Result
from icp_sync.domain.stamp import STAMP
from icp_sync.errors import ConfigError
from icp_sync.ports import FILLED, Blueprint, Crm, Deal, Note, Noted, StepKind
from tests.crm.contract import World

VALUES = {"tier": "A", "score": "72", "profile": "mid-market v7"}
BLANK = dict.fromkeys(STAMP, "")
MANY = 230


class StampWorld(World, Protocol):
    """A CRM whose deals are stamped. stamp: field of the stamp → property, as the adapter was told."""

    stamp: Mapping[str, str]

    def type_on_deal(self, deal: str, **fields: str) -> None:
        """Somebody fills in fields of the stamp by hand."""

    def lock_deal(self, deal: str) -> None:
        """The CRM refuses every write to this deal from now on."""

    def lose_next_note(self) -> None:
        """The next write to deals is carried out and its reply lost."""

    def break_notes(self) -> None:
        """No write to deals is answered until `mend`; none is carried out."""

    def take_away_stamp(self, field: str) -> None:
        """An admin removes a field of the stamp while we run."""


def with_deals(world: StampWorld) -> Blueprint:
    plan = world.blueprint()
    return Blueprint(
        group=plan.group,
        group_label=plan.group_label,
        fields=plan.fields,
        options=plan.options,
        deal_fields=world.stamp,
        follows_deals=True,
    )


def annotate(crm: Crm, *ids: str, **values: str) -> dict[str, Noted]:
    notes = [Note(id=id, values=values or VALUES) for id in ids]
    answers = list(crm.annotate("deals", notes))
    assert len(answers) == len(notes), "one answer per note"
    return {answer.id: answer for answer in answers}


def deals(crm: Crm) -> dict[str, Deal]:
    return {deal.id: deal for deal in crm.deals(0)}


class StampContract:
    @pytest.fixture
    def crm(self, world: StampWorld) -> Crm:
        return world.crm

    def test_a_new_deal_tells_that_nothing_is_stamped(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create())
        world.advance(10)
        assert deals(crm)[deal].stamp == BLANK
        (changed,) = crm.deals(1_000)
        assert changed.stamp == BLANK

    @pytest.mark.parametrize("tier", STAMP["tier"].options)
    def test_what_is_written_on_a_deal_is_read_from_it(self, world: StampWorld, crm: Crm, tier: str) -> None:
        deal = world.add_deal(world.create())
        values = {**VALUES, "tier": tier}
        assert annotate(crm, deal, **values)[deal].result is Result.WRITTEN
        world.advance(10)
        assert deals(crm)[deal].stamp == values
        assert [one.stamp for one in crm.deals(1_000)] == [values]

    def test_a_stamp_changes_nothing_else_of_a_deal(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create(), won=True, amount=1200.5)
        before = deals(crm)[deal]
        world.advance(10)
        annotate(crm, deal)
        after = deals(crm)[deal]
        assert after.changed_at > before.changed_at, "so that the next read finds it"
        kept = ("account_id", "name", "amount", "stage", "open", "won", "closed_on", "created_at", "owner")
        assert [getattr(after, name) for name in kept] == [getattr(before, name) for name in kept]

    def test_more_deals_than_one_request_takes_are_all_stamped(self, world: StampWorld, crm: Crm) -> None:
        ids = world.add_deals(world.create(), MANY)
        assert {answer.result for answer in annotate(crm, *ids).values()} == {Result.WRITTEN}
        assert all(deal.stamp == VALUES for deal in deals(crm).values())
        assert annotate(crm) == {}

    def test_a_locked_deal_is_refused_and_keeps_no_other_from_its_stamp(
        self, world: StampWorld, crm: Crm
    ) -> None:
        ids = world.add_deals(world.create(), 7)
        world.lock_deal(ids[3])
        answers = annotate(crm, *ids)
        assert answers[ids[3]].result is Result.REFUSED
        assert answers[ids[3]].message
        assert {answers[id].result for id in ids if id != ids[3]} == {Result.WRITTEN}
        assert [id for id, deal in deals(crm).items() if deal.stamp == BLANK] == [ids[3]]

    def test_a_deleted_deal_is_gone_and_one_never_met_too(self, world: StampWorld, crm: Crm) -> None:
        account = world.create()
        there, deleted = world.add_deal(account), world.add_deal(account)
        world.drop_deal(deleted)
        answers = annotate(crm, there, deleted)
        assert {id: answer.result for id, answer in answers.items()} == {
            there: Result.WRITTEN,
            deleted: Result.GONE,
        }

    def test_after_a_lost_reply_nobody_claims_to_know(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create())
        world.lose_next_note()
        assert annotate(crm, deal)[deal].result is Result.UNCERTAIN
        world.mend()
        assert deals(crm)[deal].stamp == VALUES

    def test_a_crm_that_does_not_answer_fails_and_raises_nothing(self, world: StampWorld, crm: Crm) -> None:
        ids = world.add_deals(world.create(), 3)
        annotate(crm, ids[0])
        world.break_notes()
        answers = annotate(crm, *ids[1:])
        assert {answer.result for answer in answers.values()} <= {Result.FAILED, Result.UNCERTAIN}
        assert all(answer.message for answer in answers.values())
        world.mend()
        assert [deals(crm)[id].stamp for id in ids] == [VALUES, BLANK, BLANK]

    def test_what_somebody_filled_is_left_as_it_is_and_what_is_there_is_not_sent(
        self, world: StampWorld, crm: Crm
    ) -> None:
        blank, theirs, ours = world.add_deals(world.create(), 3)
        annotate(crm, ours)
        world.type_on_deal(theirs, tier="D", profile="by hand")
        world.advance(10)
        before = deals(crm)
        answers = annotate(crm, blank, theirs, ours)
        assert {id: (one.result, one.code) for id, one in answers.items()} == {
            blank: (Result.WRITTEN, ""),
            theirs: (Result.FAILED, FILLED),
            ours: (Result.WRITTEN, ""),
        }
        after = deals(crm)
        assert (after[theirs], after[ours]) == (before[theirs], before[ours])

    def test_deals_told_before_are_spared_while_they_stay_as_they_are(
        self, world: StampWorld, crm: Crm
    ) -> None:
        first, second, third = world.add_deals(world.create(), 3)
        world.advance(10)
        spare = {deal.id: deal.changed_at for deal in crm.deals(0)}
        assert list(crm.deals(1_000, spare=spare)) == []
        annotate(crm, second)
        world.advance(10)
        assert [deal.id for deal in crm.deals(1_000, spare=spare)] == [second]
        assert [deal.id for deal in crm.deals(1_000, after=first)] == [second, third]
        assert [deal.id for deal in crm.deals(0, after=second)] == [third]

    def test_what_people_typed_is_told_as_it_stands(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create())
        world.type_on_deal(deal, tier="C", profile="by hand")
        assert deals(crm)[deal].stamp == {"tier": "C", "score": "", "profile": "by hand"}

    def test_a_field_an_admin_took_away_is_not_told_and_the_stamp_waits(
        self, world: StampWorld, crm: Crm
    ) -> None:
        deal = world.add_deal(world.create())
        world.take_away_stamp("score")
        world.grow_old()
        assert "score" not in deals(crm)[deal].stamp
        answer = annotate(crm, deal)[deal]
        assert answer.result is Result.FAILED
        assert "score" in answer.message.lower()
        assert not any(deals(crm)[deal].stamp.values()), "all of it, or nothing"
        crm.provision(with_deals(world), apply=True)
        world.grow_old()
        assert annotate(crm, deal)[deal].result is Result.WRITTEN
        assert deals(crm)[deal].stamp == VALUES

    def test_a_field_nobody_configured_is_refused(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create())
        answer = annotate(crm, deal, amount="1")[deal]
        assert answer.result is Result.REFUSED
        assert "amount" in answer.message

    def test_only_deals_can_be_written_on(self, crm: Crm) -> None:
        with pytest.raises(ConfigError, match="pets"):
            list(crm.annotate("pets", [Note(id="1", values=VALUES)]))

    # Provisioning

    def test_what_is_provisioned_is_kept_and_needs_no_second_time(self, world: StampWorld, crm: Crm) -> None:
        steps = crm.provision(with_deals(world), apply=True)
        assert not [step for step in steps if step.done]
        for name in world.stamp.values():
            (step,) = [step for step in steps if step.what.endswith(name)]
            assert step.kind is StepKind.KEEP
        assert crm.check(with_deals(world)) == []

    def test_taken_away_fields_are_named_by_check_and_made_again(self, world: StampWorld, crm: Crm) -> None:
        world.take_away_stamp("tier")
        world.grow_old()
        name = world.stamp["tier"]
        (problem,) = crm.check(with_deals(world))
        assert name in problem.where
        assert "provision" in problem.hint
        assert crm.check(world.blueprint()) == [], "nobody asks for them where deals are not stamped"
        made = [step for step in crm.provision(with_deals(world), apply=True) if step.done]
        assert [step.what.endswith(name) for step in made].count(True) >= 1
        world.grow_old()
        assert crm.check(with_deals(world)) == []

    def test_removing_takes_the_stamp_off_deals_too(self, world: StampWorld, crm: Crm) -> None:
        deal = world.add_deal(world.create())
        annotate(crm, deal)
        planned = crm.provision(with_deals(world), apply=False, remove=True)
        for name in world.stamp.values():
            assert [s.kind for s in planned if s.what.endswith(name)] == [StepKind.REMOVE], name
        assert deals(crm)[deal].stamp == VALUES, "nothing was taken yet"
        crm.provision(with_deals(world), apply=True, remove=True)
        world.grow_old()
        assert deals(crm)[deal].stamp == {}
        again = crm.provision(with_deals(world), apply=False, remove=True)
        assert not [step for step in again if step.kind is StepKind.REMOVE]
