"""What an undo took back stays away while nothing is known anew."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from icp_sync.domain.account import Confirmed, Origin, Remembered
from icp_sync.domain.differences import difference
from icp_sync.domain.seal import SealKey
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.withdrawal import kept_away
from tests.domain.cases import NOW, account

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)
WRITTEN = {
    "tier": "B",
    "model_tier": "B",
    "priority": "B2",
    "timing": "40",
    "timing_grade": "2",
    "fit_score": "60",
    "reasons": "B (60).",
    "coverage": "100",
    "tier_changed_at": "2026-11-01T00:00:00.000Z",
    "previous_tier": "A",
    "lane": "nurture",
    "owner": "ada@example.com",
    "routed_owner": "ada@example.com",
}


def test_nothing_of_a_withdrawn_standing_comes_back_as_time_passes():
    wanted = WRITTEN | {"timing": "30", "timing_grade": "3", "priority": "B3", "reasons": "B (60). + x"}
    wanted |= {"tier_changed_at": "2026-11-09T00:00:00.000Z", "coverage": "90", "fit_score": "57"}
    wanted |= {"previous_tier": "", "owner": "ben@example.com", "routed_owner": "ben@example.com"}
    assert kept_away(WRITTEN, wanted) == WRITTEN.keys()


def test_another_tier_is_another_decision_and_lands_with_what_belongs_to_it():
    wanted = WRITTEN | {"tier": "C", "model_tier": "C", "priority": "C2", "reasons": "C (60)."}
    wanted |= {"owner": "ben@example.com"}
    assert WRITTEN.keys() - kept_away(WRITTEN, wanted) == {"tier", "model_tier", "priority", "reasons"}


def test_another_lane_lands_alone():
    wanted = WRITTEN | {"lane": "sales", "timing": "30"}
    assert WRITTEN.keys() - kept_away(WRITTEN, wanted) == {"lane"}


@given(
    st.dictionaries(st.sampled_from(sorted(FIELDS)), st.sampled_from("ab")),
    st.dictionaries(st.sampled_from(sorted(FIELDS)), st.sampled_from("ab")),
)
def test_a_withdrawn_value_is_never_written_and_what_was_not_withdrawn_is_free(withdrawn, wanted):
    away = kept_away(withdrawn, wanted)
    assert away <= withdrawn.keys()
    assert {name for name, taken in withdrawn.items() if wanted.get(name, taken) == taken} <= away


def test_what_stays_away_is_listed_and_is_neither_a_change_nor_left_alone():
    live = {"tier": "A", "lane": "sales"}
    before = Remembered(
        confirmed={n: Confirmed(value=v, origin=Origin.OURS, at=NOW) for n, v in live.items()}
    )
    found = difference(
        account(live=live), {"tier": "B", "lane": "nurture"}, before, KEY, withdrawn={"tier": "B"}
    )
    assert found.withdrawn == {"tier": ("A", "B")}
    assert [c.field for c in found.changes] == ["lane", "seal"]
    assert found.left_alone == {}


def test_another_tier_alone_is_another_decision_with_all_its_wording() -> None:
    taken = {"tier": "A", "reasons": "Fits."}
    assert kept_away(taken, {"tier": "B", "reasons": "Fits less."}) == frozenset()
    assert kept_away(taken, {"tier": "A", "reasons": "Fits less."}) == {"tier", "reasons"}
