"""Profiles as a test writes them: a sound one to add lines to, and `«` where a problem is expected."""

from __future__ import annotations

from icp_sync.domain.profile import Profile
from icp_sync.errors import ConfigError, Problem
from icp_sync.profile_file import parse

HEAD = """\
profile: sample
currency: USD
"""
SIZE = "  - {name: Size, layer: firmographic, fact: employees, between: [50, 500], weight: 20}\n"
SOUND = HEAD + "criteria:\n" + SIZE


def problems(text: str) -> list[Problem]:
    """What is wrong with a text, [] when nothing is."""
    try:
        parse(text, "x.yaml")
    except ConfigError as error:
        return error.problems
    return []


def marked(text: str) -> tuple[str, list[str]]:
    """The text without its marks, and the places of the marks as problems name them."""
    places, plain = [], ""
    for part in text.split("«")[:-1]:
        plain += part
        places.append(f"x.yaml:{plain.count(chr(10)) + 1}:{len(plain) - plain.rfind(chr(10))}")
    return text.replace("«", ""), places


def criterion(body: str) -> str:
    """A profile whose second criterion holds `body`."""
    return f"{SOUND}  - {{name: Other, layer: pain, {body}}}\n"


def only_condition(body: str) -> Profile:
    """A profile that asks one thing alone, with weight 1."""
    return parse(f"{HEAD}criteria:\n  - {{name: Other, layer: pain, weight: 1, {body}}}\n", "x.yaml")
