"""Which facts may be taken as they stand today for a deal that was decided long ago, and which may not.

A judgement about facts, written as tables; knows no cases and no CRM.
"""

from __future__ import annotations

from collections.abc import Mapping

OUTCOME_FACTS: Mapping[str, str] = {
    "lifecycle": "the stage moves to customer when a deal is won",
    "account_type": "the type is set to customer when a deal is won",
    "population": "it is derived from the stage and the type, which follow the deal",
    "lead_status": "it is where the salesperson stands with the company, not what the company is",
    "won_deals": "it counts the deals that were won, the one that decides among them",
    "open_deals": "it counts the deals that are open, the one that decides among them",
    "last_activity": "it is the last call or message, and those follow the deal",
    "last_touch": "it is the last call or message, and those follow the deal",
    "last_visit": "who buys comes to the site again, before the deal and as a customer",
    "contacts": "people are added to the record while a deal runs",
    "contact_titles": "people are added to the record while a deal runs",
    "children": "branches are mostly recorded for companies somebody already sells to",
}
"""Fact → why it changes because of a deal. Never learned from, whatever the data say."""

STEADY = frozenset(
    (
        "name",
        "domain",
        "industry",
        "sector",
        "country",
        "state",
        "city",
        "founded",
        "ownership",
        "business_model",
        "residency",
        "legal_name",
        "registry_status",
        "lei",
        "keywords",
    )
)
"""Facts that hardly change in the two years a case may be old: as they stand today they stood then."""

DRIFTING = ("employees", "revenue", "technologies")
"""Facts that change within a year or two, though not out of all knowledge: used as they stand, and named."""

EVENT_DATES = ("last_funding_date", "last_news_date")
"""Dates of the last event of a kind: one from before the decision was known then, a later one tells nothing
of that time."""

AS_OF_ROUND = ("funding_stage", "funding_total")
"""Facts that change with a funding round: they stood then when the last round came before the decision."""

MOVING: Mapping[str, str] = {
    "open_roles": "the roles a company hires for change from month to month",
    "open_jobs": "the number of open jobs changes from month to month",
    "employee_growth": "growth over the last year is not growth before the decision",
    "web_visits": "visits to a site change from month to month",
    "intent_topics": "what people there read about is of this month",
    "intent_score": "intent is of this month",
    "buying_stage": "where they stand in buying is of this month, and follows the deal",
    "news": "the latest news is not what the news was then",
}
"""Fact → why it may not be taken as it stands today."""
