"""Duplicate rules: another account has the same website. An alert can be waved through, a block cannot.

https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/headers_duplicaterules.htm
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from icp_sync.simulator.salesforce.errors import Json, row_error
from icp_sync.simulator.salesforce.org import Org
from icp_sync.simulator.store import Record

MATCHED = "Website"


@dataclass(slots=True, kw_only=True)
class DuplicateRule:
    """The org's rule as one request meets it.

    waved: the request allows saving in spite of an alert. always: whether a write that leaves the matched
    field alone is looked at too (over REST nothing says that it is not).
    """

    org: Org
    waved: bool
    always: bool
    websites: Counter[str] | None = None

    def refusal(self, kept: Mapping[str, str], record: Record | None) -> Json | None:
        """What the rule says of an account about to be written; None when nothing."""
        switches = self.org.switches
        if not (switches.duplicate_block or (switches.duplicate_alert and not self.waved)):
            return None
        if MATCHED not in kept and not self.always:
            return None
        held = record.props.get(MATCHED, "") if record is not None else ""
        website = kept.get(MATCHED, held).lower()
        if not website or self._others(website, held.lower()) <= 0:
            return None
        return row_error("DUPLICATES_DETECTED", "Use one of these records?")

    def _others(self, website: str, held: str) -> int:
        """How many other accounts have it."""
        if self.websites is None:
            store = self.org.accounts.store
            live = (store.records[number].props.get(MATCHED, "") for number in store.live)
            self.websites = Counter(map(str.lower, live))
        return self.websites[website] - (website == held)
