"""A company's name taken apart: its words, what stays without a country, its legal forms.

The words of legal forms, abbreviations and everyday names stand in `data/company_words.csv`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, lru_cache

from icp_sync.normalize import countries
from icp_sync.normalize.grades import rows

_MOST_WORDS = 6  # of a legal form or a country's name
_MOST_NAMES = 4  # of one text

_SPLIT = re.compile(
    r"\b(?:d\.?/?b\.?/?a\.?|t/a|trading as|doing business as|a/k/a|aka|also known as)\s+", re.I
)
_FORMERLY = re.compile(r"[,;(]?\s*\b(?:formerly(?: known as)?|f/k/a|fka|previously|ex-)\s*", re.I)
_BRACKETS = re.compile(r"[(\[{（]([^()\[\]{}（）]{0,60})[)\]}）]")
_DOTTED = re.compile(r"(?<![^\W\d_])((?:[^\W\d_]\.){2,}[^\W\d_]?)")
_DOT_COM = re.compile(r"\.(com|net|org|io|ai|co)\b")
_POSSESSIVE = re.compile(r"['’`´ʼ]s\b")
_APOSTROPHES = re.compile(r"['’`´ʼ]")
_JOINERS = re.compile("[\u00ad\u200c\u200d]")  # they shape letters and part nothing
_LATIN = str.maketrans({"ß": "ss", "ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ı": "i", "ł": "l", "þ": "th"})
_UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "å": "aa", "ø": "oe"})
_EAST = re.compile(
    r"株式会社|有限会社|合同会社|\(株\)|（株）|㈱|股份有限公司|有限责任公司|有限責任公司|有限公司|주식회사|\(주\)|㈜"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One reading of a name. Words are lower case without accents, abbreviations spelt out.

    words: all of them but legal forms. core: those without the country or region behind them, which is
    `place` ("GB", "europe", or ""); bracketed: it stood in brackets. aside: an earlier or a
    second name, said beside the first. dot: the "com" of "Booking.com", which is not among the words.
    """

    words: tuple[str, ...]
    core: tuple[str, ...]
    place: str
    forms: frozenset[str]
    bracketed: bool = False
    aside: bool = False
    dot: str = ""


@lru_cache(maxsize=8_192)
def readings(raw: str) -> tuple[Name, ...]:
    """The names a text gives: "Acme Ltd t/a Foo" gives two; umlauts are spelt in both ways."""
    text = unicodedata.normalize("NFKC", raw).strip()
    parts = [(part, bool(index)) for index, part in enumerate(_FORMERLY.split(text, maxsplit=1))]
    names = [
        (piece, aside or bool(index)) for part, aside in parts for index, piece in enumerate(_split(part))
    ]
    found: dict[Name, None] = {}
    for piece, aside in names:
        for spelled in dict.fromkeys((piece.casefold(), piece.casefold().translate(_UMLAUTS))):
            name = _read(spelled, _has_capital_us(piece))
            if name.words:
                found[replace(name, aside=aside)] = None
    return tuple(found)[:_MOST_NAMES]


def _split(text: str) -> Iterator[str]:
    yield from (piece for piece in _SPLIT.split(text, maxsplit=2) if piece and piece.strip(" ,;()"))


def _has_capital_us(text: str) -> bool:
    """Whether "us" can be the country: not in "Toys are us"."""
    return bool(re.search(r"\bUS\b", text))


def _read(text: str, us: bool) -> Name:
    bracketed = ""
    for found in _BRACKETS.finditer(text):
        bracketed = bracketed or _place(_words(found[1]), us=True)
    dot = _DOT_COM.search(text)
    text, east = _EAST.subn(" ", _BRACKETS.sub(_kept, text))
    words, forms = _without_forms(_words(text))
    words = _plainly(words)
    core, place = _without_place(words, us)
    if place and forms == frozenset():
        again, forms = _without_forms(core)  # "Acme GmbH Deutschland"
        core, words = again, (*again, *words[len(core) :])
    if bracketed and not place:
        words, place = (*words, bracketed.lower()), bracketed
    forms |= _eastern(east)
    return Name(
        words=words,
        core=core,
        place=place,
        forms=forms,
        bracketed=bool(bracketed),
        dot=dot[1] if dot else "",
    )


