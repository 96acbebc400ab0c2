"""One reply to several requests → an answer for each, found by what the vendor repeats of the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from icp_sync.enrichers.manifest.answers import of_record, outcome_of, without
from icp_sync.enrichers.manifest.expressions import UnreadableError, gives, search
from icp_sync.enrichers.manifest.outcomes import Said, outcome, pays, reported
from icp_sync.enrichers.manifest.schema import Batch
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.enrichers.manifest.vocabulary import Outcome
from icp_sync.normalize import domains
from icp_sync.ports import Answer, Request


def aligned(setup: Setup, requests: Sequence[Request], said: Said, *, now: float) -> list[Answer]:
    """One answer a request, in order. A request the reply does not speak of was not answered; it is a miss
    only where the manifest says that absent means so. A reply of another form answers nobody."""
    batch = setup.manifest.batch
    assert batch is not None, "asked without a batch"
    items = _items(batch, said)
    if items is None or (batch.by == "position" and len(items) != len(requests)):
        found: Sequence[Any] = [None] * len(requests)
        answers = [_whole(setup, request, said) for request in requests]
    else:
        found = items if batch.by == "position" else _by_echo(batch, items, requests)
        answers = [
            _one(setup, batch, request, said, item, now=now)
            for request, item in zip(requests, found, strict=True)
        ]
    return _shared_out(setup, batch, said, found, answers)


def _shared_out(
    setup: Setup, batch: Batch, said: Said, found: Sequence[Any], answers: list[Answer]
) -> list[Answer]:
    """The answers with their parts of what the reply says all of them cost together, whoever it was spent on:
    those that pay by the manifest's rule bear it, and everybody where that is nobody. What an item says of
    itself is its own."""
    rule = setup.manifest.charge.reported
    total = reported(rule, said) if rule is not None else None
    if rule is None or total is None:
        return answers
    own = [item is not None and bool((told := reported(rule, said, item)) and told[1]) for item in found]
    rest = max(0.0, total[0] - sum(one.charge for one, known in zip(answers, own, strict=True) if known))
    open_to = [place for place, known in enumerate(own) if not known]
    paying = [place for place in open_to if _pays(setup, batch, said, found[place], answers[place])]
    bearing = paying or open_to
    shares = dict.fromkeys(open_to, 0.0) | dict.fromkeys(bearing, rest / max(1, len(bearing)))
    return [replace(one, charge=shares.get(place, one.charge)) for place, one in enumerate(answers)]


def _pays(setup: Setup, batch: Batch, said: Said, item: Any, answer: Answer) -> bool:
    good = said.good if item is None else _own(batch, said, item).good
    return pays(setup.manifest, outcome_of(answer), good=good)


def _items(batch: Batch, said: Said) -> list[Any] | None:
    """The answers in a good reply, None where it holds none."""
    if not said.good or not said.readable:
        return None
    found = gives(batch.items, said.body)
    return found if isinstance(found, list) else None


def _whole(setup: Setup, request: Request, said: Said) -> Answer:
    """What a reply without a list of answers means for each: nothing was learned about any one company."""
    what = outcome(setup.manifest, said)
    kind = "error" if what in ("hit", "miss", "ambiguous", "pending") else what
    why = "not a list of answers" if said.good and what == "hit" else ""
    return without(setup, request, said, kind, why, item={})


def _by_echo(batch: Batch, items: Sequence[Any], requests: Sequence[Request]) -> list[Any]:
    """Each request's item; None where there is none, or two that differ."""
    by_echo: dict[str, list[Any]] = {}
    for item in items:
        echoes = gives(batch.echo, item)
        for echo in echoes if isinstance(echoes, list) else [echoes]:
            if isinstance(echo, str | int) and str(echo):
                by_echo.setdefault(_folded(batch, str(echo)), []).append(item)
    return [_only(by_echo.get(_folded(batch, getattr(request, batch.key)), [])) for request in requests]


def _folded(batch: Batch, text: str) -> str:
    """As it is compared: a domain whatever address it stands in."""
    return (domains.registrable(text) if batch.key == "domain" else "") or " ".join(text.casefold().split())


def _only(items: list[Any]) -> Any:
    return items[0] if items and all(item == items[0] for item in items) else None


def _one(setup: Setup, batch: Batch, request: Request, said: Said, item: Any, *, now: float) -> Answer:
    """The answer in one item. Where there is none, the reply may still have been paid for this one too."""
    if item is None:
        what: Outcome = "miss" if batch.absent == "miss" else "error"
        return without(setup, request, said, what, "the reply to several does not speak of this one", item={})
    own = _own(batch, said, item)
    what = outcome(setup.manifest, own)
    if what != "hit":
        return without(setup, request, own, what, item=item)
    try:
        record = search(batch.record or setup.manifest.hit.record, item)
    except UnreadableError:
        return without(setup, request, own, "error", "an item of another form", item=item)
    return of_record(setup, request, said, record, now=now, item=item)


def _own(batch: Batch, said: Said, item: Any) -> Said:
    """The item as a reply of its own, with its own status where it has one."""
    told = gives(batch.status, item) if batch.status else None
    status = said.status
    if isinstance(told, int | str) and not isinstance(told, bool) and str(told).isdigit():
        status = int(told) if 100 <= int(str(told)[:6]) <= 599 else said.status
    headers: Mapping[str, str] = said.headers
    return Said(status=status, headers=headers, body=item)
