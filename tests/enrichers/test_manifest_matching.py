"""Which of the companies a vendor knows is the one that was asked about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.ports import Answer, Hit, Miss
from tests.enrichers.manifest_files import FOUND, HIT, changed, manifest, rest, single
from tests.enrichers.vendor_world import asked, serving


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


def test_a_record_of_another_domain_is_somebody_else(here: Path) -> None:
    text = changed(more="match: {domain: site, confidence: score, scale: 10, least: 0.3}\n")

    def answer(**more: Any) -> Answer:
        return single(here, text, Reply(body={**HIT["body"], **more}))

    assert isinstance(answer(site="https://www.acme.com/en"), Hit)
    assert isinstance(answer(), Hit)
    assert answer(site="globex.com") == Miss(charge=1.0, ambiguous=True)
    assert answer(score=2) == Miss(charge=1.0, ambiguous=True)
    sure = answer(score=8)
    assert isinstance(sure, Hit)
    assert {signal.confidence for signal in sure.signals} == {0.8}


STEPS = changed(
    ("leaves: [domain]", "leaves: [name]"),
    ("needs: [domain]", "needs: [name]"),
    (
        'request: {path: "/companies/{domain}"}',
        'steps:\n  - request: {path: /search, query: {q: "{name}"}}\n    candidates: items\n    name: title\n'
        '    found: number\nrequest: {path: "/companies/{found|pad10}"}',
    ),
)
STEPPED = {
    **HIT,
    "asked": {"name": "Borealis Lathe Works"},
    "steps": [{"body": {"items": [{"title": "Borealis Lathe Works", "number": 7}]}}],
}


def search(
    folder: Path, *titles: str, text: str = STEPS, active: tuple[int, ...] = ()
) -> tuple[Answer, list[str]]:
    made = rest(folder, text, STEPPED)
    items = [{"title": title, "number": n, "active": n in active} for n, title in enumerate(titles, 1)]
    with serving(manifest(folder, text, STEPPED), [Reply(body={"items": items}), FOUND]) as sent:
        (answer,) = made.answer([asked(name="Borealis Lathe Works")])
    return answer, [str(one.url) for one in sent]


def test_the_candidate_whose_name_is_surely_ours_is_taken(here: Path) -> None:
    answer, urls = search(here, "Borealis Bakery", "Borealis Lathe Works Ltd", "Lathe World")
    assert isinstance(answer, Hit)
    assert urls[1].endswith("/companies/0000000002")
    assert all(0.75 <= signal.confidence <= 1 for signal in answer.signals)


def test_two_that_are_alike_are_ambiguous_and_none_at_all_is_a_miss(here: Path) -> None:
    twice, urls = search(here, "Borealis Lathe Works Ltd", "Borealis Lathe Works Limited")
    assert twice == Miss(ambiguous=True)
    assert len(urls) == 1
    assert search(here, "Lathe World")[0] == Miss()
    assert search(here)[0] == Miss()


def test_of_two_that_are_alike_the_preferred_one_is_taken_and_never_one_less_alike(here: Path) -> None:
    text = STEPS.replace("    name: title\n", "    name: title\n    prefer: active\n")
    ours, same, alike = "Borealis Lathe Works Ltd", "Borealis Lathe Works Limited", "Borealis Latheworks Ltd"

    def taken(*titles: str, active: tuple[int, ...]) -> str:
        answer, urls = search(here, *titles, text=text, active=active)
        return urls[-1].rpartition("/")[2].lstrip("0") if isinstance(answer, Hit) else ""

    assert taken(ours, same, active=(2,)) == "2"
    assert taken(ours, alike, "Lathe World", active=(2, 3)) == "1"
    assert taken(ours, active=()) == "1"
    assert taken(ours, same, active=()) == taken(ours, same, active=(1, 2)) == ""


def test_one_company_listed_twice_is_one(here: Path) -> None:
    made = rest(here, STEPS, STEPPED)
    items = [{"title": "Borealis Lathe Works", "number": 7, "ticker": ticker} for ticker in ("BLW", "BLWA")]
    with serving(manifest(here, STEPS, STEPPED), [Reply(body={"items": items}), FOUND]):
        (answer,) = made.answer([asked(name="Borealis Lathe Works")])
    assert isinstance(answer, Hit)


def test_one_name_is_found_in_a_register_of_thousands(here: Path) -> None:
    others = [f"Global Works {number} Inc" for number in range(8_000)]
    answer, urls = search(here, *others, "Boréalis Lathe Works Ltd", *others)
    assert isinstance(answer, Hit)
    assert urls[1].endswith("/companies/0000008001")
    assert search(here, *others)[0] == Miss()


def test_a_directory_is_fetched_once_for_everybody(here: Path) -> None:
    text = STEPS.replace(', query: {q: "{name}"}', "").replace(
        "    found: number", "    found: number\n    keep: 1d"
    )
    made = rest(here, text, STEPPED)
    directory = Reply(body={"items": [{"title": "Borealis Lathe Works", "number": 7}]})
    with serving(manifest(here, text, STEPPED), [directory, FOUND]) as sent:
        for _ in range(2):
            made.answer([asked(name="Borealis Lathe Works")])
    assert [str(one.url).rpartition("/")[2] for one in sent] == ["search", "0000000007", "0000000007"]
