"""What a journal may hold, put there by its own means: held, refused, typed over, undone."""

from __future__ import annotations

from icp_sync.domain.guard import Rule
from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import Journal, Settled

NOW = 1_790_000_000.0
NAME = "<script>window.pwned=1</script> & Söhne"


def settle(journal: Journal, *settled: Settled, now: float = NOW, run: str = "r") -> None:
    """As if a page of these had been settled."""
    lease = journal.lease("crafted", holder="test", now=now)
    assert lease is not None
    journal.commit(list(settled), gone={}, position=None, stream="crafted", lease=lease, run=run, now=now)
    journal.release_lease(lease)


def held(account_id: str, rule: Rule = Rule.DOWNGRADES, key: str = "A → C") -> Settled:
    change = Change(account_id=account_id, field="tier", live="A", desired="C", reason="DATA")
    hold = Hold(
        account_id=account_id, rule=rule.value, key=key, reason="more than 5 % in a day", changes=(change,)
    )
    return Settled(account_id=account_id, name=NAME, status="held", in_scope=True, tier="C", holds=(hold,))


def refused(account_id: str, problem: str, status: str = "refused") -> Settled:
    return Settled(
        account_id=account_id, name=f"Refused {account_id}", status=status, problem=problem, attempts=8
    )


def typed_over(account_id: str, field: str = "priority") -> Settled:
    return Settled(account_id=account_id, name=NAME, left_alone={field: ("theirs", "A1")})


def a_run(journal: Journal, kind: str, now: float = NOW, **report: object) -> str:
    """A run that ended, with this report."""
    run = journal.start_run(kind, now=now, detail={"apply": True})
    journal.end_run(run, {"apply": True, "outcome": "done", **report}, now=now + 1)
    return run
