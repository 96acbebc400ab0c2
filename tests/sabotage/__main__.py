"""`python -m tests.sabotage [NAME …]`: break the program on purpose and see who notices.

Each is a patch on a temporary copy of the package. Its tests must fail there, and the checker's columns that
it names must turn non-zero in a trial. Prints the table and fails when one survives.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

from tests.sabotage.patches import SABOTAGES
from tests.sabotage.workshop import Caught, Workshop
from tests.soak.checker import COLUMNS


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sabotage", description=__doc__)
    parser.add_argument("names", nargs="*", help="parts of names; all sabotages without one")
    asked = parser.parse_args(arguments)
    chosen = [s for s in SABOTAGES if not asked.names or any(part in s.name for part in asked.names)]
    found: list[Caught] = []
    with Workshop() as shop:
        if sound := shop.columns():
            print(f"the sound program has findings of its own: {sound}")
            return 1
        print(f"{'sabotage':52} {'seconds':>7}  caught by", flush=True)
        for sabotage in chosen:
            found.append(caught := shop.tried(sabotage))
            print(f"{sabotage.name:52} {caught.seconds:7.1f}  {caught.said}", flush=True)
    survived = [caught.sabotage.name for caught in found if not caught.whole]
    shown = {name for caught in found for name in caught.columns}
    columns = {name for s in chosen for name in s.columns}
    missing = sorted((set(COLUMNS) if not asked.names else columns) - shown)
    print(f"{len(found) - len(survived)} of {len(found)} caught; columns shown non-zero: {sorted(shown)}")
    for name in survived:
        print(f"survived: {name}")
    if missing:
        print(f"columns that no sabotage moved: {missing}")
    return 1 if survived or missing else 0


if __name__ == "__main__":
    sys.exit(main())
