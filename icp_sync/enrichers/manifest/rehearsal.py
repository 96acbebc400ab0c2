"""A manifest read against the samples beside it: each must mean what it says it means.

What is wrong is said at the line of the manifest it is about.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from icp_sync.domain.facts import Signal, value_from_json, value_to_json
from icp_sync.enrichers.manifest.answers import outcome_of, understood
from icp_sync.enrichers.manifest.batching import aligned
from icp_sync.enrichers.manifest.conversation import Unanswered, converse, takes
from icp_sync.enrichers.manifest.expressions import UnreadableError, search
from icp_sync.enrichers.manifest.outcomes import Said
from icp_sync.enrichers.manifest.samples import Meant, Reply, Sample, Samples, Several
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.enrichers.manifest.setup import Setup, plain
from icp_sync.ports import Answer, Hit, Unavailable
from icp_sync.profile_file.reading import Path, Report

NOW = 1_800_000_000.0
"""When samples are read: January 2027."""
_LONGEST = 120


def rehearse(manifest: Manifest, samples: Samples, report: Report) -> None:
    """Read every sample; each that is read otherwise than it says is a problem."""
    for name, sample in samples.single.items():
        for problem in differences(plain(manifest, sample.options), sample):
            _say(name, problem, report)
    hit = samples.single.get("hit")
    if hit is not None:
        _functions(manifest, hit, report)
        if manifest.verified and hit.made != "recorded":
            report.value(
                ("verified",),
                "the hit sample is not a recorded one",
                f"icp-sync enrich {manifest.vendor} DOMAIN --raw",
            )
    if manifest.batch is not None:
        _several(manifest, samples.batch, report)


def _several(manifest: Manifest, batch: Several | None, report: Report) -> None:
    """The reply to several, which shows that each answer finds its company: with a typo in `echo`, everybody
    would be paid for and nobody answered."""
    if batch is None or not any(meant.expect for meant in batch.answers):
        what = "no answer of sample batch.json has `expect`" if batch else "there is no sample batch.json"
        report.value(("batch",), what, "write down a reply to several, and what it means for each")
        return
    asked = [one.request for one in batch.asked]
    answers = aligned(plain(manifest), asked, said_in(batch), now=NOW)
    for place, (answer, meant) in enumerate(zip(answers, batch.answers, strict=True)):
        for fact, what in _compared(answer, meant):
            _say("batch", (fact, f"answer {place + 1}: {what}"), report)


def said_in(reply: Reply) -> Said:
    """A sample's reply as if it had come over the wire."""
    try:
        body, readable = json.loads(reply.text), not isinstance(reply.body, str)
    except ValueError:
        body, readable = None, False
    headers = {name.lower(): value for name, value in reply.headers.items()}
    return Said(status=reply.status, headers=headers, body=body, readable=readable or body is not None)


def differences(setup: Setup, sample: Sample) -> Iterator[tuple[str, str]]:
    """(fact or "", what differs) where a sample is read otherwise than it says."""
    request = sample.asked.request
    if not takes(setup, request):
        yield "", "`asked` lacks what the vendor needs to be told"
        return
    replies = iter([*sample.steps, sample])

    def ask(*_: Any) -> Said:
        reply = next(replies, None)
        return said_in(reply if reply is not None else sample)

    if sample.job:
        answer = understood(setup, request, said_in(sample), now=NOW, fetching=True)
    elif setup.manifest.steps and not sample.steps:
        answer = understood(setup, request, said_in(sample), now=NOW)
    else:
        try:
            answer = converse(setup, request, ask, now=NOW)
        except Unanswered as nobody:
            answer = nobody.answer
    yield from _compared(answer, sample)
    if isinstance(answer, Hit) and sample.unread and set(sample.unread) != set(answer.unread):
        yield "", f"unread: {sorted(answer.unread)} instead of {sorted(sample.unread)}"


def _compared(answer: Answer, meant: Meant) -> Iterator[tuple[str, str]]:
    if meant.charge is not None and abs(meant.charge - answer.charge) > 1e-9:
        yield "", f"charge: {answer.charge:g} credits instead of {meant.charge:g}"
    if meant.expect is None or not isinstance(answer, Hit):
        said, wanted = outcome_of(answer), meant.outcome or "hit"
        if said != wanted:
            why = f" ({answer.message})" if isinstance(answer, Unavailable) else ""
            yield "", f"it is read as {said}{why} instead of {wanted}"
        return
    found = {signal.fact: signal for signal in answer.signals}
    for fact in dict.fromkeys([*meant.expect, *found]):
        said_of, wanted_of = _value(found.get(fact)), meant.expect.get(fact)
        if wanted_of is None or said_of is None or not _same(said_of, wanted_of):
            raw = f" (unread: {answer.unread[fact][:60]})" if fact in answer.unread else ""
            yield fact, f"{fact}: {_brief(said_of)}{raw} instead of {_brief(wanted_of)}"


def _same(said: list[object], wanted: list[Any]) -> bool:
    try:
        return value_to_json(value_from_json(wanted)) == said
    except (ValueError, TypeError):
        return False


def _value(signal: Signal | None) -> list[object] | None:
    return None if signal is None else value_to_json(signal.value)


def _brief(value: object) -> str:
    return "nothing" if value is None else json.dumps(value)[:_LONGEST]


def _say(sample: str, problem: tuple[str, str], report: Report) -> None:
    fact, what = problem
    path: Path = ("facts", fact) if fact else ("vendor",)
    report.value(path, f"sample {sample}.json: {what}")


def _functions(manifest: Manifest, hit: Sample, report: Report) -> None:
    """Every mapping runs once on a good reply: one that cannot be applied to it is a mistake."""
    body = said_in(hit).body
    try:
        record = search(manifest.hit.record, body)
    except UnreadableError as error:
        report.value(("hit", "record"), f"cannot be applied to the hit sample: {error}")
        return
    for fact, lines in manifest.facts.items():
        for line in lines:
            for path in (*line.from_, line.low, line.high):
                try:
                    search(path, record)
                except UnreadableError as error:
                    report.value(("facts", fact, "from"), f"cannot be applied to the hit sample: {error}")


def meanings(answer: Answer) -> Mapping[str, list[object]]:
    """Fact → value as plain JSON, of a hit."""
    return {s.fact: value_to_json(s.value) for s in answer.signals} if isinstance(answer, Hit) else {}