def _eastern(found: int) -> frozenset[str]:
    return frozenset(("east",)) if found else frozenset()


def _kept(found: re.Match[str]) -> str:
    """Brackets that name a country go; what else is in them is a part of the name."""
    return " " if _place(_words(found[1]), us=True) else f" {found[1]} "


def _words(text: str) -> tuple[str, ...]:
    text = _DOT_COM.sub("", text)
    text = _DOTTED.sub(lambda m: m[1].replace(".", "") + " ", text)
    text = _APOSTROPHES.sub("", _POSSESSIVE.sub("s", text)).replace("&", " and ").replace("+", " and ")
    text = text.translate(_LATIN)
    text = _unaccented(_JOINERS.sub("", text))
    return tuple("".join(letter if _of_a_word(letter) else " " for letter in text).split())


def _of_a_word(letter: str) -> bool:
    """Letters, digits and the marks on them: in many scripts a vowel is a mark."""
    return letter.isalnum() or unicodedata.category(letter).startswith("M")


def _unaccented(text: str) -> str:
    """Without the marks on Latin letters; on others it makes another letter: "й" is no "и"."""
    kept: list[str] = []
    word = latin = False
    for letter in unicodedata.normalize("NFKD", text):
        if not unicodedata.category(letter).startswith("M"):
            word, latin = letter.isalnum(), _is_latin(letter)
        elif latin or not word:
            continue
        kept.append(letter)
    return unicodedata.normalize("NFC", "".join(kept))


def _is_latin(letter: str) -> bool:
    return letter.isalpha() and (letter.isascii() or unicodedata.name(letter, "").startswith("LATIN"))


def _plainly(words: tuple[str, ...]) -> tuple[str, ...]:
    """Abbreviations spelt out, small words gone where others stay."""
    spelled = tuple(_meanings("abbreviation").get(word, word) for word in words)
    return tuple(word for word in spelled if word not in ("and", "the")) or spelled


def _without_forms(words: tuple[str, ...]) -> tuple[tuple[str, ...], frozenset[str]]:
    """Legal forms off the end, and off the front where they stand there; never the last word."""
    forms: set[str] = set()
    while (length := _length_at_end(words, _meanings("form"))) and length < len(words):
        forms.add(_meanings("form")[" ".join(words[-length:])])
        words = words[:-length]
        while len(words) > 1 and words[-1] == "and":
            words = words[:-1]
    for length in range(min(3, len(words) - 1), 0, -1):
        if form := _meanings("front").get(" ".join(words[:length])):
            return words[length:], frozenset({*forms, form} - {"co"})
    return words, frozenset(forms - {"co"})


def _length_at_end(words: tuple[str, ...], known: Mapping[str, str]) -> int:
    lengths = range(min(_MOST_WORDS, len(words)), 0, -1)
    return next((length for length in lengths if " ".join(words[-length:]) in known), 0)


def _without_place(words: tuple[str, ...], us: bool) -> tuple[tuple[str, ...], str]:
    """A country or region off the end. "Bank of China" is not the Chinese part of a bank."""
    for length in range(min(_MOST_WORDS, len(words) - 1), 0, -1):
        before = words[:-length]
        place = _place(words[-length:], us=us)
        if place and before[-1] not in vocabulary("small"):
            return before, place
    return words, ""


@lru_cache(maxsize=4_096)
def _place(words: tuple[str, ...], *, us: bool) -> str:
    """The country (alpha-2) or region some words are, "" if none. Codes only where nothing else is meant."""
    text = " ".join(words)
    if text in vocabulary("region"):
        return text
    if text == "us":
        return "US" if us else ""
    return countries.code(text) if len(text) > 3 or text in ("usa", "uk", "uae") else ""


@cache
def vocabulary(kind: str) -> frozenset[str]:
    """The words listed as one kind."""
    return frozenset(word for row in _listed() if row["kind"] == kind for word in row["words"].split("|"))


@cache
def _meanings(kind: str) -> Mapping[str, str]:
    return {
        word: row["means"] for row in _listed() if row["kind"] == kind for word in row["words"].split("|")
    }


@cache
def _listed() -> tuple[Mapping[str, str], ...]:
    return tuple(rows("company_words.csv"))
