"""What exported columns are called: names of HubSpot, Salesforce and common lists → the fact they feed.

Only names that leave no doubt: "Total Revenue" is what HubSpot won from a company, not the company's own;
"ARR", "Turnover" and "Region" mean different things to different people. Those are left to the user.

Sources: HubSpot's default company properties (labels and internal names, HubSpot knowledge base);
Salesforce's Account object reference (API names) and the column labels of its account reports.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from icp_sync.domain.facts import CATALOGUE
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS

ROLES = ("id", "owner", "currency")
"""What a column may be besides a fact: the record's id, its owner, the currency of its plain amounts."""

IGNORE = "ignore"

NAMES: Mapping[str, tuple[str, ...]] = {
    "id": (
        "Record ID", "hs_object_id", "Account ID 18", "18 Digit Account ID", "Account ID (18)",
        "Case Safe ID", "Account ID", "Company ID", "Record ID - Company", "ID",
    ),
    "owner": (
        "Company owner email", "Account Owner Email", "Account Owner: Email", "Owner Email", "Owner.Email",
        "Company owner", "HubSpot owner", "hubspot_owner_id", "Account Owner", "Account Owner: Full Name",
        "Owner.Name", "Owner", "Owner ID",
    ),
    "currency": (
        "Account Currency", "CurrencyIsoCode", "Currency ISO Code", "Annual Revenue Currency", "Currency",
        "Company currency",
    ),
    "name": (
        "Company name", "Account Name", "name", "Company", "Account", "Organization", "Organisation",
        "Organization Name", "Business Name", "Legal Name", "Firma", "Firmenname", "Unternehmen",
    ),
    "domain": (
        "Company Domain Name", "domain", "Domain Name", "Company Domain", "Website", "Website URL",
        "Web Site", "Company Website", "Homepage", "URL", "Webseite",
    ),
    "employees": (
        "Number of Employees", "numberofemployees", "employees", "Employee Count", "Employees Count",
        "No. of Employees", "# Employees", "Headcount", "Staff Count", "Mitarbeiter", "Mitarbeiterzahl",
        "Anzahl Mitarbeiter", "hs_employee_range", "Employee range", "Company size",
    ),
    "revenue": (
        "Annual Revenue", "annualrevenue", "revenue", "Yearly Revenue", "Estimated Annual Revenue",
        "Estimated Revenue", "Umsatz", "Jahresumsatz", "Annual Revenue (converted)", "hs_revenue_range",
        "Revenue range",
    ),
    "country": (
        "Country/Region", "country", "Billing Country", "BillingCountry", "Billing Country/Territory",
        "Country/Territory", "Headquarters Country", "HQ Country", "Company Country", "Land",
        "hs_country_code", "BillingCountryCode", "Billing Country Code", "Country Code",
        "Country/Region Code",
    ),
    "state": (
        "State/Region", "state", "Billing State/Province", "BillingState", "State/Province", "Billing State",
        "State/Region Code", "BillingStateCode",
    ),
    "city": ("City", "Billing City", "BillingCity", "HQ City", "Headquarters City", "Stadt"),
    "industry": ("Industry", "Company Industry", "Primary Industry", "Branche"),
    "founded": (
        "Year Founded", "founded_year", "Founded Year", "founded", "Year Started", "YearStarted",
        "Founding Year", "Gründungsjahr",
    ),
    "ownership": ("Ownership", "Is Public", "is_public"),
    "technologies": (
        "Web Technologies", "web_technologies", "technologies", "Tech Stack", "Technology Stack",
        "Technologies Used",
    ),
    "business_model": ("Business Model",),
    "funding_stage": ("Funding Stage", "Last Funding Type"),
    "funding_total": ("Total Money Raised", "total_money_raised", "Total Funding", "Total Funding Amount"),
    "last_funding_date": ("Last Funding Date", "Latest Funding Date", "Recent Funding Date"),
    "open_roles": ("Open Roles", "Open Positions", "Hiring For"),
    "keywords": ("Company Keywords", "hs_keywords", "keywords"),
    "web_visits": ("Web Visits", "Monthly Visits", "Monthly Web Visits", "Monthly Website Visits"),
    "lifecycle": ("Lifecycle Stage", "lifecyclestage"),
    "account_type": ("Type", "Account Type"),
    "lead_status": ("Lead Status", "hs_lead_status"),
    "open_deals": (
        "Number of open deals", "hs_num_open_deals", "Open Deals", "Open Opportunities",
        "Number of Open Opportunities",
    ),
    "won_deals": ("Won Deals", "Number of Won Deals", "Won Opportunities", "Closed Won Opportunities"),
    "contacts": (
        "Number of Associated Contacts", "num_associated_contacts", "Number of Contacts", "contacts",
    ),
    "contact_titles": ("Contact Titles", "Contact Job Titles"),
    "children": ("Number of child companies", "hs_num_child_companies", "Child Companies"),
    "last_activity": ("Last Activity Date", "notes_last_updated", "Last Activity", "LastActivityDate"),
    "last_touch": ("Last Contacted", "notes_last_contacted"),
    "residency": ("Data Residency",),
}  # fmt: skip
"""Fact or role → names, the most telling first."""

_BEFORE = re.compile(r"^(?:account|company)\s*(?::|\.)\s*", re.IGNORECASE)
_CUSTOM = re.compile(r"__c$", re.IGNORECASE)


def squeezed(column: str) -> str:
    """Letters and digits alone, lower case: "Number of Employees" and "numberofemployees" are one name."""
    return "".join(c for c in _CUSTOM.sub("", column).lower() if c.isalnum())


_KNOWN: Mapping[str, tuple[str, int]] = {
    **{squeezed(fact): (fact, 0) for fact in CATALOGUE if fact != "population"},
    **{
        squeezed(name): (feeds, rank)
        for feeds, names in reversed(list(NAMES.items()))
        for rank, name in reversed(list(enumerate(names)))
    },
}


def meaning(column: str) -> tuple[str, int] | None:
    """The fact or role a column name stands for, and how far down its list it is; None in doubt."""
    key = squeezed(column)
    return _KNOWN.get(key) or _KNOWN.get(squeezed(_BEFORE.sub("", column)))


_STAGES = next(s.values for s in HUBSPOT_DEFAULTS.sources if s.fact == "lifecycle")
_LABELS = {
    "marketing qualified lead": "marketingqualifiedlead",
    "sales qualified lead": "salesqualifiedlead",
}

VALUES: Mapping[str, Mapping[str, str]] = {
    "lifecycle": {**_STAGES, **{label: _STAGES[name] for label, name in _LABELS.items()}},
    "ownership": {"true": "public", "false": "", "yes": "public", "no": ""},
}
"""Words that mean something else than themselves: labels of stages, and whether a company is public."""

COMPLETE = frozenset({"lifecycle"})
"""Sets whose cell says all there is to say."""
