"""A connection says which customers are good ones; what it says becomes the definitions of cohorts."""

from __future__ import annotations

import pytest

from icp_sync.domain.facts import Money
from icp_sync.errors import ConfigError
from icp_sync.learning.cases import Goal
from icp_sync.learning.definitions import DAY, Definitions, defined
from icp_sync.settings import load
from icp_sync.settings.learning import Learning

MAIN = "ICP_SYNC_CONNECTIONS__MAIN__"
SOUND = {MAIN + "TOKEN": "pat-eu1-0badcafe-0000-4000-8000-c0ffee000001", MAIN + "PROFILES": "a.yaml"}


def said(**learning: str) -> Definitions:
    environ = SOUND | {f"{MAIN}LEARNING__{key.upper()}": value for key, value in learning.items()}
    return defined(load(None, environ).connection()[1].learning)


def test_without_settings_the_definitions_are_the_usual_ones() -> None:
    assert defined(Learning()) == Definitions()


def test_every_definition_can_be_set() -> None:
    found = said(
        goal="best",
        months="36",
        retained_after="200d",
        high_value="10%",
        min_value="50k EUR",
        low_value="30%",
        stale_after="90d",
        churned_on="left_on",
        value="arr",
        renewals="renewed",
        nps="nps",
        known_before='["funding_total", "parent.technologies"]',
    )
    assert found == Definitions(
        goal=Goal.BEST,
        months=36,
        retained_after=200 * DAY,
        high_value=0.1,
        min_value=Money(50_000, 50_000, "EUR"),
        low_value=0.3,
        stale_after=90 * DAY,
        churned_on="left_on",
        value="arr",
        renewals="renewed",
        nps="nps",
        known_before=frozenset(("funding_total", "parent.technologies")),
    )
    assert found.outcomes == {"left_on": "churned_on", "arr": "value", "renewed": "renewals", "nps": "nps"}


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("goal", "money", "'won' or 'best'"),
        ("known_before", '["Funding total"]', "the name of a fact is wanted"),
        ("known_before", '[""]', "the name of a fact is wanted"),
        ("known_before", '["group.parent.arr"]', "the name of a fact is wanted"),
        ("months", "0", "greater than or equal to 1"),
        ("high_value", "20", "a share is wanted"),
        ("min_value", "50k", "an amount with its currency is wanted"),
        ("min_value", "10-20 EUR", "an amount with its currency is wanted"),
        ("stale_after", "soon", "a duration is wanted"),
        ("value", "Annual value", "the name of a fact is wanted"),
    ],
)
def test_what_cannot_be_meant_is_refused_at_its_place(key: str, value: str, words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        said(**{key: value})
    (problem,) = caught.value.problems
    assert key in problem.where.lower()
    assert words in f"{problem.what} {problem.hint}"
