"""`make bench`: ratios of things run in turn in one go, medians of five; one Markdown table and JSON.

Every row compares us with something that does the same work on the same machine in the same minute, so that
a slow or busy machine changes both sides. `python -m tests.bench [SECTION …]` runs some; `--keep` keeps what
was found in `measured.json`, of which `--readme` draws README's table and its picture.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from pathlib import Path

from icp_sync.cli.memory import keep_memory_flat
from icp_sync.observe import configure_logs
from tests.bench import kept
from tests.bench.sections import SECTIONS, Size
from tests.bench.table import Section


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    options.add_argument("--small", action="store_true", help="every size small: to see that it runs")
    options.add_argument("--json", type=Path, help="write all figures to this file")
    options.add_argument("--keep", action="store_true", help=f"remember the figures in {kept.FILE}")
    options.add_argument("--readme", action="store_true", help="only draw README's part from what is kept")
    chosen = options.parse_args()
    if chosen.readme:
        kept.draw()
        return
    unknown = sorted(set(chosen.sections) - SECTIONS.keys())
    if unknown:
        options.error(f"no section {', '.join(unknown)}; there are {', '.join(SECTIONS)}")
    usual = [name for name in SECTIONS if name != "peers" or os.environ.get("PEERS")]
    keep_memory_flat()  # as the program does for itself
    configure_logs(level="error")
    size = Size.small() if chosen.small else Size()
    found: dict[str, Section] = {}
    for name in chosen.sections or usual:
        began = time.monotonic()
        with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as folder:
            found[name] = SECTIONS[name](Path(folder), size)
        print(found[name].markdown(), flush=True)
        print(f"{name}: {time.monotonic() - began:.0f} s", file=sys.stderr)
        if chosen.keep:
            kept.keep({name: found[name]})
    if chosen.json:
        told = {name: section.to_json() for name, section in found.items()}
        chosen.json.write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
