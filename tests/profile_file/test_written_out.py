"""A variant written out with what it extends: whatever it holds, the text gives the same profile again."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from icp_sync.errors import ConfigError
from icp_sync.profile_file import load, parse, parse_all
from icp_sync.profile_file.reading import Report, read
from icp_sync.profile_file.variants import written_out
from tests.profile_file.test_variants import BASE

TAKEN_FOR_ELSE = [
    ".5e3",
    "1e5",
    "5.",
    "+1",
    "0o17",
    "1000",
    "~",
    "null",
    "NULL",
    "true",
    "FALSE",
    ".inf",
    ".nan",
]
TAKEN_FOR_ELSE += [
    "2027-01-01",
    "12:30:00",
    "=",
    "<<",
    "yes",
    "NO",
    "",
    "?",
    "? a",
    "-",
    "- a",
    "a: b",
    "a #b",
]
TAKEN_FOR_ELSE += [
    "#a",
    "!x",
    "&x",
    "*x",
    "%x",
    "@x",
    "`x",
    "{a}",
    "[a]",
    "|",
    ">",
    '"',
    "'",
    "---",
    "...",
    " a",
    "a ",
]
TAKEN_FOR_ELSE += [
    "00123",
    "9" * 301,
    "\u00a0a",
    "a\u200bb",
    "\ufeffx",
    "x\u2028y",
    "\x85",
    "\x7f",
    "\t",
    "\U0001f600",
]
TAKEN_FOR_ELSE += ["a" * 90 + " b" * 5, "it's: a # b " * 12, "w " * 700, "x" * 200, "\u00e9 " * 99]

texts = st.one_of(
    st.sampled_from(TAKEN_FOR_ELSE),
    st.text(
        alphabet=st.sampled_from("ab  -:#'\"{}[],&*!|>%@`?=~.019eE+_\t\n\\\u00e9\u00a0\u2028"), max_size=120
    ),
    st.text(alphabet=st.characters(codec="utf-8"), max_size=40),
)
scalars = st.one_of(texts, st.booleans(), st.integers(), st.floats(allow_nan=False))
keys = st.one_of(texts, st.integers())
trees = st.recursive(
    scalars,
    lambda below: st.lists(below, max_size=3) | st.dictionaries(keys, below, max_size=3),
    max_leaves=8,
)


def shape(data: object) -> object:
    """The data with the kind of every value, since 1 == 1.0 == True."""
    if isinstance(data, dict):
        return {(type(key), key): shape(value) for key, value in data.items()}
    return [shape(item) for item in data] if isinstance(data, list) else (type(data), data)


@settings(max_examples=120, deadline=None)
@given(st.dictionaries(keys, trees, min_size=1, max_size=3))
@example({word: [word, {word: word}] for word in TAKEN_FOR_ELSE})
@example({1: 1e22, "1": 1e-7, 2: float("inf"), 3: -float("inf"), 4: [[], {}], 5: 10**40})
def test_any_data_written_out_is_read_as_the_same_data(data: dict[str | int, object]):
    report = Report("x")
    found = read(written_out(data, "dach.yaml", "base"), report)
    assert not report.problems
    assert shape(found) == shape(data)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(texts, texts)
@example(".5e3", "null")
@example(
    "North America enterprise and mid-market accounts handled by the regional sales development team", "~"
)
def test_a_variant_of_any_names_and_words_is_kept_as_the_profile_it_is(tmp_path: Path, name: str, word: str):
    quoted, city = json.dumps(name), json.dumps(word)
    variant = (
        "profile: dach\nextends: base\ncriteria:\n"
        f"  - {{name: {quoted}, layer: firmographic, fact: city, any_of: [{city}, Oslo], weight: 1}}\n"
        f"pools: {{{quoted}: {{members: [{{email: eva@example.com}}]}}}}\n"
        f"routes: [{{when: {{tier: [A]}}, to: {{pool: {quoted}, lane: sales}}}}]\n"
    )
    try:
        parse_all([(BASE, "base.yaml"), (variant, "dach.yaml")])
    except ConfigError:
        return  # no name for a pool, or no word for a city
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    (tmp_path / "dach.yaml").write_text(variant, encoding="utf-8")
    loaded = load(tmp_path / "dach.yaml")
    assert name in loaded.profile.pools
    assert parse(loaded.text, "journal") == loaded.profile


def test_a_file_name_cannot_end_the_comment_it_stands_in():
    assert read(written_out({"a": 1}, "x\nb: 2.yaml", "base"), Report("x")) == {"a": 1}


def test_a_variant_too_large_to_be_kept_is_refused_when_it_is_loaded(tmp_path: Path):
    """Aliases make a small file of what is far too large once each stands for itself."""
    (tmp_path / "base.yaml").write_text(BASE, encoding="utf-8")
    cities = ", ".join(["*x"] * 112)
    (tmp_path / "dach.yaml").write_text(
        "profile: dach\nextends: base\ncriteria:\n"
        "  - {name: City, layer: firmographic, fact: city, weight: 1,"
        f" any_of: [&x {'a' * 9_000}, {cities}]}}\n",
        encoding="utf-8",
    )
    with pytest.raises(ConfigError, match=r"dach\.yaml: cannot be kept as one text .* larger than 1,000,000"):
        load(tmp_path / "dach.yaml")
