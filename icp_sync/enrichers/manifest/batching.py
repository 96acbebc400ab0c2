"""One reply to several requests → an answer for each, found by what the vendor repeats of the question."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from icp_sync.enrichers.manifest.answers import of_record, without
from icp_sync.enrichers.manifest.expressions import UnreadableError, gives, search
from icp_sync.enrichers.manifest.outcomes import Said, outcome
from icp_sync.enrichers.manifest.schema import Batch
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.normalize import domains
from icp_sync.ports import Answer, Hit, Miss, Request, Unavailable


def aligned(setup: Setup, requests: Sequence[Request], said: Said, *, now: float) -> list[Answer]:
    """One answer a request, in order. A request the reply does not speak of was not answered; it is a miss
    only where the manifest says that absent means so. A reply of another form answers nobody."""
    batch = setup.manifest.batch
    assert batch is not None, "asked without a batch"
    items = _items(batch, said)
    if items is None or (batch.by == "position" and len(items) != len(requests)):
        return [_whole(setup, request, said, len(requests)) for request in requests]
    found = items if batch.by == "position" else _by_echo(batch, items, requests)
    answers = _each(setup, batch, requests, said, found, now=now, among=1)
    if setup.manifest.charge.reported is None:
        return answers
    paying = sum(isinstance(answer, Hit) or _ambiguous(answer) for answer in answers)
    return _each(setup, batch, requests, said, found, now=now, among=paying or len(answers))


def _each(
    setup: Setup,
    batch: Batch,
    requests: Sequence[Request],
    said: Said,
    found: Sequence[Any],
    *,
    now: float,
    among: int,
) -> list[Answer]:
    return [
        _one(setup, batch, request, said, item, now=now, among=among)
        for request, item in zip(requests, found, strict=True)
    ]


def _ambiguous(answer: Answer) -> bool:
    return isinstance(answer, Miss) and answer.ambiguous


def _items(batch: Batch, said: Said) -> list[Any] | None:
    """The answers in a good reply, None where it holds none."""
    if not said.good or not said.readable:
        return None
    found = gives(batch.items, said.body)
    return found if isinstance(found, list) else None


def _whole(setup: Setup, request: Request, said: Said, among: int) -> Answer:
    """What a reply without a list of answers means for each: nothing was learned about any one company."""
    what = outcome(setup.manifest, said)
    kind = "error" if what in ("hit", "miss", "ambiguous", "pending") else what
    why = "not a list of answers" if said.good and what == "hit" else ""
    return without(setup, request, said, kind, why, among=among)


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


def _one(
    setup: Setup, batch: Batch, request: Request, said: Said, item: Any, *, now: float, among: int
) -> Answer:
    if item is None:
        if batch.absent == "miss":
            return without(setup, request, said, "miss", item={}, among=among)
        message = f"{setup.name}: the reply to several does not speak of this one"
        return Unavailable(kind="error", message=message)
    own = _own(batch, said, item)
    what = outcome(setup.manifest, own)
    if what != "hit":
        return without(setup, request, own, what, item=item, among=among)
    try:
        record = search(batch.record or setup.manifest.hit.record, item)
    except UnreadableError:
        return without(setup, request, own, "error", "an item of another form", item=item, among=among)
    return of_record(setup, request, said, record, now=now, item=item, among=among)


def _own(batch: Batch, said: Said, item: Any) -> Said:
    """The item as a reply of its own, with its own status where it has one."""
    told = gives(batch.status, item) if batch.status else None
    status = said.status
    if isinstance(told, int | str) and not isinstance(told, bool) and str(told).isdigit():
        status = int(told) if 100 <= int(str(told)[:6]) <= 599 else said.status
    headers: Mapping[str, str] = said.headers
    return Said(status=status, headers=headers, body=item)
