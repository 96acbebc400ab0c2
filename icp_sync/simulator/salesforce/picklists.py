"""The values of Salesforce's standard picklists in a fresh org. An admin may change every one of them.

https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_opportunity.htm
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from icp_sync.simulator.salesforce.schema import Choice


def choices(values: Iterable[str]) -> tuple[Choice, ...]:
    """Values whose label is the value itself."""
    return tuple(Choice(value=value, label=value) for value in values)


INDUSTRIES = choices(
    (
        "Agriculture",
        "Apparel",
        "Banking",
        "Biotechnology",
        "Chemicals",
        "Communications",
        "Construction",
        "Consulting",
        "Education",
        "Electronics",
        "Energy",
        "Engineering",
        "Entertainment",
        "Environmental",
        "Finance",
        "Food & Beverage",
        "Government",
        "Healthcare",
        "Hospitality",
        "Insurance",
        "Machinery",
        "Manufacturing",
        "Media",
        "Not For Profit",
        "Recreation",
        "Retail",
        "Shipping",
        "Technology",
        "Telecommunications",
        "Transportation",
        "Utilities",
        "Other",
    )
)
ACCOUNT_TYPES = choices(
    (
        "Prospect",
        "Customer - Direct",
        "Customer - Channel",
        "Channel Partner / Reseller",
        "Installation Partner",
        "Technology Partner",
        "Other",
    )
)
OWNERSHIP = choices(("Public", "Private", "Subsidiary", "Other"))
RATINGS = choices(("Hot", "Warm", "Cold"))
SOURCES = choices(("Web", "Phone Inquiry", "Partner Referral", "Purchased List", "Other"))
OPPORTUNITY_TYPES = choices(
    (
        "Existing Customer - Upgrade",
        "Existing Customer - Replacement",
        "Existing Customer - Downgrade",
        "New Customer",
    )
)
FORECASTS = choices(("Omitted", "Pipeline", "BestCase", "MostLikely", "Forecast", "Closed"))
CURRENCIES = choices(("USD", "EUR", "GBP", "JPY"))
COUNTRIES = tuple(
    Choice(value=code, label=label)
    for code, label in (
        ("US", "United States"),
        ("CA", "Canada"),
        ("GB", "United Kingdom"),
        ("IE", "Ireland"),
        ("DE", "Germany"),
        ("FR", "France"),
        ("ES", "Spain"),
        ("IT", "Italy"),
        ("NL", "Netherlands"),
        ("BE", "Belgium"),
        ("CH", "Switzerland"),
        ("AT", "Austria"),
        ("SE", "Sweden"),
        ("NO", "Norway"),
        ("DK", "Denmark"),
        ("FI", "Finland"),
        ("JP", "Japan"),
        ("AU", "Australia"),
        ("IN", "India"),
        ("BR", "Brazil"),
    )
)
_STATE_CODES = """
AL Alabama, AK Alaska, AZ Arizona, AR Arkansas, CA California, CO Colorado, CT Connecticut, DE Delaware,
DC District of Columbia, FL Florida, GA Georgia, HI Hawaii, ID Idaho, IL Illinois, IN Indiana, IA Iowa,
KS Kansas, KY Kentucky, LA Louisiana, ME Maine, MD Maryland, MA Massachusetts, MI Michigan, MN Minnesota,
MS Mississippi, MO Missouri, MT Montana, NE Nebraska, NV Nevada, NH New Hampshire, NJ New Jersey,
NM New Mexico, NY New York, NC North Carolina, ND North Dakota, OH Ohio, OK Oklahoma, OR Oregon,
PA Pennsylvania, RI Rhode Island, SC South Carolina, SD South Dakota, TN Tennessee, TX Texas, UT Utah,
VT Vermont, VA Virginia, WA Washington, WV West Virginia, WI Wisconsin, WY Wyoming
"""
US_STATES = tuple(
    Choice(value=state.strip()[:2], label=state.strip()[3:]) for state in _STATE_CODES.split(",")
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """A stage of opportunities and what follows from it. probability: percent."""

    label: str
    closed: bool = False
    won: bool = False
    probability: int
    forecast: str = "Pipeline"


STAGES = (
    Stage(label="Prospecting", probability=10),
    Stage(label="Qualification", probability=10),
    Stage(label="Needs Analysis", probability=20),
    Stage(label="Value Proposition", probability=50),
    Stage(label="Id. Decision Makers", probability=60),
    Stage(label="Perception Analysis", probability=70),
    Stage(label="Proposal/Price Quote", probability=75),
    Stage(label="Negotiation/Review", probability=90),
    Stage(label="Closed Won", closed=True, won=True, probability=100, forecast="Closed"),
    Stage(label="Closed Lost", closed=True, probability=0, forecast="Omitted"),
)
TASK_STATES = ("Not Started", "In Progress", "Completed", "Waiting on someone else", "Deferred")
STAGE_OF = {stage.label: stage for stage in STAGES}
