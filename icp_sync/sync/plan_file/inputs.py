"""What the CRM says of an account that a plan was made from, as one mark: another mark is another account.

Only what the record itself says counts: its facts, its parent, and what people override. What we
write ourselves is none of it, so a plan that goes on does not take its own writes for news.
"""

from __future__ import annotations

import json
from hashlib import blake2b

from icp_sync.domain.account import Account
from icp_sync.domain.facts import value_to_json
from icp_sync.domain.override import OVERRIDE_FIELDS


def mark_of(account: Account) -> str:
    """A digest of the account's facts as the CRM says them, 24 hexadecimal digits. When they were observed,
    or last enriched, and how they were spelled, makes no difference."""
    facts = sorted(
        [s.fact, s.source.partition(",")[0], json.dumps(value_to_json(s.value))] for s in account.signals
    )
    said = {name: account.live[name] for name in OVERRIDE_FIELDS if account.live.get(name)}
    inputs = json.dumps([facts, account.parent, said], sort_keys=True)
    return blake2b(inputs.encode(), digest_size=12).hexdigest()
