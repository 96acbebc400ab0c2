"""`python -m tests.security`: every value of the corpus at every place, and what became of them."""

from __future__ import annotations

import sys

from tests.security.corpus import VALUES, WRECKS
from tests.security.places import run, shown
from tests.security.servers import run_wrecks


def main() -> int:
    """Print the table; 1 when there is a finding."""
    counted, findings = run(VALUES)
    replies, broken = run_wrecks(WRECKS)
    print(f"{'place':<40}{'read':>8}{'unknown':>9}{'error':>8}")
    for name, row in {**counted, **replies}.items():
        print(f"{name:<40}{row['read']:>8}{row['unknown']:>9}{row['error']:>8}")
    total = sum(sum(row.values()) for row in (*counted.values(), *replies.values()))
    print(f"\n{len(VALUES)} values and {len(WRECKS)} replies, {total:,} times pushed", end=", ")
    print(f"{len(findings) + len(broken)} findings")
    for place, value, error in (*findings, *broken):
        print(f"  {place}: {shown(value)}: {type(error).__name__}: {shown(str(error))}")
    return 1 if findings or broken else 0


if __name__ == "__main__":
    sys.exit(main())
