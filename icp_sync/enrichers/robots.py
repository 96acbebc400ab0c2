"""Whether a site lets us in: its robots.txt, as RFC 9309 says it is to be read. Fetches nothing by itself."""

from __future__ import annotations

from urllib.robotparser import RobotFileParser

LARGEST = 512_000
"""Bytes of a robots.txt that are read; RFC 9309, section 2.5, asks for at least 500 KiB."""


def allows(status: int, body: bytes, agent: str, url: str) -> bool:
    """Whether `agent`, the first word of our name, may visit `url` by this reply to /robots.txt.

    A file that is not there (4xx) allows everything; one that cannot be had (5xx) nothing: section 2.3.1.
    """
    if status >= 500 or status < 200:
        return False
    if status >= 300:
        return True
    lines = body[:LARGEST].decode("utf-8", "replace").removeprefix("\ufeff").splitlines()
    try:
        return _parsed(lines).can_fetch(agent, url)
    except ValueError:  # a path with half a bracket, which Python takes for an address
        usable = [line for line in lines if "[" not in line and "]" not in line]
        return _parsed(usable).can_fetch(agent, url)


def _parsed(lines: list[str]) -> RobotFileParser:
    parser = RobotFileParser()
    parser.parse(lines)
    return parser
