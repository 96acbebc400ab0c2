"""Whatever a file holds, the answer is a profile or a list of problems, never a traceback."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.compat import StringIO

from icp_sync.domain.facts import CATALOGUE
from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError
from icp_sync.profile_file import parse
from icp_sync.profile_file.questions import OPERATORS
from icp_sync.profile_file.schema import LearnedEntry, ProfileEntry
from tests.profile_file.test_language import SAMPLE

KEYS = st.sampled_from(
    [
        *ProfileEntry.model_fields,
        *LearnedEntry.model_fields,
        *OPERATORS,
        *("fact", "name", "layer", "weight", "when", "all", "any", "not", "tier", "taper", "half_life"),
        *("required", "unknown", "effect", "cap", "to", "else", "lane", "owner", "pool", "members", "email"),
        *("score", "route", "minor", "full", "A", "B", "hysteresis", "dwell", "min_coverage", "imbalance"),
    ]
)
SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.integers(-3, 101),
    st.floats(),
    st.text(max_size=6),
    st.sampled_from(sorted(CATALOGUE)),
    st.sampled_from(
        ["50%", "180d", "1M USD", "$5M", "2020-02-30", "exclude", "A", "Not ICP", "a@b.co", "US"]
    ),
)
DATA = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=5)),
    max_leaves=12,
)
SECTIONS = st.dictionaries(st.sampled_from(list(ProfileEntry.model_fields)), DATA)


def judged(text: str) -> Profile | list[str]:
    try:
        return parse(text, "x.yaml")
    except ConfigError as error:
        return [str(problem) for problem in error.problems]


def check(text: str) -> None:
    found = judged(text)
    if isinstance(found, Profile):
        assert found.criteria
    else:
        assert found
        assert all(re.match(r"x\.yaml:\d+:\d+: .", line) for line in found), found
        "\n".join(found).encode("utf-8")


@settings(max_examples=300, deadline=None)
@example("&a [*a]")
@example("? ")
@example("!!binary =")
@example('"\\ud800"')
@example("%YAML 1.1\n---\nprofile: yes")
@example("<<: {profile: a}")
@given(st.one_of(st.text(), st.text(alphabet="ab:-[]{}&*!?|>'\"%@`#,. \n\t\r\\0~<=")))
def test_any_text_is_a_profile_or_has_problems_with_places(text: str) -> None:
    check(text)


@settings(max_examples=80, deadline=None)
@given(SECTIONS)
def test_any_sections_are_a_profile_or_have_problems_with_places(data: dict[str, Any]) -> None:
    out = StringIO()
    YAML(typ="safe", pure=True).dump(data, out)
    check(out.getvalue())


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_any_part_of_a_sound_profile_may_be_anything(data: st.DataObject) -> None:
    lines = SAMPLE.splitlines()
    index = data.draw(st.integers(0, len(lines) - 1))
    words = re.findall(r"[\w%–$]+", lines[index]) or [""]
    word = data.draw(st.sampled_from(words))
    value = data.draw(
        st.one_of(SCALARS.map(str), st.sampled_from(["[]", "{}", "[[1]]", "{a: 1}", "~", "*x"]))
    )
    lines[index] = lines[index].replace(word, value, 1)
    check("\n".join(lines))
