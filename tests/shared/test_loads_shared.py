"""Processes that give accounts to the same owners at the same time share the loads, and no cap is passed."""

from __future__ import annotations

import json
import time
from pathlib import Path

from icp_sync.journal import Journal
from tests import postgres
from tests.shared.forking import Mother

OWNERS = [f"owner-{n}@x.example" for n in range(5)]
CAP, EACH, PROCESSES = 10, 20, 4

GIVER = """
import json, os, time
from icp_sync.domain.plan import Write
from icp_sync.journal import Journal
import psycopg

def child(url, number, cap, each, out, *owners):
    journal, cap, each = Journal.open(url, "main"), int(cap), int(each)
    lease = journal.lease("backfill", number, holder=number, now=time.time())
    spread, lost, given_away = [0], 0, 0
    left = [f"{number}-{n}" for n in range(each)]
    while left:
        page = left[:3]
        memory = journal.recall({one: f"{one}.example" for one in page}, now=time.time())
        loads = {owner: memory.roster.loads.get(owner, 0) for owner in owners}
        spread.append(max(loads.values()) - min(loads.values()))
        given = {}
        for one in page:
            owner = min(owners, key=lambda name: (loads[name], name))
            if loads[owner] < cap:
                loads[owner] += 1
                given[one] = owner
        if not given:
            break
        kept, refused = journal.intend(
            [Write(account_id=one, values={"owner": owner}) for one, owner in given.items()],
            versions={one: memory.of(one).version for one in given}, assignments=given,
            load_versions=memory.roster.load_versions, run="run", lease=lease, now=time.time(),
        )
        lost += len(refused)
        left = [one for one in left if one not in {write.account_id for write in kept}]
    with open(out + ".part", "w") as file:
        json.dump({"given": each - len(left), "lost": lost, "spread": max(spread)}, file)
    os.rename(out + ".part", out)
"""


def test_owners_chosen_at_the_same_time_by_four_processes_get_even_loads_and_none_beyond_its_cap(
    tmp_path: Path,
) -> None:
    url = postgres.server().scratch()
    mother = Mother(GIVER)
    outs = [tmp_path / str(n) for n in range(PROCESSES)]
    for n, out in enumerate(outs):
        mother.start(url, str(n), str(CAP), str(EACH), str(out), *OWNERS)
    deadline = time.monotonic() + 60
    while not all(out.exists() for out in outs) and time.monotonic() < deadline:
        time.sleep(0.02)
    told = [json.loads(out.read_text()) for out in outs]
    mother.close()
    journal = Journal.open(url, "main")
    loads = dict(journal.recall({}, now=0).roster.loads)
    journal.close()
    assert loads == dict.fromkeys(OWNERS, CAP), "as many as there is room for, and not one more"
    assert sum(one["given"] for one in told) == CAP * len(OWNERS)
    assert max(one["spread"] for one in told) <= 1, "each was decided on what all the others had done by then"
