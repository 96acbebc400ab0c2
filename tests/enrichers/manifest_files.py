"""Manifests for tests: a vendor in a few keys, written to files as an operator would."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from icp_sync.enrichers.manifest import Manifest, Rest
from icp_sync.enrichers.manifest.building import Building
from icp_sync.enrichers.manifest.loading import load
from icp_sync.enrichers.manifest.samples import Reply
from icp_sync.ports import Answer
from tests.enrichers.vendor_world import NOW, asked, said, serving

PLAIN = """\
vendor: plain
title: Plain
source: https://docs.example.com/plain
base_url: https://api.example.com
leaves: [domain]
needs: [domain]
auth: {header: X-Key}
secrets: [key]
request: {path: "/companies/{domain}"}
hit: {when: name}
charge: {on: hit, credits: 1}
facts:
  employees: {from: size, kind: number, sure: documented}
  name: {from: name, kind: text, sure: documented}
"""
HIT: dict[str, Any] = {
    "made": "for a test",
    "body": {"name": "Acme", "size": "11-50"},
    "expect": {"name": ["set", ["acme"], True], "employees": ["interval", 11, 50]},
}


def written(folder: Path, text: str = PLAIN, hit: dict[str, Any] | None = None, **samples: Any) -> Path:
    """The manifest's file, its samples beside it. hit: {} for none."""
    path = folder / "plain.yaml"
    path.write_text(text, encoding="utf-8")
    beside = folder / "samples" / "plain"
    beside.mkdir(parents=True, exist_ok=True)
    for name, document in {"hit": HIT if hit is None else hit, **samples}.items():
        if document:
            (beside / f"{name}.json").write_text(json.dumps(document), encoding="utf-8")
    return path


def changed(*pairs: tuple[str, str], more: str = "") -> str:
    """The plain manifest with some of its text replaced, and more at its end."""
    text = PLAIN
    for old, new in pairs:
        assert old in text, old
        text = text.replace(old, new)
    return text + more


def rest(folder: Path, text: str = PLAIN, hit: dict[str, Any] | None = None, **config: Any) -> Rest:
    """The enricher of a manifest, and its clock standing still."""
    made = Building(written(folder, text, hit))(**{"key": "key-1234567890", **config})
    made.clock = lambda: NOW
    return made


def manifest(folder: Path, text: str = PLAIN, hit: dict[str, Any] | None = None) -> Manifest:
    return load(written(folder, text, hit))


FOUND = Reply(body=HIT["body"])
UNKNOWN = Reply(status=404, body={})


def ask(
    made: Rest, folder: Path, text: str, *replies: Reply | Exception, **about: str
) -> tuple[Answer, list[str]]:
    with serving(manifest(folder, text), replies) as sent:
        (answer,) = made.answer([asked(**about)])
    return answer, [said(one) for one in sent]


def single(folder: Path, text: str, *replies: Reply | Exception, **config: Any) -> Answer:
    return ask(rest(folder, text, **config), folder, text, *replies)[0]
