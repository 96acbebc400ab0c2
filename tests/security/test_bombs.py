"""Replies and files that are small to send and large to read end in a clear error, in bounded memory."""

from __future__ import annotations

import gzip
import io
import zlib
from pathlib import Path

import pytest

from icp_sync.errors import ConfigError, UnavailableError
from icp_sync.http import Endpoint, Transport, wire
from icp_sync.profile_file import load
from icp_sync.tables.accounts import read_accounts
from tests.security.site import Site, page

READ = Endpoint(name="read", idempotent=True)
JSON = "application/json"


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that a test can reach."""
    monkeypatch.setattr(wire.Bounded, "most", 1_000_000)
    monkeypatch.setattr(wire, "LARGEST_FILE", 2_000_000)


def ask(body: bytes, *headers: str) -> object:
    with Site({"/x": page(body, *headers, kind=JSON)}) as site:
        return Transport(f"http://127.0.0.1:{site.port}", tries=1).send("GET", "/x", endpoint=READ).data


@pytest.mark.usefixtures("small")
@pytest.mark.parametrize(
    ("packed", "encoding"),
    [
        (gzip.compress(b" " * 50_000_000), "gzip"),
        (zlib.compress(b" " * 50_000_000), "deflate"),
        (b" " * 1_100_000, "identity"),
    ],
)
def test_a_reply_larger_than_any_we_asked_for_is_refused(packed: bytes, encoding: str) -> None:
    with pytest.raises(UnavailableError, match="larger than any"):
        ask(packed, f"Content-Encoding: {encoding}")


@pytest.mark.usefixtures("small")
def test_a_file_without_end_is_refused() -> None:
    body = gzip.compress(b"a,b\n" * 1_000_000)
    into = io.BytesIO()
    with Site({"/x": page(body, "Content-Encoding: gzip", kind="text/csv")}) as site:
        transport = Transport(f"http://127.0.0.1:{site.port}", tries=1)
        with pytest.raises(UnavailableError, match="larger than any"):
            transport.download("/x", endpoint=READ, into=into, kind="text/csv")
    assert len(into.getvalue()) <= 2_000_000


@pytest.mark.usefixtures("small")
def test_a_reply_within_the_limit_is_read() -> None:
    assert ask(gzip.compress(b"[" + b"1," * 400_000 + b"1]"), "Content-Encoding: gzip") == [1] * 400_001


@pytest.mark.parametrize(
    "body",
    [b"[" * 200_000, b'{"a":' * 200_000, b"9" * 10_000, b'{"a":NaN}', b"Infinity", b"[-Infinity]"],
    ids=["lists", "objects", "a number", "NaN", "Infinity", "-Infinity"],
)
def test_json_that_nobody_can_hold_is_no_json(body: bytes) -> None:
    with pytest.raises(UnavailableError, match="not JSON"):
        ask(body)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 50_000,
        "{a: " * 50_000,
        "- " * 50_000,
        "a0: &a0 [x,x,x,x,x,x,x,x,x]\n"
        + "".join(f"a{n + 1}: &a{n + 1} [{','.join([f'*a{n}'] * 9)}]\n" for n in range(9)),
        "a: &a [*a]\n",
        "a: !!python/object/apply:os.system ['true']\n",
        "a: !!binary aGVsbG8=\n",
        "? " * 10_000,
        "x: '" + "\\" * 900_000,
        "profile: " + "9" * 999_000,
        "a: 1\n" * 60_000,
        "\ufeff" * 10_000,
    ],
    ids=range(12),
)
def test_a_profile_made_to_exhaust_its_reader_is_refused(text: str, tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as caught:
        load(file)
    assert len(str(caught.value)) < 60_000


@pytest.mark.parametrize(
    "data",
    [
        b"domain," + b"c," * 100_000 + b"\na.com\n",
        b'domain,name\na.com,"' + b"x" * 2_000_000,
        b"domain\n" + b'"' * 300_000,
        b"\0" * 100_000,
        b"domain" + b"," * 500_000,
        b"PK\x03\x04" + b"\0" * 1_000,
        b"\x1f\x8b\x08" + b"\0" * 1_000,
    ],
    ids=["columns", "cell", "quotes", "zeros", "commas", "workbook", "packed"],
)
def test_a_table_made_to_exhaust_its_reader_is_refused_or_read(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "accounts.csv"
    file.write_bytes(data)
    said = ""
    try:
        table = read_accounts(file)
        said = f"{sum(1 for _ in table)} rows, {table.table.problems.total} problems"
    except ConfigError as error:
        said = str(error)
    assert 0 < len(said) < 5_000
    assert said != "0 rows, 0 problems"


def test_our_token_goes_nowhere_but_to_the_base_url() -> None:
    transport = Transport("https://api.example.com", tries=1)
    for elsewhere in (
        "https://evil.example/x",
        "http://api.example.com/x",
        "https://api.example.com.evil.example/",
    ):
        with pytest.raises(UnavailableError, match="is not at https"):
            transport.send("GET", elsewhere, endpoint=READ)
