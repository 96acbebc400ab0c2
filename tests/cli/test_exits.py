"""Every way a command can end: the exit code, the sentence on stderr, and nothing else."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from icp_sync.cli.exits import Guarded
from icp_sync.errors import (
    AuthError,
    ConfigError,
    IcpSyncError,
    LostLeaseError,
    Problem,
    RequestError,
    UnavailableError,
    UnsafePlanError,
)
from tests.cli.conftest import Place, command

TOKEN = "pat-na1-12345678-aaaa-bbbb-cccc-1234567890ab"


def ended(error: BaseException, *options: str) -> Result:
    """A command that raises this, run as the program runs its own."""
    app = typer.Typer(cls=Guarded, rich_markup_mode=None, pretty_exceptions_enable=False)

    @app.callback()
    def root(debug: bool = False) -> None:
        pass

    @app.command()
    def fail() -> None:
        raise error

    return CliRunner().invoke(app, [*options, "fail"])


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (ConfigError("no such thing"), 2),
        (AuthError("token refused"), 2),
        (UnsafePlanError("too much would change"), 3),
        (UnavailableError("the CRM is down"), 1),
        (RequestError("HTTP 404", status=404), 1),
        (LostLeaseError("taken over"), 1),
        (KeyboardInterrupt(), 130),
        (RuntimeError("what?"), 1),
        (BrokenPipeError(), 1),
    ],
)
def test_each_error_has_its_exit_code_and_stdout_stays_empty(error: BaseException, code: int) -> None:
    result = ended(error)
    assert result.exit_code == code
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_an_error_is_a_sentence_and_the_next_command() -> None:
    result = ended(IcpSyncError("nothing is bound", next_step="icp-sync bind"))
    assert result.stderr == "error: nothing is bound\nnext: icp-sync bind\n"


def test_all_problems_are_listed() -> None:
    problems = [Problem(where=f"file:{n}", what="is wrong", hint="mend it") for n in (1, 2)]
    assert ended(ConfigError(problems)).stderr == (
        "error: 2 problems\n  file:1: is wrong (mend it)\n  file:2: is wrong (mend it)\n"
    )


def test_an_unforeseen_error_is_one_sentence_with_where_to_report_it() -> None:
    lines = ended(KeyError("x")).stderr.splitlines()
    assert lines[0] == "error: this should not have happened: KeyError: 'x'"
    assert "issue tracker" in lines[1]
    assert len(lines) == 2


def test_debug_shows_the_traceback() -> None:
    result = ended(KeyError("x"), "--debug")
    assert "Traceback" in result.stderr
    assert "in fail" in result.stderr


@pytest.mark.parametrize("options", [(), ("--debug",)])
@pytest.mark.parametrize("kind", [RuntimeError, UnavailableError, ConfigError])
def test_no_token_is_ever_shown(kind: type[Exception], options: tuple[str, ...]) -> None:
    result = ended(kind(f"refused Bearer {TOKEN}: {TOKEN}"), *options)
    assert "aaaa-bbbb" not in result.output
    assert "[redacted]" in result.stderr


def test_a_message_cannot_steer_the_terminal() -> None:
    assert "\x1b" not in ended(UnavailableError("account \x1b[2J\x1b[31mEvil")).output


def test_a_file_that_cannot_be_read_is_named() -> None:
    result = ended(PermissionError(13, "Permission denied", "/etc/shadow"))
    assert (result.exit_code, result.stderr) == (1, "error: /etc/shadow: Permission denied\n")


WRONG = [
    (("explain",), 2, "Missing argument 'ID|DOMAIN'"),
    (("plam",), 2, "No such command 'plam'. Did you mean 'plan'?"),
    (("mode", "rout"), 2, "'rout' is not one of"),
    (("plan", "--limit", "0"), 2, "Invalid value for '--limit'"),
    (("status", "--config", "/nowhere/x.toml"), 2, "/nowhere/x.toml: cannot be read"),
    (("simulator", "--limits", "gold"), 2, "gold"),
    (("profile", "check", "/nowhere/profile.yaml"), 2, "/nowhere/profile.yaml"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), WRONG)
def test_wrong_usage_says_what_is_wrong(arguments: tuple[str, ...], code: int, said: str) -> None:
    result = command(*arguments)
    assert (result.exit_code, said in result.output) == (code, True), result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said", "step"),
    [
        (("mode", "write"), "there is no seal key yet", "icp-sync provision --apply"),
        (("explain", "nobody.example"), "the journal knows no account", "icp-sync run --once"),
        (("release", "17"), "the journal knows no account", "icp-sync run --once"),
        (("plan", "--where", "employees"), "not of the form FACT=VALUE", ""),
        (("status", "--connection", "other"), "there is no connection 'other'", "icp-sync check"),
    ],
)
def test_what_cannot_be_done_names_the_next_command(
    place: Place, arguments: tuple[str, ...], said: str, step: str
) -> None:
    result = place.run(*arguments, code=2)
    assert said in result.stderr
    assert result.stdout == ""
    assert ("next: " in result.stderr) == bool(step)
    assert step in result.stderr


def test_a_token_the_crm_refuses_is_exit_2(place: Place) -> None:
    place.write(token="pat-na1-00000000-0000-0000-0000-000000000000")
    result = place.run("plan", code=2)
    assert result.stderr.startswith("error: ")
    assert "00000000-0000" not in result.stderr
    assert "ICP_SYNC_CONNECTIONS__MAIN__TOKEN" in result.stderr


@pytest.mark.usefixtures("hurried")
def test_a_crm_that_does_not_answer_is_exit_1(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace(place.crm.url, "http://127.0.0.1:9"))
    assert place.run("bind", code=1).stderr == (
        "error: cannot reach http://127.0.0.1:9: connection refused\nnext: check base_url and the network\n"
    )


def test_ctrl_c_while_a_crm_is_asked_again_is_130(place: Place) -> None:
    place.config.write_text(place.config.read_text().replace(place.crm.url, "http://127.0.0.1:9"))
    program = subprocess.Popen(
        [sys.executable, "-m", "icp_sync", "check", "--config", str(place.config)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    journal = place.folder / "journal.sqlite"
    while not journal.exists() and program.poll() is None:
        pass  # it has begun its work once the journal is there
    program.send_signal(signal.SIGINT)
    said = program.communicate(timeout=60)
    assert (program.returncode, "Traceback" in "".join(said)) == (130, False)


def test_a_reader_that_left_is_no_error(tmp_path: Path) -> None:
    program = subprocess.Popen(
        [sys.executable, "-m", "icp_sync", "profile", "schema"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert program.stdout is not None
    program.stdout.close()
    assert program.stderr is not None
    assert program.stderr.read() == b""
    program.wait(30)
