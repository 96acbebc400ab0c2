"""A probe's questions are data: a verdict is a comparison, and what a question names is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import icp_sync
from icp_sync.crm.hubspot.probing import QUESTIONS as OF_HUBSPOT
from icp_sync.crm.probing import (
    MOST_CALLS,
    TO_REMOVE,
    Answer,
    Board,
    Calls,
    OutOfCallsError,
    Question,
    Verdict,
    room_for,
)
from icp_sync.crm.salesforce.probing import QUESTIONS as OF_SALESFORCE
from icp_sync.errors import AuthError, RequestError, UnavailableError
from icp_sync.http import Reply, UncertainError
from icp_sync.quota import DAILY, Daily, Quota
from icp_sync.settings import Connection
from icp_sync.settings.salesforce import Salesforce
from icp_sync.simulator.salesforce.switches import Switches as OrgSwitches
from icp_sync.simulator.switches import Switches as PortalSwitches

ALL = [
    *((PortalSwitches(), question) for question in OF_HUBSPOT),
    *((OrgSwitches(), question) for question in OF_SALESFORCE),
]
PACKAGE = Path(icp_sync.__file__).parent


def question(key: str = "one", *, assumed: bool = True) -> Question:
    return Question(key=key, asks="Is it so?", assumed=assumed, where="domain/plan.py: x", instead="Nothing.")


@given(assumed=st.booleans(), found=st.none() | st.booleans())
def test_a_verdict_is_what_was_seen_beside_what_was_assumed(assumed: bool, found: bool | None) -> None:
    answer = Answer(question=question(assumed=assumed), found=found, seen="")
    wanted = {None: Verdict.OPEN, assumed: Verdict.HELD, not assumed: Verdict.NOT_HELD}
    assert answer.verdict is wanted[found]


@pytest.mark.parametrize(("switches", "asked"), ALL, ids=[asked.key for _, asked in ALL])
def test_what_a_question_assumes_is_what_the_simulator_does_by_default(
    switches: PortalSwitches | OrgSwitches, asked: Question
) -> None:
    assert not asked.switch or asked.switch in switches.as_json()
    default = switches.as_json().get(asked.switch)
    assert not isinstance(default, bool) or default is asked.assumed


@pytest.mark.parametrize("asked", [asked for _, asked in ALL], ids=lambda one: one.key)
def test_a_question_names_code_and_a_setting_that_are_there_and_fits_its_line(asked: Question) -> None:
    assert (PACKAGE / asked.where.partition(":")[0]).is_file()
    at = Connection.model_fields
    first, _, second = asked.setting.partition(".")
    assert not first or first in at
    if second:
        inner = Salesforce if first == "salesforce" else at[first].annotation
        assert second in inner.model_fields  # type: ignore[union-attr]
    assert asked.asks.endswith("?")
    assert asked.instead.endswith(".")
    assert len(asked.key) <= 18


def test_keys_are_unique_within_a_crm() -> None:
    for questions in (OF_HUBSPOT, OF_SALESFORCE):
        assert len({one.key for one in questions}) == len(questions)


def raising(error: Exception) -> Callable[[], None]:
    def step() -> None:
        raise error

    return step


@pytest.mark.parametrize(
    "error",
    [RequestError("refused", status=400), AuthError("a scope is missing"), UncertainError("lost")],
)
def test_a_question_that_fails_leaves_the_others_their_turn(error: Exception) -> None:
    board = Board([question("one"), question("two")])
    board.ask([("one", raising(error)), ("two", lambda: board.saw("two", True, "so it is"))])
    one, two = board.answers()
    assert (one.verdict, one.seen) == (Verdict.OPEN, str(error))
    assert two.verdict is Verdict.HELD


@pytest.mark.parametrize("error", [UnavailableError("nobody answers"), OutOfCallsError()])
def test_nothing_more_is_asked_where_nobody_answers_or_the_calls_are_used(error: Exception) -> None:
    board = Board([question("one"), question("two"), question("never")])
    board.ask([("one", raising(error)), ("two", lambda: board.saw("two", True, "asked"))])
    assert [answer.verdict for answer in board.answers()] == [Verdict.OPEN] * 3
    assert len({answer.seen for answer in board.answers()[:2]}) == 1


def test_calls_end_at_their_number_and_what_tidies_up_goes_on() -> None:
    sent: list[str] = []

    def send(method: str, path: str) -> Reply:
        sent.append(path)
        if path == "/refused":
            raise RequestError("no", status=409, body={"message": "no"})
        return Reply(status=200, data={"id": 1})

    calls = Calls(send, most=2)
    assert calls("GET", "/a").at("id") == 1
    refused = calls("GET", "/refused")
    assert (refused.good, refused.status, refused.at("message"), refused.at("a", "b")) == (
        False,
        409,
        "no",
        None,
    )
    with pytest.raises(OutOfCallsError):
        calls("GET", "/b")
    calls.tidying = True
    calls("DELETE", "/a")
    assert (calls.made, sent) == (3, ["/a", "/refused", "/a"])


@pytest.mark.parametrize("spare", [-1, 0])
def test_a_probe_begins_only_where_it_can_end_above_the_reserve(spare: int) -> None:
    quota = Quota({}, daily=Daily(share=0.2))
    room_for(quota)  # nothing is known yet
    quota.observe(DAILY, limit=1_000, remaining=200 + MOST_CALLS + TO_REMOVE + spare)
    if spare < 0:
        with pytest.raises(UnavailableError, match="200 are reserved"):
            room_for(quota)
    else:
        room_for(quota)
