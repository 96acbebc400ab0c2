"""The reasons on the record, situation by situation, as golden files; and what holds for all of them.

`python -m tests.domain.test_reasons` writes the golden files anew.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from icp_sync.domain.account import Confirmed, Origin, Owner, Previous, Remembered
from icp_sync.domain.choosing import Candidate
from icp_sync.domain.compile import compile_profile
from icp_sync.domain.differences import difference
from icp_sync.domain.evaluation import evaluate, overridden
from icp_sync.domain.override import Override
from icp_sync.domain.owner_words import chosen_because, chosen_in, owner_text, person
from icp_sync.domain.ownership import Editing
from icp_sync.domain.profile import Profile
from icp_sync.domain.reasons import OUT_OF_SCOPE, Beside, Line, changed_words, fitted, reasons
from icp_sync.domain.routing import Decision
from icp_sync.domain.spelling import REASONS_LIMIT, cut, plain, spoken_value
from icp_sync.domain.standing import STATES
from icp_sync.domain.success import NOTHING_SAID, Success
from tests.domain.cases import NOW, account, profiles, some_facts, value
from tests.domain.offering import ADA, BEN, NAMES, TEAM
from tests.domain.situations import SITUATIONS
from tests.domain.test_differences import KEY

GOLDEN = Path(__file__).parent / "reasons"


def written(text: str) -> str:
    """As a golden file has it: with a line end, and a word where the record stays blank."""
    return f"{text or '(blank)'}\n"


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_situation_reads_as_its_golden_file(name: str) -> None:
    golden, now = (GOLDEN / f"{name}.txt").read_text(), written(SITUATIONS[name]())
    apart = "\n".join(
        difflib.unified_diff(golden.splitlines(), now.splitlines(), "golden", "now", lineterm="")
    )
    assert now == golden, f"\n{apart}\nas meant: python -m tests.domain.test_reasons"


def test_every_golden_file_has_its_situation() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == set(SITUATIONS)


def fit_to_read(text: str) -> None:
    """What a phone, a page and a mail may be given."""
    assert 0 < len(text) <= REASONS_LIMIT
    for line in text.split("\n"):
        assert line.strip() == line != ""
        assert line not in ("…", ".")
        assert line.endswith((".", "…", "!", "?"))
        seen = re.sub(r"(?<=[^\x00-\x7f])[\u200c\u200d](?=[^\x00-\x7f])", "", line)  # as letters need them
        assert not any(unicodedata.category(c) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") for c in seen)
        assert not re.search(r"<[A-Za-z/!?]", line)


@pytest.mark.parametrize("name", sorted(SITUATIONS.keys() - {"out_of_scope"}))
def test_every_situation_is_fit_to_read_and_its_first_line_says_where_it_stands(name: str) -> None:
    text = SITUATIONS[name]()
    fit_to_read(text)
    assert text.split("\n")[0].startswith(STATES)


texts = st.text(max_size=150) | st.sampled_from(["a<b>c", "x" * 120, "\u202e", "\x00", "\n", "…", ". ", "  "])
names = texts.filter(lambda name: plain(name, 9) != "")
overrides = st.builds(
    Override,
    tier=st.sampled_from(STATES),
    since=st.just(NOW),
    until=st.none() | st.just(NOW + 9.0),
    by=st.sampled_from(["", "person", "workflow"]),
    why=texts,
    direct=st.booleans(),
)
besides = st.builds(
    Beside,
    why=texts | names.map(lambda name: f"Changed 2026-09-21 from A: DATA {name} (crm:x)."),
    success=st.sampled_from([NOTHING_SAID, Success("full", "likely", "low")]),
    owner=texts.map(lambda name: f"Owner {plain(name, 40)}: named by the route."),
)


typed = st.lists(names, min_size=1, max_size=3)


def renamed(one: Profile, at: int, typed: list[str]) -> Profile:
    """The same with names as anybody may have typed them."""
    criteria = tuple(replace(c, name=typed[i % len(typed)]) for i, c in enumerate(one.criteria))
    flags = tuple(replace(f, name=typed[-1 - i % len(typed)]) for i, f in enumerate(one.flags))
    return replace(one, name=f"{at}{typed[0]}", criteria=criteria, flags=flags)


@given(
    st.lists(profiles(), min_size=1, max_size=2),
    typed,
    some_facts(),
    st.none() | overrides,
    st.just("") | names.map(lambda name: f"The override '{name}' is no tier."),
    besides,
)
@settings(max_examples=60, deadline=None)
def test_reasons_are_fit_to_read_whatever_anybody_typed(made, typed, known, override, note, beside) -> None:
    compiled = tuple(compile_profile(renamed(one, at, typed)) for at, one in enumerate(made))
    evaluation = overridden(evaluate(compiled, known, None, NOW), override, note)
    text = reasons(evaluation, known, beside)
    fit_to_read(text)
    first = text.split("\n")[0]
    assert first == OUT_OF_SCOPE if not evaluation.in_scope else first.startswith(evaluation.tier)
    assert reasons(evaluation, known, apart=" ").split() == reasons(evaluation, known).split()


words = st.lists(st.text(st.characters(codec="ascii", categories=["L"]), min_size=1, max_size=12), min_size=1)


@given(st.lists(words, min_size=1, max_size=9), st.integers(40, 200))
def test_what_is_too_long_loses_whole_lines_and_words_from_its_end(lines, limit) -> None:
    given_lines = [" ".join(line) for line in lines]
    text = fitted(given_lines, limit=limit)
    assert len(text) <= limit
    kept = text.split("\n")
    for line, whole in zip(kept, given_lines, strict=False):
        if line != whole:
            assert line == kept[-1]
            assert line.endswith("…")
            assert whole.startswith(line[:-1])
            assert whole[len(line) - 1] in " " or " " not in whole[: len(line)]


def test_lists_are_shortened_before_any_line_goes() -> None:
    helps = Line(lead="Helps", items=("one" * 9, "two" * 9, "three" * 9))
    text = fitted(["A, score 90, firm.", helps, "Owner Ada: named by the route."], limit=90)
    assert text == f"A, score 90, firm.\nHelps: {'one' * 9}.\nOwner Ada: named by the route."


@pytest.mark.parametrize(
    ("why", "said"),
    [
        (
            "Changed 2026-09-21 from A: DATA industry Banking (crm:industry).",
            "Changed 2026-09-21 from A: new data, industry Banking (CRM).",
        ),
        (
            "Changed 2026-09-21 from A: DATA revenue (crm:x, HubSpot of 2026-05-01) and city (crm:y).",
            "Changed 2026-09-21 from A: new data, revenue (HubSpot of 2026-05-01) and city (CRM).",
        ),
        (
            "Changed 2026-09-21 from Not ICP: DATA employees no longer known.",
            "Changed 2026-09-21 from Not ICP: new data, employees no longer known.",
        ),
        ("Changed 2026-09-21 from A: DATA time passed.", "Changed 2026-09-21 from A: time passed."),
        (
            "Changed 2026-09-21 from A: DATA the score stayed there.",
            "Changed 2026-09-21 from A: the score stayed there long enough.",
        ),
        (
            "Changed 2026-09-21 from A: PROFILE saas v2, software.",
            "Changed 2026-09-21 from A: the profile changed (saas v2, software).",
        ),
        (
            "Changed 2026-09-21 from A: ENGINE 2.",
            "Changed 2026-09-21 from A: scoring itself changed (engine 2).",
        ),
        ("Changed 2026-09-21 from A: OVERRIDE ended.", "Changed 2026-09-21 from A: the override ended."),
        (
            "Changed 2026-09-21 from A: OVERRIDE by a person.",
            "Changed 2026-09-21 from A: set by a person.",
        ),
        ("said by an older version", "said by an older version."),
        ("", ""),
    ],
)
def test_a_change_is_told_in_a_reps_words(why: str, said: str) -> None:
    assert changed_words(why) == said


@pytest.mark.parametrize(
    ("fact", "given_value", "said"),
    [
        ("industry", "INFORMATION_TECHNOLOGY_AND_SERVICES", "Information technology and services"),
        ("country", "US", "US"),
        ("technologies", {"hubspot", "slack"}, "hubspot, slack"),
        ("employees", (51, 1200), "51–1,200"),
    ],
)
def test_facts_are_told_in_peoples_words(fact: str, given_value: object, said: str) -> None:
    assert spoken_value(fact, value(fact, given_value)) == said


def test_a_cut_never_leaves_the_mark_alone() -> None:
    assert cut(" " + "x" * 40, 10) == " xxxxxxxx…"
    assert cut("," * 40, 4) == ",,,…"
    assert plain(" \n ", 9) == ""


# Who owns it

CHOSEN = Decision(
    account_id="1",
    lane="sales",
    owner=ADA,
    considered=(Candidate(email=ADA), Candidate(email=BEN, skipped="at their cap of 5")),
    note="from pool east",
)


def carried(routed_owner: str = "", routed_why: str = "") -> Previous:
    return Previous(tier="A", routed_owner=routed_owner, routed_at=NOW, routed_why=routed_why)


def test_why_this_owner_is_told_for_as_long_as_it_is_our_choice() -> None:
    why = chosen_because(CHOSEN, TEAM.owners)
    assert why == "from pool east; passed over: Ben Okri (at their cap of 5)"
    then = carried(ADA, why)
    now = owner_text(CHOSEN, "", then, TEAM.owners)
    later = owner_text(
        Decision(account_id="1", lane="sales", note=f"owner {ADA} stays"), ADA, then, TEAM.owners
    )
    assert now == later == f"Routed to Ada Lovelace on 2026-09-21: {why}."
    assert chosen_in(f"A, score 100, firm.\n{now}") == why
    assert chosen_in("A, score 100, firm.\nOwner Ada Lovelace stays: an open deal is being worked.") == ""


def test_an_owner_who_is_not_our_choice_is_not_explained() -> None:
    then = carried(ADA, "from pool east")
    for note in (f"owner {BEN} stays", "somebody owns it", ""):
        assert owner_text(Decision(account_id="1", lane="sales", note=note), BEN, then, TEAM.owners) == ""
    assert owner_text(CHOSEN, "", carried(), TEAM.owners) == ""
    assert owner_text(CHOSEN, BEN, carried("cyd@example.com", "from pool east"), TEAM.owners) == ""


def test_an_owner_of_our_choice_stays_explained_while_another_is_not_given_the_account() -> None:
    then = carried(BEN, "from pool west")
    assert owner_text(CHOSEN, BEN, then, TEAM.owners) == "Routed to Ben Okri on 2026-09-21: from pool west."


def test_a_vacancy_says_why_it_waits_and_until_when() -> None:
    waits = Decision(
        account_id="1",
        lane="sales",
        considered=(Candidate(email=BEN, skipped="away until 2026-09-24"),),
        note=f"{BEN} owns the parent, but is away until 2026-09-24",
        until=NOW + 86_400,
    )
    assert owner_text(waits, "", carried(), TEAM.owners) == (
        "No owner yet: Ben Okri owns the parent, but is away until 2026-09-24; looked at again on 2026-09-22."
    )
    assert owner_text(Decision(account_id="1", lane="nurture"), "", carried(), TEAM.owners) == ""


def test_whom_the_crm_has_no_name_for_is_named_by_email() -> None:
    unnamed = {**TEAM.owners, BEN: Owner(id="2", email=BEN, name=" ")}
    assert [person(email, unnamed) for email in (ADA, BEN, "eve@example.com")] == [
        NAMES[ADA],
        BEN,
        "eve@example.com",
    ]


# Quiet


def test_a_new_layout_of_the_words_alone_writes_nothing() -> None:
    """Not even where the record has the words of an older version on a single line."""
    old = "A (100). + 50–500 employees 35/35. + Software company 30/30."
    new = SITUATIONS["firm_a"]()
    ours = Remembered(confirmed={"reasons": Confirmed(value=old, origin=Origin.OURS, at=NOW)})
    found = difference(account(live={"reasons": old}), {"reasons": new}, ours, KEY, editing=Editing(now=NOW))
    assert [c.field for c in found.changes] == ["reasons", "seal"]
    assert not found.material


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for path in GOLDEN.glob("*.txt"):
        path.unlink()
    for name, text in SITUATIONS.items():
        (GOLDEN / f"{name}.txt").write_text(written(text()))
    print(f"{len(SITUATIONS)} golden files in {GOLDEN}")
