"""A manifest is right, or everything that is wrong with it is named where it stands."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from icp_sync.enrichers import load as load_enrichers
from icp_sync.enrichers.manifest import load, shipped
from icp_sync.errors import ConfigError
from tests.enrichers.manifest_files import HIT, PLAIN, changed, written


def problems(path: Path) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path)
    assert "README.md" in caught.value.next_step
    return [str(problem).removeprefix(f"{path}:") for problem in caught.value.problems]


def test_a_good_manifest_loads_with_its_defaults(tmp_path: Path) -> None:
    manifest = load(written(tmp_path))
    assert manifest.vendor == "plain"
    assert manifest.verified is False
    assert manifest.miss_ttl == 30 * 86_400
    assert manifest.auth[0].value == "{key}"


@pytest.mark.parametrize(
    ("pairs", "said"),
    [
        (("hit: {when", "hitt: {when"), "10:1: unknown key 'hitt' (did you mean 'hit'?)"),
        (("kind: number", "kind: numbers"), "13:33: should be 'number', 'money'"),
        (("credits: 1", "credit: 1"), "11:19: unknown key 'credit' (did you mean 'credits'?)"),
        (("charge: {on: hit, credits: 1}\n", ""), "1:1: 'charge' is missing"),
        (("from: size", "from: 'size['"), "13:21: not a JMESPath expression"),
        (("from: size", "from: sise(x)"), "13:21: JMESPath has no function sise()"),
        (("{when: name}", "{when: name, else: perhaps}"), "10:25: should be 'miss', 'ambiguous'"),
        (("  employees:", "  employes:"), "13:3: there is no fact 'employes' (did you mean 'employees'?)"),
        (("{domain}", "{domian}"), "9:17: nothing is called 'domian' here (did you mean 'domain'?)"),
        (("{domain}", "{name}"), "9:17: 'name' would leave, and `leaves` does not say so"),
        (("{domain}", "{key}"), "9:17: the secret 'key' may stand in `auth` and headers only"),
        (("{domain}", "{domain|big}"), "9:17: there is no filter 'big'"),
        (("needs: [domain]", "needs: [name]"), "6:8: needs 'name', which does not leave"),
        (("secrets: [key]", "secrets: [key, other]"), "8:10: the secret 'other' is not used anywhere"),
        (("secrets: [key]", "secrets: [token]"), "7:7: no key is called 'key'"),
        (("secrets: [key]", "secrets: [key, price]"), "8:10: 'price' has a meaning already"),
        (("kind: number", "kind: money"), "13:33: employees is a number, which `kind: money` is not"),
        (("https://api", "http://api"), "4:11: plain http would send the token in the clear"),
        (
            ("size, kind: number, sure: documented", "size, kind: number"),
            "13:14: employees does not say how sure",
        ),
        (("kind: text", "kind: industry"), "14:9: an industry needs `system`: hubspot, linkedin"),
        (("{header: X-Key}", "{header: X-Key, query: key}"), "7:7: needs exactly one of header, query"),
        (('path: "/companies', 'path: "companies'), "9:17: must be written like the regular expression"),
        (("title: Plain", "title:"), "2:1: 'title' has no value"),
        (("title: Plain", "title: !!python/object:os.system x"), "2:8: the tag"),
        (("hit: {when: name}", "outcomes: [{status: 202, is: pending}]"), "10:11: an outcome is pending"),
        (
            ("facts:", 'pending: {check: {path: "/jobs/{job}"}}\nfacts:'),
            "12:25: there is no {job} (say where the reply names it",
        ),
        (
            ("request: {", "steps: [{request: {path: /f}, found: id, prefer: live}]\nrequest: {"),
            "9:9: needs name for `prefer`",
        ),
    ],
    ids=lambda value: value[1][:24] if isinstance(value, tuple) else "",
)
def test_a_mistake_is_named_where_it_stands(tmp_path: Path, pairs: tuple[str, str], said: str) -> None:
    found = problems(written(tmp_path, changed(pairs)))
    assert any(one.startswith(said) for one in found), found


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    text = changed(
        ("kind: number", "kind: numbers"), ("credits: 1", "credit: 1"), ("vendor: plain", "vendor: P L")
    )
    assert len(problems(written(tmp_path, text))) == 3


def test_a_sample_that_is_read_otherwise_names_the_line_it_is_about(tmp_path: Path) -> None:
    wrong = {**HIT, "expect": {"name": ["set", ["acme"], True], "employees": ["interval", 11, 500]}}
    (said,) = problems(written(tmp_path, hit=wrong))
    assert said.startswith('13:14: sample hit.json: employees: ["interval", 11.0, 50.0] instead of')
    missing = {**HIT, "expect": {"name": ["set", ["acme"], True]}}
    assert (
        'employees: ["interval", 11.0, 50.0] instead of nothing'
        in problems(written(tmp_path, hit=missing))[0]
    )
    absent = {**HIT, "body": {"name": "Acme"}}
    assert "employees: nothing instead of" in problems(written(tmp_path, hit=absent))[0]


def test_an_outcome_or_charge_that_differs_is_named(tmp_path: Path) -> None:
    miss = {"made": "for a test", "status": 404, "body": {}, "outcome": "no_credit", "charge": 1}
    said = problems(written(tmp_path, miss=miss))
    assert any("sample miss.json: it is read as miss instead of no_credit" in one for one in said)
    assert any("sample miss.json: charge: 0 credits instead of 1" in one for one in said)


def test_a_manifest_without_a_hit_sample_is_refused(tmp_path: Path) -> None:
    (said,) = problems(written(tmp_path, hit={}))
    assert "there is no sample plain/hit.json" in said


def test_a_sample_that_is_no_sample_is_named(tmp_path: Path) -> None:
    path = written(tmp_path, odd={"made": "x", "statsu": 1, "outcome": "miss"})
    assert any("sample odd.json: statsu" in one for one in problems(path))
    (tmp_path / "samples" / "plain" / "odd.json").write_text("{")
    assert any("sample odd.json cannot be read" in one for one in problems(path))


def test_a_function_that_cannot_be_applied_to_the_sample_is_found_at_load(tmp_path: Path) -> None:
    text = changed(("from: size", "from: \"join('-', size)\""))
    found = problems(written(tmp_path, text))
    assert any("cannot be applied to the hit sample" in one for one in found)


def test_verified_wants_a_recorded_reply(tmp_path: Path) -> None:
    text = changed(("title: Plain", "title: Plain\nverified: true"))
    assert (
        "the hit sample is not a recorded one (icp-sync enrich plain DOMAIN --raw)"
        in problems(written(tmp_path, text))[0]
    )
    assert load(written(tmp_path, text, {**HIT, "made": "recorded"})).verified


def test_a_file_that_is_not_there_or_no_text_is_named(tmp_path: Path) -> None:
    assert "cannot be read: No such file" in problems(tmp_path / "none.yaml")[0]
    bad = tmp_path / "bad.yaml"
    bad.write_bytes(b"\xff\xfe\x00")
    assert "it is not UTF-8 text" in problems(bad)[0]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=200)
    | st.builds(
        lambda a, b, c: PLAIN[:a] + c + PLAIN[b:],
        st.integers(0, 400),
        st.integers(0, 400),
        st.text(max_size=20),
    )
)
@example("")
@example("- 1")
@example("vendor: &a [*a]")
def test_no_text_at_all_raises_anything_but_named_problems(tmp_path: Path, text: str) -> None:
    path = tmp_path / "plain.yaml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with suppress(ConfigError):
        load(path, rehearsed=False)


def test_what_ships_is_right_and_named_like_its_file() -> None:
    for name, path in shipped().items():
        assert load(path, rehearsed=False).vendor == name


def test_an_entry_names_keys_too_many_and_too_few(tmp_path: Path) -> None:
    path = str(written(tmp_path))
    with pytest.raises(ConfigError) as caught:
        load_enrichers(
            [
                {"use": "rest"},
                {"use": "rest", "manifest": str(tmp_path / "none.yaml")},
                {"use": "rest", "manifest": path},
                {"use": "rest", "manifest": path, "key": "key-1234567890", "kye": 1},
                {"use": "rest", "manifest": path, "key": "your key"},
                {"use": "rest", "manifest": path, "key": "key-1234567890", "base_url": "http://vendor.com"},
                {"use": "rest", "manifest": path, "key": "key-1234567890", "price": -1},
                {"use": "people_data_lab", "key": "key-1234567890"},
            ]
        )
    said = [str(problem) for problem in caught.value.problems]
    wanted = [
        "enrichers[0].manifest: must name the vendor's YAML file",
        f"{tmp_path}/none.yaml:1:1: cannot be read",
        "enrichers[2].key: is missing",
        "enrichers[3].kye: unknown key (did you mean 'key'?)",
        "enrichers[4]: key: empty, or a placeholder",
        "enrichers[5]: base_url: plain http would send the token in the clear",
        "enrichers[6]: price: must be a number of credits, 0 or more",
        "enrichers[7].use: there is no enricher 'people_data_lab' (did you mean 'people_data_labs'?)",
    ]
    assert len(said) == len(wanted)
    for line, start in zip(said, wanted, strict=True):
        assert line.startswith(start), line


def test_generic_keys_change_name_price_and_lifetimes(tmp_path: Path) -> None:
    path = str(written(tmp_path))
    keys = {"name": "ours", "price": 3, "ttl_days": 2, "miss_ttl_days": 1, "key": "key-1234567890"}
    (made,) = load_enrichers([{"use": "rest", "manifest": path, **keys}])
    assert (made.name, made.price, made.ttl, made.miss_ttl) == ("ours", 3.0, 2 * 86_400.0, 86_400.0)
