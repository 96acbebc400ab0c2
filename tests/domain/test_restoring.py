"""What of a run goes back on one account: only what is ours by evidence, and as whose it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.account import Account, Confirmed, Origin, Remembered, Withdrawn
from icp_sync.domain.restoring import BACK, Fate, Then, less, restoring, withdrawal
from icp_sync.domain.seal import THEIRS, SealKey, read_seal

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
FIELDS = ("tier", "lane", "profile", "owner")
VALUES = ("", "A", "B", "sales")
value = st.sampled_from(VALUES)
standing = st.fixed_dictionaries(dict.fromkeys(FIELDS, value))
confirmed = st.dictionaries(
    st.sampled_from(FIELDS),
    st.builds(Confirmed, value=value, origin=st.sampled_from(Origin), at=st.just(0.0), by=st.just("")),
)
then = st.dictionaries(
    st.sampled_from(FIELDS),
    st.builds(Then, before=value, after=value, origin=st.sampled_from(["", "ours", "human"])),
)


def restored(live: dict[str, str], wrote: dict[str, Then], known: dict[str, Confirmed], **more: object):  # type: ignore[no-untyped-def]
    account = Account(id="1", name="Acme", live=live, owner=live.get("owner", ""))
    return restoring(
        account,
        wrote,
        Remembered(confirmed=known, **more),  # type: ignore[arg-type]
        KEY,
        owners={"A", "B", "sales"},
        now=9.0,
        reason="undo of r",
    )


@given(live=standing, wrote=then, known=confirmed)
def test_only_what_is_ours_goes_back_and_everything_is_accounted_for(
    live: dict[str, str], wrote: dict[str, Then], known: dict[str, Confirmed]
) -> None:
    plan = restored(live, wrote, known)
    assert plan.fates.keys() == wrote.keys()
    for change in plan.changes:
        last = known.get(change.field)
        assert (last is None and not change.live) or last == Confirmed(
            value=change.live, origin=Origin.OURS, at=0.0
        )
        assert change.desired == wrote[change.field].before
    assert {c.field for c in plan.changes} == {n for n, fate in plan.fates.items() if fate in BACK}
    for name, fate in plan.fates.items():
        assert (fate is Fate.SAME) is (live[name] == wrote[name].before)
        assert fate in BACK or name not in plan.confirmed
        assert (fate is Fate.AGAIN) <= (live[name] != wrote[name].after)


@given(live=standing, wrote=then, known=confirmed)
def test_the_seal_afterwards_proves_what_is_ours_and_nothing_else(
    live: dict[str, str], wrote: dict[str, Then], known: dict[str, Confirmed]
) -> None:
    plan = restored({**live, "seal": KEY.seal("1", {"coverage": "7"})}, wrote, known)
    made = [c.desired for c in plan.changes if c.field == "seal"]
    if not plan.confirmed:
        assert made == []
        return
    seal = read_seal(made[0], KEY)
    assert "coverage" in seal.marks, "a field this connection does not read keeps its mark"
    for name, back in plan.confirmed.items():
        if back.origin is Origin.HUMAN:
            assert seal.marks[name] == THEIRS
        elif name != "owner":
            assert seal.proves(KEY, "1", name, back.value) is bool(back.value)
    for name, fate in plan.fates.items():
        if fate is Fate.PEOPLE and not (name == "owner" and not live[name]):
            assert seal.marks[name] == THEIRS


def test_a_foreign_seal_holds_the_whole_account() -> None:
    other = SealKey(installation="abcdefabcdef", key=b"x" * 32)
    live = {"tier": "A", "seal": other.seal("1", {"tier": "A"})}
    plan = restored(live, {"tier": Then(before="", after="A")}, {})
    assert (plan.changes, plan.fates) == ((), {})
    assert "another installation" in plan.held


def test_an_owner_who_is_none_now_and_a_field_not_carried_stay_out() -> None:
    ours = {"owner": Confirmed(value="A", origin=Origin.OURS, at=0.0)}
    wrote = {"owner": Then(before="gone", after="A"), "tier": Then(before="", after="A")}
    plan = restored({"owner": "A"}, wrote, ours)
    assert dict(plan.fates) == {"owner": Fate.NOBODY, "tier": Fate.ABSENT}


def test_what_the_evaluation_would_write_instead_is_withdrawn_until_the_undo_is_undone() -> None:
    first = withdrawal(
        {"tier": "C", "lane": ""}, {"tier": "A", "lane": ""}, None, mark="m", run="u", lifts=False
    )
    assert first == Withdrawn(mark="m", fields={"tier": "A"}, run="u")
    more = withdrawal({"lane": "x"}, {"lane": "y"}, first, mark="m", run="v", lifts=False)
    assert more == Withdrawn(mark="m", fields={"tier": "A", "lane": "y"}, run="v")
    assert withdrawal({"lane": "x"}, {"lane": "y"}, first, mark="n", run="v", lifts=False) == Withdrawn(
        mark="n", fields={"lane": "y"}, run="v"
    ), "what was withdrawn from other inputs is free"
    assert withdrawal({"tier": "A"}, {"tier": "D"}, first, mark="m", run="v", lifts=True) is None


def test_what_could_not_be_restored_is_not_withdrawn() -> None:
    before = Withdrawn(mark="m", fields={"lane": "y"}, run="u")
    now = Withdrawn(mark="m", fields={"tier": "A", "lane": "z"}, run="v")
    assert less(now, {"lane"}, before) == Withdrawn(mark="m", fields={"tier": "A", "lane": "y"}, run="v")
    assert less(now, {"tier", "lane"}, None) is None
    assert less(None, {"tier"}, before) is None
