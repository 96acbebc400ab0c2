"""What is shipped under `config/` works and is documented."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import get_args

import pytest
from pydantic import BaseModel

from icp_sync.domain.facts import CATALOGUE
from icp_sync.domain.profile import LANES, LAYERS
from icp_sync.profile_file import advice, json_schema, load, parse_all
from icp_sync.profile_file.questions import OPERATORS
from icp_sync.profile_file.schema import ProfileEntry
from icp_sync.simulator.hubspot.people import owners

CONFIG = Path(__file__).parents[2] / "config"
README = (CONFIG / "README.md").read_text(encoding="utf-8")
PROFILES = sorted((CONFIG / "profiles").glob("*.yaml"))


def models(model: type[BaseModel], seen: set[type[BaseModel]]) -> Iterator[type[BaseModel]]:
    """A model and every model below it, each once."""
    if model in seen:
        return
    seen.add(model)
    yield model
    pending = [field.annotation for field in model.model_fields.values()]
    while pending:
        annotation = pending.pop()
        pending += get_args(annotation)
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            yield from models(annotation, seen)


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_shipped_profile_is_sound_and_draws_no_warning_where_every_fact_has_a_source(path: Path) -> None:
    profile = load(path).profile
    sources = {fact: ["crm:x"] for fact in CATALOGUE}
    assert profile.name == path.stem
    assert (
        advice([profile], sources=sources, in_scope_firm=None, accounts=None, today=date(2026, 12, 1)) == []
    )


@pytest.mark.parametrize("path", PROFILES, ids=lambda path: path.stem)
def test_a_shipped_profile_routes_to_owners_the_simulator_has(path: Path) -> None:
    profile = load(path).profile
    known = {owner.email for owner in owners(0) if not owner.archived}
    named = {member.email for pool in profile.pools.values() for member in pool.members}
    named |= {route.target.owner for route in profile.routes if route.target.owner}
    assert named <= known


def test_the_demo_profile_covers_layers_effects_and_kinds_of_route() -> None:
    profile = load(CONFIG / "profiles/listed-companies.yaml").profile
    assert len({criterion.layer for criterion in profile.criteria}) >= 4
    assert {flag.effect.value for flag in profile.flags} == {"exclude", "cap", "mark"}
    assert len(profile.pools["europe"].members) == 3
    assert any(route.target.owner for route in profile.routes)
    assert set(profile.examples.values()) == {"A", "B", "C", "D", "Not ICP"}


def test_the_shipped_schema_is_the_one_the_program_makes() -> None:
    shipped = json.loads((CONFIG / "profile.schema.json").read_text(encoding="utf-8"))
    assert shipped == json_schema()
    for path in PROFILES:
        assert path.read_text(encoding="utf-8").startswith(
            "# yaml-language-server: $schema=../profile.schema.json\n"
        )


def test_every_profile_key_operator_layer_lane_and_fact_is_in_the_readme() -> None:
    keys = {
        field.alias or name
        for model in models(ProfileEntry, set())
        for name, field in model.model_fields.items()
    }
    documented = set(re.findall(r"[a-z_A-D]+", " ".join(re.findall(r"`[^`\n]+`", README))))
    for word in (*keys, *OPERATORS, *LAYERS, *LANES, *CATALOGUE):
        assert word in documented, word


def test_the_readme_writes_one_profile_piece_by_piece() -> None:
    *pieces, variant = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)
    written = "".join(pieces) + "pools: {north-america: {members: [{email: a@b.co}]}}\n"
    profile, dach = parse_all([(written, "config/README.md"), (variant, "its variant")])
    assert (len(profile.criteria), len(profile.flags), len(profile.routes)) == (2, 3, 3)
    assert (dach.currency, len(dach.criteria), len(dach.flags), dach.tiers.a) == ("USD", 3, 2, 75)


def test_the_program_starts_without_what_only_files_need() -> None:
    code = "import sys, icp_sync.__main__; sys.exit(not {'pydantic', 'ruamel.yaml'}.isdisjoint(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
