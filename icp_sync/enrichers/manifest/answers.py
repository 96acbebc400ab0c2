"""A reply → the answer it is: what was learned, or why nothing was. Sends nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, get_args

from icp_sync.enrichers.manifest.expressions import UnreadableError, gives, search, truthy
from icp_sync.enrichers.manifest.likeness import likeness
from icp_sync.enrichers.manifest.mapping import facts_in
from icp_sync.enrichers.manifest.outcomes import Said, charged, outcome, wait_for
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.shape import speaks_of
from icp_sync.enrichers.manifest.vocabulary import Outcome
from icp_sync.observe import redact
from icp_sync.ports import Answer, Hit, Miss, Pending, Request, Unavailable

LONGEST_JOB = 500
SAME_QUESTION = "the same question again"
"""The job where a vendor names none: it says nothing of the account, wherever it is kept or sent."""
_LONGEST_SAID = 200
_SAID = "error.message || errors[0].message || message || error || detail || messages || @"
_OUTCOMES: Mapping[str, Outcome] = {word: word for word in get_args(Outcome)}
NOT_UNDERSTOOD = "a reply of another form than is documented"


def understood(
    setup: Setup,
    request: Request,
    said: Said,
    *,
    now: float,
    so_far: float = 1.0,
    fetching: bool = False,
) -> Answer:
    """The answer in one reply to one request.

    so_far: confidence that earlier steps found the right company. fetching: it is the result of an earlier
    job; then "not found" is about the job, and nothing is known of the company.
    """
    what = outcome(setup.manifest, said)
    if fetching and what == "miss" and not said.good:
        what = "error"
    if what != "hit":
        return without(setup, request, said, what)
    try:
        record = search(setup.manifest.hit.record, said.body)
    except UnreadableError:
        return without(setup, request, said, "error", NOT_UNDERSTOOD)
    if not speaks_of(setup.manifest, said.body):
        return without(setup, request, said, "error", NOT_UNDERSTOOD)
    return of_record(setup, request, said, record, now=now, so_far=so_far)


def of_record(
    setup: Setup,
    request: Request,
    said: Said,
    record: Any,
    *,
    now: float,
    so_far: float = 1.0,
    item: Any = None,
) -> Answer:
    """The answer in one record. item: of a reply to several, what is about this request."""
    rule = setup.manifest.hit
    if not truthy(record) or (rule.when and not truthy(gives(rule.when, record))):
        return without(setup, request, said, rule.otherwise, item=item)
    if isinstance(record, list):
        record = record[0] if len(record) == 1 else {"items": record}
    if not isinstance(record, dict):
        return without(setup, request, said, "error", NOT_UNDERSTOOD, item=item)
    sure = likeness(setup.manifest, record, request, so_far)
    if sure <= 0:
        return without(setup, request, said, "ambiguous", item=item)
    signals, unread = facts_in(record, setup, now=now, confidence=sure)
    charge = charged(setup, "hit", said, item)
    return Hit(signals=signals, charge=charge, unread=unread)


def without(
    setup: Setup,
    request: Request,
    said: Said,
    what: Outcome,
    why: str = "",
    *,
    item: Any = None,
) -> Answer:
    """The answer where no company was found in the reply."""
    charge = charged(setup, what, said, item)
    if what in ("miss", "ambiguous"):
        return Miss(charge=charge, ambiguous=what == "ambiguous")
    if what == "pending" and setup.manifest.pending is not None:
        waiting = setup.manifest.pending
        job = gives(waiting.job, said.body if item is None else item) if waiting.job else SAME_QUESTION
        job = str(job or request.job or "")[:LONGEST_JOB]
        if not job:
            return Unavailable(kind="error", message=f"{setup.name}: a job without a name", charge=charge)
        wait = wait_for(setup.manifest, said)
        return Pending(job=job, retry_after=wait or waiting.every, charge=charge)
    kind = "error" if what in ("hit", "pending") else what
    return Unavailable(
        kind=kind,
        message=_message(setup, said, why),
        retry_after=wait_for(setup.manifest, said),
        charge=charge,
    )


def outcome_of(answer: Answer) -> Outcome:
    """The word of the manifest language for an answer."""
    if isinstance(answer, Miss):
        return "ambiguous" if answer.ambiguous else "miss"
    if isinstance(answer, Unavailable):
        return _OUTCOMES.get(answer.kind, "error")
    return "pending" if isinstance(answer, Pending) else "hit"


def _message(setup: Setup, said: Said, why: str) -> str:
    """One sentence for people, without anything that could be a credential."""
    told = gives(_SAID, said.body) if said.readable else "a body that is not JSON" if said.good else ""
    text = told if isinstance(told, str) else ""
    parts = [f"{setup.name}: HTTP {said.status}", why or " ".join(text.split())[:_LONGEST_SAID]]
    return redact(", ".join(filter(None, parts)))
