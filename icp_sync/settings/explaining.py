"""What is wrong with settings, as somebody would say it who has the files before them.

Knows where a setting comes from and what others are called. No value is ever quoted: it may be a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from pydantic_core import ErrorDetails

from icp_sync.errors import Problem
from icp_sync.settings.confidential import SECRETS_OF
from icp_sync.settings.defaults import DEFAULTS
from icp_sync.settings.folder import CONNECTIONS
from icp_sync.settings.layers import Layer, Loc, dotted
from icp_sync.settings.loading import SECRETS, Sources, variable
from icp_sync.settings.parts import known_keys

_KEY = "[key]"
"""How pydantic ends the place of a problem with a table's own name."""


def explained(details: Sequence[ErrorDetails], sources: Sources) -> list[Problem]:
    """Pydantic's complaints as problems, each at the place its setting comes from."""
    parts = [key.split(".") for key in known_keys(sources.model)]
    sections = dict.fromkeys(".".join(key[:n]) for key in parts for n in range(1, len(key) + 1))
    known = [key for key in sections if not key.endswith(">")]  # nobody writes that
    problems = []
    for detail in details:
        loc = detail["loc"]
        loc = loc[:-1] if loc[-1:] == (_KEY,) else loc
        name = dotted(loc)
        secret = bool(loc) and loc[-1] in SECRETS_OF
        if detail["type"] == "extra_forbidden":
            near = difflib.get_close_matches(_generic(loc), known, n=1, cutoff=0.6)
            called = _as_said(near[0], *sources.said_by(loc)) if near else ""
            what, hint = "unknown setting", f"did you mean {called}?" if near else ""
        elif detail["type"] == "missing":
            what = f"{name} is missing"
            hint = _where_secrets_go(loc) if secret else f"set it in the file, or as {variable(loc)}"
        else:
            what = detail["msg"].removeprefix("Value error, ").replace("Input should", "should")
            hint = _where_secrets_go(loc) if secret else ""
        problems.append(Problem(where=sources.where(loc) or "settings", what=what, hint=hint))
    return problems


def _where_secrets_go(loc: Loc) -> str:
    """Never the settings file: that one is shared, and often under version control."""
    file, what = "__".join(map(str, loc)), SECRETS_OF[str(loc[-1])]
    return f"put {what} into {variable(loc)}, or into the secret file {file} under {SECRETS}"


def _generic(loc: Loc) -> str:
    return dotted(("connections", "<name>", *loc[2:]) if loc[:1] == ("connections",) and loc[2:] else loc)


def _as_said(key: str, layer: Layer | None, place: Loc) -> str:
    """A known key the way the file would say it in which another was found."""
    own = key.removeprefix(f"{CONNECTIONS}.<name>.")
    if own == key or layer is None:
        return key
    return own if layer.under else f"{DEFAULTS}.{own}" if place[:1] == (DEFAULTS,) else key
