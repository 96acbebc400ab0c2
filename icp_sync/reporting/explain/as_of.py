"""One account as of a past day: the evaluation in force then, and the proof that it was right.

The proof is to make it again: same facts, same previous evaluation, same instant, the profile version of
then. Where that cannot be done, or comes out otherwise, it says why.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from icp_sync.domain.compile import Compiled, compile_profile
from icp_sync.domain.evaluation import ENGINE, Evaluation, carried
from icp_sync.domain.facts import FactType
from icp_sync.domain.proof import differences, made_again, previous_of
from icp_sync.errors import ConfigError, Problem
from icp_sync.journal import ERASED, Evaluated, Journal, StoredAccount
from icp_sync.reporting.explain.explained import laid_out
from icp_sync.reporting.explain.explanation import Explained
from icp_sync.reporting.text import instant
from icp_sync.wiring import parse_profiles

PROVED = "proved: recomputed equal"


@dataclass(frozen=True, slots=True, kw_only=True)
class AsOf:
    """What was in force at an instant. All instants are UTC epoch seconds.

    since, until: from and to when; until None while it still is. said: the proof in words. differs: what
    comes out otherwise when it is made again. active_version: of the profile, at that instant. points:
    criterion → (earned, possible) as kept. in_scope: whether a profile was for it; tier and score of one that
    was not are what they would have been. explained: all of it, None where it cannot be made again so.
    """

    id: str
    name: str
    as_of: float
    since: float
    until: float | None
    run: str
    in_scope: bool
    tier: str
    score: int
    low: int | None
    high: int | None
    why: str
    profile_version: int
    engine: int
    proved: bool
    said: str
    differs: tuple[str, ...]
    active_version: int
    points: Mapping[str, Sequence[int]]
    explained: Explained | None


def as_of(
    stored: StoredAccount | None,
    account_id: str,
    at: float,
    journal: Journal,
    types: Mapping[str, FactType],
    kept_since: float,
) -> AsOf:
    """The evaluation in force at an instant. Raises ConfigError where there is none, saying why.

    kept_since: from when on evaluations are whole.
    """
    told = journal.evaluations(account_id)
    found, until = _in_force(told, at)
    if found is None:
        what = _why_none(stored, told, at, kept_since)
        raise ConfigError([Problem(where=f"account {account_id}", what=what)])
    evidence = _mapping(found.evaluation.get("evidence"))
    proof = _mapping(found.evaluation.get("proof"))
    result = _mapping(proof.get("result"))
    evaluation, said, differs = _proved(found, evidence, proof, journal, types)
    bounds = result.get("range")
    low, high = bounds if isinstance(bounds, list) else (None, None)
    version = _whole(evidence.get("version"))
    explained = None
    if evaluation is not None and stored is not None:
        explained = _then(stored, found, evidence, proof, evaluation, version, journal, at)
    return AsOf(
        id=account_id,
        name=stored.name if stored else "",
        as_of=at,
        since=found.at,
        until=until,
        run=found.run,
        in_scope=bool(found.tier),
        tier=str(result.get("tier") or found.tier),
        score=_whole(result.get("score", found.score)),
        low=low,
        high=high,
        why=found.why,
        profile_version=version,
        engine=_whole(evidence.get("engine")),
        proved=said == PROVED,
        said=said,
        differs=differs,
        active_version=max((v.version for v in journal.versions() if v.activated_at <= at), default=0),
        points={n: p for n, p in _mapping(evidence.get("points")).items() if isinstance(p, list)},
        explained=explained,
    )


def _in_force(told: Sequence[Evaluated], at: float) -> tuple[Evaluated | None, float | None]:
    """Of evaluations, oldest first, the one in force at an instant, and when the next one took its place."""
    before = [one for one in told if one.at <= at]
    later = [one.at for one in told if one.at > at]
    return (before[-1] if before else None), (later[0] if later else None)


def _proved(
    found: Evaluated,
    evidence: Mapping[str, object],
    proof: Mapping[str, object],
    journal: Journal,
    types: Mapping[str, FactType],
) -> tuple[Evaluation | None, str, tuple[str, ...]]:
    """The evaluation made again, None where it cannot be or comes out otherwise; why; and what differs."""
    if not evidence or not proof:
        return None, "not proved: it was kept by a version that did not keep what a proof needs", ()
    version, engine = _whole(evidence.get("version")), _whole(evidence.get("engine"))
    compiled = _compiled(journal, version, types)
    if isinstance(compiled, str):
        return None, f"not proved: {compiled}", ()
    at = found.evaluation.get("at")
    evaluation = made_again(
        compiled, evidence, proof, at if isinstance(at, float | int) else found.at, version
    )
    differs = differences(proof, evaluation)
    if not differs:
        return evaluation, PROVED, ()
    what = ", ".join(name.replace("_", " ") for name in differs)
    if engine != ENGINE:
        return (
            None,
            f"not proved: engine {engine} made it, this is engine {ENGINE}; {what} would differ now",
            differs,
        )
    return None, f"NOT what it comes to when made again: {what} differ; was the journal altered?", differs


def _compiled(journal: Journal, version: int, types: Mapping[str, FactType]) -> Sequence[Compiled] | str:
    """The profiles of a version, or why there are none."""
    documents = journal.documents(version)
    if documents is None:
        return f"profile version {version} is not in the journal"
    try:
        return [compile_profile(profile) for profile in parse_profiles(documents, types)]
    except ConfigError as error:
        return f"profile version {version} cannot be read with today's settings: {error}"


def _then(
    stored: StoredAccount,
    found: Evaluated,
    evidence: Mapping[str, object],
    proof: Mapping[str, object],
    evaluation: Evaluation,
    version: int,
    journal: Journal,
    at: float,
) -> Explained:
    """The account as it was explained then. Whose values people held that day is not kept."""
    moment = found.evaluation.get("at")
    begun = float(moment) if isinstance(moment, float | int) else found.at
    account = replace(
        stored,
        owner=str(found.evaluation.get("owner", "")),
        tier=evaluation.tier,
        score=evaluation.score,
        profile_version=version,
        in_scope=evaluation.in_scope,
        problem="",
        stamp=_whole(found.evaluation.get("stamp")),
        wake_at=None,
        left_alone={},
        withdrawn=None,
        previous=carried(evaluation, previous_of(proof), begun, why=found.why),
        evidence=evidence,
        evaluation=found.evaluation,
    )
    return laid_out(account, evaluation, version, journal, at)


def _why_none(stored: StoredAccount | None, told: Sequence[Evaluated], at: float, kept_since: float) -> str:
    if stored is not None and stored.problem == ERASED:
        return "erased: the record is gone from the CRM, and what was known of it has been removed since"
    if at < kept_since:
        return f"older than retention: evaluations are kept since {_day(kept_since)}"
    if told:
        return f"never evaluated then: its first evaluation known is of {_day(told[0].at)}"
    return "never evaluated"


def _day(seconds: float) -> str:
    return instant(seconds)


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, dict) else {}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0
