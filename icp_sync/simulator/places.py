"""How people write places into a CRM: countries in several spellings, the states of the US."""

from __future__ import annotations

from icp_sync.normalize import countries

# fmt: off
STATES = frozenset({
    "Alabama", "Alaska", "Arizona", "Arkansas", "California", "Colorado", "Connecticut", "Delaware",
    "Florida", "Georgia", "Hawaii", "Idaho", "Illinois", "Indiana", "Iowa", "Kansas", "Kentucky",
    "Louisiana", "Maine", "Maryland", "Massachusetts", "Michigan", "Minnesota", "Mississippi",
    "Missouri", "Montana", "Nebraska", "Nevada", "New Hampshire", "New Jersey", "New Mexico",
    "New York", "North Carolina", "North Dakota", "Ohio", "Oklahoma", "Oregon", "Pennsylvania",
    "Rhode Island", "South Carolina", "South Dakota", "Tennessee", "Texas", "Utah", "Vermont",
    "Virginia", "Washington", "West Virginia", "Wisconsin", "Wyoming", "Washington, D.C.",
    "District of Columbia", "Puerto Rico",
})
# fmt: on
_SPELLINGS = {
    "US": ("United States", "United States", "USA", "US", "U.S.", "United States of America"),
    "DE": ("Germany", "Germany", "Deutschland", "DE"),
    "GB": ("United Kingdom", "United Kingdom", "UK", "Great Britain"),
    "FR": ("France", "France", "FR"),
    "ES": ("Spain", "España"),
    "NL": ("Netherlands", "The Netherlands", "NL"),
    "CH": ("Switzerland", "Schweiz"),
    "SE": ("Sweden", "Sverige"),
    "JP": ("Japan", "Japan", "JP"),
    "IT": ("Italy", "Italia"),
    "BE": ("Belgium", "België"),
}


def spellings(code: str) -> tuple[str, ...]:
    """Ways to write a country, the usual ones several times. `code`: ISO 3166-1 alpha-2."""
    return _SPELLINGS.get(code) or (countries.name_of(code) or code,)
