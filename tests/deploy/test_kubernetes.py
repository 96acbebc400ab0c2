"""The manifests: Kubernetes takes them, and they run what the image, the settings and the worker ask for."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from icp_sync.errors import ConfigError
from icp_sync.journal.database import open_engine
from icp_sync.journal.migrating import TRIES_FOR
from icp_sync.settings import Settings, load

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "deploy" / "kubernetes"
OLDEST, NEWEST = "1.31", "1.37"
"""Releases of Kubernetes that the manifests are held to."""
OF_OTHERS = ("kustomization.yaml", "servicemonitor.yaml")
"""Of kinds that Kubernetes itself does not know."""


@cache
def read(name: str) -> tuple[Any, ...]:
    return tuple(YAML(typ="safe").load_all((FOLDER / name).read_text(encoding="utf-8")))


def kustomization() -> Any:
    return read("kustomization.yaml")[0]


def everything() -> list[Any]:
    return [one for name in kustomization()["resources"] for one in read(name)]


def of_kind(kind: str) -> dict[str, Any]:
    return {one["metadata"]["name"]: one["spec"] for one in everything() if one["kind"] == kind}


def pods() -> dict[str, Any]:
    return {name: spec["template"]["spec"] for name, spec in of_kind("Deployment").items()}


def problems(resource: Any) -> list[str]:
    """What two releases of Kubernetes would say of a resource."""
    kubernetes_validate = pytest.importorskip("kubernetes_validate")
    found = []
    for release in (OLDEST, NEWEST):
        try:
            kubernetes_validate.validate(resource, release, strict=True)
        except kubernetes_validate.ValidationError as error:
            found.append(str(error.message))
    return found


def test_kubernetes_takes_them() -> None:
    files = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name not in OF_OTHERS)
    assert {
        f"{name} {one['kind']}": problems(one) for name in files for one in read(name) if problems(one)
    } == {}
    wrong = json.loads(json.dumps(read("worker.yaml")[0]).replace("readinessProbe", "readynessProbe"))
    assert all("readynessProbe" in said for said in problems(wrong))
    assert len(problems(wrong)) == 2


def test_every_file_is_used_or_said_to_be_optional() -> None:
    settings = {path.name for path in FOLDER.glob("settings/*")}
    (made,) = kustomization()["configMapGenerator"]
    assert set(made["files"]) == {f"settings/{name}" for name in settings}
    beside = {path.name for path in FOLDER.glob("*.yaml")} - set(kustomization()["resources"])
    assert beside == {"kustomization.yaml", "servicemonitor.yaml", "secrets.example.yaml"}
    readme = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    assert all(name in readme for name in beside)


def test_whatever_is_named_is_there() -> None:
    maps = {one["name"] for one in kustomization()["configMapGenerator"]}
    secrets = {one["metadata"]["name"] for one in read("secrets.example.yaml")}
    (image,) = kustomization()["images"]
    for pod in pods().values():
        (container,) = pod["containers"]
        assert container["image"] == image["name"]
        volumes = {one["name"]: one for one in pod["volumes"]}
        assert {one["name"] for one in container["volumeMounts"]} == set(volumes)
        assert volumes["settings"]["configMap"]["name"] in maps
        assert {one["secret"]["secretName"] for one in volumes.values() if "secret" in one} == secrets
        ports = {one["name"] for one in container["ports"]}
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            (port,) = {one["port"] for one in container[probe].values() if isinstance(one, dict)}
            assert port in ports
    components = {
        spec["selector"]["matchLabels"]["app.kubernetes.io/component"]
        for spec in of_kind("Deployment").values()
    }
    for spec in (*of_kind("Service").values(), *of_kind("PodDisruptionBudget").values()):
        labels = spec["selector"].get("matchLabels", spec["selector"])
        assert labels.get("app.kubernetes.io/component", "worker") in components
    (monitor,) = read("servicemonitor.yaml")
    (service,) = [one for one in read("services.yaml") if one["metadata"]["name"] == "icp-sync-health"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= service["metadata"]["labels"].items()
    assert {one["port"] for one in monitor["spec"]["endpoints"]} <= {
        one["name"] for one in service["spec"]["ports"]
    }


def test_a_worker_has_the_time_it_takes_and_is_replaced_before_it_goes() -> None:
    worker = of_kind("Deployment")["icp-sync-worker"]
    assert worker["replicas"] >= 2
    assert worker["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    for name, pod in pods().items():
        (container,) = pod["containers"]
        started = container["startupProbe"]
        assert started["periodSeconds"] * started["failureThreshold"] > TRIES_FOR, (
            "a migration may wait for locks"
        )
        assert of_kind("Deployment")[name]["progressDeadlineSeconds"] > TRIES_FOR
        assert pod["terminationGracePeriodSeconds"] > 30
        assert container["readinessProbe"]["httpGet"]["path"] == "/readyz"
        assert "tcpSocket" in container["livenessProbe"], "a CRM that is down is no reason to start it again"


def test_they_may_little() -> None:
    for pod in pods().values():
        (container,) = pod["containers"]
        assert pod["automountServiceAccountToken"] is False
        assert pod["enableServiceLinks"] is False, "their variables would read like unknown settings"
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 10001, "the image's"
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert container["resources"]["limits"]["memory"]
    (policy,) = of_kind("NetworkPolicy").values()
    assert policy["policyTypes"] == ["Ingress", "Egress"]
    out = {port["port"] for rule in policy["egress"] for port in rule["ports"]}
    assert out == {53, 443, 5432}
    (namespace,) = [one for one in everything() if one["kind"] == "Namespace"]
    assert namespace["metadata"]["name"] == kustomization()["namespace"]
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"


def environment(secrets: Path) -> dict[str, str]:
    """The variables of a worker's container."""
    (container,) = pods()["icp-sync-worker"]["containers"]
    return {one["name"]: one["value"] for one in container["env"]} | {"ICP_SYNC_SECRETS": str(secrets)}


