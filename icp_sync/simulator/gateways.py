"""What the proxies before any API answer with: pages, not JSON."""

from __future__ import annotations

from icp_sync.simulator.server import Reply

_HTML = {"Content-Type": "text/html"}
_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
_TITLES = {
    "502_html": (502, "502 Bad Gateway"),
    "504": (504, "504 Gateway Time-out"),
    "524": (524, "524: A timeout occurred"),
}


def gateway(kind: str) -> Reply | None:
    """The answer of a fault that is a gateway's; None for those that are not."""
    if kind == "503":
        return Reply(status=503, body=b"", headers=dict(_HTML))
    found = _TITLES.get(kind)
    return None if found is None else page(*found)


def page(status: int, title: str) -> Reply:
    """A page that says no more than its title."""
    return Reply(status=status, body=_PAGE.format(title).encode(), headers=dict(_HTML))
