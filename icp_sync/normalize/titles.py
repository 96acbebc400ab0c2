"""Job titles, as people type them → roles in a small vocabulary. Knows titles, not people.

"Vice President, Sales EMEA" gives "vp", "sales", "vp sales" and "sales leader". Phrases of eight languages
stand in `data/titles.csv`; the longest that fits wins, so that "sales operations" is no "sales". What is
not read for certain gives no role.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from functools import lru_cache
from importlib.resources import files
from typing import NamedTuple

SENIORITIES = ("founder", "owner", "c-level", "vp", "head", "director", "manager")
"""From the top down."""

FUNCTIONS = (
    "sales",
    "marketing",
    "growth",
    "demand generation",
    "revops",
    "customer success",
    "partnerships",
    "product",
    "engineering",
    "data",
    "it",
    "security",
    "finance",
    "hr",
    "legal",
    "operations",
    "procurement",
    "supply chain",
    "medical",
)

_JOINED = {"vp": "vp {}", "head": "head of {}", "director": "director of {}", "manager": "{} manager"}
_LEADERS = frozenset(("c-level", "vp", "head", "director"))
_LONGEST = 300  # characters; nobody's title is longer
_MOST_WORDS = 5  # of a phrase in the table

_NOBODY = re.compile(
    r"(n/?a|none|unknown|test|tbd|-+)|.*\b(former|formerly|ex|retired|previously|ehemals|ehemalige[rn]?|ancien(ne)?)\b.*"
)
_ASSISTANT = re.compile(
    r"\b(assistant|secretary|ea|pa|aide) to\b|\b(executive|personal|office) assistant\b|\bassistenz\b|"
    r"\b(assistante?|assistenti?n?|asistente|secretaire|sekretar\w*) (de|der|des|du|del|della|di|da)\b|"
    r"\boffice of the\b"
)
_WITHIN = {".": "", "'": " ", "’": " ", "r&d": "research", "fp&a": "finance"}
_APART = re.compile(r"\s*(?:[,;/|&+·•()\[\]:]|\s[-–—]\s|\band\b|\bund\b|\bet\b|\be\b|\by\b|\ben\b)\s*")


class _Meaning(NamedTuple):
    """What a phrase says: a seniority or "", functions, and words of its own ("ceo", "sdr")."""

    seniority: str
    functions: tuple[str, ...]
    words: tuple[str, ...]


class _Part(NamedTuple):
    """One segment of a title."""

    seniorities: tuple[str, ...]
    functions: tuple[str, ...]
    words: tuple[str, ...]


def vocabulary() -> frozenset[str]:
    """Every role there is."""
    joined = {form.format(function) for form in (*_JOINED.values(), "{} leader") for function in FUNCTIONS}
    words = {word for meaning in _phrases().values() for word in meaning.words}
    return frozenset({*SENIORITIES, *FUNCTIONS, *joined, *words})


@lru_cache(maxsize=16_384)
def roles(title: str) -> frozenset[str]:
    """The roles a title states; empty where none can be read. Takes any text, never raises.

    A seniority is joined only with the functions of its own part of the title: "Founder, Head of Product"
    is no founder of product, but "VP Sales & Marketing" is both. An assistant to a VP is no VP, and a
    former one neither.
    """
    text = _plain(title)
    if not text or _NOBODY.fullmatch(text) or _ASSISTANT.search(text):
        return frozenset()
    return frozenset(role for part in _parts(text) for role in _said(part))


def _said(part: _Part) -> Iterator[str]:
    yield from (*part.seniorities, *part.functions, *part.words)
    for function in part.functions:
        if not _LEADERS.isdisjoint(part.seniorities):
            yield f"{function} leader"
        for seniority in part.seniorities:
            if seniority in _JOINED:
                yield _JOINED[seniority].format(function)


def _parts(text: str) -> Iterator[_Part]:
    """Segments, those without a seniority joined to the one before them, or to the first that has one."""
    gathered: list[_Part] = []
    for segment in _APART.split(text):
        part = _read(segment)
        if not any(part):
            continue
        # "CEO / Sales" says nothing of a chief sales officer: a chief's function is in the phrase itself.
        joins = gathered and (
            not gathered[-1].seniorities
            or (not part.seniorities and "c-level" not in gathered[-1].seniorities)
        )
        if joins:
            before = gathered.pop()
            part = _Part(*(tuple(dict.fromkeys(a + b)) for a, b in zip(before, part, strict=True)))
        gathered.append(part)
    yield from gathered


def _read(segment: str) -> _Part:
    """The phrases of a segment, the longest first at each word."""
    words, at = segment.split(), 0
    found: list[_Meaning] = []
    while at < len(words):
        for length in range(min(_MOST_WORDS, len(words) - at), 0, -1):
            meaning = _phrases().get(" ".join(words[at : at + length]))
            if meaning is not None:
                found.append(meaning)
                at += length
                break
        else:
            at += 1
    return _Part(
        tuple(dict.fromkeys(m.seniority for m in found if m.seniority)),
        tuple(dict.fromkeys(f for m in found for f in m.functions)),
        tuple(dict.fromkeys(w for m in found for w in m.words)),
    )


def _plain(title: str) -> str:
    """Lower case without accents and points: "Dir. Général" is "dir general"."""
    if len(title) > _LONGEST:
        return ""
    parted = unicodedata.normalize("NFKD", title.replace("ß", "ss").casefold())
    bare = "".join(c for c in parted if not unicodedata.combining(c))
    for written, meant in _WITHIN.items():
        bare = bare.replace(written, meant)
    return " ".join(bare.split())


@lru_cache(maxsize=1)
def _phrases() -> Mapping[str, _Meaning]:
    """Phrase → meaning, from the table."""
    lines = files("icp_sync.normalize").joinpath("data/titles.csv").read_text(encoding="utf-8").splitlines()
    found: dict[str, _Meaning] = {}
    for line in lines[1:]:
        phrases, seniority, functions, words = line.split(",")
        meaning = _Meaning(seniority, _several(functions), _several(words))
        for phrase in _several(phrases):
            found[phrase] = meaning
    return found


def _several(cell: str) -> tuple[str, ...]:
    return tuple(filter(None, (part.strip() for part in cell.split(";"))))