def as_mounted(folder: Path, **values: str) -> Path:
    """The secret's keys as files, with these values where the example has placeholders."""
    folder.mkdir()
    for key, value in read("secrets.example.yaml")[0]["stringData"].items():
        (folder / key).write_text(values.get(key, value))
        (folder / key).chmod(0o600)
    return folder


def test_the_settings_are_read_with_the_secrets_beside_them(tmp_path: Path) -> None:
    secrets = as_mounted(
        tmp_path / "secrets",
        journal="postgresql+psycopg://icp_sync:p@db/icp_sync",
        connections__main__token="pat-na1-12345678-1234-1234-1234-123456789012",
        console__users__ada__password="scrypt:15:bm90LWEtcmVhbC1zYWx0:bm90LWEtcmVhbC1kaWdlc3QtYnV0LWxvbmc",
    )
    read = load(FOLDER / "settings" / "icp-sync.toml", environment(secrets))
    (container,) = pods()["icp-sync-worker"]["containers"]
    assert read.health.port == Settings.model_fields["health"].default.port
    assert {"name": "health", "containerPort": read.health.port} in container["ports"]
    assert read.journal.startswith("postgresql")
    assert read.seal_file == Path("/run/secrets/seal/seal.key")
    assert read.connections["main"].profiles == [Path("/etc/icp-sync/mid-market.yaml")]


@pytest.mark.parametrize("left", ["journal", "connections__main__token", "console__users__ada__password"])
def test_a_placeholder_that_was_left_is_refused(tmp_path: Path, left: str) -> None:
    values = {
        "journal": "postgresql+psycopg://icp_sync:p@db/icp_sync",
        "connections__main__token": "pat-na1-12345678-1234-1234-1234-123456789012",
        "console__users__ada__password": "scrypt:15:bm90LWEtcmVhbC1zYWx0:bm90LWEtcmVhbC1kaWdlc3QtYnV0LWxvbmc",
    }
    del values[left]
    secrets = as_mounted(tmp_path / "secrets", **values)
    with pytest.raises(ConfigError, match=left.split("__")[-1]):
        open_engine(load(FOLDER / "settings" / "icp-sync.toml", environment(secrets)).journal)


def test_the_profile_to_begin_with_has_no_problem() -> None:
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "icp_sync",
            "profile",
            "check",
            str(FOLDER / "settings" / "mid-market.yaml"),
            "--json",
        ],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert json.loads(done.stdout)
