"""A real reply → a sample document anyone may see: no secrets, no tokens, nothing about people.

A vendor may call a person anything, so nothing is looked for: of what the manifest does not read, only the
form is kept.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence, Set
from typing import Any

from icp_sync.enrichers.manifest.answers import outcome_of
from icp_sync.enrichers.manifest.expressions import fields
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.rehearsal import meanings
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.observe import redact
from icp_sync.ports import Answer, Hit, Request, Unavailable

_HEADERS = re.compile(r"retry-after|content-type|.*(credit|limit|remaining|spent|quota).*")
_SECRET = re.compile(r"token|secret|passw|authorization|api_?key|cookie|session", re.IGNORECASE)
_MAIL = re.compile(r"[\w.+-]{1,64}@[\w-]{1,63}(\.[\w-]{1,63})+")
_DEEPEST, _MOST = 30, 200
_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}|[0-9]{1,12}")
"""What a key looks like; a mapping may also have names or addresses for keys."""


def recorded(setup: Setup, request: Request, heard: Sequence[Said], answer: Answer) -> Mapping[str, Any]:
    """The sample: what came, without what nobody else may see, and what it is read as.

    heard: every reply in its order, the last to the main request; none where nobody answered.
    """
    about = {"domain": request.domain, "name": request.name, "country": request.country}
    manifest = setup.manifest
    told = {"domain", *manifest.leaves, *manifest.needs, *(["country"] if manifest.countries else [])}
    document: dict[str, Any] = {
        "made": "recorded",
        "asked": {key: value for key, value in about.items() if value and key in told},
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
    read = keys_read(setup.manifest)
    private = {key.lower() for key in setup.manifest.private} - {key.lower() for key in read}
    body = scrubbed(said.body, read, private) if said.readable else "(not JSON)"
    headers = {name: redact(value)[:200] for name, value in said.headers.items() if _HEADERS.fullmatch(name)}
    return {"status": said.status, "headers": headers, "body": body}


def keys_read(manifest: Manifest) -> Set[str]:
    """Every key one of the manifest's paths looks at: what it reads is about companies."""
    match, hit = manifest.match, manifest.hit
    paths = [hit.record, hit.when, match.confidence, match.name, match.domain]
    paths += [path for rule in manifest.outcomes for path in (rule.when, rule.retry_after)]
    paths += [told.path for told in (manifest.charge.reported, manifest.credits_left) if told]
    paths += [manifest.pending.job] if manifest.pending else []
    for step in manifest.steps:
        found = [step.found] if isinstance(step.found, str) else list(step.found.values())
        paths += [step.candidates, step.name, step.prefer, *found]
    for lines in manifest.facts.values():
        for line in lines:
            paths += [*line.from_, line.low, line.high, line.currency_from, line.observed]
    return frozenset[str]().union(*map(fields, paths))


def scrubbed(
    value: Any, read: Set[str], private: Set[str] = frozenset(), *, kept: bool | None = None, depth: int = 0
) -> Any:
    """JSON with the texts and numbers that are read, and with the kind of all others in their place; without
    what is private. Long lists and deep nests are cut.

    read: keys that are looked at. A value counts as read only where every key above it is looked at, too: the
    name of a company is, the name of its director is not. kept: whether all keys so far are; None at the top.
    """
    if depth > _DEEPEST:
        return None
    if isinstance(value, Mapping):
        shown = {key: inner for key, inner in value.items() if str(key).lower() not in private}
        return {
            _shown(str(key), place, read): scrubbed(
                inner, read, private, kept=kept is not False and _looked_at(str(key), read), depth=depth + 1
            )
            for place, (key, inner) in enumerate(shown.items())
        }
    if isinstance(value, list):
        return [scrubbed(inner, read, private, kept=kept, depth=depth + 1) for inner in value[:_MOST]]
    if isinstance(value, str):
        return _MAIL.sub("(address)", redact(value))[:2_000] if kept else "(text)"
    if value is None or isinstance(value, bool) or kept:
        return value
    return "(number)"


def _looked_at(key: str, read: Set[str]) -> bool:
    """A number for a key is only a place, as in a list. What may be a secret is never shown."""
    return (key in read or key.isdecimal()) and not _SECRET.search(key)


def _shown(key: str, place: int, read: Set[str]) -> str:
    return key if key in read or _KEY.fullmatch(key) else f"(key {place + 1})"
