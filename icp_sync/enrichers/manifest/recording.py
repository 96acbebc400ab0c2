"""A real reply → a sample document anyone may see: no secrets, no tokens, nothing about people."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.rehearsal import meanings, outcome_of
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.observe import redact
from icp_sync.ports import Answer, Hit, Request, Unavailable

PEOPLE = re.compile(
    r"e?mails?|.*_emails?|email_?addresses|phones?|.*_phones?|phone_?numbers?|mobile|first_?name|last_?name|full_?name|"
    r"contacts?|contact_.*|people|persons?|key_?people|founders?|executives?|employees_list|team|members|ceo|"
    r"director|directors|leadership|owner|account|user|officers?|psc|shareholders?",
    re.IGNORECASE,
)
"""Keys whose values are about people, or about the customer who asks."""
_HEADERS = re.compile(r"retry-after|content-type|.*(credit|limit|remaining|spent|quota).*")
_SECRET = re.compile(r"token|secret|passw|authorization|api_?key|cookie|session", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+")
_DEEPEST, _MOST = 30, 200


def recorded(setup: Setup, request: Request, heard: Sequence[Said], answer: Answer) -> Mapping[str, Any]:
    """The sample: what came, without what nobody else may see, and what it is read as.

    heard: every reply in its order, the last to the main request; none where nobody answered.
    """
    about = {"domain": request.domain, "name": request.name, "country": request.country}
    leaves = setup.manifest.leaves
    document: dict[str, Any] = {
        "made": "recorded",
        "asked": {key: value for key, value in about.items() if value and key in (*leaves, "domain")},
    }
    if len(heard) > 1:
        document["steps"] = [_reply(said, setup) for said in heard[:-1]]
    if heard:
        document |= _reply(heard[-1], setup)
    if isinstance(answer, Hit):
        document["expect"] = dict(meanings(answer))
        if answer.unread:
            document["unread"] = sorted(answer.unread)
    else:
        document["outcome"] = outcome_of(answer)
    if isinstance(answer, Unavailable) and not heard:
        document["answer"] = redact(answer.message)
    document["charge"] = answer.charge
    return document


def _reply(said: Said, setup: Setup) -> dict[str, Any]:
    private = {key.lower() for key in setup.manifest.private}
    read = _roots_read(setup)
    body = scrubbed(said.body, private - read, read) if said.readable else "(not JSON)"
    headers = {name: redact(value)[:200] for name, value in said.headers.items() if _HEADERS.fullmatch(name)}
    return {"status": said.status, "headers": headers, "body": body}


def _roots_read(setup: Setup) -> Set[str]:
    """Words of the manifest's own paths: what it reads is about companies, whatever it is called."""
    paths = [setup.manifest.hit.record]
    for lines in setup.manifest.facts.values():
        paths += [path for line in lines for path in (*line.from_, line.low, line.high)]
    return {word.lower() for path in paths for word in re.findall(r"[A-Za-z_][A-Za-z0-9_]*", path)}


def scrubbed(
    value: Any, private: Set[str] = frozenset(), kept: Set[str] = frozenset(), depth: int = 0
) -> Any:
    """JSON less what is secret, private or about people; long lists and deep nests are cut."""
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        return {
            _MAIL.sub("(address)", str(key)): scrubbed(inner, private, kept, depth + 1)
            for key, inner in value.items()
            if not _hidden(str(key), private, kept)
        }
    if isinstance(value, list):
        return [scrubbed(inner, private, kept, depth + 1) for inner in value[:_MOST]]
    if isinstance(value, str):
        return _MAIL.sub("(address)", redact(value))[:2_000]
    return value


def _hidden(key: str, private: Set[str], kept: Set[str]) -> bool:
    if key.lower() in private or _SECRET.search(key):
        return True
    return key.lower() not in kept and PEOPLE.fullmatch(key) is not None
