"""A vendor on the other end of the wire: it answers with its samples, and keeps what it was asked."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any
from urllib.parse import unquote_plus, urlsplit

import requests
import responses

from icp_sync.enrichers.manifest import Rest, shipped
from icp_sync.enrichers.manifest.building import Building
from icp_sync.enrichers.manifest.loading import load
from icp_sync.enrichers.manifest.samples import Reply, Samples, samples_of
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.ports import Request
from icp_sync.profile_file.reading import Report

NOW = 1_800_000_000.0
ACCOUNT = "account-4711"
TOKEN = "logged-in-token-5f1e"
_ANYWHERE = re.compile(r"https://.*")


@cache
def manifest_of(vendor: str) -> Manifest:
    return load(shipped()[vendor], rehearsed=False)


@cache
def samples(vendor: str) -> Samples:
    return samples_of(shipped()[vendor], vendor, Report("samples"))


@cache
def building(vendor: str) -> Building:
    return Building(shipped()[vendor])


def secret(name: str) -> str:
    """What stands for a key; nothing else in a request looks like it."""
    return f"secret-{name.replace('_', '-')}-8c1f0a"


def config(manifest: Manifest, **more: Any) -> dict[str, Any]:
    """The keys of a configuration that this vendor needs."""
    needed = {name: secret(name) for name in manifest.secrets}
    return needed | dict.fromkeys(manifest.required, "ops@example.org") | more


def enricher(vendor: str, **more: Any) -> Rest:
    made = building(vendor)(**config(manifest_of(vendor), **more))
    made.clock = lambda: NOW
    return made


def asked(domain: str = "acme.com", name: str = "Acme", country: str = "GB", job: str = "") -> Request:
    return Request(account_id=ACCOUNT, domain=domain, name=name, country=country, job=job)


@contextmanager
def serving(
    manifest: Manifest, replies: Sequence[Reply | Exception]
) -> Iterator[list[requests.PreparedRequest]]:
    """Answers with these replies in their order, then with the last one again; a login always succeeds.

    Yields what was sent, logins left out.
    """
    sent: list[requests.PreparedRequest] = []
    logins = {auth.oauth.token_url for auth in manifest.auth if auth.oauth}

    def answer(request: requests.PreparedRequest) -> tuple[int, dict[str, str], str]:
        if str(request.url).split("?")[0] in logins:
            return 200, {}, f'{{"access_token": "{TOKEN}", "expires_in": 3600}}'
        sent.append(request)
        reply = replies[min(len(sent), len(replies)) - 1]
        if isinstance(reply, Exception):
            raise reply
        return reply.status, dict(reply.headers), reply.text

    with responses.RequestsMock(assert_all_requests_are_fired=False) as mock:
        for method in (responses.GET, responses.POST):
            mock.add_callback(method, _ANYWHERE, answer, content_type=None)
        yield sent


def said(request: requests.PreparedRequest) -> str:
    """Everything of a request that leaves: address, headers and body, as plain text."""
    body = request.body or b""
    text = body.decode() if isinstance(body, bytes) else str(body)
    headers = "\n".join(f"{name}: {value}" for name, value in request.headers.items())
    return f"{unquote_plus(str(request.url))}\n{headers}\n{unquote_plus(text)}"


def place(request: requests.PreparedRequest) -> str:
    parts = urlsplit(str(request.url))
    return f"{parts.scheme}://{parts.netloc}"


def hosts(manifest: Manifest) -> set[str]:
    """Where this vendor's requests may go, logins aside."""
    calls = [step.request for step in manifest.steps] + [manifest.request]
    calls += [manifest.pending.check] if manifest.pending and manifest.pending.check else []
    addresses = [urlsplit(call.base_url or manifest.base_url) for call in calls]
    return {f"{parts.scheme}://{parts.netloc}" for parts in addresses}


def leaves_only(manifest: Manifest, request: Request, sent: list[requests.PreparedRequest]) -> None:
    told = {"domain": request.domain, "name": request.name}
    for one_sent in sent:
        text = said(one_sent)
        assert ACCOUNT not in text
        for word, value in told.items():
            if word not in manifest.leaves and value:
                assert value not in text.replace(request.domain, "" if word == "name" else request.domain)
