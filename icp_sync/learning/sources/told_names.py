"""What exported columns and cells about outcomes are called → what they mean. Only what leaves no doubt.

Sources: labels and internal names of HubSpot's default deal properties (HubSpot knowledge base); API names
of Salesforce's Opportunity object (object reference) and the column labels of its opportunity reports; stages
of both products' default pipelines.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from icp_sync.learning.definitions import CHURNED_ON, NPS, OUTCOMES, RENEWALS, VALUE
from icp_sync.tables.names import squeezed

OUTCOME, BEGUN, DECIDED, OBSERVED = "outcome", "begun", "decided", "observed"
ID, DOMAIN, NAME, CURRENCY = "id", "domain", "name", "currency"
PARENT = "parent"
DEAL, JOIN = "deal:", "join:"
"""How `--map` says of which file it speaks: "COLUMN=deal:amount"."""

TOLD: Mapping[str, tuple[str, ...]] = {
    OUTCOME: ("Outcome", "ICP outcome"),
    BEGUN: ("Begun", "Deal created", "Deal create date", "Opportunity created", "First deal created date"),
    DECIDED: (
        "Decided", "Decided on", "Decision date", "Outcome date", "Close Date", "Closed Date", "Closed on",
    ),
    CHURNED_ON: (
        "Churned on", "Churn date", "Churned at", "Date of churn", "Cancellation date", "Cancelled on",
        "Canceled on",
    ),
    VALUE: ("Customer value", "Lifetime value", "Customer lifetime value", "LTV", "CLV", "Contract value"),
    RENEWALS: ("Renewals", "Number of renewals"),
    NPS: ("NPS", "NPS score", "Net promoter score"),
    OBSERVED: ("Observed", "Observed on", "Observed at", "Facts as of", "As of", "Snapshot date"),
}  # fmt: skip
"""What a file of accounts may tell of their fate → names of columns, the most telling first."""

PARENTS = (
    "Ultimate Parent Account ID", "Ultimate Parent Account", "Ultimate Parent", "Parent Account ID",
    "ParentId", "Parent Company ID", "hs_parent_company_id", "Parent Account", "Parent Company", "Parent",
)  # fmt: skip
"""What a column of the account above is called, the topmost one first."""

JOINED: Mapping[str, tuple[str, ...]] = {
    **TOLD,
    VALUE: (*TOLD[VALUE], "ARR", "Annual recurring revenue", "ACV", "Annual contract value", "TCV"),
}
"""The same of a file joined: recurring revenue there is what a customer pays, not what it earns."""

DEALS: Mapping[str, tuple[str, ...]] = {
    "id": (
        "Deal ID", "Record ID - Deal", "Record ID", "Opportunity ID 18", "Opportunity ID", "hs_object_id",
        "ID",
    ),
    "account": (
        "Associated Company IDs (Primary)", "Primary Associated Company ID", "Associated Company IDs",
        "Associated Company ID", "hs_primary_associated_company", "Account ID 18", "Account ID", "Company ID",
    ),
    "domain": (
        "Company Domain Name", "Company domain", "Domain", "Account Website", "Company Website", "Website",
    ),
    "company": (
        "Associated Company (Primary)", "Associated Company", "Associated Companies", "Account Name",
        "Company name", "Company", "Account",
    ),
    "amount": ("Amount", "Deal Amount", "Opportunity Amount"),
    "currency": (
        "Currency", "Deal currency", "deal_currency_code", "CurrencyIsoCode", "Opportunity Currency",
        "Amount Currency",
    ),
    "stage": ("Deal Stage", "Stage", "StageName"),
    "won": ("Is closed won", "hs_is_closed_won", "Won", "Is Won"),
    "lost": ("Is closed lost", "hs_is_closed_lost", "Lost", "Is Lost"),
    "closed": ("Is Closed", "hs_is_closed", "Is Deal Closed?", "Closed"),
    "close_date": ("Close Date", "Closed Date", "Date closed"),
    "create_date": ("Create Date", "Created Date", "Created At", "Created On", "Date created"),
}  # fmt: skip
"""What a file of deals tells → names of columns, the most telling first."""

DATES = (BEGUN, DECIDED, CHURNED_ON, OBSERVED)
DEAL_DATES = ("close_date", "create_date")
"""Roles that are dates, of accounts and of deals."""
KEYS = (ID, DOMAIN, NAME, CURRENCY)
TOLD_ROLES = (OUTCOME, BEGUN, DECIDED, *OUTCOMES, OBSERVED, PARENT)


class Said(StrEnum):
    """What somebody says became of an account."""

    WON = "won"
    LOST = "lost"
    CHURNED = "churned"
    NEVER = "never closed"
    OPEN = "open"
    RETAINED = "retained"
    BEST = "high-value retained"
    LOW = "low-value retained"


_SAID: Mapping[Said, tuple[str, ...]] = {
    Said.WON: ("won", "closed won", "yes", "y", "true", "1"),
    Said.LOST: ("lost", "closed lost", "no", "n", "false", "0"),
    Said.CHURNED: ("churned", "churn"),
    Said.NEVER: ("never closed", "never", "no decision"),
    Said.OPEN: ("open", "in progress"),
    Said.RETAINED: ("retained", "renewed"),
    Said.BEST: ("high-value retained", "best"),
    Said.LOW: ("low-value retained",),
}
_SAID_OF = {squeezed(word): fate for fate, words in _SAID.items() for word in words}
SAID_WORDS = ", ".join(f"'{fate}'" for fate in Said) + ", yes or no"

_STAGES = {
    Said.WON: ("closed won", "won"),
    Said.LOST: ("closed lost", "lost"),
    Said.OPEN: (
        "open", "appointment scheduled", "qualified to buy", "presentation scheduled",
        "decision maker bought-in", "contract sent", "prospecting", "qualification", "needs analysis",
        "value proposition", "id. decision makers", "perception analysis", "proposal/price quote",
        "negotiation/review", "proposal", "negotiation",
    ),
}  # fmt: skip
_STAGE_OF = {squeezed(word): fate for fate, words in _STAGES.items() for word in words}


def said_of(cell: str) -> Said | None:
    """What an outcome's word means, None for one nobody knows."""
    return _SAID_OF.get(squeezed(cell))


def stage_of(cell: str) -> Said | None:
    """WON, LOST or OPEN where a stage's name leaves no doubt ("7 - Closed Won" is won), else None."""
    word = squeezed(cell)
    won, lost = "closedwon" in word, "closedlost" in word
    if won is not lost:
        return Said.WON if won else Said.LOST
    return _STAGE_OF.get(word)
