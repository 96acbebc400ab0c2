"""What must be true of a manifest as a whole: every placeholder is known, and nothing leaves unannounced.

Looks at the words of the manifest only; its samples are `rehearsal`'s business.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set
from typing import Any

from icp_sync.domain.facts import CATALOGUE, FactType
from icp_sync.enrichers.manifest.schema import Call, Line, Manifest
from icp_sync.enrichers.manifest.words import ABOUT, FILTERS, LISTS, placeholders
from icp_sync.normalize import industries
from icp_sync.profile_file.reading import Path, Report, suggestion

CODES = ("naics", "sic", "uk_sic", "nace", "isic")
"""Systems whose industries are codes."""
GENERIC = ("name", "price", "ttl_days", "miss_ttl_days", "base_url")
"""Configuration keys of every manifest."""

_FACT_TYPES: Mapping[str, Set[FactType]] = {
    "number": {FactType.NUMBER},
    "money": {FactType.MONEY},
    "date": {FactType.DATE},
    "choice": {FactType.CHOICE},
    "text": {FactType.CHOICE},
    "country": {FactType.CHOICE},
    "industry": {FactType.CHOICE},
    "domain": {FactType.CHOICE},
    "funding_stage": {FactType.CHOICE},
    "set": {FactType.SET},
    "yes_no": {FactType.YES_NO},
}


def inconsistencies(manifest: Manifest, report: Report) -> None:
    """Every problem no single key shows, at its place."""
    _keys(manifest, report)
    for path, call, known in _calls(manifest):
        _call(call, path, known, manifest, report)
    _auth(manifest, report)
    for fact, lines in manifest.facts.items():
        for place, line in enumerate(lines):
            _line(fact, line, ("facts", fact, place), manifest, report)
    for fact in manifest.ttl.keys() - {"else"} - facts_of(manifest):
        report.key(("ttl", fact), f"'{fact}' is no fact of this manifest", suggestion(fact, manifest.facts))


def facts_of(manifest: Manifest) -> frozenset[str]:
    """The facts it can answer; an industry says the sector too."""
    told = set(manifest.facts)
    if any(line.kind == "industry" for line in manifest.facts.get("industry", ())):
        told.add("sector")
    return frozenset(told)


def _keys(manifest: Manifest, report: Report) -> None:
    taken: set[str] = set()
    for section in ("secrets", "required", "options"):
        for name in getattr(manifest, section):
            if name in (*ABOUT, *LISTS, *GENERIC, "found", "job") or name in taken:
                report.value((section,), f"'{name}' has a meaning already; choose another name")
            taken.add(name)
    # A list fetched whole is looked up here: the name it is looked up by goes nowhere.
    stays = {"name"} if any(step.keep and step.name for step in manifest.steps) else set[str]()
    for need in sorted(set(manifest.needs) - set(manifest.leaves) - stays):
        report.value(("needs",), f"needs '{need}', which does not leave", f"add it to leaves: {need}")
    if manifest.pending is None and any(rule.is_ == "pending" for rule in manifest.outcomes):
        report.value(("outcomes",), "an outcome is pending, and there is no `pending` saying what follows")


def _calls(manifest: Manifest) -> Iterator[tuple[Path, Call, frozenset[str]]]:
    """Every request with its place and what earlier replies give it."""
    found: set[str] = set()
    for index, step in enumerate(manifest.steps):
        yield ("steps", index, "request"), step.request, frozenset(found)
        found |= {"found"} if isinstance(step.found, str) else set(step.found)
    yield ("request",), manifest.request, frozenset(found)
    if manifest.pending and manifest.pending.check:
        named = frozenset({"job"}) if manifest.pending.job else frozenset[str]()
        yield ("pending", "check"), manifest.pending.check, named
    if manifest.batch:
        yield ("batch", "request"), manifest.batch.request, frozenset(LISTS)


def in_headers_of(manifest: Manifest) -> frozenset[str]:
    """The words that stand in a header of some request."""
    headers: list[Any] = [call.headers for _, call, _ in _calls(manifest)]
    headers += [[auth.value, auth.bearer] for auth in manifest.auth if auth.header or auth.bearer]
    return frozenset(word for word, _ in placeholders(headers))


def _call(call: Call, path: Path, given: Set[str], manifest: Manifest, report: Report) -> None:
    open_words = {*ABOUT, *given, *manifest.options, *manifest.required}
    for key in ("path", "query", "json_", "form", "headers"):
        at = (*path, key.rstrip("_"))
        words = open_words | set(manifest.secrets) if key == "headers" else open_words
        for word, name in placeholders(getattr(call, key)):
            if name and name not in FILTERS:
                report.value(at, f"there is no filter '{name}'", suggestion(name, FILTERS))
            if word in manifest.secrets and key != "headers":
                report.value(at, f"the secret '{word}' may stand in `auth` and headers only")
            elif word == "job" and word not in words and path[0] == "pending":
                report.value(at, "there is no {job}", "say where the reply names it: `job` in `pending`")
            elif word not in words:
                report.value(at, f"nothing is called '{word}' here", suggestion(word, words))
            about = LISTS.get(word, word)
            if about in ABOUT and about not in manifest.leaves:
                report.value(at, f"'{about}' would leave, and `leaves` does not say so")


def _auth(manifest: Manifest, report: Report) -> None:
    known = {*manifest.secrets, *manifest.options, *manifest.required}
    used: set[str] = {word for call in _calls(manifest) for word, _ in placeholders(call[1].headers)}
    for index, auth in enumerate(manifest.auth):
        ways: list[Any] = [auth.bearer, auth.value if auth.header or auth.query else ""]
        ways += [list(part.model_dump().values()) for part in (auth.basic, auth.oauth) if part]
        for word, _ in placeholders(ways):
            used.add(word)
            if word not in known:
                report.value(("auth", index), f"no key is called '{word}'", suggestion(word, known))
    for name in manifest.secrets:
        if name not in used:
            report.value(("secrets",), f"the secret '{name}' is not used anywhere")


def _line(fact: str, line: Line, path: Path, manifest: Manifest, report: Report) -> None:
    if fact not in CATALOGUE:
        report.key(path[:2], f"there is no fact '{fact}'", suggestion(fact, CATALOGUE))
    elif CATALOGUE[fact] not in _FACT_TYPES[line.kind]:
        report.value(
            (*_here(path, report), "kind"), f"{fact} is a {CATALOGUE[fact]}, which `kind: {line.kind}` is not"
        )
    if line.sure is None:
        report.value(path, f"{fact} does not say how sure it is", "add `sure: documented`, for one")
    systems = (*industries.SYSTEMS, *CODES)
    if (line.kind == "industry") is not bool(line.system):
        what = "an industry needs" if line.kind == "industry" else "only an industry has"
        report.value(path, f"{what} `system`: {', '.join(systems)}")
    elif line.system and line.system not in systems:
        report.value(
            (*_here(path, report), "system"),
            f"there is no system '{line.system}'",
            suggestion(line.system, systems),
        )
    for word, _ in placeholders([line.currency, line.times]):
        if word not in manifest.options:
            report.value(path, f"there is no option '{word}'", suggestion(word, manifest.options))
    if line.kind not in ("number", "money") and (line.low or line.high or line.times != 1.0):
        report.value(path, "low, high and times are for numbers and money")


def _here(path: Path, report: Report) -> Path:
    """The line of a fact, which is written without a list where it is the only one."""
    return path if path in report.values else path[:-1]
