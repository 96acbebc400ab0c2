"""A message as it is sent: Slack's JSON (which Mattermost and others read, too), plain data, a task's text.

In Slack's text `<`, `>` and `&` are escaped, so that no name can make a link or call a channel; `@` and the
signs that mark text up, or make a link (in Mattermost's Markdown, too), are parted from what follows them by
a character of no width.
https://api.slack.com/reference/surfaces/formatting (escaping text), /messaging/webhooks
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping

from icp_sync.sync.telling.message import Group, Line, Message

SLACK, JSON = "slack", "json"
_SECTION = 2_900
"""Characters of a section; Slack takes 3,000."""
_APART = "\u200b"
_MARKS = re.compile(r"[@*_~`\[\]]|:(?=//)")
_INVISIBLE = re.compile("[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
"""Control characters, and those that turn the direction of text around."""


def slack(message: Message) -> bytes:
    """`text` says everything by itself, for receivers that know no blocks."""
    title = f"*{_escaped(message.title)}*"
    parts = [title, *_said(message)]
    blocks = [
        {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}
        for text in _sections(parts)
    ]
    body = {"text": "\n".join(parts), "blocks": blocks, "unfurl_links": False, "unfurl_media": False}
    return json.dumps(body).encode()


def plain(message: Message) -> bytes:
    return json.dumps(dict(message.data), sort_keys=True).encode()


FORMATS: Mapping[str, Callable[[Message], bytes]] = {SLACK: slack, JSON: plain}


def task_text(message: Message) -> str:
    """Lines of plain text, without anything a CRM could take for markup."""
    lines = []
    for group in message.groups:
        lines += [f"{group.heading}:"] if group.heading else []
        lines += [_bare(line) for line in group.lines]
    return "\n".join([*lines, *_more(message)])


def _bare(line: Line) -> str:
    said = ": ".join(filter(None, [line.name, line.said]))
    return _INVISIBLE.sub(" ", f"- {said}" + (f" {line.url}" if line.url else ""))


def _said(message: Message) -> Iterator[str]:
    for group in message.groups:
        yield from _group(group)
    yield from _more(message)


def _group(group: Group) -> Iterator[str]:
    if group.heading:
        yield f"*{_escaped(group.heading)}*"
    for line in group.lines:
        name = _escaped(line.name)
        shown = f"<{line.url}|{name.replace('|', '¦')}>" if line.url and name else name
        said = _escaped(line.said)
        yield "• " + ": ".join(filter(None, [shown, said])) if name else said


def _more(message: Message) -> list[str]:
    return [f"and {message.more} more"] if message.more else []


def _escaped(text: str) -> str:
    safe = _INVISIBLE.sub(" ", text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _MARKS.sub(lambda mark: mark[0] + _APART, safe)


def _sections(parts: list[str]) -> list[str]:
    """The lines, as few sections as hold them."""
    sections: list[str] = []
    for part in parts:
        part = part[:_SECTION]
        if sections and len(sections[-1]) + len(part) < _SECTION:
            sections[-1] += "\n" + part
        else:
            sections.append(part)
    return sections
