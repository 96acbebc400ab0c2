"""How many cases would be enough, no more exactly than anybody can know. Knows two numbers."""

from __future__ import annotations

from math import floor, log10

FAR = 10
"""So many times what there is, and the number itself says nothing any more."""


def roughly(n: int, there: int) -> str:
    """A number of cases, rounded up to one significant figure: "about 5,000"; "far more" where it is that."""
    if n > FAR * max(1, there):
        return "far more"
    step = 10 ** floor(log10(max(1, n)))
    return f"about {-(-n // step) * step:,}"
