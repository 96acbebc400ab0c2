"""The stored routing decision, and the reasons as the record has them. Reads the journal alone."""

from __future__ import annotations

from icp_sync.domain.choosing import Candidate
from icp_sync.domain.desired import told
from icp_sync.domain.evaluation import Evaluation
from icp_sync.domain.facts import Facts
from icp_sync.domain.reasons import reasons
from icp_sync.domain.routing import Decision, replay
from icp_sync.domain.standing import Mode
from icp_sync.domain.success import Success
from icp_sync.domain.why import sources_of_evidence
from icp_sync.journal import Journal, StoredAccount
from icp_sync.reporting.explain.explanation import RoutingRow


def on_the_record(stored: StoredAccount, evaluation: Evaluation, facts: Facts, journal: Journal) -> str:
    """The reasons as the record has them, or will have once the account is written again."""
    decision = decision_of(stored)
    if decision is None or stored.previous is None:
        return reasons(evaluation, facts)
    owners = journal.recall({}, now=0.0).roster.owners if journal.mode() is Mode.ROUTE else None
    sources = sources_of_evidence(stored.evidence)
    return told(stored.owner, evaluation, decision, stored.previous, facts, owners, sources)


def decision_of(stored: StoredAccount) -> Decision | None:
    """The stored decision."""
    told = stored.evaluation.get("decision")
    if not isinstance(told, dict):
        return None
    return Decision(
        account_id=stored.account_id,
        lane=str(told["lane"]),
        owner=str(told["owner"]),
        rule=int(told["rule"]),
        pool=str(told["pool"]),
        imbalance=float(told["imbalance"]),
        note=str(told["note"]),
        considered=tuple(
            Candidate(email=email, weight=weight, load=load, skipped=skipped)
            for email, weight, load, skipped in told["considered"]
        ),
        success=Success(**_said(told.get("success"))),
    )


def routing_row(stored: StoredAccount) -> RoutingRow | None:
    """The stored decision, replayed."""
    decision = decision_of(stored)
    if decision is None:
        return None
    return RoutingRow(
        lane=decision.lane,
        owner=decision.owner,
        rule=decision.rule,
        pool=decision.pool,
        note=decision.note,
        success={name: said for name, said in decision.success._asdict().items() if said},
        considered=decision.considered,
        replays=replay(decision) == decision.owner,
    )


def _said(told: object) -> dict[str, str]:
    """What fit means for a customer, as stored."""
    return {n: str(told[n]) for n in Success._fields if n in told} if isinstance(told, dict) else {}
