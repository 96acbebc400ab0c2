"""People in the CRM, rolled up to roles and counts: what is known, what is all, and what is not said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from icp_sync.crm.memory import MemoryCrm
from icp_sync.domain.facts import CATALOGUE, Interval, Members, merge
from icp_sync.enrichers import load
from icp_sync.enrichers.contacts import Contacts
from icp_sync.errors import AuthError, ConfigError, RequestError, UnavailableError
from icp_sync.ports import Answer, Hit, Miss, Related, Request, Unavailable

START = 1_795_000_000.0


def crm_with(*titles: str) -> tuple[MemoryCrm, str]:
    """A CRM with one account and these contacts."""
    crm = MemoryCrm(clock=lambda: START)
    account = crm.create(name="Acme")
    for title in titles:
        crm.beside.add_contact(account, title)
    return crm, account


def answer(crm: MemoryCrm | None, account: str, **keys: object) -> Answer:
    source = Contacts(crm, **keys)  # type: ignore[arg-type]
    source.clock = lambda: START
    (one,) = source.answer([Request(account_id=account, domain="")])
    return one


def told(answered: Answer) -> Mapping[str, object]:
    assert isinstance(answered, Hit)
    return merge(answered.signals, answered.unread, CATALOGUE).facts


def test_titles_become_roles_and_a_count_each_open_to_more() -> None:
    facts = told(answer(*crm_with("Vice President, Sales EMEA", "founder & CEO", "")))
    assert facts["contact_titles"] == Members(
        frozenset(("vp", "sales", "vp sales", "sales leader", "founder", "c-level", "ceo")), False
    )
    assert facts["contacts"] == Interval(3.0, 3.0)


@pytest.mark.parametrize(
    ("titles", "complete"),
    [
        (["VP Sales", "CFO"], True),
        (["VP Sales", ""], False),
        (["VP Sales", "営業部長"], False),
        ([], True),
    ],
)
def test_only_where_it_is_stated_and_every_title_was_read_the_set_is_all(
    titles: list[str], complete: bool
) -> None:
    value = told(answer(*crm_with(*titles), complete=True))["contact_titles"]
    assert isinstance(value, Members)
    assert value.complete is complete


def test_nobody_in_the_crm_is_a_miss_unless_that_is_all_there_are() -> None:
    assert answer(*crm_with()) == Miss()
    assert told(answer(*crm_with(), complete=True)) == {
        "contact_titles": Members(frozenset(), True),
        "contacts": Interval(0.0, 0.0),
    }


def test_titles_nobody_can_read_are_shown_and_say_nothing_of_roles() -> None:
    answered = answer(*crm_with("Chief Happiness Officer"))
    assert isinstance(answered, Hit)
    assert {signal.fact for signal in answered.signals} == {"contacts"}
    assert answered.unread == {"contact_titles": "1 contact: Chief Happiness Officer"}


def test_what_the_crm_says_is_kept_shortened_and_names_no_one() -> None:
    answered = answer(*crm_with(*(f"Sales Manager {n} {'x' * 80}" for n in range(9))))
    assert isinstance(answered, Hit)
    raw = answered.signals[0].raw
    assert raw.startswith("9 contacts: Sales Manager 0 x")
    assert raw.endswith("; 4 more")
    assert len(raw) < 400
    assert {signal.source for signal in answered.signals} == {"contacts"}
    assert {signal.observed_at for signal in answered.signals} == {START}


@pytest.mark.parametrize(
    ("error", "kind", "retry_after"),
    [
        (AuthError("contacts: the token lacks a scope"), "not_entitled", None),
        (UnavailableError("busy", retry_after=30.0), "error", 30.0),
        (RequestError("no", status=400), "error", None),
    ],
)
def test_a_crm_that_does_not_answer_is_never_taken_for_nobody(
    error: Exception, kind: str, retry_after: float | None
) -> None:
    def before(call: str) -> None:
        if call == "related":
            raise error

    crm = MemoryCrm(clock=lambda: START, before=before)
    answered = answer(crm, crm.create(), complete=True)
    assert isinstance(answered, Unavailable)
    assert (answered.kind, answered.retry_after) == (kind, retry_after)
    assert str(error) in answered.message


def test_an_account_the_crm_says_nothing_of_is_unavailable_and_the_others_are_not() -> None:
    class Partial(MemoryCrm):
        def related(self, ids: Sequence[str], kind: str) -> Mapping[str, tuple[Related, ...]]:
            return {ids[0]: (Related(id="9", title="CEO"),)}

    source = Contacts(Partial(clock=lambda: START))
    first, second = source.answer([Request(account_id=id, domain="") for id in ("1", "2")])
    assert isinstance(first, Hit)
    assert isinstance(second, Unavailable)


def test_without_a_crm_it_can_be_configured_and_answers_nothing() -> None:
    assert isinstance(answer(None, "1"), Unavailable)


def test_the_connection_gives_the_crm_and_the_configuration_the_rest() -> None:
    crm, account = crm_with("CEO")
    (source,) = load([{"use": "contacts", "complete": True, "ttl_days": 3}], crm)
    assert (source.name, source.price, source.ttl) == ("contacts", 0.0, 3 * 86_400.0)
    (answered,) = source.answer([Request(account_id=account, domain="")])
    assert "ceo" in getattr(told(answered)["contact_titles"], "known", ())


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"crm": "hubspot"}, "enrichers[0].crm: unknown key"),
        ({"complete": "yes"}, "complete: must be true or false"),
        ({"ttl_days": -1}, "ttl_days: must be a number of days"),
    ],
)
def test_what_is_no_key_or_no_value_of_it_is_named(keys: dict[str, object], words: str) -> None:
    with pytest.raises(ConfigError) as caught:
        load([{"use": "contacts", **keys}])
    assert words in str(caught.value)
