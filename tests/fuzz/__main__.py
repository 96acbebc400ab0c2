"""`python -m tests.fuzz [--minutes N] [--keep] [TARGET …]`: fuzz each target for its share of the time.

`--keep` writes what reached something new into the corpus, the fewest inputs that reach it all. An input that
breaks a target is written beside the corpus and ends the run with exit 1.
"""

from __future__ import annotations

import argparse
import random
import sys
import traceback
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from tests.fuzz.fuzzing import BrokenError, corpus, fewest, fuzz, keep
from tests.fuzz.targets import TARGETS, WORDS, seeds


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", default=sorted(TARGETS), help=", ".join(sorted(TARGETS)))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--seed", type=int, default=None, help="of the dice; another one each time without")
    parser.add_argument("--keep", action="store_true", help="write the corpus anew")
    asked = parser.parse_args(arguments)
    seed = random.SystemRandom().randrange(1 << 32) if asked.seed is None else asked.seed
    print(f"seed {seed}")
    for name in asked.targets:
        known, dice = [*seeds(name), *corpus(name)], random.Random(seed)
        share = asked.minutes * 60 / len(asked.targets)
        try:
            found = fuzz(TARGETS[name], known, WORDS[name], dice=dice, seconds=share)
        except BrokenError as error:
            path = Path(f"broken-{name}-{sha256(error.data).hexdigest()[:12]}")
            path.write_bytes(error.data)
            traceback.print_exception(error.__cause__)
            print(f"{name}: broken by {path}")
            return 1
        said = f"{name}: {found.tried} inputs, {len(found.edges)} edges, {len(found.kept)} inputs new"
        if asked.keep:
            said += f", {keep(name, fewest(TARGETS[name], [*corpus(name), *found.kept]))} in the corpus"
        print(said, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
