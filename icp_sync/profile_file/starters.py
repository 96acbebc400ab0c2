"""Profiles that come with the program, and how one of them becomes a file of somebody's own.

One place knows where they are: `config/profiles` of a checkout, `profiles` in an installed package.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path

from icp_sync.errors import ConfigError
from icp_sync.profile_file import parse
from icp_sync.profile_file.feeding import Supply, annotated

WRITTEN_FOR = "USD"
_SCHEMA = "# yaml-language-server:"
_REVIEW = re.compile(r"^review: .*$", re.MULTILINE)
_NAME = re.compile(r"^profile: .*$", re.MULTILINE)
_CURRENCY = re.compile(r"^currency: .*$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Starter:
    """A profile to begin with: its file, and for whom it is, in few words."""

    file: str
    title: str
    about: str


STARTERS: Mapping[str, Starter] = {
    "saas": Starter(
        file="b2b-saas-mid-market.yaml",
        title="B2B SaaS",
        about="50–500 people, on HubSpot or Salesforce",
    ),
    "gtm": Starter(
        file="gtm-tool.yaml",
        title="go-to-market tool",
        about="25–500 people, US, with a sequencer",
    ),
    "ecommerce": Starter(
        file="ecommerce.yaml", title="eCommerce", about="10–50 people, on Shopify, buying ads"
    ),
    "manufacturing": Starter(
        file="manufacturing.yaml",
        title="manufacturing",
        about="200–500 people, North America, old ERP",
    ),
    "healthcare": Starter(
        file="healthcare-clinics.yaml",
        title="healthcare clinics",
        about="50–100 people, US or EU",
    ),
    "logistics": Starter(
        file="regional-logistics.yaml",
        title="regional logistics",
        about="100–300 people, North America or EU",
    ),
}
"""Industry → the profile to begin with."""


def shipped(name: str) -> Path:
    """A profile that comes with the program. Raises ConfigError when the installation lacks it."""
    package = Path(__file__).parents[1]
    for folder in (package.parent / "config" / "profiles", package / "profiles"):
        if (folder / name).is_file():
            return folder / name
    raise ConfigError(f"the profile {name} that comes with icp-sync is missing from this installation")


def begun(starter: Starter, *, name: str, currency: str, supply: Supply, connection: str, today: date) -> str:
    """The text of a profile of one's own: named, in a currency, with dates of review ahead of today and
    with comments that say what can feed each question here.
    """
    text = shipped(starter.file).read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith(_SCHEMA)]
    if lines and lines[0] == "#":
        del lines[0]
    minor, full = today + timedelta(days=91), today + timedelta(days=365)
    note = "" if currency == WRITTEN_FOR else f"   # the amounts below were set for {WRITTEN_FOR}: check them"
    text = "\n".join(lines) + "\n"
    text = _NAME.sub(f"profile: {name}", text, count=1)
    text = _CURRENCY.sub(f"currency: {currency}{note}", text, count=1)
    text = _REVIEW.sub(f"review: {{minor: {minor}, full: {full}}}", text, count=1)
    profile = parse(text, starter.file)
    return annotated(text, profile, supply, connection=connection)
