"""What a change says of whose the value was, until when people hold one, and when it is ours again."""

from __future__ import annotations

from math import inf

import pytest

from icp_sync.domain.account import NOT_REMEMBERED, Confirmed, Origin, Remembered
from icp_sync.domain.confirming import learned
from icp_sync.domain.differences import Differences, cosmetic, difference
from icp_sync.domain.ownership import HELD_FOR, Claim, Editing, claim_of, editor_text, is_ours
from icp_sync.domain.plan import Change
from icp_sync.domain.profile import DAY
from icp_sync.domain.seal import Seal, SealKey
from tests.domain.cases import NOW, OWNERS, account

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
ANN, BEN = OWNERS[:2]


def ours(value: str) -> Confirmed:
    return Confirmed(value=value, origin=Origin.OURS, at=NOW)


def human(value: str, at: float = NOW, by: str = "") -> Confirmed:
    return Confirmed(value=value, origin=Origin.HUMAN, at=at, by=by)


def found(
    live: dict[str, str],
    wanted: dict[str, str],
    remembered: Remembered = NOT_REMEMBERED,
    *,
    editing: Editing | None = None,
    restore: dict[str, Confirmed] | None = None,
) -> Differences:
    one = account(live=live, owner=live.get("owner", ""))
    return difference(
        one, wanted, remembered, KEY, editing=editing or Editing(now=NOW), restore=restore or {}, reason="new"
    )


def origins(differences: Differences) -> dict[str, str]:
    return {c.field: c.origin for c in differences.changes if c.field != "seal"}


def test_a_change_of_a_blank_that_nobody_wrote_has_no_origin() -> None:
    assert origins(found({"tier": ""}, {"tier": "A"})) == {"tier": ""}


def test_a_value_proved_by_the_seal_or_by_an_intent_is_ours_whatever_was_there_before() -> None:
    sealed = KEY.seal("1", {"tier": "B"})
    assert origins(found({"tier": "B", "seal": sealed}, {"tier": "A"})) == {"tier": "ours"}
    meant = Remembered(confirmed={"tier": human("C")}, intents={"tier": ("B",)})
    assert origins(found({"tier": "B"}, {"tier": "A"}, meant)) == {"tier": "ours"}


def test_a_vacancy_somebody_made_is_filled_as_theirs() -> None:
    cleared = Remembered(confirmed={"owner": human("")})
    assert origins(found({"owner": ""}, {"owner": ANN}, cleared)) == {"owner": "human"}


def test_an_owner_that_a_lost_journal_had_routed_is_ours_and_only_the_owner() -> None:
    sealed = KEY.seal("1", {"routed_owner": ANN})
    live = {"owner": ANN, "routed_owner": ANN, "seal": sealed, "lane": "sales"}
    lost = found(live, {"owner": BEN, "lane": "nurture"})
    assert origins(lost) == {"owner": "ours"}
    assert lost.left_alone == {"lane": ("sales", "nurture")}
    known = found(live, {"owner": BEN}, Remembered(confirmed={"owner": human(ANN)}))
    assert known.left_alone == {"owner": (ANN, BEN)}


def test_an_edit_that_is_taken_back_at_once_says_so() -> None:
    edit = Editing(now=NOW, editors={"": 0.0})
    (change,) = [c for c in found({"tier": "C"}, {"tier": "A"}, editing=edit).changes if c.field == "tier"]
    assert change.reason == "Set to 'C' by somebody: such edits are taken back."
    assert change.origin == "human"


@pytest.mark.parametrize("length", [40, 60])
def test_a_value_held_long_enough_is_ours_again_and_is_named_in_forty_characters(length: int) -> None:
    typed, since = "x" * length, NOW - 100 * DAY
    before = Remembered(confirmed={"lane": human(typed, at=since, by="import")})
    over = found({"lane": typed}, {"lane": "sales"}, before, editing=Editing(now=NOW))
    (change,) = [c for c in over.changes if c.field == "lane"]
    assert change.reason.startswith(f"Held at '{'x' * 40}' by an import until ")
    assert change.reason.endswith("; that is over.")


