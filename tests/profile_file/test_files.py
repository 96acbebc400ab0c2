"""Profiles come from files: one or several, readable or not, each problem named with its file."""

from __future__ import annotations

from pathlib import Path

import pytest

from icp_sync.errors import ConfigError
from icp_sync.profile_file import load, load_all, parse, parse_all
from tests.profile_file.written import SOUND


def refused(*documents: tuple[str, str]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        parse_all(documents)
    return [str(problem) for problem in caught.value.problems]


def test_profiles_keep_the_order_of_their_files() -> None:
    names = [p.name for p in parse_all([(SOUND, "a"), (SOUND.replace("sample", "other"), "b")])]
    assert names == ["sample", "other"]


def test_two_profiles_of_one_name_are_refused_at_the_second() -> None:
    assert refused((SOUND, "a.yaml"), (SOUND, "b.yaml")) == [
        "b.yaml:1:10: the profile 'sample' is also in a.yaml (rename one)"
    ]


def test_profiles_that_extend_each_other_are_named_in_a_circle() -> None:
    first = SOUND.replace("sample", "first") + "extends: second\n"
    second = SOUND.replace("sample", "second") + "extends: first\n"
    found = refused((first, "a.yaml"), (second, "b.yaml"))
    assert "b.yaml:5:10: 'extends' runs in a circle: first → second → first" in found
    assert len(found) == 1  # one circle, however many profiles stand in it


def test_a_profile_that_extends_itself_is_a_circle_too() -> None:
    found = refused((SOUND + "extends: sample\n", "a.yaml"))
    assert "a.yaml:5:10: 'extends' runs in a circle: sample → sample" in found


def test_extending_into_a_circle_is_not_itself_one() -> None:
    documents = [
        (SOUND.replace("sample", name) + f"extends: {above}\n", f"{name}.yaml")
        for name, above in (("a", "b"), ("b", "c"), ("c", "b"))
    ]
    assert not any(line.startswith("a.yaml") and "circle" in line for line in refused(*documents))


def test_a_file_is_loaded_with_the_text_that_was_read(tmp_path: Path) -> None:
    path = tmp_path / "sample.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + SOUND.encode())
    loaded = load(path)
    assert (loaded.profile, loaded.text, loaded.path) == (parse(SOUND, "x"), SOUND, path)


def test_every_file_that_cannot_be_read_is_named_beside_what_is_wrong_in_the_others(tmp_path: Path) -> None:
    latin, wrong = tmp_path / "latin.yaml", tmp_path / "wrong.yaml"
    latin.write_bytes("profile: caf\xe9".encode("latin-1"))
    wrong.write_text("profile: wrong\n", encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load_all([tmp_path / "absent.yaml", latin, tmp_path, wrong])
    said = "\n".join(map(str, caught.value.problems))
    assert f"{tmp_path / 'absent.yaml'}: cannot be read" in said
    assert f"{latin}: not UTF-8 text, at byte 12" in said
    assert f"{tmp_path}: cannot be read" in said
    assert f"{wrong}:1:1: 'criteria' is missing" in said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("x" * 1_000_001, "larger than 1,000,000 bytes"),
        ("a: " + "[" * 500, "nested more than 40 levels deep"),
        ("a: &a [1,1,1,1,1,1,1,1,1,1]\n", "unknown key 'a'"),
        ("[" + "1," * 60_000 + "]", "more than a profile can hold"),
    ],
)
def test_a_text_beyond_all_measure_is_refused(text: str, said: str) -> None:
    assert said in "\n".join(refused((text, "big.yaml")))


def test_aliases_cannot_multiply_a_small_file_into_a_huge_one() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    assert "aliases expand to more than a profile can hold" in refused(("\n".join(lines), "bomb.yaml"))[-1]
