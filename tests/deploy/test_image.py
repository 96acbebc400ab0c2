"""The container image as far as a machine without Docker can tell: linted, and its steps rehearsed."""

from __future__ import annotations

import fnmatch
import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from icp_sync.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
SERVICE_KEYS = {
    *("build", "cap_drop", "environment", "image", "mem_limit", "pids_limit", "read_only", "restart"),
    *("secrets", "security_opt", "stop_grace_period", "tmpfs", "volumes"),
}
"""Keys of a service that we use, as the Compose specification spells them."""


def instructions() -> list[tuple[str, str]]:
    """Each instruction of the Dockerfile with its arguments on one line."""
    text = re.sub(r"^#.*\n", "", DOCKERFILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    lines = text.replace("\\\n", " ").splitlines()
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines if line.strip()]


def said(name: str) -> list[str]:
    return [arguments for found, arguments in instructions() if found == name]


def compose() -> Any:
    return YAML(typ="safe").load((ROOT / "deploy" / "compose.yml").read_text(encoding="utf-8"))


def rules() -> list[str]:
    """The lines of .dockerignore; of those that speak of a file the last one decides."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def in_context(path: str, rules: list[str]) -> bool:
    """Whether Docker would send this file to the build."""
    parts, sent = path.split("/"), True
    names = ["/".join(parts[: n + 1]) for n in range(len(parts))]
    for rule in rules:
        pattern = rule.removeprefix("!")
        deep = pattern.startswith("**/") and pattern[3:] in parts
        if deep or any(fnmatch.fnmatchcase(name, pattern) for name in names):
            sent = rule.startswith("!")
    return sent


@cache
def context() -> tuple[str, ...]:
    """Every file of this checkout that goes into the build."""
    below = [p for root in ("icp_sync", "config", "deploy", ".ci") for p in (ROOT / root).rglob("*")]
    paths = [p.relative_to(ROOT).as_posix() for p in [*ROOT.iterdir(), *below] if p.is_file()]
    said = rules()
    return tuple(sorted(path for path in paths if in_context(path, said)))


def test_the_linter_has_nothing_to_say() -> None:
    linter = Path(sys.executable).with_name("hadolint")
    if not linter.exists():
        pytest.skip("hadolint is not installed here (Linux only)")
    done = subprocess.run([linter, DOCKERFILE], capture_output=True, text=True, timeout=60)
    assert (done.stdout, done.returncode) == ("", 0)
    bad = subprocess.run([linter, "-"], input="FROM python\nRUN cd /\n", capture_output=True, text=True)
    assert bad.returncode != 0, "something wrong would be seen"


def test_only_what_the_build_copies_is_sent_to_it() -> None:
    copied = [p for line in said("COPY") if not line.startswith("--from") for p in line.split()[:-1]]
    for path in context():
        assert any(path == one or path.startswith(f"{one}/") for one in copied), f"{path} is not needed"
    for one in copied:
        assert any(path == one or path.startswith(f"{one}/") for path in context()), f"{one} is not sent"
    assert not [
        path for path in context() if path.endswith((".pyc", ".toml.local", ".env", ".sqlite", ".key"))
    ]


def test_the_image_is_small_unprivileged_and_ends_gently() -> None:
    bases = re.findall(r"^FROM python:\$\{PYTHON\}( AS build)?$", DOCKERFILE.read_text(), re.MULTILINE)
    assert bases == [" AS build", ""], "built in a stage of its own"
    assert re.fullmatch(r"PYTHON=3\.\d+-slim-\w+", said("ARG")[0])
    assert said("USER") == ["10001:10001"]
    assert said("STOPSIGNAL") == ["SIGTERM"]
    assert said("VOLUME") == said("WORKDIR")[-1:]
    assert not [run for run in said("RUN") if re.search(r"\b(gcc|build-essential|curl|apt-get)\b", run)]
    assert json.loads(said("HEALTHCHECK")[0].split("CMD ")[1]) == ["icp-sync", "health", "--alive"]
    assert said("EXPOSE") == [str(Settings.model_fields["health"].default.port)]


def test_its_steps_make_a_program_that_runs_from_the_wheel_alone(tmp_path: Path) -> None:
    source, made = tmp_path / "src", tmp_path / "venv"
    for path in context():
        (source / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, source / path)
    offline = {**os.environ, "PIP_NO_INDEX": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PYTHONPATH": ""}

    def run(*command: str | Path, folder: Path = tmp_path, **more: str) -> str:
        done = subprocess.run(
            command, cwd=folder, env={**offline, **more}, capture_output=True, text=True, timeout=100
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    wheels = tmp_path / "wheels"
    run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", wheels, folder=source)
    wheel = next(wheels.glob("icp_sync-*.whl"))
    run(sys.executable, "-m", "venv", "--without-pip", made)
    python = made / "bin" / "python"
    run(sys.executable, "-m", "pip", "--python", python, "install", "--quiet", "--no-deps", wheel)
    at = next(made.glob("lib/python*/site-packages"))
    (at / "dependencies.pth").write_text(
        sysconfig.get_path("purelib")
    )  # those of the machine, and not its icp_sync
    program = made / "bin" / "icp-sync"
    assert "Commands:" in run(program, "--help")
    assert str(made) in run(python, "-c", "import icp_sync; print(icp_sync.__file__)")
    run(program, "init", "--crm", "hubspot", "--industry", "saas", "--yes")
    assert "mode" in run(program, "status", "--json", ICP_SYNC_CONNECTIONS__MAIN__TOKEN="pat-na1-0000")
    assert (tmp_path / "state" / "icp-sync.sqlite").exists(), "the migrations are in the wheel"


def test_the_composition_fits_the_image() -> None:
    file = compose()
    assert set(file) == {"services", "volumes", "secrets"}
    (service,) = file["services"].values()
    assert set(service) <= SERVICE_KEYS
    assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
    mounts = dict(mount.split(":")[:2] for mount in service["volumes"])
    assert list(mounts.values()) == [*said("VOLUME"), "/etc/icp-sync"]
    assert set(mounts) - {"./icp-sync"} == set(file["volumes"])
    assert (
        ROOT / "deploy" / service["build"]["context"] / service["build"]["dockerfile"]
    ).resolve() == DOCKERFILE
    assert set(service["secrets"]) == set(file["secrets"])
    assert service["environment"]["ICP_SYNC_SECRETS"] == "/run/secrets"
    config = next(
        arg.split("ICP_SYNC_CONFIG=")[1].split()[0] for arg in said("ENV") if "ICP_SYNC_CONFIG" in arg
    )
    assert Path(config).parent == Path("/etc/icp-sync")
