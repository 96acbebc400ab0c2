"""Templates become pages. Everything a template prints is escaped; text of a CRM is cleaned before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse

from icp_sync.console.access import Role, User
from icp_sync.console.guarding import Asking
from icp_sync.reporting.text import ago, amount, clean, counted, credits, instant, short, span

_HERE = Path(__file__).parent
PAGES = (
    ("overview", "Overview"),
    ("accounts", "Accounts"),
    ("runs", "Runs"),
    ("plan", "Plan"),
    ("held", "Held"),
    ("backfill", "Backfill"),
    ("vendors", "Vendors"),
    ("profile", "Profile"),
    ("audit", "Audit"),
)
"""The pages of a connection, in the order of the navigation: address and title."""


def _environment() -> Environment:
    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=lambda value: (
            ""
            if value is None
            else clean(value, keep="\n")
            if isinstance(value, str) and not isinstance(value, Markup)
            else value
        ),
    )
    made.filters |= {
        "ago": ago,
        "amount": amount,
        "clean": clean,
        "credits": credits,
        "instant": instant,
        "machine": machine,
        "number": number,
        "series": series,
        "short": short,
        "span": span,
    }
    made.globals |= {"counted": counted, "pages": PAGES}
    return made


def number(value: float | None) -> str:
    """With thousands separators; "" for nothing."""
    return "" if value is None else f"{value:,.0f}"


def machine(seconds: float) -> str:
    """An instant as the datetime attribute of a time element has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds")
    except (OverflowError, OSError, ValueError):
        return ""


def series(value: object) -> Markup:
    """Plain data as JSON inside of a script element that runs nothing."""
    text = json.dumps(value, ensure_ascii=True, separators=(",", ":"))
    safe = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return Markup(safe)  # noqa: S704  nothing in it can end the element


_TEMPLATES = _environment()


def page(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page; a template `_name.html` is the part of one that htmx asks for. What `shared` adds is there."""
    return HTMLResponse(_TEMPLATES.get_template(template).render(**shared(request), **context), status)


def shared(request: Request) -> Mapping[str, Any]:
    """What every template may use: `user`, `may` (whether their role is at least the one named), `csrf`,
    `said` (messages, shown once), `here` (connection), `stopped` (why its worker does nothing, "" while it
    works), `connections`, `path`, `now`."""
    asking: Asking | None = request.scope.get("icp_sync.asking")
    user: User | None = asking.session.user if asking else None
    said: list[tuple[str, str]] = []
    if asking and "hx-request" not in request.headers:
        said, asking.session.said = asking.session.said, []
    state = request.app.state
    here = request.path_params.get("connection", "")

    def may(role: str) -> bool:
        return user is not None and user.role >= Role.named(role)

    return {
        "user": user,
        "may": may,
        "csrf": asking.session.csrf if asking else "",
        "said": said,
        "here": here,
        "stopped": state.figures[here].place.halted() if user and here in state.figures else "",
        "connections": tuple(state.figures) if user else (),
        "path": request.url.path,
        "now": state.clock(),
        "login": state.access.everybody is None,
    }
