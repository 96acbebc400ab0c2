"""Several workers and a database in one composition: Compose takes it, and nothing in it is open."""

from __future__ import annotations

import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML
from sqlalchemy.engine import make_url

from icp_sync.cluster.queue import SESSIONS
from icp_sync.journal.postgres import make_engine

DEPLOY = Path(__file__).parents[2] / "deploy"
FILES = [DEPLOY / "compose.yml", DEPLOY / "compose.cluster.yml"]


@cache
def read(file: Path) -> Any:
    return YAML(typ="safe").load(file.read_text(encoding="utf-8"))


def services() -> dict[str, Any]:
    found: dict[str, Any] = read(FILES[1])["services"]
    return found


def linted(file: Path) -> subprocess.CompletedProcess[str]:
    """What check-jsonschema says by the Compose specification's own schema, which it brings along."""
    pytest.importorskip("check_jsonschema")
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)],
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_compose_takes_it(file: Path, tmp_path: Path) -> None:
    done = linted(file)
    assert done.returncode == 0, done.stdout
    wrong = tmp_path / "compose.yml"
    wrong.write_text(file.read_text().replace("read_only", "readonly"))
    assert "readonly" in linted(wrong).stdout, "a wrong key would be seen"


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_every_service_may_little(file: Path) -> None:
    for name, service in read(file)["services"].items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert service["mem_limit"], name
        assert service["pids_limit"], name
        for port in service.get("ports", ()):
            assert port.startswith("127.0.0.1:"), "nothing is open to the network"


def test_whatever_is_named_is_there() -> None:
    file = read(FILES[1])
    used = {"secrets": set(), "volumes": set(), "networks": set()}
    for service in file["services"].values():
        used["secrets"] |= set(service["secrets"])
        used["networks"] |= set(service["networks"])
        named = {mount.split(":")[0] for mount in service["volumes"]}
        used["volumes"] |= {name for name in named if not name.startswith(".")}
    for kind, names in used.items():
        assert names == set(file[kind]), kind
    readme = (DEPLOY / "README.md").read_text(encoding="utf-8")
    for secret in file["secrets"].values():
        assert secret["file"].removeprefix("./") in readme


def test_workers_wait_for_the_database_and_nobody_else_reaches_it() -> None:
    database = services()["database"]
    assert database["networks"] == ["database"]
    assert read(FILES[1])["networks"]["database"] == {"internal": True}
    assert "ports" not in database
    assert re.match(r"postgres:17\b", database["image"])
    assert "--host=127.0.0.1" in database["healthcheck"]["test"], "not the socket, which is there too early"
    for name in ("worker", "console"):
        worker = services()[name]
        assert worker["command"][0] == "worker"
        assert worker["depends_on"] == {"database": {"condition": "service_healthy"}}
        assert int(worker["stop_grace_period"].removesuffix("s")) > 30
    assert services()["worker"]["deploy"]["replicas"] >= 2
    assert services()["console"]["profiles"] == ["console"]


def test_the_database_has_connections_for_twice_as_many_workers() -> None:
    pool: Any = make_engine(make_url("postgresql+psycopg://icp_sync@database/icp_sync")).pool
    each = pool.size() + pool._max_overflow + SESSIONS
    said = " ".join(services()["database"]["command"])
    workers = services()["worker"]["deploy"]["replicas"] + 1
    assert int(re.search(r"max_connections=(\d+)", said)[1]) >= 2 * workers * each
    assert f"{each} connections" in (DEPLOY / "README.md").read_text(encoding="utf-8")


def test_one_worker_and_many_run_the_same_image_alike() -> None:
    (alone,) = read(FILES[0])["services"].values()
    worker = services()["worker"]
    for key in (
        "build",
        "image",
        "restart",
        "stop_grace_period",
        "read_only",
        "tmpfs",
        "cap_drop",
        "environment",
        "volumes",
    ):
        assert worker[key] == alone[key], key
