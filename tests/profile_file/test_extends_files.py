"""Profiles shared by path: a base in another folder, with each client's differences laid over it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from icp_sync.errors import ConfigError
from icp_sync.profile_file import load, load_all, parse
from icp_sync.profile_file.bases import LONGEST_CHAIN
from tests.profile_file.test_variants import BASE

SHARED = "config/profiles/shared/b2b.yaml"
CLIENT = "config/profiles/clients/acme.yaml"
ACME = "profile: acme\nextends: ../shared/b2b.yaml\ncriteria: [{name: Size, weight: 30}]\n"


@pytest.fixture(autouse=True)
def _elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(name: str, text: str) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def refused(*paths: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load_all(paths)
    return [str(problem) for problem in caught.value.problems]


def test_a_file_in_another_folder_is_extended_by_its_path() -> None:
    written(SHARED, BASE)
    loaded = load(written(CLIENT, ACME))
    base = parse(BASE, "base")
    assert loaded.profile.name == "acme"
    assert [c.weight for c in loaded.profile.criteria] == [30, 0, 10]
    assert (loaded.profile.flags, loaded.profile.tiers) == (base.flags, base.tiers)


def test_what_is_kept_is_complete_and_changes_when_the_shared_file_does() -> None:
    written(SHARED, BASE)
    client = written(CLIENT, ACME)
    before = load(client)
    assert parse(before.text, "journal") == before.profile
    written(SHARED, BASE.replace("A: 80", "A: 85"))
    assert parse(before.text, "journal").tiers.a == 80
    assert load(client).profile.tiers.a == 85
    assert load(client).text != before.text


def test_it_leads_to_the_same_file_from_wherever_the_program_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    written(SHARED, BASE)
    client = written(CLIENT, ACME).absolute()
    here = load(Path(CLIENT))
    monkeypatch.chdir("/")
    assert load(client).profile == here.profile
    assert load(client).text == here.text


def test_a_shared_file_may_extend_another_and_needs_not_be_whole_itself() -> None:
    written("config/profiles/world.yaml", BASE)
    written(SHARED, "extends: ../world.yaml\ntiers: {A: 70}\n")
    assert load(written(CLIENT, ACME)).profile.tiers.a == 70
    part = "criteria: [{name: Region, layer: firmographic, fact: country, any_of: [DE], weight: 5}]\n"
    written(SHARED, part)
    own = "profile: acme\ncurrency: USD\nextends: ../shared/b2b.yaml\n"
    assert [c.name for c in load(written(CLIENT, own)).profile.criteria] == ["Region"]


def test_a_base_that_is_named_too_is_read_once_however_it_is_called() -> None:
    shared = written(SHARED, BASE)
    clients = [
        written(f"config/profiles/clients/{n}.yaml", ACME.replace("acme", n)) for n in ("acme", "globex")
    ]
    assert [one.profile.name for one in load_all([shared, *clients])] == ["base", "acme", "globex"]
    written(SHARED, BASE.replace("weight: 10", "weight: -1"))
    (problem,) = refused(*clients)
    assert problem.startswith(f"{SHARED}:6:")


def test_clients_without_a_name_of_their_own_are_told_apart() -> None:
    written(SHARED, BASE)
    first, second = (written(f"config/profiles/clients/{n}.yaml", ACME.split("\n", 1)[1]) for n in "ab")
    assert load(first).profile.name == "base"
    said = "it is called 'base' like what it extends, and so is {} (give it a `profile` of its own)"
    assert refused(first, second) == [f"{second}:1:1: {said.format(first)}"]
    assert refused(Path(SHARED), second) == [f"{second}:1:1: {said.format(SHARED)}"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("../shared/absent.yaml", "there is no file '../shared/absent.yaml' to extend"),
        ("../shared/b2b.txt", "is no profile file (its name ends in .yaml or .yml)"),
        ("../shared/", "is no profile file"),
        ("/etc/shared.yaml", "is no path from this file on"),
        ("~/shared.yaml", "is no path from this file on"),
        ("https://example.com/b2b.yaml", "is no path from this file on"),
        ("../../../../outside.yaml", "leaves the folders around"),
        ("../shared/folder.yaml", "it is no regular file"),
        ("../shared/pipe.yaml", "it is no regular file"),
        (f"../{'x' * 300}.yaml", "File name too long"),
        ("../shared/latin.yaml", "cannot be read: not UTF-8 text"),
        ("../shared/list.yaml", "does not hold a profile"),
        ('"a\\nb.yaml"', "'extends' names another profile, or its file"),
        ("[../shared/b2b.yaml]", "'extends' names another profile, or its file"),
    ],
)
def test_a_path_that_leads_nowhere_good_is_said_at_its_place(path: str, said: str) -> None:
    Path("config/profiles/shared/folder.yaml").mkdir(parents=True)
    os.mkfifo("config/profiles/shared/pipe.yaml")
    Path("config/profiles/shared/latin.yaml").write_bytes(b"profile: caf\xe9")
    written("config/profiles/shared/list.yaml", "- profile\n")
    problems = refused(written(CLIENT, f"profile: acme\nextends: {path}\n"))
    assert len(problems) == 1
    assert problems[0].startswith(f"{CLIENT}:2:10: ")
    assert said in problems[0]


def test_a_shared_file_that_is_too_large_says_so_itself() -> None:
    written(SHARED, "profile: base\n#" + "x" * 1_000_001)
    assert refused(written(CLIENT, ACME)) == [
        f"{SHARED}:1:1: the file is larger than 1,000,000 bytes (a profile fits on a page)"
    ]


def test_files_that_extend_each_other_are_named_in_a_circle() -> None:
    written(SHARED, "profile: shared\nextends: ../clients/acme.yaml\n")
    assert refused(written(CLIENT, ACME)) == [
        f"{SHARED}:2:10: 'extends' runs in a circle: acme → shared → acme"
    ]
    own = "profile: acme\nextends: ../clients/acme.yaml\n"
    assert refused(written(CLIENT, own)) == [f"{CLIENT}:2:10: 'extends' runs in a circle: acme → acme"]


def test_a_chain_has_an_end() -> None:
    for number in range(LONGEST_CHAIN + 5):
        written(f"config/profiles/{number}.yaml", f"profile: p{number}\nextends: ./{number + 1}.yaml\n")
    (problem,) = refused(Path("config/profiles/0.yaml"))
    assert f"more than {LONGEST_CHAIN} profiles would stand upon one another" in problem


def test_a_chain_cannot_climb_step_by_step() -> None:
    written("top.yaml", BASE)
    written("a/b.yaml", "extends: ../top.yaml\n")
    written("a/b/c/d.yaml", "extends: ../../b.yaml\n")
    deep = written("a/b/c/d/e/f.yaml", "profile: f\nextends: ../../d.yaml\n")
    (problem,) = refused(deep)
    assert "leaves the folders around a/b/c/d/e/f.yaml" in problem


NAMES = ["a.yaml", "b.yaml", "sub/c.yaml"]
LEADS = [*NAMES, "./b.yaml", "../a.yaml", "../b.yaml", "sub/../a.yaml", "b", "..", "", "/", "*.yaml", "é.yml"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(st.sampled_from(NAMES), st.sampled_from(LEADS), min_size=1),
    st.sets(st.sampled_from(NAMES)),
)
def test_any_files_give_profiles_complete_in_themselves_or_problems_with_places(
    leads: dict[str, str], whole: set[str]
) -> None:
    for path in (*Path().glob("*.yaml"), *Path().glob("sub/*.yaml")):
        path.unlink()
    for name in NAMES:
        said = f"extends: '{leads[name]}'\n" if name in leads else ""
        own = BASE if name in whole else "profile: base\n"
        written(name, own.replace("profile: base", f"profile: {Path(name).stem}") + said)
    try:
        loaded = load_all([Path(name) for name in sorted(leads)])
    except ConfigError as error:
        told = error.problems
        assert told
        assert all(problem.where.split(":")[0] in NAMES for problem in told)
    else:
        assert all(parse(one.text, "journal") == one.profile for one in loaded)