def test_a_value_people_hold_is_left_alone_until_the_first_of_them_ends() -> None:
    before = Remembered(
        confirmed={"lane": human("none", at=NOW - 10 * DAY), "tier": human("C", at=NOW - DAY)}
    )
    held = found({"lane": "none", "tier": "C"}, {"lane": "sales", "tier": "A"}, before)
    assert held.until == NOW - 10 * DAY + HELD_FOR
    assert held.changes == ()
    assert found({"tier": "A"}, {"tier": "A"}).until is None


def test_an_owner_people_chose_is_theirs_for_good() -> None:
    held = found({"owner": ANN}, {"owner": BEN})
    assert held.until is None
    assert held.claims["owner"].until == inf


def test_what_was_confirmed_blank_stays_ours_but_a_vacancy_does_not() -> None:
    before = Remembered(confirmed={"lane": ours(""), "owner": ours("")})
    assert found({"lane": "", "owner": "", "tier": ""}, {}, before).ours == {"lane": ""}


def test_giving_one_value_back_makes_a_write_whatever_else_changes() -> None:
    before = Remembered(confirmed={"tier": ours("A"), "lane": ours("sales")})
    live, wanted = {"tier": "A", "lane": "sales"}, {"tier": "B", "lane": "sales"}
    back = found(live, wanted, before, restore={"lane": human("none", by="person")})
    assert back.gives_back
    reasons = {c.field: c.reason for c in back.changes}
    assert reasons["lane"] == "Set by a person while we were writing; given back."
    assert reasons["tier"] == "new"
    assert not found(live, wanted, before).gives_back
    assert not found(live, wanted, before, restore={"lane": human("sales")}).gives_back


def test_a_claim_holds_until_its_last_instant_and_not_at_it() -> None:
    claim = Claim(value="x", since=NOW, until=NOW + 1)
    assert [claim.holds(at) for at in (NOW, NOW + 0.5, NOW + 1)] == [True, True, False]


def test_a_claim_is_dated_by_the_history_else_by_what_was_seen_else_by_now() -> None:
    one = account(live={"tier": "C"})
    editing = Editing(now=NOW, editors={"workflow": 60.0, "": 600.0})
    assert claim_of(one, "tier", NOT_REMEMBERED, editing) == Claim(value="C", since=NOW, until=NOW + 600)
    seen = Remembered(confirmed={"tier": human("C", at=NOW - 50, by="workflow")})
    assert claim_of(one, "tier", seen, editing) == Claim(
        value="C", since=NOW - 50, until=NOW + 10, by="workflow"
    )
    for other in (human("D", at=5.0), ours("C")):
        assert claim_of(one, "tier", Remembered(confirmed={"tier": other}), editing).since == NOW
    told = Editing(now=NOW, editors=editing.editors, edits={"tier": human("C", at=NOW - 7)})
    assert claim_of(one, "tier", seen, told) == Claim(value="C", since=NOW - 7, until=NOW + 53, by="workflow")
    for edit in (human("D", at=5.0), human("C", at=5.0, by="ours")):
        told = Editing(now=NOW, editors=editing.editors, edits={"tier": edit})
        assert claim_of(one, "tier", NOT_REMEMBERED, told).since == NOW


def test_an_editor_nobody_set_a_time_for_is_held_like_an_unknown_one_and_that_for_ninety_days() -> None:
    assert Editing().seconds("person") == 90 * DAY == HELD_FOR
    assert Editing(editors={"": 5.0}).seconds("person") == 5.0
    assert Editing(editors={"": 5.0, "person": 9.0}).seconds("person") == 9.0
    assert editor_text("workflow") == "a workflow"
    assert editor_text("robot") == "somebody"


