"""Which of Salesforce's 32 industries a sales team would have picked for a company.

The listed companies come with an industry in HubSpot's finer list; a person picks the nearest of the few.
"""

from __future__ import annotations

_WORDS = (
    ("Biotechnology", ("BIOTECH",)),
    ("Not For Profit", ("NON_PROFIT", "PHILANTHROPY", "CIVIC_", "FUND_RAISING")),
    ("Telecommunications", ("TELECOM", "WIRELESS")),
    ("Technology", ("COMPUTER", "INTERNET", "INFORMATION_", "SEMICONDUCTORS", "NANOTECH", "GAMES")),
    ("Electronics", ("ELECTRICAL", "ELECTRONIC")),
    ("Banking", ("BANKING", "CAPITAL_MARKETS")),
    ("Insurance", ("INSURANCE",)),
    ("Finance", ("FINANCIAL", "INVESTMENT", "VENTURE", "ACCOUNTING", "REAL_ESTATE")),
    ("Healthcare", ("HEALTH", "HOSPITAL_", "MEDICAL", "PHARMA", "VETERINARY", "MEDICINE")),
    ("Energy", ("OIL_", "RENEWABLES", "MINING")),
    ("Utilities", ("UTILITIES",)),
    ("Chemicals", ("CHEMICALS", "PLASTICS")),
    ("Construction", ("CONSTRUCTION", "BUILDING", "ARCHITECTURE")),
    ("Consulting", ("CONSULTING", "LEGAL", "LAW_", "RESEARCH", "HUMAN_RESOURCES", "STAFFING", "OUTSOURCING")),
    ("Education", ("EDUCATION", "E_LEARNING", "TRAINING")),
    ("Engineering", ("ENGINEERING",)),
    ("Entertainment", ("ENTERTAINMENT", "MOTION_PICTURES", "MUSIC", "ARTS", "ANIMATION")),
    ("Environmental", ("ENVIRONMENTAL",)),
    ("Food & Beverage", ("FOOD", "DAIRY", "WINE", "TOBACCO", "RESTAURANTS")),
    ("Government", ("GOVERNMENT", "MILITARY", "PUBLIC_SAFETY", "JUDICIARY", "LEGISLATIVE")),
    ("Hospitality", ("HOSPITALITY",)),
    ("Machinery", ("MACHINERY", "INDUSTRIAL_AUTOMATION")),
    ("Media", ("MEDIA", "PUBLISHING", "NEWSPAPERS", "MARKETING", "PRINTING")),
    ("Recreation", ("RECREATION", "SPORT", "LEISURE", "GAMBLING")),
    ("Retail", ("RETAIL", "SUPERMARKETS", "CONSUMER_", "WHOLESALE")),
    ("Apparel", ("APPAREL", "TEXTILES", "LUXURY", "COSMETICS")),
    ("Shipping", ("MARITIME", "SHIP", "FREIGHT", "LOGISTICS")),
    ("Transportation", ("TRANSPORTATION", "AIRLINES", "AUTOMOTIVE", "RAILROAD")),
    ("Agriculture", ("FARMING", "RANCHING", "FISHERY")),
    ("Manufacturing", ("AEROSPACE", "DEFENSE", "GLASS", "PAPER", "PACKAGING", "FURNITURE")),
)


def nearest(industry: str) -> str:
    """The label for one of HubSpot's industries; "" stays blank."""
    if not industry:
        return ""
    return next((label for label, words in _WORDS if any(word in industry for word in words)), "Other")
