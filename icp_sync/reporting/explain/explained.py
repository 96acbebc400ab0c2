"""One account explained: its stored evidence evaluated again, with everything a person may ask about it.

Reads no CRM; the shape of the answer is in `explanation`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from math import inf

from icp_sync.domain.account import Origin, Withdrawn
from icp_sync.domain.assessment import Assessment
from icp_sync.domain.compile import Compiled
from icp_sync.domain.conditions import Condition, facts_of
from icp_sync.domain.disagreement import from_json as disagreed
from icp_sync.domain.evaluation import ENGINE, Evaluation, evaluate
from icp_sync.domain.facts import Facts
from icp_sync.domain.override import override_to_json
from icp_sync.domain.profile import Effect
from icp_sync.domain.standing import FIELDS
from icp_sync.domain.why import as_overridden, facts_of_evidence
from icp_sync.domain.words import clause, fact_text, failures, missing_facts, value_text
from icp_sync.journal import Journal, StoredAccount
from icp_sync.reporting.explain.decision import on_the_record, routing_row
from icp_sync.reporting.explain.differing import (
    agreeing,
    bought_about,
    differing,
    disagreement_rows,
    overruled_since,
)
from icp_sync.reporting.explain.explanation import (
    Explained,
    FactRow,
    HeldRow,
    MissingRow,
    PendingRow,
    ProfileRow,
    ToldRow,
    VerdictRow,
)
from icp_sync.reporting.explain.past import rows_of
from icp_sync.reporting.explain.told import told_rows
from icp_sync.reporting.touches import assignment_rows
from icp_sync.reporting.undone import UNTIL

LAST_WRITES = 3
PUT_BACK = 4
"""Fields that an undo put back which are named."""
Credit = tuple[float, float]


def explain(
    stored: StoredAccount, compiled: Sequence[Compiled], version: int, journal: Journal, now: float
) -> Explained:
    """Evaluate the stored evidence again, as of the instant it was evaluated, under profile `version`."""
    at = _number(stored.evaluation.get("at"))
    facts = facts_of_evidence(stored.evidence)
    model = evaluate(compiled, facts, stored.previous, now if at is None else at, version=version)
    told = laid_out(stored, as_overridden(model, stored.evidence), version, journal, now)
    bought = bought_about(stored, journal, now)
    rows = told_rows(stored, bought, now)
    fresh = {(row.fact, row.source): row for row in rows if row.state == "since"}
    met = [signal for signal in bought if (signal.fact, signal.source) not in fresh]
    since, same = overruled_since(stored, met), agreeing(stored, met)
    overruled = {
        fact: tuple(dict.fromkeys((*told.overruled.get(fact, ()), *since.get(fact, ()))))
        for fact in sorted({*told.overruled, *since})
    }
    differ = {fact: tuple(s for s in said if s not in same.get(fact, ())) for fact, said in overruled.items()}
    return replace(
        told,
        told=rows,
        notes=(*told.notes, *_since(fresh.values())),
        missing=tuple(
            replace(row, told=", ".join(source for fact, source in fresh if fact == row.fact))
            for row in told.missing
        ),
        disagreements=disagreement_rows(differing(stored, met)),
        overruled={fact: said for fact, said in differ.items() if said},
    )


def _since(rows: Collection[ToldRow]) -> Iterator[str]:
    """That the explanation is of the last settlement, and which facts came since."""
    if rows:
        named = ", ".join(dict.fromkeys(f"{fact_text(row.fact)} ({row.source})" for row in rows))
        yield (
            f"everything here is as it was last settled; known since, and not looked at yet: {named}. "
            "A running worker settles it; without one: icp-sync run --once"
        )


def laid_out(
    stored: StoredAccount, evaluation: Evaluation, version: int, journal: Journal, now: float
) -> Explained:
    """An evaluation of the stored account, told as of `now`: what came later is left out."""
    facts = facts_of_evidence(stored.evidence)
    at = _number(stored.evaluation.get("at"))
    previous = stored.previous
    known = _fact_rows(stored, journal, facts, now)
    shown = evaluation.shown
    return Explained(
        id=stored.account_id,
        name=stored.name,
        domain=stored.domain,
        owner=stored.owner,
        headline=on_the_record(stored, evaluation, facts, journal),
        notes=tuple(_notes(stored, evaluation, version, now)),
        tier=evaluation.tier,
        model_tier=evaluation.model_tier,
        override=override_to_json(evaluation.override) if evaluation.override else None,
        certainty=evaluation.certainty,
        score=evaluation.score,
        low=evaluation.low,
        high=evaluation.high,
        coverage=evaluation.coverage,
        priority=evaluation.priority,
        timing=evaluation.timing.number,
        in_scope=evaluation.in_scope,
        evaluated_at=at,
        valid_until=evaluation.valid_until,
        wake_at=stored.wake_at,
        profile_version=version,
        profiles=tuple(_profile_row(a, a is shown) for a in evaluation.assessments),
        verdicts=tuple(_verdicts(shown, known)),
        missing=tuple(
            MissingRow(fact=name, points=None if points == inf else points)
            for name, points in missing_facts(evaluation, facts)
        ),
        pending=_pending(evaluation),
        previous_tier=previous.previous_tier if previous else "",
        changed_at=previous.tier_changed_at if previous else None,
        why=previous.why if previous else "",
        routing=routing_row(stored),
        assignments=assignment_rows(journal, stored.account_id, now),
        held=tuple(_held(stored)),
        unread=_texts(stored.evaluation.get("unread")),
        disagreements=disagreement_rows(disagreed(stored.evaluation.get("disagreements"))),
        overruled={row.fact: row.overruled for row in known.values() if row.overruled},
        writes=tuple(rows_of([c for c in journal.history(stored.account_id) if c.at <= now]))[-LAST_WRITES:],
    )


def _notes(stored: StoredAccount, evaluation: Evaluation, version: int, now: float) -> Iterator[str]:
    """What the stored account and this explanation disagree about, and what is wrong with the account."""
    if stored.survivor:
        yield f"merged into {stored.survivor}: icp-sync explain {stored.survivor}"
    elif stored.status == "gone":
        yield "deleted in the CRM"
    if not evaluation.in_scope:
        yield "outside the profile's scope: our fields are blank"
    if stored.profile_version != version:
        yield f"settled under profile version {stored.profile_version}; version {version} is active and shown"
    elif evaluation.tier != stored.tier and stored.in_scope and evaluation.in_scope:
        engine = stored.evidence.get("engine")
        cause = f"engine {engine} then, {ENGINE} now" if engine != ENGINE else "it will be settled again"
        yield f"settled as {stored.tier}, evaluates to {evaluation.tier} ({cause})"
    if taken := stored.withdrawn:
        yield f"undo {taken.run} put back {_put_back(stored, taken)}: the CRM keeps that {UNTIL}"
    if family := stored.evaluation.get("family"):
        yield f"its group is not known: {family}"
    if stored.problem:
        again = f"; tried again {_day(stored.wake_at)}" if stored.wake_at else ""
        yield f"{stored.status}: {stored.problem}{again}"
    elif stored.wake_at is not None and stored.wake_at <= now:
        yield "due to be settled again"


def _put_back(stored: StoredAccount, taken: Withdrawn) -> str:
    """What stands there since, field by field; the best known ones first."""
    names = [name for name in FIELDS if name in taken.fields and not FIELDS[name].hidden]
    values = [(name, stored.confirmed[name].value if name in stored.confirmed else "") for name in names]
    more = f" and {len(names) - PUT_BACK} more" * (len(names) > PUT_BACK)
    return ", ".join(f"{name} {value[:40] or 'blank'}" for name, value in values[:PUT_BACK]) + more


def _fact_rows(stored: StoredAccount, journal: Journal, facts: Facts, now: float) -> dict[str, FactRow]:
    """Fact → its row. A CRM's fact is as old as the record's stamp, or as its source says ("crm:…, HubSpot
    enrichment of 2026-05-01"); a bought one as its observation."""
    raw = stored.evidence.get("facts")
    sources = {n: str(pair[1]) for n, pair in raw.items()} if isinstance(raw, dict) else {}
    bought = bought_about(stored, journal, now)
    observed = {(s.fact, s.source): s.observed_at for s in bought if s.observed_at <= now}
    losers = stored.evaluation.get("losers")
    overruled = {n: tuple(map(str, said)) for n, said in losers.items()} if isinstance(losers, dict) else {}
    overruled = {n: said for n, all_ in overruled.items() if (said := _others(n, all_, facts))}
    rows = {}
    for name, value in sorted(facts.items()):
        source = sources.get(name, "")
        typed = source.startswith("crm:") and "," not in source
        stamp = stored.stamp / 1000 if typed and stored.stamp else None
        rows[name] = FactRow(
            fact=name,
            value=value_text(name, value),
            source=source,
            at=_day(observed.get((name, source), stamp)),
            overruled=overruled.get(name, ()),
        )
    return rows


def _others(fact: str, said: Sequence[str], facts: Facts) -> tuple[str, ...]:
    """Of "source: value" those that do not say just what counts."""
    counts = value_text(fact, facts[fact]) if fact in facts else ""
    return tuple(one for one in said if one.partition(": ")[2] != counts)


def _verdicts(shown: Assessment, known: Mapping[str, FactRow]) -> Iterator[VerdictRow]:
    """Every question of the shown profile: gates first, then criteria, flags and timing, in file order."""
    profile = shown.profile
    for gates in (True, False):
        for index, c in enumerate(profile.criteria):
            if c.required is gates:
                kind = "must-have" if gates else "criterion"
                credit, points = shown.criterion(index), shown.points[index]
                yield _row(c.name, kind, c.when, credit, known, layer=c.layer, points=points)
    for index, flag in enumerate(profile.flags):
        kind = f"flag: caps at {flag.cap}" if flag.effect is Effect.CAP else f"flag: {flag.effect.value}"
        yield _row(flag.name, kind, flag.when, shown.flag(index), known)
    for index, signal in enumerate(profile.timing):
        credit = shown.credit(2 + len(profile.criteria) + index)
        yield _row(signal.name, "timing", signal.when, credit, known)


def _row(
    name: str,
    kind: str,
    when: Condition,
    credit: Credit,
    known: Mapping[str, FactRow],
    *,
    layer: str = "",
    points: tuple[int, int] = (0, 0),
) -> VerdictRow:
    return VerdictRow(
        name=name,
        kind=kind,
        layer=layer,
        question=clause(when),
        state=state_of(credit),
        got=points[0],
        of=points[1],
        facts=tuple(known[fact] for fact in facts_of(when) if fact in known),
    )


def state_of(credit: Credit) -> str:
    """MET, UNMET, UNKNOWN, or PARTLY for every other credit interval."""
    states = {(1.0, 1.0): "MET", (0.0, 0.0): "UNMET", (0.0, 1.0): "UNKNOWN"}
    return states.get((float(credit[0]), float(credit[1])), "PARTLY")


def _profile_row(assessment: Assessment, shown: bool) -> ProfileRow:
    return ProfileRow(
        name=assessment.profile.name,
        shown=shown,
        fate=assessment.fate.value,
        low=assessment.low,
        high=assessment.high,
        score=assessment.score,
        failures=tuple(failures(assessment)),
    )


def _pending(evaluation: Evaluation) -> PendingRow | None:
    if not evaluation.pending_tier or evaluation.pending_since is None:
        return None
    return PendingRow(tier=evaluation.pending_tier, since=evaluation.pending_since)


def _held(stored: StoredAccount) -> Iterator[HeldRow]:
    for name, (live, desired) in sorted(stored.left_alone.items()):
        seen = stored.confirmed.get(name)
        human = seen is not None and seen.origin is Origin.HUMAN
        since = _day(seen.at) if seen and human else ""
        by = seen.by if seen and human else ""
        yield HeldRow(field=name, live=live, ours=desired, since=since, by=by)


def _texts(value: object) -> dict[str, str]:
    return {str(k): str(v) for k, v in value.items()} if isinstance(value, dict) else {}


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _day(seconds: float | None) -> str:
    return datetime.fromtimestamp(seconds, UTC).date().isoformat() if seconds is not None else ""
