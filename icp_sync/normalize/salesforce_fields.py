"""The facts map of Salesforce's standard Account fields, from which a connection may differ.

Fields of features some orgs have not switched on (Data.com, person accounts, State & Country picklists) are
among them: a connection leaves out what its org does not show. A filter made without an org cannot; it asks
`everywhere` for what every org has.
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


_EVERYWHERE = (
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
    FactSource(property="LastActivityDate", fact="last_touch", kind=Kind.DATE),
)

_SOMEWHERE = (
    FactSource(property="BillingCountryCode", fact="country", kind=Kind.COUNTRY, rank=-1),
    FactSource(property="YearStarted", fact="founded", kind=Kind.DATE),
    FactSource(
        property="IsPersonAccount",
        fact="population",
        kind=Kind.CHOICE,
        values={"true": "person", "false": ""},
    ),
    FactSource(property="Opportunities.Open", fact="open_deals", kind=Kind.NUMBER),
    FactSource(property="Opportunities.Won", fact="won_deals", kind=Kind.NUMBER),
)

SALESFORCE_DEFAULTS = FactsMap((*_EVERYWHERE, *_SOMEWHERE))
"""A subsidiary may be public or private, so `Ownership` says nothing then. Where an org has codes for
countries they are beyond doubt, and where it has person accounts only those that are one say so. Open and
won Opportunities are counted by the connection and are no fields. `LastActivityDate` is a day: of the latest
event, or of the latest task that was closed; an open task does not move it (Salesforce Help, "Guidelines for
Tracking Activities")."""


def everywhere(facts_map: FactsMap) -> FactsMap:
    """The map without the sources above that only some orgs have, or that are no field: what a query may name
    in an org nobody has looked at. Sources a connection stated itself stay."""
    return FactsMap([source for source in facts_map.sources if source not in _SOMEWHERE])


COUNTED = {"open_deals": ("Opportunities",), "won_deals": ("Opportunities",)}
"""Facts `everywhere` leaves without a source although a connection has one: fact → where from."""
