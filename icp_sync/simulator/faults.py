"""Things that go wrong on purpose: which request, how often, and how.

A rule says when; `KINDS` says what. The server asks `Faults.next` once per request and acts it out. Nothing
here knows an API; bodies of refusals are handed in by the API that refuses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

KINDS: Mapping[str, str] = {
    "refused": "the port is closed for `seconds` (default 1) and open connections are cut",
    "reset": "the connection is reset, nothing was done",
    "reset_after_apply": "the request is carried out, then the connection is reset without an answer",
    "timeout": "no answer for `seconds` (default 100), nothing was done",
    "timeout_after_apply": "the request is carried out, then no answer for `seconds` (default 100)",
    "slow": "the answer comes after `seconds` (default 5)",
    "drip": "the answer comes in small pieces over `seconds` (default 1)",
    "truncated": "the answer breaks off in the middle of its body",
    "gzip_garbage": "the answer claims to be gzip and is not",
    "empty_200": "status 200 without a body, nothing was done",
    "empty_results": "status 200 with no results, nothing was done",
    "error_200": "status 200 with an error in the body, nothing was done",
    "207_mixed": "every second input of a batch fails, the others are carried out",
    "429": "a burst limit is claimed to be exceeded",
    "429_retry_after": "the same with a Retry-After of `seconds` (default 1)",
    "429_daily": "the daily limit is claimed to be exceeded",
    "401": "the token is not accepted",
    "401_expired": "the token has expired",
    "403": "a scope is missing",
    "404": "nothing is found",
    "409": "a conflict",
    "412": "a condition of the request is claimed not to hold",
    "423": "the record is locked",
    "477": "the account is being moved; Retry-After of `seconds` (default 1)",
    "500": "an internal error",
    "502_html": "a gateway's error page",
    "503": "unavailable, no body",
    "504": "a gateway's timeout page",
    "524": "no answer within 100 s, said the proxy",
}
BEFORE = frozenset({"refused", "reset", "timeout"})


@dataclass(slots=True, kw_only=True)
class Rule:
    """One rule. `match` is a regular expression found in "METHOD endpoint" or "METHOD path".

    It fires on matching requests number `nth` (counted from 1), each with `probability`, `count` times at
    most (default: once with nth, else without end).
    """

    kind: str
    match: str = ""
    nth: int | None = None
    probability: float = 1.0
    count: int | None = None
    seconds: float | None = None
    seen: int = 0
    fired: int = 0
    pattern: re.Pattern[str] = field(init=False)

    def __post_init__(self) -> None:
        try:
            self.pattern = re.compile(self.match)
        except re.error as error:
            raise ValueError(f"match {self.match!r} is not a regular expression: {error}") from None
        if self.count is None and self.nth is not None:
            self.count = 1

    def wait(self, default: float) -> float:
        return default if self.seconds is None else self.seconds

    def fires(self, names: tuple[str, str], random: Random) -> bool:
        if not any(self.pattern.search(name) for name in names):
            return False
        self.seen += 1
        if self.count is not None and self.fired >= self.count:
            return False
        if self.nth is not None and self.seen < self.nth:
            return False
        if self.probability < 1.0 and random.random() >= self.probability:
            return False
        self.fired += 1
        return True

    def as_json(self) -> dict[str, object]:
        names = ("kind", "match", "nth", "probability", "count", "seconds", "seen", "fired")
        return {name: getattr(self, name) for name in names}


class Faults:
    """The rules in force, in order; the first that fires decides. `kinds`: what can go wrong here."""

    def __init__(self, random: Random, kinds: Mapping[str, str] = KINDS) -> None:
        self.rules: list[Rule] = []
        self.kinds = kinds
        self._random = random

    def add(self, wanted: object) -> None:
        """Add rules given as JSON objects. Raises ValueError for what is no rule."""
        fresh = []
        for given in wanted if isinstance(wanted, list) else [wanted]:
            if not isinstance(given, dict):
                raise ValueError(f"not a rule: {given!r}")
            unknown = set(given) - {"kind", "match", "nth", "probability", "count", "seconds"}
            if unknown or "kind" not in given:
                raise ValueError(f"a rule has a kind, match, nth, probability, count, seconds: {given!r}")
            if given["kind"] not in self.kinds:
                raise ValueError(f"kind {given['kind']!r} is none of {', '.join(self.kinds)}")
            fresh.append(Rule(**{**given, "kind": str(given["kind"])}))
        self.rules.extend(fresh)

    def clear(self) -> None:
        self.rules.clear()

    def next(self, names: tuple[str, str]) -> Rule | None:
        return next((rule for rule in self.rules if rule.fires(names, self._random)), None)
