"""Shipped vendors set up and asked in tests: their keys, their samples, what left."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import responses

from icp_sync.enrichers import load
from icp_sync.enrichers.manifest import VENDORS
from icp_sync.enrichers.manifest.rest import Rest
from icp_sync.ports import Answer, Hit, Request

KEYS: dict[str, dict[str, str]] = {
    "builtwith": {"key": "s3cret-key"},
    "wappalyzer": {"key": "s3cret-key"},
    "bombora": {"client_id": "s3cret-id", "client_secret": "s3cret-key", "signal_definition": "517134f7"},
    "predictleads": {"key": "s3cret-key", "token": "s3cret-token"},
    "predictleads_jobs": {"key": "s3cret-key", "token": "s3cret-token"},
    "predictleads_technologies": {"key": "s3cret-key", "token": "s3cret-token"},
    "companies_house": {"key": "s3cret-key"},
    "sec_edgar": {"contact": "ops@example.org"},
    "gleif": {},
    "opencorporates": {"key": "s3cret-key"},
    "wikidata": {"contact": "ops@example.org"},
}
ACME = Request(account_id="7", domain="acme.com", name="Acme Rocket Works", country="GB")


def vendor(name: str, **more: Any) -> Rest:
    made = load([{"use": name, **KEYS[name], **more}])[0]
    assert isinstance(made, Rest)
    return made


def sample(name: str, what: str) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((VENDORS / "samples" / name / f"{what}.json").read_text("utf-8"))
    return read


def ask(enricher: Rest, request: Request = ACME) -> Answer:
    return enricher.answer([request])[0]


def facts(answer: Answer) -> dict[str, object]:
    assert isinstance(answer, Hit), answer
    return {signal.fact: signal.value for signal in answer.signals}


def sent(web: responses.RequestsMock) -> list[str]:
    """Everything that left, decoded: addresses and bodies, without headers."""
    said = []
    for call in web.calls:
        body = call.request.body or b""
        text = body.decode() if isinstance(body, bytes) else str(body)
        said.append(
            f"{call.request.url} {text} {parse_qs(text)} {parse_qs(urlsplit(str(call.request.url)).query)}"
        )
    return said


def header(web: responses.RequestsMock, name: str, call: int = -1) -> str:
    return str(web.calls[call].request.headers[name])


def body(web: responses.RequestsMock, call: int = 0) -> str:
    """The body of a request, as text."""
    said = web.calls[call].request.body or b""
    return said.decode() if isinstance(said, bytes) else str(said)
