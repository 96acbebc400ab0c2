"""One company's questions in their order: the steps before, the main request, and what follows from each.

How a request reaches the vendor is not its business: it is given somebody who asks.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

from icp_sync.enrichers.manifest.answers import NOT_UNDERSTOOD, understood, without
from icp_sync.enrichers.manifest.expressions import gives, truthy
from icp_sync.enrichers.manifest.likeness import named_alike, worth_comparing
from icp_sync.enrichers.manifest.outcomes import Said, outcome
from icp_sync.enrichers.manifest.schema import Call, Step
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.shape import step_speaks_of
from icp_sync.normalize import domains
from icp_sync.ports import Answer, Miss, Request, Unavailable

Ask = Callable[[Call, Mapping[str, Any], float | None], Said]
"""(request, words, seconds it may be kept for others) → its reply. Raises `Unanswered`."""

MARGIN = 0.03
"""Confidence by which one name must be more like ours than the next one."""


class Unanswered(Exception):
    """There is no reply to judge; `answer` says what that means."""

    def __init__(self, answer: Unavailable) -> None:
        super().__init__(answer.message)
        self.answer = answer


def words_of(setup: Setup, request: Request) -> dict[str, Any]:
    """What a request's placeholders stand for."""
    return {
        **setup.options,
        "domain": domains.registrable(request.domain),
        "name": " ".join(request.name.split())[:200],
        "country": request.country.strip().upper(),
        "job": request.job,
    }


def takes(setup: Setup, request: Request) -> bool:
    """Whether what the vendor needs to be told is known of this account."""
    words = words_of(setup, request)
    if setup.manifest.countries and words["country"] not in setup.manifest.countries:
        return False
    return all(words[need] for need in setup.manifest.needs)


def converse(setup: Setup, request: Request, ask: Ask, *, now: float) -> Answer:
    """Ask until there is an answer. Steps that were paid for count in its charge."""
    words = words_of(setup, request)
    if request.job and setup.manifest.pending is not None:
        said = ask(setup.manifest.pending.check or setup.manifest.request, words, None)
        return understood(setup, request, said, now=now, fetching=True)
    sure, paid = 1.0, 0.0
    try:
        for step, credits in zip(setup.manifest.steps, setup.steps, strict=True):
            said = ask(step.request, words, step.keep)
            what = outcome(setup.manifest, said)
            if what != "hit":
                return _with(without(setup, request, said, what), paid)
            paid += credits
            if not step_speaks_of(step, said.body):
                return _with(without(setup, request, said, "error", NOT_UNDERSTOOD), paid)
            found = _taken(step, said, request)
            if found is None:
                return _with(Miss(ambiguous=step.otherwise == "ambiguous"), paid)
            sure = min(sure, found[0])
            if sure <= 0:
                return _with(Miss(ambiguous=True), paid)
            words |= found[1]
        said = ask(setup.manifest.request, words, None)
    except Unanswered as nobody:
        raise Unanswered(_with(nobody.answer, paid)) from nobody
    return _with(understood(setup, request, said, now=now, so_far=sure), paid)


def _taken(step: Step, said: Said, request: Request) -> tuple[float, dict[str, Any]] | None:
    """How surely the step found the company, and what it found; None where it found nothing."""
    if not step.candidates:
        return _found(step, said.body, 1.0)
    listed = gives(step.candidates, said.body)
    candidates = [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []
    if not candidates:
        return None
    return _likeliest(step, candidates, request) if step.name else _found(step, candidates[0], 1.0)


def _likeliest(step: Step, candidates: list[Any], request: Request) -> tuple[float, dict[str, Any]] | None:
    """What the candidate gives that surely is meant; None where no name is like ours. Several that are about
    as like are no answer (confidence 0), unless they are the same company listed twice, or one of them is
    preferred."""
    names = [gives(step.name, one) for one in candidates]
    graded = [(named_alike(request.name, names[n]), n) for n in worth_comparing(request.name, names)]
    best = max((sure for sure, _ in graded), default=0.0)
    if best <= 0:
        return None
    graded = [(sure, n) for sure, n in graded if sure >= best - MARGIN]
    graded = [(sure, n) for sure, n in graded if truthy(gives(step.prefer, candidates[n]))] or graded
    best = max(sure for sure, _ in graded)
    alike = [_found(step, candidates[n], sure) for sure, n in graded]
    first = next((one for one in alike if one and one[0] == best), None)
    if first is None or any(one is None or one[1] != first[1] for one in alike):
        return (0.0, {}) if len(alike) > 1 else first
    return first


def _found(step: Step, chosen: Any, sure: float) -> tuple[float, dict[str, Any]] | None:
    """What later requests are to know, None where it is not there."""
    paths = {"found": step.found} if isinstance(step.found, str) else step.found
    found = {word: gives(path, chosen) for word, path in paths.items()}
    return None if any(value in (None, "", [], {}) for value in found.values()) else (sure, found)


_A = TypeVar("_A", bound=Answer)


def _with(answer: _A, paid: float) -> _A:
    """The answer with what the steps before it cost."""
    return replace(answer, charge=answer.charge + paid) if paid else answer
