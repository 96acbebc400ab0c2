"""What the CRM refused, by its reason: how many accounts, which ones for example, what helps."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from icp_sync.cli.rendering import Screen
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

    Ids and quoted values, which differ from account to account, do not make another reason.
    """
    found: dict[str, Data] = {}
    for refusal in _all(journal):
        key = _OWN.sub("…", refusal.problem)
        if key not in found and len(found) >= REASONS:
            key = OTHERS
        group = found.setdefault(
            key, {"reason": refusal.problem, "accounts": 0, "given_up": 0, "examples": []}
        )
        if key == OTHERS:
            group["reason"] = OTHERS
        group["accounts"] = int(str(group["accounts"])) + 1
        group["given_up"] = int(str(group["given_up"])) + (refusal.status == "dead")
        examples = group["examples"]
        assert isinstance(examples, list)
        if len(examples) < EXAMPLES:
            examples.append({"id": refusal.account_id, "name": refusal.name})
    return sorted(found.values(), key=lambda group: -int(str(group["accounts"])))


def _all(journal: Journal) -> Iterator[Refusal]:
    after = ""
    while page := journal.refusals(after):
        yield from page
        after = page[-1].account_id


def show(screen: Screen, groups: list[Data]) -> None:
    from icp_sync.cli.text import short

    if not groups:
        return
    screen.heading("Why the CRM refuses")
    rows = []
    for group in groups:
        examples = group["examples"]
        assert isinstance(examples, list)
        named = ", ".join(f"{e['id']} {short(e['name'], 20)}" for e in examples)
        rows.append((f"{group['accounts']:,}", f"{group['given_up']:,}", short(group["reason"], 160), named))
    screen.table(["accounts", "given up", "in the CRM's words", "for example"], rows, right=(0, 1))
    screen.say("Once that is put right: icp-sync retry --all, or icp-sync retry ID")
