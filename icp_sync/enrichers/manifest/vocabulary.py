"""The words a manifest chooses among: how sure it is, what a reply is, what leaves, how a value is read."""

from __future__ import annotations

from typing import Literal

Sure = Literal["observed", "sdk", "documented", "third_party", "memory"]
"""How sure we are of a line: seen on the wire, the vendor's own SDK or OpenAPI, its documentation, somebody
else's code or capture, nobody's word."""

Outcome = Literal[
    "hit",
    "miss",
    "ambiguous",
    "pending",
    "throttled",
    "no_credit",
    "not_entitled",
    "bad_input",
    "error",
    "unknown",
]
"""What a reply amounts to, for one company; the answers of `icp_sync.ports` in a word each."""

Leaving = Literal["domain", "name", "country"]
"""What of an account may be sent to a vendor. There is nothing else."""

Kinds = Literal[
    "number",
    "money",
    "date",
    "choice",
    "set",
    "yes_no",
    "country",
    "industry",
    "domain",
    "text",
    "funding_stage",
]
"""How a value is read: the kinds of a facts map, and one more."""
