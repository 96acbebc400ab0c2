"""Funding rounds as vendors spell them → one vocabulary, and which of them say at what stage a company is.

A loan, a grant, shares that change hands, a convertible note: money, but no new stage. None of them may take
the place of the last equity round, as in Crunchbase's `last_equity_funding_type`. Vocabularies read:
Crunchbase's `last_funding_type` and `funding_stage`, People Data Labs' `funding_stages`, Apollo's "Series D".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import NamedTuple

EQUITY_STAGES = (
    "bootstrapped",
    "angel",
    "pre_seed",
    "seed",
    *(f"series_{letter}" for letter in "abcdefghij"),
    "private_equity",
    "ipo",
    "acquired",
)
"""What says at what stage a company is, from the first to the last."""

OTHER_ROUNDS = (
    "convertible_note",
    "debt",
    "grant",
    "secondary",
    "crowdfunding",
    "corporate_round",
    "non_equity_assistance",
    "coin_offering",
    "post_ipo_debt",
    "post_ipo_secondary",
)
"""Rounds that leave the stage as it is."""

_ENDS = ("ipo", "acquired")

_SPELLINGS: Mapping[str, tuple[str, ...]] = {
    "bootstrapped": ("bootstrapped", "self funded", "unfunded"),
    "angel": ("angel", "angel round", "business angel", "friends and family"),
    "pre_seed": ("pre seed", "preseed", "pre seed round"),
    "seed": ("seed", "seed round", "seed funding", "seed stage"),
    "private_equity": ("private equity", "private equity round", "pe", "growth equity", "growth pe", "buyout",
                       "lbo", "leveraged buyout", "management buyout", "mbo"),
    "ipo": ("ipo", "initial public offering", "public", "post ipo equity", "post ipo", "went public",
            "direct listing", "spac", "pipe"),
    "acquired": ("acquired", "acquisition", "m and a", "merger acquisition", "was acquired", "merger"),
    "convertible_note": ("convertible note", "convertible", "convertible debt", "convertible loan", "safe"),
    "debt": ("debt", "debt financing", "debt round", "loan", "venture debt", "credit facility",
             "line of credit", "mezzanine", "term loan"),
    "grant": ("grant", "grants", "subsidy", "government grant"),
    "secondary": ("secondary", "secondary market", "secondary sale", "tender offer", "secondary transaction"),
    "crowdfunding": ("equity crowdfunding", "product crowdfunding", "crowdfunding"),
    "corporate_round": ("corporate round", "corporate", "strategic investment"),
    "non_equity_assistance": ("non equity assistance", "accelerator", "incubator", "accelerator incubator"),
    "coin_offering": ("initial coin offering", "ico", "token sale"),
    "post_ipo_debt": ("post ipo debt",),
    "post_ipo_secondary": ("post ipo secondary",),
}  # fmt: skip
"""What is missing is unknown: "Series Unknown", "Undisclosed", "Venture", Crunchbase's "early_stage_venture"
(series A or B), "late_stage_venture", "Other"."""

_STAGE_OF = {spelling: name for name, spellings in _SPELLINGS.items() for spelling in spellings}
_SERIES = re.compile(r"(?:(?:series|serie|round|venture series) )?([a-j])(?: ?\d{1,2})?(?: round| funding)?")
_EXTENSION = re.compile(r" ?(?:extension|extended|ext|plus|prime|bridge)$")
_NOT_WORD = re.compile(r"[\W_]+")
_LONGEST = 80


class Round(NamedTuple):
    """One round: its type as the vendor spells it, and when (UTC epoch seconds), None where nobody said."""

    type: str
    at: float | None = None


def stage(raw: str) -> str:
    """The stage or kind of round a text names, of `EQUITY_STAGES` and `OTHER_ROUNDS`; "" when unknown.

    "Series A1", "Series A extension" and "Series A - II" are series A; a bare letter is too ("B").
    """
    return _stage(raw) if len(raw) <= _LONGEST else ""


@lru_cache(maxsize=2_048)
def _stage(raw: str) -> str:
    text = _NOT_WORD.sub(" ", raw.casefold().replace("&", " and ").replace("+", " plus ")).strip()
    if text in _STAGE_OF:
        return _STAGE_OF[text]
    text = _EXTENSION.sub("", re.sub(r"(?<=[a-j]) (?:i{1,3}|iv)$", "", text))
    if text in _STAGE_OF:
        return _STAGE_OF[text]
    found = _SERIES.fullmatch(text)
    return f"series_{found[1]}" if found else ""


def is_equity(name: str) -> bool:
    """Whether a stage says how far a company has come. A loan, a grant or a sale of shares does not."""
    return name in EQUITY_STAGES


def equity(rounds: Iterable[Round | tuple[str, float | None]]) -> str:
    """The stage of the newest equity round; "" where none says so.

    Undated rounds count only where no dated one does. Of several at one time, or of several undated ones, it
    is the furthest. A round that cannot be read says nothing; a company that went public stays so.
    """
    read = [(at, name) for kind, at in rounds if is_equity(name := stage(kind))]
    dated = [(at, name) for at, name in read if at is not None]
    newest = max((at for at, _ in dated), default=None)
    last = _furthest(name for at, name in (dated or read) if at == newest)
    ended = _furthest(name for _, name in read if name in _ENDS)
    return ended if ended and EQUITY_STAGES.index(last) < EQUITY_STAGES.index("private_equity") else last


def _furthest(names: Iterable[str]) -> str:
    return max(names, key=EQUITY_STAGES.index, default="")
