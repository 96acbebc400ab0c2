"""README points at tests that exist, so a promise cannot lose its owner unnoticed."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
OWNED = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", (ROOT / "README.md").read_text(encoding="utf-8"))


def test_every_promise_names_a_test_that_is_there():
    assert len(OWNED) >= 7
    for path, name in OWNED:
        text = (ROOT / path).read_text(encoding="utf-8")
        assert re.search(rf"^(def {name}\(|{name} = )", text, re.MULTILINE), f"{path} has no {name}"


def test_every_link_to_a_file_leads_somewhere():
    for page in (
        "README.md",
        "CHANGELOG.md",
        "SECURITY.md",
        "config/README.md",
        "deploy/README.md",
        "tests/README.md",
    ):
        text = (ROOT / page).read_text(encoding="utf-8")
        for target in re.findall(r"\]\((?!http)([^)#]+)\)", text):
            assert ((ROOT / page).parent / target).exists(), f"{page} links to {target}"
