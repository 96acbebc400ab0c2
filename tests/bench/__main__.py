"""`make bench`: ratios of things run in turn in one go, medians of five; a Markdown table, or JSON.

Every row compares us with the plainest thing that does the same work on the same machine in the same
minute, so that a slow or busy machine changes both sides.
"""

from __future__ import annotations

import argparse
import gc
import json
import tempfile
from contextlib import ExitStack
from pathlib import Path

from icp_sync.simulator import Simulator
from tests.bench.enrichment_rows import enrichment_rows
from tests.bench.rows import backfill_rows, scoring_row
from tests.bench.salesforce_rows import bulk_rows
from tests.bench.score_rows import scored_rows


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--accounts", type=int, default=2_000)
    options.add_argument("--rows", type=int, default=100_000, help="of the CSV that is scored")
    options.add_argument("--org", type=int, default=100_000, help="accounts of the Salesforce org")
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seeds", type=int, default=20, help="of the vendor bench; each takes a minute")
    options.add_argument("--json", action="store_true")
    chosen = options.parse_args()
    gc.set_threshold(100_000, 50, 100)  # as the program does for itself
    with ExitStack() as stack:
        crm = stack.enter_context(Simulator(accounts=chosen.accounts, limits="off", index_lag=0.0).start())
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        rows = [scoring_row(chosen.rounds), *scored_rows(Path(folder), chosen.rounds, chosen.rows)]
        rows += backfill_rows(crm, Path(folder), chosen.rounds)
        rows += bulk_rows(Path(folder), chosen.rounds, chosen.org)
    rows += enrichment_rows(chosen.seeds)
    if chosen.json:
        print(json.dumps([row.to_json() for row in rows], indent=2))
        return
    print("| what | ours | beside | ratio | goal |\n|---|---|---|---|---|")
    for row in rows:
        print(row.line())


if __name__ == "__main__":
    main()
