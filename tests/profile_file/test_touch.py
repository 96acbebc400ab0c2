"""How soon somebody is to touch what a route gives them: what may be written, and what is said about it."""

from __future__ import annotations

import pytest

from icp_sync.domain.profile import DAY, Target
from icp_sync.profile_file import parse
from icp_sync.profile_file.document import Known, document
from icp_sync.profile_file.page import Bullets
from tests.profile_file.written import SOUND, marked, problems

POOLS = SOUND + "pools: {eu: {members: [{email: a@b.co}, {email: c@b.co}]}}\n"
LEAD = "lead@b.co"

MISTAKES = {
    "pool: eu, touch_within: «soon": ("'soon' is not a duration", "2d"),
    "pool: eu, touch_within: «2 months": ("not a duration", "2d"),
    "pool: eu, touch_within: «0d": ("no time to wait", "365d"),
    "pool: eu, touch_within: «3y": ("no time to wait", "365d"),
    "pool: eu, «otherwise: reroute": ("says nothing without 'touch_within'", "touch_within: 2d"),
    "pool: eu, «weekdays: true": ("says nothing without 'touch_within'", "touch_within: 2d"),
    "pool: eu, «times: 2": ("says nothing without 'touch_within'", "touch_within: 2d"),
    "«touch_within: 2d": ("names nobody", "name an owner"),
    "owner: existing, «touch_within: 2d": ("names nobody", "name an owner"),
    "pool: eu, touch_within: 2d, weekdays: «sometimes": ("true or false", ""),
    "pool: eu, touch_within: 2d, otherwise: «rerout": ("nothing to do otherwise", "'reroute'"),
    "pool: eu, touch_within: 2d, otherwise: «[reroute]": ("nothing to do otherwise", "escalate"),
    "pool: eu, touch_within: 2d, otherwise: {«escalat: lead@b.co}": ("unknown key", "'escalate'"),
    "pool: eu, touch_within: 2d, otherwise: {escalate: «Lead}": ("not an email address", ""),
    "pool: eu, touch_within: 2d, otherwise: {escalate: «[a]}": ("not an email address", ""),
    "pool: eu, touch_within: 2d, otherwise: «{reroute: true}": ("does not say who is told", "escalate"),
    "pool: eu, touch_within: 2d, otherwise: {reroute: «2, escalate: lead@b.co}": ("is not true", "true"),
    "pool: eu, touch_within: 2d, otherwise: reroute, times: «0": ("cannot be passed on 0", "from 1 to 10"),
    "pool: eu, touch_within: 2d, otherwise: reroute, times: «11": ("cannot be passed on 11", "from 1 to 10"),
    "pool: eu, touch_within: 2d, otherwise: {escalate: lead@b.co}, «times: 2": (
        "counts re-routes",
        "reroute",
    ),
    "owner: a@b.co, touch_within: 2d, otherwise: «reroute": ("nobody else", "escalate"),
    "named: {acme.com: a@b.co}, touch_within: 2d, otherwise: «reroute": ("nobody else", "escalate"),
}


def target(said: str) -> Target:
    return parse(f"{POOLS}routes:\n  - {{else: {{{said}, lane: sales}}}}\n", "written").routes[0].target


def sentences(said: str) -> tuple[str, ...]:
    profile = parse(f"{POOLS}routes:\n  - {{else: {{{said}, lane: sales}}}}\n", "written")
    page = document(profile, Known(fingerprint="0", counts={}, sources={}))
    [section] = [one for one in page.sections if one.title == "Who gets it"]
    return tuple(item for block in section.blocks if isinstance(block, Bullets) for item in block.items)


@pytest.mark.parametrize("said", MISTAKES)
def test_a_mistake_is_named_where_it_was_made_and_with_a_way_out(said: str) -> None:
    what, hint = MISTAKES[said]
    plain, places = marked(f"{POOLS}routes:\n  - {{else: {{{said}, lane: sales}}}}\n")
    found = problems(plain)
    assert [problem.where for problem in found] == places, found
    assert what in found[0].what
    assert hint in found[0].hint


@pytest.mark.parametrize(
    ("said", "terms"),
    [
        ("pool: eu", (None, False, 0, "")),
        ("pool: eu, touch_within: 2d", (2 * DAY, False, 0, "")),
        ("pool: eu, touch_within: 4h, weekdays: true, otherwise: reroute", (DAY / 6, True, 1, "")),
        ("pool: eu, touch_within: 1w, otherwise: reroute, times: 3", (7 * DAY, False, 3, "")),
        (f"owner: a@b.co, touch_within: 2d, otherwise: {{escalate: {LEAD}}}", (2 * DAY, False, 0, LEAD)),
        (
            f"pool: eu, touch_within: 2d, otherwise: {{reroute: true, escalate: {LEAD.upper()}}}, times: 2",
            (2 * DAY, False, 2, LEAD),
        ),
        ("territory: t.csv, touch_within: 2d, otherwise: reroute", (2 * DAY, False, 1, "")),
    ],
)
def test_what_is_written_becomes_the_terms_of_a_target(
    said: str, terms: tuple[float | None, bool, int, str]
) -> None:
    found = target(said)
    assert (found.touch_within, found.weekdays, found.reroutes, found.escalate) == terms


def test_the_document_says_the_rule_in_a_sentence() -> None:
    assert sentences("pool: eu") == ()
    assert sentences("pool: eu, touch_within: 2d") == (
        "Given by route 1: to be touched within 2 days. Otherwise it stays, and counts as let lie.",
    )
    both = f"{{reroute: true, escalate: {LEAD}}}, times: 2"
    assert sentences(f"pool: eu, touch_within: 4h, weekdays: true, otherwise: {both}") == (
        "Given by route 1: to be touched within 4 hours, Saturdays and Sundays not counted. Otherwise it "
        f"goes to the next one who may take it, twice at most; after that {LEAD} is told.",
    )
