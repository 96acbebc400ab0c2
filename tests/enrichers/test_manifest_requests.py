"""What leaves in a request of a manifest, where it goes, who asks, and who is fetched later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import responses

from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.errors import ConfigError
from icp_sync.ports import Hit, Pending, Unavailable
from tests.enrichers.manifest_files import FOUND, HIT, UNKNOWN, ask, changed, manifest, rest, single
from tests.enrichers.vendor_world import asked, said, serving


@pytest.fixture
def here(tmp_path: Path) -> Path:
    return tmp_path


def test_values_are_escaped_where_they_stand(here: Path) -> None:
    text = changed(
        ("leaves: [domain]", "leaves: [domain, name, country]"),
        (
            'request: {path: "/companies/{domain}"}',
            'request: {path: "/c/{name}", query: {q: "x = \\"{name|quoted}\\" {}", c: "{country|lower}"}}',
        ),
    )
    made = rest(here, text)
    with serving(manifest(here, text), [FOUND]) as sent:
        made.answer([asked(name='A/B "x"\n../', country="")])
    url = str(sent[0].url)
    assert url.startswith("https://api.example.com/c/A%2FB%20%22x%22%20..%2F?")
    assert r'x = "A/B \"x\" ../" {}' in said(sent[0])
    assert "c=" not in url.split("?")[1].replace("%", "")


def test_a_name_made_of_dots_does_not_climb(here: Path) -> None:
    text = changed(("leaves: [domain]", "leaves: [domain, name]"), ("{domain}", "{name}"))
    answer, sent = ask(rest(here, text), here, text, FOUND, name="..")
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("bad_input", 0.0)
    assert not sent


def test_only_the_registrable_domain_leaves_and_never_what_is_none(here: Path) -> None:
    made = rest(here)
    with serving(manifest(here), [FOUND]) as sent:
        made.answer([asked("https://user:pw@shop.acme.com/private?x=1")])
        (refused,) = made.answer([asked("169.254.169.254")])
    assert [str(one.url) for one in sent] == ["https://api.example.com/companies/acme.com"]
    assert isinstance(refused, Unavailable)
    assert refused.kind == "bad_input"


def test_another_base_url_stands_for_every_host(here: Path) -> None:
    text = changed(
        (
            "auth: {header: X-Key}",
            'auth: {oauth: {token_url: https://login.example.com/t, client_id: a, client_secret: "{key}"}}',
        ),
        (
            "request: {",
            "steps: [{request: {base_url: https://find.example.com, path: /f}, found: id}]\nrequest: {",
        ),
    )
    made = rest(here, text, base_url="https://stand-in.example.org")
    with responses.RequestsMock() as mock:
        mock.post("https://stand-in.example.org/t", json={"access_token": "token-abcdefgh"})
        mock.get("https://stand-in.example.org/f", json={"id": 7})
        mock.get("https://stand-in.example.org/companies/acme.com", json=HIT["body"])
        (answer,) = made.answer([asked()])
    assert isinstance(answer, Hit)


OAUTH = changed(
    (
        "auth: {header: X-Key}",
        'auth: {oauth: {token_url: https://api.example.com/login, client_id: us, client_secret: "{key}"}}',
    )
)


def test_a_token_is_got_once_and_again_when_it_is_not_accepted(here: Path) -> None:
    made = rest(here, OAUTH)
    with responses.RequestsMock() as mock:
        for number in (1, 2):
            mock.post("https://api.example.com/login", json={"access_token": f"token-number-{number}"})
        company = "https://api.example.com/companies/acme.com"
        mock.get(company, json=HIT["body"])
        mock.get(company, status=401, json={})
        mock.get(company, json=HIT["body"])
        answers = [made.answer([asked()])[0] for _ in range(2)]
        used = [call.request.headers["Authorization"] for call in mock.calls if call.request.method == "GET"]
        login = next(call.request for call in mock.calls if call.request.method == "POST")
    assert all(isinstance(answer, Hit) for answer in answers)
    assert used == ["Bearer token-number-1", "Bearer token-number-1", "Bearer token-number-2"]
    assert "grant_type=client_credentials" in str(login.body)


@pytest.mark.parametrize(
    "reply", [{"status": 401, "json": {"error": "key-1234567890"}}, {"json": {"token": 1}}]
)
def test_a_login_that_is_refused_is_no_entitlement_and_costs_nothing(
    here: Path, reply: dict[str, Any]
) -> None:
    made = rest(here, OAUTH)
    with responses.RequestsMock() as mock:
        mock.post("https://api.example.com/login", **reply)
        (answer,) = made.answer([asked()])
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge) == ("not_entitled", 0.0)
    assert "key-1234567890" not in answer.message
    assert answer.message.startswith("plain: the login ")


JOBS = changed(
    more='pending: {job: id, check: {path: "/jobs/{job}"}, every: 5m}\n'
    "outcomes: [{status: 202, is: pending}]\n"
)


def test_an_ordered_answer_is_fetched_under_its_job(here: Path) -> None:
    ordered = single(here, JOBS, Reply(status=202, body={"id": 77}))
    assert ordered == Pending(job="77", retry_after=300.0)
    made = rest(here, JOBS)
    still, sent = ask(made, here, JOBS, Reply(status=202, headers={"Retry-After": "30"}, body={}), job="77")
    assert still == Pending(job="77", retry_after=30.0)
    assert "/jobs/77" in sent[0]
    ready, _ = ask(made, here, JOBS, FOUND, job="77")
    assert isinstance(ready, Hit)
    gone, _ = ask(made, here, JOBS, UNKNOWN, job="77")
    assert isinstance(gone, Unavailable)
    assert gone.kind == "error"


def test_a_job_nobody_names_says_nothing_of_the_account(here: Path) -> None:
    text = JOBS.replace('job: id, check: {path: "/jobs/{job}"}, ', "")
    answer = single(here, text, Reply(status=202, body={"id": 77}))
    assert isinstance(answer, Pending)
    assert answer.job
    assert "acme" not in answer.job
    ready, sent = ask(rest(here, text), here, text, FOUND, job=answer.job)
    assert isinstance(ready, Hit)
    assert answer.job not in sent[0]


NAMED = changed(
    ("leaves: [domain]", "leaves: [domain, name]"),
    ('{domain}"}', '{domain}", headers: {X-Company: "{name}"}, query: {q: "{name}"}}'),
    ("on: hit", "on: call"),
)


FORM = NAMED.replace("headers:", "method: POST, form:")


@pytest.mark.parametrize(("text", "name"), [(NAMED, "Łódź Żelazo"), (FORM, "Zürich \ud800")])
def test_what_cannot_be_sent_is_not_sent_and_costs_nothing(here: Path, text: str, name: str) -> None:
    made = rest(here, text)
    answer, sent = ask(made, here, text, FOUND, name=name)
    assert isinstance(answer, Unavailable)
    assert (answer.kind, answer.charge, sent) == ("bad_input", 0.0, [])
    assert answer.message == "plain: not asked, it holds letters that cannot be sent"
    assert isinstance(ask(made, here, text, FOUND, name="Zürich")[0], Hit)


def test_what_an_operator_writes_into_a_header_must_be_able_to_stand_there(here: Path) -> None:
    text = changed(
        ("secrets: [key]", "secrets: [key]\nrequired: [contact, plan]\noptions: {team: sales}"),
        (
            '{domain}"}',
            '{domain}", headers: {User-Agent: "us ({contact})", X-Team: "{team}"}, query: {plan: "{plan}"}}',
        ),
    )
    assert rest(here, text, contact="ops@zürich.example", plan="Łódź")
    with pytest.raises(ConfigError) as caught:
        rest(here, text, contact="Łukasz ops@acme.pl", plan="Łódź", team="sprzedaż")
    assert [(problem.where, problem.what) for problem in caught.value.problems] == [
        ("contact", "holds letters that cannot be sent in a header"),
        ("team", "holds letters that cannot be sent in a header"),
    ]


def test_a_job_without_a_name_is_no_job(here: Path) -> None:
    answer = single(here, JOBS, Reply(status=202, body={}))
    assert isinstance(answer, Unavailable)
    assert answer.kind == "error"
