"""Whatever a CRM holds has one canonical text; what cannot be read stays as it is, and nothing raises."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from icp_sync.crm.canonical import canonical_text, instant, is_number
from icp_sync.domain.standing import FieldType, instant_text

offsets = st.integers(-24 * 60 + 1, 24 * 60 - 1).map(lambda minutes: timezone(timedelta(minutes=minutes)))
instants = st.datetimes(timezones=st.none() | offsets)
texts = st.text() | st.text(st.characters()) | st.from_regex(r"[-+0-9.eE_:TZnaif ]{0,24}", fullmatch=True)


@given(kind=st.sampled_from(FieldType), raw=texts | st.none() | instants.map(datetime.isoformat))
def test_any_text_of_any_type_has_a_canonical_form(kind: FieldType, raw: str | None) -> None:
    text = canonical_text(kind, raw)
    assert text == text.strip()
    assert bool(text) == bool((raw or "").strip()) or kind is FieldType.MULTI


@given(raw=texts)
def test_any_text_is_a_number_or_none_and_an_instant_or_none(raw: str) -> None:
    assert is_number(raw) in (True, False)
    seconds = instant(raw)
    assert seconds is None or instant_text(seconds).endswith("Z")


@given(at=instants)
def test_an_instant_is_written_in_utc_or_left_as_it_is(at: datetime) -> None:
    text = canonical_text(FieldType.DATETIME, at.isoformat())
    try:
        expected = at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    except OverflowError:
        assert text == at.isoformat()
        return
    if text == at.isoformat():
        assert expected.year == datetime.max.year, "only the last moments cannot be rounded"
    else:
        assert abs(datetime.fromisoformat(text) - expected) <= timedelta(milliseconds=2)


@pytest.mark.parametrize(
    "raw",
    [
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-14:00",
        "9999-12-31T23:59:59.9999999Z",
        "253402300800000",
        "9" * 5000,
        "yesterday",
    ],
)
def test_an_instant_nobody_can_hold_stays_text(raw: str) -> None:
    assert instant(raw) is None
    assert canonical_text(FieldType.DATETIME, f" {raw} ") == raw


@pytest.mark.parametrize(
    "raw", ["2026-11-21T22:00:00Z", "2026-11-22T00:00:00+02:00", "1795298400000", "2026-11-21T22:00"]
)
def test_one_instant_has_one_text_however_it_is_spelt(raw: str) -> None:
    assert canonical_text(FieldType.DATETIME, raw) == "2026-11-21T22:00:00.000Z"
