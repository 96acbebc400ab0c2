"""What somebody is told, as plain values: a title, what it is about, and how much was left out.

A message is made of notices that are sent together; how it looks where it arrives is `formats`' business.
Names come from the CRM, so anybody may have chosen them: nothing here trusts them, or marks them up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from icp_sync.domain.spelling import cut
from icp_sync.domain.telling import ASSIGNED, TIER
from icp_sync.journal import OPERATOR, StoredNotice

LINES = 20
BREACH = "breach"
_HEADINGS: Mapping[str, str] = {
    BREACH: "Not touched in time",
    ASSIGNED: "Given to you",
    TIER: "Risen in fit",
}
"""Kind → under which heading, in this order; another kind stands last under its own name."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One account, or one sentence: what it is called, what is said of it, and where its page is."""

    name: str
    said: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    heading: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """key: the same however often it is sent. kind: news, alert or test. more: lines left out.

    data: everything it says as plain JSON, nothing left out.
    """

    key: str
    kind: str
    audience: str
    to: str
    title: str
    groups: tuple[Group, ...] = ()
    more: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def lines(self) -> int:
        return sum(len(group.lines) for group in self.groups)


def digest_of(notices: Sequence[StoredNotice], key: str, *, connection: str, record_url: str = "") -> Message:
    """One message of notices for one person: grouped, newest first, at most `LINES` lines.

    record_url: of a record's page, with {id}; "" for no links.
    """
    newest = sorted(notices, key=lambda notice: (-notice.at, -notice.seq))
    if newest[0].audience == OPERATOR:
        return _alert(newest[0], key, connection)
    groups, left = [], LINES
    for kind in _kinds(newest):
        lines = [_line(notice, record_url) for notice in newest if notice.kind == kind][:left]
        left -= len(lines)
        if lines:
            groups.append(Group(heading=_HEADINGS.get(kind, kind.capitalize()), lines=tuple(lines)))
    n, to = len(newest), newest[0].to
    whom = f"for {to}" if to else "that nobody owns"
    return Message(
        key=key,
        kind="news",
        audience=newest[0].audience,
        to=to,
        title=_single_title(newest[0], whom) if n == 1 else f"{n} accounts {whom}",
        groups=tuple(groups),
        more=n - sum(len(group.lines) for group in groups),
        data={
            "id": key,
            "kind": "news",
            "connection": connection,
            "to": to,
            "accounts": [_plainly(notice, record_url) for notice in newest],
        },
    )


def test_message(key: str, audience: str, *, connection: str, now: float) -> Message:
    """What shows that messages arrive."""
    title = f"This is a test of icp-sync, connection {connection}"
    data = {"id": key, "kind": "test", "connection": connection, "title": title, "at": _iso(now)}
    return Message(key=key, kind="test", audience=audience, to="", title=title, data=data)


def _kinds(notices: Sequence[StoredNotice]) -> list[str]:
    found = dict.fromkeys(notice.kind for notice in notices)
    return [kind for kind in _HEADINGS if kind in found] + [kind for kind in found if kind not in _HEADINGS]


def _single_title(notice: StoredNotice, whom: str) -> str:
    return f"{_name(notice)} {whom}" if whom.startswith("for") else f"{_name(notice)}, {whom}"


def _line(notice: StoredNotice, record_url: str) -> Line:
    return Line(name=_name(notice), said=_said(notice), url=_url(notice, record_url))


def _name(notice: StoredNotice) -> str:
    return cut(str(notice.data.get("name") or notice.data.get("domain") or notice.subject), 120)


def _said(notice: StoredNotice) -> str:
    """What is to know of it: "tier A (was B), score 84; raised a round"."""
    data = notice.data
    if text := data.get("text"):
        return cut(str(text), 300)
    said = []
    if tier := data.get("tier"):
        was = f" (was {data['before']})" if data.get("before") and data["before"] != tier else ""
        short = ", provisional" if data.get("certainty") == "provisional" else ""
        said.append(f"{f'tier {tier}' if len(str(tier)) == 1 else tier}{was}{short}")
        said += [f"score {data['score']}"] if len(str(tier)) == 1 and data.get("score") is not None else []
    if notice.kind == ASSIGNED and data.get("lane"):
        said.append(f"{data['lane']} lane")
    head = ", ".join(said)
    return cut("; ".join(filter(None, [head, str(data.get("why") or "")])), 300)


def _url(notice: StoredNotice, record_url: str) -> str:
    return record_url.replace("{id}", notice.subject) if record_url and notice.subject.isalnum() else ""


def _plainly(notice: StoredNotice, record_url: str) -> dict[str, Any]:
    return {
        "account": notice.subject,
        "kind": notice.kind,
        "at": _iso(notice.at),
        **notice.data,
        **({"url": url} if (url := _url(notice, record_url)) else {}),
    }


def _alert(notice: StoredNotice, key: str, connection: str) -> Message:
    """An alert that began or has ended; of one that came and went meanwhile also how often."""
    begun, changes = bool(notice.data.get("begun")), int(notice.data.get("changes", 1))
    text = str(notice.data.get("text") or "")
    stands = "stands" if begun else "is over"
    if changes > 1:
        title = f"{connection}: {notice.subject} {stands}; it changed {changes} times meanwhile"
    else:
        title = f"{connection}: {notice.subject}" + ("" if begun else " is over")
    lines = (Line(name="", said=cut(text, 1_000)),) if text else ()
    data = {
        "id": key,
        "kind": notice.kind,
        "connection": connection,
        "alert": notice.subject,
        "begun": begun,
        "changes": changes,
        "text": text,
        "at": _iso(notice.at),
    }
    return Message(
        key=key,
        kind=notice.kind,
        audience=OPERATOR,
        to="",
        title=title,
        groups=(Group(heading="", lines=lines),) if lines else (),
        data=data,
    )


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
