"""Secrets planted wherever one can stand; then everything the program says and keeps is searched for them."""

from __future__ import annotations

import base64
import contextlib
import json
import logging
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import quote

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from prometheus_client import generate_latest

from icp_sync import observe
from icp_sync.cli.exits import told
from icp_sync.observe import conceal, configure_logs, log, redact, registry
from icp_sync.settings import load
from icp_sync.simulator import Simulator
from tests.cli.conftest import PROFILE, command

PLANTED = {
    "token": "opaque-service-key-4711-xyz",
    "consumer_secret": "CONSUMER/secret+with=signs",
    "session_id": "00Dxx0000001gPL!AR8AQJXg5oj8jXSgxJfA0lBog39.EH0yNpiyTbc",
    "api_key": "vendor-api-key-0815",
    "journal": "journal-pa%40ss-word",
    "proxy": "proxy-pa55-word",
    "seal": "5ea1" * 16,
}


def pem() -> str:
    key = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
    kind, pkcs8 = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(kind, pkcs8, serialization.NoEncryption()).decode()


KEY = pem()


def forms() -> set[str]:
    """Every text that gives one of them away."""
    plain = {
        *PLANTED.values(),
        "journal-pa@ss-word",
        *(line for line in KEY.splitlines() if "-----" not in line),
    }
    return {
        form
        for text in plain
        if len(text) > 8
        for form in (text, quote(text, safe=""), json.dumps(text)[1:-1])
    }


def leaked(said: str) -> list[str]:
    return sorted(form for form in forms() if form in said)


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    """What this process knows as secret is its own settings', test by test."""
    yield
    observe._concealed.clear()
    observe._passing.clear()
    observe._stale = True


class Echo:
    """A server that answers every request with its own headers and body, and a status of our choice."""

    status = 401

    def __enter__(self) -> Echo:
        echo = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                said = f"refused: {dict(self.headers)} {self.rfile.read(length).decode(errors='replace')}"
                errors = [{"message": said, "errorCode": "NOPE", "code": said, "context": {"all": [said]}}]
                body = json.dumps(
                    {"message": said, "error": "invalid", "error_description": said, "errors": errors}
                )
                self.send_response(echo.status)
                self.send_header("Content-Type", "application/json")
                self.end_headers()
                self.wfile.write(body.encode())

            do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def settings(folder: Path, url: str, *, more: str = "", token: str = PLANTED["token"]) -> Path:
    (folder / "seal.key").write_text(json.dumps({"installation": "abc", "key": PLANTED["seal"]}))
    file = folder / "icp-sync.toml"
    file.write_text(
        f"""
        journal = "sqlite:///{folder}/journal.sqlite"
        seal_file = "{folder}/seal.key"
        [log]
        level = "debug"
        [connections.main]
        base_url = "{url}"
        profiles = ["{PROFILE}"]
        """
        + (more or f'token = "{token}"')
    )
    return file


def kept(folder: Path) -> str:
    """Everything in the journal's files, as bytes stand there, less the files that are to hold a secret."""
    found = [f for f in folder.rglob("*") if f.is_file() and f.name not in ("seal.key", "icp-sync.toml")]
    return "".join(f.read_bytes().decode("latin-1") for f in found)


def spoken(folder: Path, arguments: tuple[str, ...], url: str, more: str = "") -> str:
    """What a command says, on both streams, in a folder of its own."""
    own = folder / secrets.token_hex(4)
    own.mkdir()
    result = command("--debug", *arguments, "--config", str(settings(own, url, more=more)))
    return result.stdout + result.stderr


COMMANDS = [
    ("check",),
    ("check", "--json"),
    ("run", "--once"),
    ("provision", "--json"),
    ("plan", "--json"),
    ("status", "--json"),
]
SALESFORCE = {
    "secret": 'consumer_key = "key"\nconsumer_secret = "{consumer_secret}"',
    "session": 'session_id = "{session_id}"',
}


@pytest.mark.parametrize("status", [400, 401, 403])
def test_a_portal_that_echoes_our_token_makes_nobody_say_it(status: int, tmp_path: Path) -> None:
    said = ""
    with Echo() as echo:
        echo.status = status
        for arguments in COMMANDS:
            said += spoken(tmp_path, arguments, echo.url)
    assert "error" in said
    assert leaked(said + kept(tmp_path) + generate_latest(registry).decode()) == []


