"""Years of a connection that changes all the time: what comes in goes out again, table by table."""

from __future__ import annotations

from journal_builders import NOW, Worker, employees, settled
from sqlalchemy import func, insert, select

from icp_sync.domain.plan import Change, Hold
from icp_sync.journal import Journal, Keep, schema
from icp_sync.journal.turns import Turn

DAY = 86_400.0
MONTH = 30 * DAY
KEEP = Keep(history=60 * DAY, runs=60 * DAY, gone=30 * DAY)
FOR_EVER = {"audit", "profile_version"}
"""Tables that grow with what people decide, and with nothing else."""
NOT_HERE = {
    "worker",
    "moved",
    "position",
    "quota",
    "view",
    "owner",
    "load",
    "watch",
    "tally",
    "vendor",
    "job",
    "partition",
}
"""One row for each process, owner, view, source, bulk job at work or range: nothing that time adds to."""


def month(journal: Journal, worker: Worker, n: int) -> None:
    """Three companies come, are settled, bought for, routed and told of; those of two months ago go."""
    now = NOW + n * MONTH
    ids, past = [f"{n}-{i}" for i in range(3)], [f"{n - 2}-{i}" for i in range(3)]
    runs = [journal.start_run(kind, now=now) for kind in ("poll", "due", "backfill")]
    changes = {i: (Change(account_id=i, field="tier", live="", desired="A"),) for i in ids}
    hold = [
        Hold(account_id=i, rule="downgrades", key="k", changes=changes[i], reason="r", since=now) for i in ids
    ]
    worker.commit(
        *(
            settled(
                i, evaluation={"tier": "A"}, log_evaluation=True, changes=changes[i], holds=(one,),
                left_alone={"lane": ("x", "y")},
            )
            for i, one in zip(ids, hold, strict=True)
        ),
        gone=dict.fromkeys(past, ids[0]),
        run=runs[2],
        now=now,
    )  # fmt: skip
    for run in runs:
        journal.end_run(run, {}, now=now)
    for i in ids:
        journal.reserve("vendor", {f"{i}.example": 1.0}, now=now, run=runs[2])
        if i != ids[0]:  # of one nobody ever heard again
            journal.record(
                "vendor", f"{i}.example", "hit", [employees(5)], 1.0, now=now, expires_at=now + DAY
            )
    request = journal.ask("undo", {}, by="ada", now=now)
    journal.end_request(request, state="done", result={}, now=now)
    journal.keep_turn(Turn(stream="poll", due_at=now))
    journal.for_connection(f"client-{n}").keep_turn(Turn(stream="poll", due_at=now))
    journal.keep_day({}, now=now)
    journal.count_event("seen")
    journal.raise_alert("robots", "two write here", now=now)
    _rows_of_others(journal, now, ids)


def _rows_of_others(journal: Journal, now: float, ids: list[str]) -> None:
    """What streams keep that read deals, assignments and events, and tell people."""
    mine = {"connection": journal.connection}
    deal = {
        "created_at": now, "closed_on": "", "changed_at": now, "open": False, "won": True, "currency": "",
        "stage": "", "owner": "", "seen_at": now, "gone_at": now,
    }  # fmt: skip
    heard = {"source": "visits", "at": now, "until": now + MONTH, "recent": True, "facts": "{}"}
    given = {"routed_at": now, "owner": "o", "rule": 0, "ended_at": now + DAY, "data": "{}"}
    told = {
        "audience": "rep", "kind": "tier", "to": "", "key": "", "data": "{}", "at": now,
        "state": "sent", "due": None,
    }  # fmt: skip
    moved = {"run": "r", "at": now, "rule": "downgrades", "n": 1}
    with journal.writing("state") as conn:
        for i in ids:
            conn.execute(insert(schema.deal).values(**mine, **deal, id=i, account=i))
            conn.execute(insert(schema.inbound_event).values(**mine, **heard, id=i, domain=f"{i}.example"))
            conn.execute(insert(schema.assignment).values(**mine, **given, account=i))
            conn.execute(insert(schema.notice).values(**mine, **told, subject=i))
            conn.execute(insert(schema.movement).values(**mine, **moved, account=i))


def counts(journal: Journal) -> dict[str, int]:
    with journal.reading() as conn:
        return {
            name: int(conn.execute(select(func.count()).select_from(table)).scalar_one())
            for name, table in schema.metadata.tables.items()
        }


def test_after_years_of_change_there_is_as_much_as_after_two(journal: Journal, worker: Worker) -> None:
    found = []
    for n in range(28):
        month(journal, worker, n)
        journal.prune(KEEP, now=NOW + n * MONTH)
        if n in (17, 27):
            found.append(counts(journal))
    before, after = found
    assert {name for name, n in before.items() if not n} <= NOT_HERE | FOR_EVER
    assert {name for name in before if after[name] > before[name]} <= FOR_EVER | {"daily"}
    assert after["daily"] <= 731 / 30 + 1
