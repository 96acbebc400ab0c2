"""A page as it is to be settled: all that is remembered of its accounts, and those read again that another
stream has read since. Must not know what is made of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from icp_sync.domain.account import Memory
from icp_sync.domain.facts import LEVELS
from icp_sync.domain.kin import with_news_above
from icp_sync.journal import Journal, Relative
from icp_sync.ports import Crm, Enricher, Page, account_key
from icp_sync.sync.draft import Policy
from icp_sync.sync.subjects import company_key, needs_account_key


def recalled(
    page: Page, policy: Policy, enrichers: Sequence[Enricher], journal: Journal, now: float
) -> Memory:
    """All that is remembered of the accounts on a page, their parents and groups included."""
    keys = {account.id: company_key(account.domain) for account in page.accounts}
    relatives = [Relative(a.id, a.parent, keys[a.id], a.owner) for a in page.accounts]
    kin = journal.kin(relatives, asked=policy.kin_facts, owners=policy.keeps)
    if policy.kin_facts:  # what was bought about those above is recalled as theirs
        above = [family.above(level) for family in kin.values() for level in LEVELS]
        keys = {id: company_key(domain) for id, domain in above if id} | keys
    also = {id: account_key(id) for id in keys} if any(map(needs_account_key, enrichers)) else {}
    memory = replace(journal.recall(keys, now=now, also=also), kin=kin)
    here = {account.id: account for account in page.accounts}
    return with_news_above(memory, policy.kin_facts, here, policy.types, policy.buying)


def as_of_now(
    page: Page, policy: Policy, enrichers: Sequence[Enricher], journal: Journal, crm: Crm, now: float
) -> tuple[Page, Memory]:
    """The page and what is remembered of it; accounts another stream has read since are read again."""
    memory = recalled(page, policy, enrichers, journal, now)
    overtaken = [a.id for a in page.accounts if memory.of(a.id).stamp > a.stamp]
    if not overtaken:
        return page, memory
    page = read_again(page, overtaken, crm)
    return page, recalled(page, policy, enrichers, journal, now)


def read_again(page: Page, ids: Sequence[str], crm: Crm) -> Page:
    """The page with these accounts as they are now: an older copy must not overwrite what was done since. One
    that cannot be read any more is left out."""
    fresh, outdated = crm.fetch(ids), frozenset(ids)
    now = {account.id: account for account in fresh.accounts}
    copies = (now.get(a.id) if a.id in outdated else a for a in page.accounts)
    accounts = tuple(a for a in copies if a is not None and a.id not in fresh.gone)
    return replace(page, accounts=accounts, gone={**page.gone, **fresh.gone})
