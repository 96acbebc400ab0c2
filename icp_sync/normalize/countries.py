"""Country names and codes, in many languages → ISO 3166-1 alpha-2.

A name that two countries, or a country and a large state, answer to ("Georgia", "Congo", "Korea") is
unknown. Codes are ISO 3166-1; names are those of Unicode CLDR plus common aliases (`data/SOURCES.md`).
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import cache, lru_cache
from importlib.resources import files

_AMBIGUOUS = frozenset(
    ("georgia", "congo", "korea", "virgin islands", "saint martin", "st martin", "america")
)
_NOTHING = frozenset(("n/a", "n.a.", "na", "n/a.", "none", "null", "unknown", "-"))
_LETTERS = str.maketrans({"&": " and ", "ß": "ss", "ø": "o", "æ": "ae", "đ": "d", "ı": "i", "ł": "l"})
_NOT_WORD = re.compile(r"[^\w]+")
_BETWEEN = re.compile(r"[,()/;|]|\s[-–—]\s")
_MOST_PARTS = 4


def code(raw: str) -> str:
    """The alpha-2 code of a name, alpha-2 or alpha-3 code, in any case; "" when unknown or ambiguous.

    A part of a kingdom counts as the whole ("England"), and a country said twice as one ("Germany (DE)").
    Only "NA" in capitals is Namibia: "n/a" and "na" say that nothing is known.
    """
    return _code(raw) if len(raw) <= 100 else ""


@lru_cache(maxsize=4_096)
def _code(raw: str) -> str:
    text = raw.strip()
    if text == "NA":
        return "NA"
    if text.lower() in _NOTHING:
        return ""
    folded = _fold(text)
    if folded in _AMBIGUOUS:
        return ""
    return _names().get(folded) or _agreed([part for part in _BETWEEN.split(text) if part.strip()])


def _agreed(parts: Sequence[str]) -> str:
    """ "England, UK", "Germany (DE)", "DE - Germany": one country said twice; "" where they differ."""
    found = {_names().get(_fold(part), "") for part in parts}
    return found.pop() if 1 < len(parts) <= _MOST_PARTS and len(found) == 1 else ""


def _fold(name: str) -> str:
    """One spelling for all: no case, accents of Latin letters, punctuation, nor a leading article."""
    text = name.casefold()
    decomposed = unicodedata.normalize("NFKD", text)
    if any("a" <= letter <= "z" for letter in decomposed):
        text = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    else:
        text = unicodedata.normalize("NFC", text)
    text = _NOT_WORD.sub(" ", text.translate(_LETTERS)).strip()
    return "usa" if text in ("u s", "u s a") else "uk" if text == "u k" else text.removeprefix("the ")


@cache
def _names() -> Mapping[str, str]:
    """Folded name or code → alpha-2. An alpha code always means its own country."""
    known: dict[str, str] = {}
    for row in _rows():
        for name in (row["name"], *row["aliases"].split("|")):
            known.setdefault(_fold(name), row["alpha2"])
    for row in _rows():
        known[row["alpha2"].lower()] = known[row["alpha3"].lower()] = row["alpha2"]
    known.pop("", None)
    return known


@cache
def _rows() -> tuple[Mapping[str, str], ...]:
    text = files("icp_sync.normalize").joinpath("data", "countries.csv").read_text(encoding="utf-8")
    return tuple(csv.DictReader(text.splitlines()))


def name_of(alpha2: str) -> str:
    """The English name of an alpha-2 code; "" when there is no such country."""
    return _english().get(alpha2, "")


@cache
def _english() -> Mapping[str, str]:
    return {row["alpha2"]: row["name"] for row in _rows()}