@pytest.mark.parametrize("flow", SALESFORCE)
def test_an_org_that_echoes_our_login_makes_nobody_say_it(flow: str, tmp_path: Path) -> None:
    login = SALESFORCE[flow].format(**PLANTED)
    more = f'crm = "salesforce"\n[connections.main.salesforce]\nmy_domain = "acme.my"\n{login}\n'
    said = ""
    with Echo() as echo:
        for echo.status in (400, 401, 403):
            for arguments in COMMANDS[1:3]:
                said += spoken(tmp_path, arguments, echo.url, more)
    assert "refus" in said
    assert leaked(said + kept(tmp_path)) == []


def test_a_private_key_is_never_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    more = (
        'crm = "salesforce"\n[connections.main.salesforce]\nmy_domain = "acme.my"\n'
        'consumer_key = "key"\nusername = "us@acme.com"\n'
    )
    said = ""
    for key in (KEY, KEY.replace("\n", "\\n"), KEY[:400] + "\n-----END PRIVATE KEY-----"):
        monkeypatch.setenv("ICP_SYNC_CONNECTIONS__MAIN__SALESFORCE__PRIVATE_KEY", key)
        with Echo() as echo:
            said += spoken(tmp_path, ("check",), echo.url, more)
    assert "error" in said
    assert leaked(said + kept(tmp_path)) == []


def test_a_run_that_works_keeps_and_says_no_secret(tmp_path: Path) -> None:
    with Simulator(accounts=5, seed=3, index_lag=0.0, token=PLANTED["token"]) as crm:
        crm.admin("POST settings", property_lag=0)
        config = settings(tmp_path, crm.url)
        said = ""
        for arguments in (
            ("provision", "--apply"),
            ("profile", "activate"),
            ("mode", "write"),
            ("run", "--backfill"),
            ("run", "--once"),
            ("check", "--json"),
            ("status", "--json"),
        ):
            result = command("--debug", *arguments, "--config", str(config))
            assert result.exit_code in (0, 2), result.output
            said += result.stdout + result.stderr
    assert "answered" in said
    assert leaked(said + kept(tmp_path) + generate_latest(registry).decode()) == []


AT_ONCE = """
import runpy
from tenacity import wait_none
from icp_sync.http import transport
transport.wait_random_exponential = lambda **_: wait_none()
runpy.run_module("icp_sync", run_name="__main__")
"""
"""The program, which does not wait between two attempts."""


