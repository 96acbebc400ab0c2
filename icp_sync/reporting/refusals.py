"""What the CRM refused, by its reason: how many accounts, which ones for example, and all of them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.journal import Journal
    from icp_sync.journal.retrying import Refusal

EXAMPLES = 3
REASONS = 200
"""Different reasons told apart; what comes beyond them is counted together."""
OTHERS = "other reasons"

_OWN = re.compile(
    r"\b(?:\d{5,}|(?=\w*\d)[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?)\b|'[^']{0,200}'|\"[^\"]{0,200}\""
)
"""What is an account's own in a reason: record ids, and values in quotes."""

Data = dict[str, object]


def reasons(journal: Journal) -> list[Data]:
    """The CRM's words → accounts refused or given up on for them, most first, with examples.

    Ids and quoted values, which differ from account to account, do not make another reason. key: names the
    reason, see `refused_for`.
    """
    found: dict[str, Data] = {}
    for refusal in _all(journal):
        said = _common(refusal)
        if said not in found and len(found) >= REASONS:
            said = OTHERS
        group = found.setdefault(
            said,
            {"key": key_of(said), "reason": refusal.problem, "accounts": 0, "given_up": 0, "examples": []},
        )
        if said == OTHERS:
            group["reason"] = OTHERS
        group["accounts"] = int(str(group["accounts"])) + 1
        group["given_up"] = int(str(group["given_up"])) + (refusal.status == "dead")
        examples = group["examples"]
        assert isinstance(examples, list)
        if len(examples) < EXAMPLES:
            examples.append({"id": refusal.account_id, "name": refusal.name})
    return sorted(found.values(), key=lambda group: -int(str(group["accounts"])))


def refused_for(journal: Journal, key: str) -> list[str]:
    """The accounts refused or given up on for the reason of this key; of "other reasons" none."""
    return [one.account_id for one in _all(journal) if key_of(_common(one)) == key]


def key_of(said: str) -> str:
    return blake2b(said.encode(), digest_size=8).hexdigest()


def _common(refusal: Refusal) -> str:
    """What is the same for all accounts refused for one reason."""
    return _OWN.sub("…", refusal.problem)


def _all(journal: Journal) -> Iterator[Refusal]:
    after = ""
    while page := journal.refusals(after):
        yield from page
        after = page[-1].account_id
