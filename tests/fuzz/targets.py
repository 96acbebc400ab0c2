"""What is fuzzed: each target takes bytes and raises AssertionError when a promise is broken, or whatever
nobody foresaw.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from icp_sync.domain.facts import fits
from icp_sync.domain.profile import Profile
from icp_sync.enrichers.csv_file import CsvFile
from icp_sync.errors import ConfigError
from icp_sync.normalize import domains, titles
from icp_sync.normalize.facts_map import HUBSPOT_DEFAULTS
from icp_sync.ports import Hit, Miss, Request
from icp_sync.profile_file import parse
from icp_sync.tables.accounts import read_accounts
from tests.normalize.test_any_text import READERS

CONFIG = Path(__file__).parents[2] / "config" / "profiles"
_PLACE = re.compile(r"x\.yaml:\d+:\d+: .")


def profile(data: bytes) -> None:
    """A text is a profile with criteria, or has problems each with its place, all of which can be printed."""
    try:
        found = parse(data.decode("utf-8", "replace"), "x.yaml")
    except ConfigError as error:
        said = [str(problem) for problem in error.problems]
        assert said
        assert all(_PLACE.match(line) for line in said), said
        "\n".join(said).encode("utf-8")
        return
    assert isinstance(found, Profile)
    assert found.criteria


def table(data: bytes) -> None:
    """Bytes are a table whose every row is read or named, or one error that names the file."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "x.csv"
        path.write_bytes(data)
        _as_enricher(path)
        _as_accounts(path)


def _as_enricher(path: Path) -> None:
    try:
        source = CsvFile(str(path))
    except ConfigError as error:
        _names_the_file(error)
        return
    for said in source.problems:
        str(said).encode("utf-8")
    (answer,) = source.answer([Request(account_id="1", domain="acme.com")])
    assert isinstance(answer, Hit | Miss)
    if isinstance(answer, Hit):
        assert {signal.fact for signal in answer.signals} <= source.facts


def _as_accounts(path: Path) -> None:
    try:
        rows = list(read_accounts(path))
    except ConfigError as error:
        _names_the_file(error)
        return
    assert all(row is not None for row in rows)


def _names_the_file(error: ConfigError) -> None:
    assert "x.csv" in str(error)


def texts(data: bytes) -> None:
    """No reader stumbles over a text, and what it makes of one is a proper value, read again the same."""
    text = data.decode("utf-8", "surrogateescape")
    for read in READERS:
        assert read(text) == read(text)
    assert titles.roles(text) <= titles.vocabulary()
    domain = domains.registrable(text)
    assert domains.registrable(domain) == domain
    properties = dict.fromkeys(HUBSPOT_DEFAULTS.properties, text)
    signals, unread = HUBSPOT_DEFAULTS.read(properties, observed_at=0.0, account_currency="EUR")
    for signal in signals:
        assert fits(signal.value, HUBSPOT_DEFAULTS.types[signal.fact])
    json.dumps(dict(unread))


def _words_of_profiles() -> list[bytes]:
    found = (re.findall(rb"[\w%.-]+:?", path.read_bytes()) for path in CONFIG.glob("*.yaml"))
    return sorted({word for words in found for word in words})


TARGETS: Mapping[str, Callable[[bytes], None]] = {"profile": profile, "table": table, "texts": texts}

WORDS: Mapping[str, tuple[bytes, ...]] = {
    "profile": (
        *_words_of_profiles(),
        *(
            b"\n  - ",
            b": ",
            b"{",
            b"}",
            b"[",
            b"]",
            b"&a ",
            b"*a",
            b"<<: ",
            b"|",
            b">",
            b"'",
            b'"',
            b"\t",
            b"#",
        ),
    ),
    "table": (
        *(
            b",",
            b";",
            b"\t",
            b"|",
            b"\n",
            b"\r\n",
            b'"',
            b'""',
            b"domain",
            b"employees",
            b"revenue",
            b"country",
        ),
        *(
            b"acme.com",
            b"51-200",
            b"$10M",
            b"\xef\xbb\xbf",
            b"\xff\xfe",
            b"\x00",
            b"\xe9",
            b"name",
            b"industry",
        ),
    ),
    "texts": (
        *(
            b"$",
            b"\xe2\x82\xac",
            b"k",
            b"M",
            b" billion",
            b"1,000",
            b"1.234",
            b"-",
            b"+",
            b"(2024)",
            b"c. ",
            b"/",
        ),
        *(
            b"e308",
            b"NaN",
            b"inf",
            b"http://",
            b"www.",
            b".com",
            b"@",
            b"[::1]",
            b"2024-",
            b"T00:00",
            b"Z",
            b"to",
        ),
        *(
            b"\x00",
            b"\xed\xa0\x80",
            b"\xe2\x80\xae",
            b"\xd9\xa3",
            b" ",
            b"xn--",
            b"VP of ",
            b"sales",
            b"Germany",
        ),
    ),
}
"""Pieces an input is made of, per target."""


def seeds(target: str) -> list[bytes]:
    """What to begin with, beside the corpus."""
    if target == "profile":
        return [path.read_bytes() for path in sorted(CONFIG.glob("*.yaml"))]
    if target == "table":
        head = b"domain,employees,revenue,industry,notes\n"
        return [head + b'www.acme.com,51-200,$10M-$25M,COMPUTER_SOFTWARE,"a, b"\nrival.io,7,,,\n']
    return [
        b"51-200",
        b"$10M - $25M",
        b"https://www.acme.co.uk/x",
        b"2024-02-29T10:00:00Z",
        b"VP of Sales",
        b"DE",
    ]