def test_a_database_and_a_proxy_that_fail_say_no_password(tmp_path: Path) -> None:
    """In a process of its own: driver, pool and proxy have words of their own for a failure."""
    config = settings(tmp_path, "https://api.hubapi.com")
    proxy = f"http://us:{PLANTED['proxy']}@127.0.0.1:1"
    url = f"postgresql+psycopg://us:{PLANTED['journal']}@127.0.0.1:1/none?connect_timeout=1"
    cleared = {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
    said = ""
    for more in ({"ICP_SYNC_JOURNAL": url}, {"HTTPS_PROXY": proxy}):
        ended = subprocess.run(
            [sys.executable, "-c", AT_ONCE, "--debug", "check", "--config", str(config)],
            env={**cleared, **more},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert ended.returncode in (1, 2), ended.stderr
        said += ended.stdout + ended.stderr
    assert "proxy" in said
    assert leaked(said) == []


@pytest.mark.usefixtures("hurried")
def test_an_enricher_with_a_key_nobody_knows_does_not_quote_it(tmp_path: Path) -> None:
    more = f'token = "{PLANTED["token"]}"\n[[connections.main.enrichers]]\nuse = "csv"\npath = "x.csv"\n'
    config = settings(tmp_path, "http://127.0.0.1:1", more=more + f'api_key = "{PLANTED["api_key"]}"\n')
    result = command("--debug", "check", "--config", str(config))
    assert "api_key" in result.output
    assert leaked(result.output) == []


@pytest.mark.parametrize("as_json", [False, True])
def test_no_log_line_holds_a_secret_wherever_it_stands(
    as_json: bool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(settings(tmp_path, "http://127.0.0.1:1"), {}, dotenv=tmp_path / "none")
    secret = PLANTED["token"]
    configure_logs(json=as_json, level="debug")
    talk = log("test")
    talk.info("in a text", said=f"it was {secret}!")
    talk.info("nested", said={"deep": [{"er": (secret, secret.encode())}]})
    talk.info(f"as the event {secret}", authorization="anything", password="anything")
    talk.warning(
        "an error", error=ValueError(secret), other=repr(secret), address=f"https://x:{secret}@acme.com/"
    )
    try:
        raise RuntimeError(f"with {secret}") from KeyError(secret)
    except RuntimeError:
        talk.exception("a traceback")
    logging.getLogger("library").warning("a library says %s", secret)
    said = capsys.readouterr().err
    assert said.count("[redacted]") >= 10
    assert "library" in said
    assert "anything" not in said
    assert leaked(said) == []


@pytest.mark.parametrize("as_json", [False, True])
@pytest.mark.parametrize("secret", ["s3cr3t/With+Odd\"chars'é", 'only"double-quotes', "only'single-quotes"])
def test_a_secret_with_quotes_is_known_however_it_was_quoted(
    secret: str, as_json: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    conceal(secret)
    configure_logs(json=as_json, level="debug")
    talk = log("test")
    talk.info("as it is", said=secret, deep={"in": [{"it": (secret,)}]}, error=ValueError(secret))
    talk.info("quoted", once=repr(secret), json=json.dumps({"a": secret}), also=repr(f"{secret} isn't"))
    talk.info("twice", json=json.dumps(json.dumps({"a": secret})), repr=repr(repr(secret)))
    talk.info("by its name", deep={"token": "hush", "headers": [{"Authorization": "hush"}]})
    said = capsys.readouterr().err
    assert said.count("[redacted]") >= 10
    assert not any(part in said for part in ("s3cr3t", "only", "chars", "quotes", "hush"))


def test_a_traceback_of_an_unforeseen_error_holds_no_secret(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(settings(tmp_path, "http://127.0.0.1:1"), {}, dotenv=tmp_path / "none")
    try:
        with contextlib.suppress(OSError):
            raise RuntimeError(f"Authorization: Bearer {PLANTED['token']}")
    except RuntimeError as error:
        told(error, debug=True)
    said = capsys.readouterr().err
    assert "Traceback" in said
    assert leaked(said) == []


@pytest.mark.parametrize(
    "text",
    [
        "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab",
        "Authorization: Bearer abcdefghijkl",
        "basic " + base64.b64encode(b"user:password").decode(),
        "00Dxx0000001gPL!AR8AQJXg5oj8jXSgxJfA0lBog39",
        "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJ4In0.c2lnbmF0dXJl",
        "https://user:pass-word@acme.com/x",
        "postgresql+psycopg://user:pass-word@db/x",
        "grant_type=x&client_secret=hush-hush&y=1",
        "postgresql://user:pass-wo/rd@db/x",
        "postgresql://user:pass-w@o/rd@db/x",
        "https://h/x?a=1&key=hush-hush&y=1",
        "grant_type=refresh_token&refresh_token=hush-hush",
        '{"access_token": "hush-hush"}',
        r"{\"access_token\": \"hush-hush\"}",
        "password='hush-hush'",
        "-----BEGIN PRIVATE KEY-----\nMIIabc\n-----END PRIVATE KEY-----",
    ],
)
def test_what_looks_like_a_credential_is_blotted_out_though_it_is_not_ours(text: str) -> None:
    shown = redact(f"before {text} after")
    assert "[redacted]" in shown
    assert shown.startswith("before ")
    assert not any(
        word in shown for word in ("pass-w", "o/rd", "hush-hush", "MIIabc", "12345678", "AR8A", "abcdefgh")
    )


@pytest.mark.parametrize(
    "text",
    [
        "tier A → B",
        "http://127.0.0.1:8080/x?mail=a@b",
        "?key",
        "acme.com",
        "patience-2026",
        "https://acme.com/a@b",
        "bearer of news",
        "00D is no id",
    ],
)
def test_ordinary_words_stay(text: str) -> None:
    assert redact(text) == text


def test_short_texts_are_not_taken_for_secrets() -> None:
    conceal("", "icp", "A")
    assert redact("icp_sync says A") == "icp_sync says A"


def test_of_tokens_that_come_and_go_the_last_ones_are_looked_for_and_what_stays_is_never_forgotten() -> None:
    observe.conceal("a-secret-that-stays")
    for n in range(1_000):
        observe.conceal(f"session-token-number-{n:04}", passing=True)
    said = observe.redact("a-secret-that-stays, session-token-number-0999 and session-token-number-0001")
    assert said == "[redacted], [redacted] and session-token-number-0001"
