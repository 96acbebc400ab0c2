"""`Rest`: the enricher a manifest becomes. Asks singly or several at once, and never raises.

What a reply means is `answers` and `batching`; how it is got is `calling`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from icp_sync.enrichers.manifest.batching import aligned
from icp_sync.enrichers.manifest.calling import Caller
from icp_sync.enrichers.manifest.consistency import facts_of
from icp_sync.enrichers.manifest.conversation import Unanswered, converse, takes, words_of
from icp_sync.enrichers.manifest.outcomes import Said, outcome, reported
from icp_sync.enrichers.manifest.recording import recorded
from icp_sync.enrichers.manifest.schema import Batch, Call
from icp_sync.enrichers.manifest.setup import Setup
from icp_sync.observe import log
from icp_sync.ports import Answer, Request, Unavailable

_log = log("enrich")


class Rest:
    """One vendor under one configuration.

    facts, price, ttl, miss_ttl and the rest are what `icp_sync.ports.Enricher` says of them. credits_left: as
    the vendor's last reply that told; None before. clock: UTC epoch seconds.
    """

    per_account = False

    def __init__(self, setup: Setup) -> None:
        manifest = setup.manifest
        self._setup = setup
        self.name = setup.name
        self.facts = facts_of(manifest)
        self.price, self.ttl, self.miss_ttl = setup.price, setup.ttl, setup.miss_ttl
        self.ttls: Mapping[str, float] = setup.ttls
        self.batch = manifest.batch.size if manifest.batch else 1
        self.parallel = manifest.parallel
        self.complete = frozenset(
            fact for fact, lines in manifest.facts.items() if any(line.complete for line in lines)
        )
        self.repeats_free = manifest.repeats_free or manifest.charge.on == "free"
        self.verified = manifest.verified
        self.credits_left: float | None = None
        self.clock: Callable[[], float] = time.time
        self._caller = Caller(setup, lambda: self.clock())

    def __repr__(self) -> str:
        return f"Rest({self.name!r})"

    def takes(self, request: Request) -> bool:
        """Whether what the vendor needs to be told is known of this account, or a job of its waits."""
        return bool(request.job) or takes(self._setup, request)

    def answer(self, requests: Sequence[Request]) -> Sequence[Answer]:
        """One answer a request, in order. Nothing is sent for a request the vendor cannot be asked about."""
        answers: dict[int, Answer] = {}
        together: list[int] = []
        batch = self._setup.manifest.batch
        for place, request in enumerate(requests):
            if not self.takes(request):
                message = f"{self.name}: not asked, it needs {' and '.join(self._setup.manifest.needs)}"
                answers[place] = Unavailable(kind="bad_input", message=message)
            elif batch is not None and not request.job:
                together.append(place)
            else:
                answers[place] = self._single(request)
        if batch is not None and len(together) > 1:
            for start in range(0, len(together), batch.size):
                places = together[start : start + batch.size]
                several = self._several(batch, [requests[place] for place in places])
                answers |= dict(zip(places, several, strict=True))
        elif together:
            answers[together[0]] = self._single(requests[together[0]])
        return [answers[place] for place in range(len(requests))]

    def recorded(self, request: Request) -> Mapping[str, Any]:
        """One real reply as a sample document, without secrets and without what is about people. It is paid
        like any other. Raises nothing; where there is no reply, `answer` says why."""
        heard: list[Said] = []

        def ask(call: Call, words: Mapping[str, Any], keep: float | None) -> Said:
            heard.append(self._ask(call, words, None))
            return heard[-1]

        answer = self._guarded(lambda: converse(self._setup, request, ask, now=self.clock()))
        return recorded(self._setup, request, heard, answer)

    def _single(self, request: Request) -> Answer:
        return self._guarded(lambda: converse(self._setup, request, self._ask, now=self.clock()))

    def _guarded(self, conversation: Callable[[], Answer]) -> Answer:
        try:
            return conversation()
        except Unanswered as nobody:
            return nobody.answer
        except Exception as error:  # a reply nobody foresaw stops neither the batch nor the page
            _log.warning("a reply could not be read", enricher=self.name, error=type(error).__name__)
            message = f"{self.name}: a reply that could not be read ({type(error).__name__})"
            return Unavailable(kind="error", message=message, charge=self.price)

    def _several(self, batch: Batch, requests: Sequence[Request]) -> Sequence[Answer]:
        """A reply to several. One refused whole for one bad input, by the vendor or before it was sent, says
        nothing of the others: they are asked singly, where being refused costs nothing."""
        each = [words_of(self._setup, request) for request in requests]
        words: dict[str, Any] = {
            **self._setup.options,
            "domains": [one["domain"] for one in each],
            "names": [one["name"] for one in each],
        }
        try:
            said = self._ask(batch.request, words, None, each)
        except Unanswered as nobody:
            if nobody.answer.kind == "bad_input":
                return [self._single(request) for request in requests]
            return [nobody.answer] * len(requests)
        refused = not said.good and outcome(self._setup.manifest, said) == "bad_input"
        if refused and (self.repeats_free or self._setup.manifest.charge.on != "call"):
            return [self._single(request) for request in requests]
        answers: list[Answer] = []
        answers += self._guarded_all(lambda: aligned(self._setup, requests, said, now=self.clock()), requests)
        return answers

    def _guarded_all(
        self, read: Callable[[], Sequence[Answer]], requests: Sequence[Request]
    ) -> Sequence[Answer]:
        try:
            return read()
        except Exception as error:  # as for a single one
            _log.warning("a reply could not be read", enricher=self.name, error=type(error).__name__)
            message = f"{self.name}: a reply that could not be read ({type(error).__name__})"
            return [Unavailable(kind="error", message=message, charge=self.price)] * len(requests)

    def _ask(
        self,
        call: Call,
        words: Mapping[str, Any],
        keep: float | None,
        each: Sequence[Mapping[str, Any]] = (),
    ) -> Said:
        said = self._caller.ask(call, words, keep, each)
        if self._setup.manifest.credits_left is not None:
            left = reported(self._setup.manifest.credits_left, said)
            if left is not None:
                self.credits_left = left[0]
        return said
