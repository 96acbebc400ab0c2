"""The probe's verdicts follow what the org does: every switch of the simulator, turned both ways."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from icp_sync.crm.probing import DOMAIN, MOST_CALLS, NAME, Answer, Probed, Verdict, Wanted
from icp_sync.crm.salesforce import Salesforce
from icp_sync.crm.salesforce.probing.asking import ROW
from icp_sync.simulator import Simulator
from tests.crm.salesforce.world import connect

HELD, NOT_HELD, OPEN = Verdict.HELD, Verdict.NOT_HELD, Verdict.OPEN
WEBSITE = f"https://{DOMAIN}"
SWITCHES = {
    "same_value_bumps": "same value bumps",
    "failed_row_has_id": "id of a failed row",
    "list_view_prefix": "view field names",
    "composite_headers": "composite headers",
    "precondition_body": "body of a 412",
    "last_modified_indexed": "LastModifiedDate",
    "data_com": "Data.com fields",
}


class Probing:
    """An org of two accounts, whose integration user may do everything with accounts, and our adapter."""

    def __init__(self) -> None:
        self.crm = Simulator("salesforce", accounts=2, seed=5).start()
        self.crm.admin("POST settings", object_rights=False)
        self.adapter: Salesforce = connect(self.crm, patience=30.0)
        self.made: list[str] = []

    def probe(self, **how: Any) -> dict[str, Answer]:
        return {answer.question.key: answer for answer in self.whole(**how).answers}

    def whole(self, **how: Any) -> Probed:
        return self.adapter.probe(Wanted(**{"overlap": 1.0, "settles": 0.0, "made": self.made.append, **how}))

    def create(self, name: str) -> str:
        """Somebody makes an account with the scratch account's website; its id."""
        made = self.crm.admin("POST create", properties={"Name": name, "Website": WEBSITE})
        return str(made["ids"][0])


@pytest.fixture
def at() -> Iterator[Probing]:
    made = Probing()
    yield made
    made.adapter.close()
    made.crm.stop()


def verdicts(answers: Mapping[str, Answer]) -> dict[str, Verdict]:
    return {key: answer.verdict for key, answer in answers.items()}


def test_the_defaults_hold_nothing_is_left_and_no_account_of_others_is_touched(at: Probing) -> None:
    at.adapter.identity()
    others, left = at.create("Somebody"), at.create(NAME)
    before = at.crm.admin("GET stats")
    done = at.whole(left=["001000000000009AAA"])
    assert {answer.question.key: answer.verdict for answer in done.answers} == {
        "same value bumps": HELD,
        "id of a failed row": HELD,
        "view field names": HELD,
        "composite headers": HELD,
        "body of a 412": HELD,
        "LastModifiedDate": HELD,
        "sf__Error": HELD,
        "Data.com fields": HELD,
    }
    after = at.crm.admin("GET stats")
    assert done.calls == after["total"] - before["total"] <= MOST_CALLS
    assert after["records"] == before["records"] - 1
    assert (done.removed, done.left) == (("001000000000009AAA", left, *at.made), ())
    api = [write for write in at.crm.admin("GET writes")["results"] if write["source"] == "API"]
    assert {str(write["id"]) for write in api} <= {left, *at.made}
    assert others not in done.removed
    assert not at.crm.admin("GET tripwire")["results"]


def test_every_verdict_follows_its_switch(at: Probing) -> None:
    turned = {name: name != "same_value_bumps" for name in SWITCHES}
    at.crm.admin("POST settings", **turned)
    answers = at.probe()
    assert {name: answers[key].found for name, key in SWITCHES.items()} == turned
    assert {answers[key].verdict for key in SWITCHES.values()} == {NOT_HELD}
    assert "id" in answers["id of a failed row"].detail["row"]  # type: ignore[operator]


def test_automation_in_the_way_and_half_a_result_leave_questions_open(at: Probing) -> None:
    at.crm.admin("POST triggers", object="Account", name="Strict", message="no")
    at.crm.admin("POST faults", kind="truncated_csv", match="failedResults")
    answers = at.probe()
    assert answers["same value bumps"].verdict is answers["sf__Error"].verdict is OPEN
    assert "Strict" in answers["same value bumps"].seen
    assert "cut short" in answers["sf__Error"].seen
    assert at.crm.admin("GET stats")["requests"]["DELETE jobs/ingest/{id}"] == 1


def test_who_may_not_make_accounts_learns_what_needs_none(at: Probing) -> None:
    at.crm.admin("POST settings", object_rights=True)
    answers = at.probe()
    found = {key: verdict for key, verdict in verdicts(answers).items() if verdict is not OPEN}
    assert found == {"view field names": HELD, "LastModifiedDate": HELD, "Data.com fields": HELD}
    assert "make and delete accounts" in answers["sf__Error"].seen
    assert "POST sobjects/{id}" not in at.crm.admin("GET stats")["requests"]
    assert not at.made


def test_who_may_not_deploy_leaves_the_names_in_list_views_open(at: Probing) -> None:
    at.crm.admin("POST settings", object_rights=True, metadata_right=False)
    assert at.probe()["view field names"].verdict is OPEN


def test_a_deployment_that_only_checks_makes_neither_field_nor_view(at: Probing) -> None:
    at.crm.admin("POST settings", object_rights=True)
    at.probe()
    fields = at.crm.admin("POST fields", object="Account")["fields"]
    assert not [name for name in fields if "probe" in name.lower()]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("STRING_TOO_LONG:Account Name: data value too large: xx (max length=255):Name --", True),
        ("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record:--", False),
        ("UNABLE_TO_LOCK_ROW:unable to obtain exclusive access to this record: --", True),
        ("FIELD_CUSTOM_VALIDATION_EXCEPTION:two\nlines:Name,Site --", True),
        ("Something went wrong", False),
        ('{"statusCode":"STRING_TOO_LONG"}', False),
    ],
)
def test_the_form_of_a_failed_row_is_told_from_others(text: str, read: bool) -> None:
    assert bool(ROW.fullmatch(text)) is read