def test_blank_is_ours_only_where_nothing_was_ever_there() -> None:
    def blank(remembered: Remembered, seal: Seal) -> bool:
        return is_ours("1", "lane", "", remembered, seal, KEY)

    assert blank(NOT_REMEMBERED, Seal())
    assert not blank(NOT_REMEMBERED, Seal(marks={"lane": "-"}))
    assert not blank(Remembered(confirmed={"lane": ours("sales")}), Seal())
    assert not blank(Remembered(confirmed={"lane": human("")}), Seal())
    assert blank(Remembered(confirmed={"lane": ours("")}), Seal(marks={"lane": "-"}))


def seal_of(differences: Differences) -> list[tuple[str, str]]:
    return [(c.origin, c.desired) for c in differences.changes if c.field == "seal"]


def test_an_owner_of_ours_is_sealed_once_a_read_has_seen_it_and_nobody_elses_is() -> None:
    sealed = KEY.seal("1", {"tier": "A"})
    live = {"owner": ANN, "tier": "A", "seal": sealed}
    mine = Remembered(confirmed={"owner": ours(ANN)})
    assert seal_of(found(live, {}, mine)) == [("ours", KEY.seal("1", {"tier": "A", "owner": ANN}))]
    assert found(live, {}, Remembered(confirmed={"owner": human(ANN)})).changes == ()
    assert found({**live, "seal": ""}, {}, mine).changes == (), (
        "what was never sealed is not for its owner alone"
    )


def test_what_somebody_typed_over_a_sealed_value_is_no_reason_to_seal_anew() -> None:
    sealed = KEY.seal("1", {"tier": "A", "lane": "sales"})
    assert found({"tier": "C", "lane": "sales", "seal": sealed}, {"tier": "C"}).changes == ()


def test_an_owner_alone_is_given_without_another_seal() -> None:
    sealed = KEY.seal("1", {"tier": "A"})
    given = found({"owner": "", "tier": "A", "seal": sealed}, {"owner": ANN})
    assert [c.field for c in given.changes] == ["owner"]


def test_the_first_seal_of_an_account_has_no_origin() -> None:
    assert seal_of(found({"tier": "", "seal": ""}, {"tier": "A"})) == [("", KEY.seal("1", {"tier": "A"}))]


def test_only_numbers_of_a_field_with_slack_are_compared_as_such() -> None:
    def is_cosmetic(name: str, live: str, wanted: str) -> bool:
        return cosmetic(Change(account_id="1", field=name, live=live, desired=wanted))

    assert not is_cosmetic("fit_score", "high", "higher")
    assert not is_cosmetic("fit_score", "71", "")
    assert not is_cosmetic("lane", "5", "5.0")


def test_of_an_account_that_is_held_nothing_is_learned() -> None:
    one = account(live={"tier": "C", "seal": "garbage"})
    held = difference(one, {"tier": "A"}, NOT_REMEMBERED, KEY, editing=Editing(now=NOW))
    assert held.held
    assert learned(one, held, NOT_REMEMBERED, NOW) == {}


def test_a_cleared_owner_is_learned_as_cleared_by_somebody_today() -> None:
    before = Remembered(confirmed={"owner": ours(ANN)})
    one = account(live={"owner": ""})
    cleared = difference(one, {"owner": ""}, before, KEY, editing=Editing(now=NOW))
    assert learned(one, cleared, before, NOW + 5) == {"owner": human("", at=NOW + 5)}


def test_an_owner_people_chose_is_learned_as_theirs() -> None:
    one = account(live={"owner": ANN}, owner=ANN)
    chosen = difference(one, {"owner": BEN}, NOT_REMEMBERED, KEY, editing=Editing(now=NOW))
    assert learned(one, chosen, NOT_REMEMBERED, NOW + 5) == {"owner": human(ANN)}
    unnamed = account(live={"owner": ""}, owner=ANN)
    none = difference(unnamed, {}, NOT_REMEMBERED, KEY, editing=Editing(now=NOW))
    assert learned(unnamed, none, NOT_REMEMBERED, NOW + 5) == {"owner": human(ANN, at=NOW + 5)}
