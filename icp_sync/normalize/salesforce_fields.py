"""The facts map of Salesforce's standard Account fields, from which a connection may differ.

Only fields every org has: those of Data.com (`YearStarted`, `NaicsCode`) and the country codes of State &
Country picklists exist in some orgs only, and a query that names a missing field fails as a whole.
Account in the Object Reference:
https://developer.salesforce.com/docs/atlas.en-us.object_reference.meta/object_reference/sforce_api_objects_account.htm
"""

from __future__ import annotations

from icp_sync.normalize import industries
from icp_sync.normalize.facts_map import FactsMap, FactSource
from icp_sync.normalize.kinds import Kind

INDUSTRIES = (
    "Agriculture", "Apparel", "Banking", "Biotechnology", "Chemicals", "Communications", "Construction",
    "Consulting", "Education", "Electronics", "Energy", "Engineering", "Entertainment", "Environmental",
    "Finance", "Food & Beverage", "Government", "Healthcare", "Hospitality", "Insurance", "Machinery",
    "Manufacturing", "Media", "Not For Profit", "Recreation", "Retail", "Shipping", "Technology",
    "Telecommunications", "Transportation", "Utilities", "Other",
)  # fmt: skip
"""The values `Account.Industry` comes with; an org may change them."""

OWNERSHIPS = ("Public", "Private", "Subsidiary", "Other")


def _meanings() -> dict[str, str]:
    """Salesforce's industries → HubSpot's, "" where the label spans several: then nothing is said."""
    return {label.lower(): industries.from_label(label, "salesforce").value for label in INDUSTRIES}


SALESFORCE_DEFAULTS = FactsMap(
    (
        FactSource(property="Name", fact="name", kind=Kind.TEXT),
        FactSource(property="Website", fact="domain", kind=Kind.DOMAIN),
        FactSource(property="Industry", fact="industry", kind=Kind.INDUSTRY, values=_meanings()),
        FactSource(property="NumberOfEmployees", fact="employees", kind=Kind.NUMBER),
        FactSource(property="AnnualRevenue", fact="revenue", kind=Kind.MONEY, currency="account"),
        FactSource(property="BillingCountry", fact="country", kind=Kind.COUNTRY),
        FactSource(property="ShippingCountry", fact="country", kind=Kind.COUNTRY, rank=1),
        FactSource(property="BillingState", fact="state", kind=Kind.TEXT),
        FactSource(property="BillingCity", fact="city", kind=Kind.TEXT),
        FactSource(
            property="Ownership",
            fact="ownership",
            kind=Kind.CHOICE,
            values={"subsidiary": "", "other": ""},
        ),
        FactSource(property="Type", fact="account_type", kind=Kind.CHOICE),
        FactSource(property="LastActivityDate", fact="last_activity", kind=Kind.DATE),
    )
)
"""A subsidiary may be public or private, so `Ownership` says nothing then."""
