"""The seal as text: what is in it, what is left out, and how it is read."""

from __future__ import annotations

from icp_sync.domain.seal import FORMAT, SealKey, read_seal

KEY = SealKey(installation="0123456789ab", key=b"k" * 32)


def test_a_digest_is_ten_hexadecimal_digits_of_account_field_and_value() -> None:
    digest = KEY.digest("1", "tier", "A")
    assert len(digest) == 10
    assert int(digest, 16) >= 0
    others = {KEY.digest("2", "tier", "A"), KEY.digest("1", "lane", "A"), KEY.digest("1", "tier", "B")}
    assert digest not in others


def test_blank_values_are_not_sealed_and_marks_are_carried() -> None:
    text = KEY.seal("1", {"tier": "A", "lane": ""}, marks={"owner": "-"})
    assert text == f"{FORMAT};{KEY.installation};owner=-;tier={KEY.digest('1', 'tier', 'A')}"
    assert read_seal(text, KEY).marks == {"owner": "-", "tier": KEY.digest("1", "tier", "A")}


def test_a_mark_ends_at_the_semicolon_whatever_is_in_it() -> None:
    read = read_seal(f" {FORMAT};{KEY.installation};tier=a=b;junk;lane=c ", KEY)
    assert (read.marks, read.problem, read.foreign) == ({"tier": "a=b", "lane": "c"}, "", False)
    assert read_seal("  ", KEY).marks == {}
