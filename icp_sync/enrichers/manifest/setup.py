"""A manifest with what one configuration makes of it: its name, keys, options, prices and lifetimes."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

from pydantic import SecretStr

from icp_sync.enrichers.lifetimes import seconds
from icp_sync.enrichers.manifest.consistency import facts_of, in_headers_of
from icp_sync.enrichers.manifest.schema import Manifest
from icp_sync.errors import ConfigError, Problem
from icp_sync.normalize.kinds import Parse
from icp_sync.observe import conceal
from icp_sync.settings.parts import credential, web_address

_UNIT = re.compile(r"([0-9]{1,12}(\.[0-9]{1,6})?)?")
_LAST_LATIN = 0xFF  # of the letters a header can carry
_CURRENCY = re.compile(r"([A-Z]{3})?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """price: the most credits one request costs, its steps and what a hit adds. steps: the credits of each
    step, in their order. ttls: fact → seconds. base_url: "" where the manifest's
    hosts are meant, else what stands for all of them."""

    manifest: Manifest
    name: str
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    price: float = 0.0
    hit_credits: float = 0.0
    steps: tuple[float, ...] = ()
    ttls: Mapping[str, float] = field(default_factory=dict)
    ttl: float = 0.0
    miss_ttl: float = 0.0
    base_url: str = ""
    parsers: dict[tuple[str, int, str], Parse] = field(default_factory=dict, repr=False)

    def option(self, raw: Any) -> Any:
        """What a placeholder of an option stands for; anything else is itself."""
        if isinstance(raw, str) and raw.startswith("{") and raw.endswith("}"):
            return self.options.get(raw[1:-1])
        return raw


def set_up(manifest: Manifest, config: Mapping[str, Any]) -> Setup:
    """What these configuration keys make of it. Raises ConfigError with every problem at once."""
    problems: list[Problem] = []
    secrets = _secrets(manifest, config, problems)
    options = _options(manifest, config, problems)
    base_url = _base_url(config.get("base_url", ""), problems)
    hit_credits, steps = _credits(manifest, config.get("price"), problems)
    ttls = {fact: manifest.ttl.get(fact, _else(manifest)) for fact in facts_of(manifest)}
    ttl, miss_ttl = _else(manifest), manifest.miss_ttl
    try:
        if config.get("ttl_days") is not None:
            ttl = seconds("ttl_days", config["ttl_days"])
            ttls = dict.fromkeys(ttls, ttl)
        if config.get("miss_ttl_days") is not None:
            miss_ttl = seconds("miss_ttl_days", config["miss_ttl_days"])
    except ConfigError as error:
        problems += error.problems
    if problems:
        raise ConfigError(problems)
    return Setup(
        manifest=manifest,
        name=str(config.get("name") or manifest.vendor),
        secrets=secrets,
        options=options,
        price=hit_credits + sum(steps),
        hit_credits=hit_credits,
        steps=steps,
        ttls=ttls,
        ttl=ttl,
        miss_ttl=miss_ttl,
        base_url=base_url,
    )


def _else(manifest: Manifest) -> float:
    return manifest.ttl.get("else") or max(manifest.ttl.values())


def _secrets(
    manifest: Manifest, config: Mapping[str, Any], problems: list[Problem]
) -> Mapping[str, SecretStr]:
    """Known by their text from here on: nothing that is logged or raised shows them."""
    found: dict[str, SecretStr] = {}
    for name in manifest.secrets:
        try:
            text = credential(config.get(name))
        except ValueError as error:
            problems.append(Problem(where=name, what=str(error), hint=f"what {manifest.title} gave you"))
            continue
        conceal(text)
        found[name] = SecretStr(text)
    return found


def _options(manifest: Manifest, config: Mapping[str, Any], problems: list[Problem]) -> Mapping[str, Any]:
    found = {**manifest.options}
    for name, default in manifest.options.items():
        value = config.get(name, default)
        kinds = (int, float) if type(default) in (int, float) else type(default)
        if isinstance(value, bool) is not isinstance(default, bool) or not isinstance(value, kinds):
            problems.append(Problem(where=name, what=f"must be like its default, {default!r}"))
        found[name] = value
    for name in manifest.required:
        value = config.get(name)
        if not isinstance(value, str) or not value.strip():
            problems.append(Problem(where=name, what=f"is needed by {manifest.title}"))
        elif not value.isprintable():
            problems.append(Problem(where=name, what="holds characters that cannot be sent"))
        else:
            found[name] = value.strip()
    problems += [
        Problem(where=name, what="holds letters that cannot be sent in a header")
        for name in sorted(in_headers_of(manifest) & found.keys())
        if any(ord(letter) > _LAST_LATIN for letter in str(found[name]))
    ]
    for line in (line for lines in manifest.facts.values() for line in lines):
        for raw, fits, wanted in ((line.times, _UNIT, "a number"), (line.currency, _CURRENCY, "ISO 4217")):
            name = str(raw)[1:-1]
            if str(raw).startswith("{") and not fits.fullmatch(str(found.get(name, ""))):
                problems.append(Problem(where=name, what=f"must be {wanted}, or nothing"))
    return found


def _base_url(raw: object, problems: list[Problem]) -> str:
    try:
        return web_address(str(raw)) if raw else ""
    except ValueError as error:
        problems.append(Problem(where="base_url", what=str(error)))
        return ""


def _credits(manifest: Manifest, price: object, problems: list[Problem]) -> tuple[float, tuple[float, ...]]:
    """Of what a hit adds, and of each step before it. A configured price is for all of them together, and
    they share in it as they do in the manifest's: nothing beyond what is reserved is ever booked."""
    hit = 0.0 if manifest.charge.on == "free" else manifest.charge.credits
    steps = tuple(step.credits for step in manifest.steps)
    if price is None:
        return hit, steps
    if isinstance(price, bool) or not isinstance(price, int | float) or price < 0 or not isfinite(price):
        problems.append(Problem(where="price", what="must be a number of credits, 0 or more"))
        return hit, steps
    whole = hit + sum(steps)
    shares = tuple(price * step / whole if whole else 0.0 for step in steps)
    return max(0.0, price - sum(shares)), shares


def plain(manifest: Manifest, options: Mapping[str, Any] | None = None) -> Setup:
    """As it is without any configuration, to read samples with. options: what a sample wants otherwise."""
    ttl = _else(manifest)
    hit_credits, steps = _credits(manifest, None, [])
    return Setup(
        manifest=manifest,
        name=manifest.vendor,
        options={**dict.fromkeys(manifest.required, "sample"), **manifest.options, **(options or {})},
        price=hit_credits + sum(steps),
        hit_credits=hit_credits,
        steps=steps,
        ttls={fact: manifest.ttl.get(fact, ttl) for fact in facts_of(manifest)},
        ttl=ttl,
        miss_ttl=manifest.miss_ttl,
    )
