"""`python -m tests.bench.sections.growth --size N`: one size alone, as JSON."""

from __future__ import annotations

import argparse
import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

from icp_sync.observe import configure_logs
from tests.bench.sections.growth.part import BEGINS, RESTS, part


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--size", type=int, required=True, metavar="N")
    options.add_argument("--rests", type=float, default=RESTS, metavar="SECONDS")
    options.add_argument("--begins", type=float, default=BEGINS, metavar="SECONDS")
    options.add_argument("--folder", type=Path, default=os.environ.get("TMPDIR", "/var/tmp"))
    chosen = options.parse_args()
    configure_logs(level="error")
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        found = part(Path(folder), chosen.size, rests=chosen.rests, begins=chosen.begins)
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
