"""Whether two spellings name the same company, with how sure that is. Knows names only, no registers.

Taking one company for another does more harm than missing it, so what many companies may be called
("Global Solutions", "Apex", "IBM") is never more than weak, and one shared word, however rare, is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum
from functools import lru_cache

from icp_sync.normalize.company_words import Name, readings, vocabulary

LONGEST = 300  # characters; nobody's name is longer


class Likeness(StrEnum):
    EXACT = "exact"  # the same but for spelling, legal form left out or said alike
    STRONG = "strong"  # the same company unless the rest of what is known says otherwise
    WEAK = "weak"  # may be; never enough by itself
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """`grade`, and a `confidence` in [0, 1]: exact from 0.95, strong from 0.75, weak above 0, none 0."""

    grade: Likeness = Likeness.NONE
    confidence: float = 0.0


NO_MATCH = Match()
_TYPO = 0.9  # share of letters in common from which a difference may be a slip of the pen
_LONG_JOINED = 10  # letters of a name that is the same but for blanks: "Blue Bird" is not "Bluebird"
_SHORT = 4  # letters that a name needs to be told from others


def match(ours: str, theirs: str) -> Match:
    """How well two company names agree. Symmetric; takes any text, never raises.

    Case, accents, punctuation, "&" and "and", legal forms in a dozen languages and common abbreviations
    do not count. A country does: "Acme (India)" is still strongly "Acme", "Acme India" may be a company of
    its own, and neither is "Acme France". Legal forms that exclude each other ("Acme GmbH", "Acme Ltd")
    leave a match weak, and so does one against a ".com" ("Match.com", "Match Ltd").
    """
    if not ours or not theirs or max(len(ours), len(theirs)) > LONGEST:
        return NO_MATCH
    return _match(*sorted((ours, theirs)))


@lru_cache(maxsize=8_192)
def _match(one: str, other: str) -> Match:
    best = max((_capped(a, b, _likeness(a, b)) for a in readings(one) for b in readings(other)), default=0.0)
    return Match(grade=_grade(best), confidence=best)


def _grade(confidence: float) -> Likeness:
    if confidence >= 0.95:
        return Likeness.EXACT
    if confidence >= 0.75:
        return Likeness.STRONG
    return Likeness.WEAK if confidence > 0 else Likeness.NONE


def _likeness(a: Name, b: Name) -> float:
    """Confidence by the words alone."""
    if not a.words or not b.words:
        return 0.0
    if a.words == b.words:
        return 1.0 if a.forms == b.forms else 0.95
    if a.core == b.core:
        return _by_place(a, b)
    if a.place != b.place and a.place and b.place:
        return 0.0
    return min(_by_core(a, b), 0.6) if a.place != b.place else _by_core(a, b)


def _by_place(a: Name, b: Name) -> float:
    if a.place == b.place:
        return 1.0 if a.forms == b.forms else 0.95
    if a.place and b.place:
        return 0.0 if _unspecific(a.core) else 0.35
    return 0.75 if a.bracketed or b.bracketed else 0.6


def _by_core(a: Name, b: Name) -> float:
    """Cores that differ: in blanks, in number, in order, by a slip, by words left out, by initials."""
    joined = ("".join(a.core), "".join(b.core))
    if joined[0] == joined[1]:
        return 0.85 if len(joined[0]) >= _LONG_JOINED else 0.6
    if _singular(a.core) == _singular(b.core):
        return 0.8 if len(a.core) > 1 else 0.6
    if sorted(a.core) == sorted(b.core):
        return 0.5
    if _without(a.core, "spread") == _without(b.core, "spread") != ():
        return 0.6
    if _numbers(a.core) == _numbers(b.core) and _alike(*joined):
        return 0.45
    if _begins(a.core, b.core) or _begins(b.core, a.core):
        return 0.4
    return 0.35 if _initials(a.core, b.core) or _initials(b.core, a.core) else 0.0


def _capped(a: Name, b: Name, confidence: float) -> float:
    """Less where the name is anybody's, was only said in passing, or the legal forms exclude each other."""
    if not confidence:
        return 0.0
    if _unspecific(a.words) or _unspecific(b.words) or _unspecific(a.core) or _unspecific(b.core):
        confidence = min(confidence, 0.5)
    if a.aside or b.aside:
        confidence = min(confidence, 0.75)
    if a.forms and b.forms and a.forms != b.forms:
        confidence = min(confidence, 0.8 if _may_agree(a.forms, b.forms) else 0.45)
    if a.dot != b.dot:
        confidence = min(confidence, 0.95 if _only_left_out(a, b) and _only_left_out(b, a) else 0.6)
    return confidence


def _only_left_out(a: Name, b: Name) -> bool:
    """Whether b may be a without its ".com"; "Match Ltd" is not "Match.com"."""
    return not a.dot or (not b.dot and (not b.forms or b.forms == a.forms))


_CORPORATE = frozenset(("inc", "corp", "llc"))
"""What people put for one another of the same American company."""


def _may_agree(a: frozenset[str], b: frozenset[str]) -> bool:
    return a <= b or b <= a or (a | b) <= _CORPORATE


def _unspecific(words: tuple[str, ...]) -> bool:
    """Whether many companies may be called so: a few letters, or nothing but everyday words."""
    letters = "".join(words)
    if len(letters) < _SHORT and letters.isascii():
        return True
    if not letters.isascii():
        return sum(letter.isalnum() for letter in letters) < 2  # without their marks
    known = vocabulary("generic") | vocabulary("common") | vocabulary("small")
    return all(word in known or len(word) == 1 for word in words)


def _without(words: tuple[str, ...], kind: str) -> tuple[str, ...]:
    return tuple(word for word in words if word not in vocabulary(kind))


def _singular(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(_one(word) for word in words)


def _one(word: str) -> str:
    if len(word) > 5 and word.endswith("ies"):
        return f"{word[:-3]}y"
    return word[:-1] if len(word) > 4 and word.endswith("s") and not word.endswith("ss") else word


def _numbers(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(word for word in words if any(letter.isdigit() for letter in word))


def _alike(one: str, other: str) -> bool:
    """A slip of the pen in a long word. Two dozen letters differ in more than slips."""
    if min(len(one), len(other)) < 7 or abs(len(one) - len(other)) > 2 or max(len(one), len(other)) > 100:
        return False
    return SequenceMatcher(None, one, other, autojunk=False).ratio() >= _TYPO


def _begins(words: tuple[str, ...], longer: tuple[str, ...]) -> bool:
    return len(words) < len(longer) and longer[: len(words)] == words and not _unspecific(words)


def _initials(short: tuple[str, ...], long: tuple[str, ...]) -> bool:
    """ "ibm" of "international business machines"; at least three, or anything would do."""
    return len(short) == 1 and len(short[0]) == len(long) >= 3 and short[0] == "".join(_firsts(long))


def _firsts(words: tuple[str, ...]) -> Iterator[str]:
    return (word[0] for word in words)
