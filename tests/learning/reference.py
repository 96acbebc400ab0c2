"""The values other libraries computed, and how near ours must come."""

from __future__ import annotations

import json
from functools import lru_cache
from math import isclose
from pathlib import Path
from typing import Any


@lru_cache(maxsize=1)
def _values() -> dict[str, Any]:
    return json.loads(Path(__file__).with_name("reference_values.json").read_text())


def reference(name: str) -> Any:
    """The table of that name; its columns are those of `make_reference_values`."""
    return _values()[name]


def near(ours: float, theirs: float, *, relative: float = 1e-9) -> bool:
    return isclose(ours, theirs, rel_tol=relative, abs_tol=1e-300)
