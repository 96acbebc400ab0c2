"""Around every request: whose host name it asks for, who is asking, and that a form came from our own page.

Nothing behind this is reached by a client that has not logged in where a login is asked for. Answers with a
content security policy that runs no script and no style but our own files.
"""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, quote, urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from icp_sync.console.access import Access, Session

LARGEST_FORM = 65_536
PATIENCE = 10.0
"""Seconds in which the body of a form has to come."""
PASSED_ON = ("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip", "via")
"""Headers by which a proxy says that it speaks for somebody else."""
OPEN = ("/login", "/static/")
"""What everybody may see: how to log in, and our own public style sheet and scripts."""
HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "img-src 'self' data:; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # with none at all browsers call the origin of our own forms null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """What a page may know of a request: its session, and the fields of its form."""

    session: Session
    form: Mapping[str, str] = field(default_factory=dict)


class Guarding:
    """hosts: names we are reached by, beside loopback's. secure: whether browsers reach us by https."""

    def __init__(
        self,
        app: ASGIApp,
        access: Access,
        *,
        hosts: Collection[str],
        secure: bool,
        unforeseen: Callable[[Request, Exception], Response],
    ) -> None:
        self._app, self._access, self._secure, self._unforeseen = app, access, secure, unforeseen
        self._hosts = frozenset(hosts) | _LOOPBACK
        self._cookie = "__Host-icp_sync" if secure else "icp_sync_session"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        told = self._told(headers)
        refusal = self._unfit(scope, headers)
        session = None if refusal else self._session(told, headers)
        begun: list[bool] = []
        fresh = session is not None and told != session.id

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                begun.append(True)
                said = MutableHeaders(scope=message)
                said.update(HEADERS)
                if not scope["path"].startswith("/static/"):
                    said["Cache-Control"] = "no-store"
                given = scope.get("icp_sync.session", session if fresh else None)
                if given is not None and not scope["path"].startswith("/static/"):
                    said.append("Set-Cookie", self._set(given))
                if self._secure:
                    said["Strict-Transport-Security"] = "max-age=31536000"
            await send(message)

        refusal = refusal or self._unknown(scope, headers, session)
        form: Mapping[str, str] = {}
        if refusal is None and scope["method"] == "POST":
            try:
                form = await _form(receive, headers)
            except ValueError as error:
                refusal = PlainTextResponse(f"{error}\n", 400)
            else:
                refusal = self._forged(scope, headers, session, form)
        if refusal is not None:
            await refusal(scope, receive, answered)
            return
        scope["icp_sync.asking"] = Asking(session=session, form=form) if session else None
        scope["icp_sync.form"] = form
        try:
            await self._app(scope, receive, answered)
        except Exception as error:
            if begun:
                raise  # too late to say anything else
            await self._unforeseen(Request(scope), error)(scope, receive, answered)

    def _told(self, headers: Headers) -> str:
        """What our cookie says, whatever other programs on this host have put beside it."""
        for header in headers.getlist("cookie"):
            for one in header.split(";"):
                name, _, value = one.strip().partition("=")
                if name == self._cookie:
                    return value
        return ""

    def _session(self, told: str, headers: Headers) -> Session | None:
        """The open one, or a new one for whoever reaches us, where that is enough. A page that asks again by
        itself keeps no session open."""
        open_one = self._access.session(told, used="hx-request" not in headers)
        everybody = self._access.everybody
        return open_one or (self._access.begin(everybody) if everybody else None)

    def _set(self, session: Session) -> str:
        secure = "; Secure" if self._secure else ""
        return f"{self._cookie}={session.id}; Path=/; HttpOnly; SameSite=Lax{secure}"

    def _unfit(self, scope: Scope, headers: Headers) -> Response | None:
        """What nobody may send, logged in or not."""
        if b"\0" in scope["path"].encode() or b"%00" in scope["query_string"]:
            return PlainTextResponse("this address cannot be read\n", 400)
        if self._access.everybody and any(name in headers for name in PASSED_ON):
            return PlainTextResponse("through a proxy nobody is let in without a login\n", 403)
        if _host(headers.get("host", "")) not in self._hosts:
            # a page elsewhere whose name was made to lead here must read nothing
            return PlainTextResponse("this console is not reached by that name: see [console] hosts\n", 421)
        if scope["method"] not in ("GET", "HEAD", "POST"):
            return PlainTextResponse("only GET and POST\n", 405)
        return None

    def _unknown(self, scope: Scope, headers: Headers, session: Session | None) -> Response | None:
        """Who has not logged in is led to where that is done."""
        path = scope["path"]
        if session is not None or path == OPEN[0] or path.startswith(OPEN[1]):
            return None
        if scope["method"] == "GET" and "hx-request" not in headers:
            asked = path + (f"?{scope['query_string'].decode('latin-1')}" if scope["query_string"] else "")
            return RedirectResponse(f"/login?next={quote(asked, safe='')}", 303)
        return PlainTextResponse("log in first\n", 401, headers={"HX-Redirect": "/login"})

    def _forged(
        self, scope: Scope, headers: Headers, session: Session | None, form: Mapping[str, str]
    ) -> Response | None:
        """A form that is not from a page of ours in this session (OWASP: Cross-Site Request Forgery)."""
        if headers.get("sec-fetch-site", "same-origin") != "same-origin":
            return PlainTextResponse("this form came from another site\n", 403)
        origin = headers.get("origin")
        if origin is not None and _netloc(origin) != headers.get("host"):
            return PlainTextResponse("this form came from another site\n", 403)
        if scope["path"] == "/login":
            return None  # nothing is done in somebody's name yet
        if session is None or not hmac.compare_digest(form.get("csrf", "").encode(), session.csrf.encode()):
            said = "this page is of an earlier session: go back, load it again, and repeat\n"
            return PlainTextResponse(said, 403)
        return None


async def _form(receive: Receive, headers: Headers) -> Mapping[str, str]:
    """The fields of a form, the last of a name counting. Raises ValueError for anything else."""
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise ValueError("a form is wanted")
    try:
        async with asyncio.timeout(PATIENCE):
            body = await _body(receive)
    except TimeoutError:
        raise ValueError("the form did not come") from None
    try:
        fields = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=200, errors="strict")
    except ValueError:
        raise ValueError("the form cannot be read") from None
    if any("\0" in text for field in fields for text in field):
        raise ValueError("the form cannot be read")
    return dict(fields)


async def _body(receive: Receive) -> bytes:
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ValueError("the form did not come whole")
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > LARGEST_FORM:
            raise ValueError("the form is too large")
    return body


def _netloc(origin: str) -> str:
    try:
        return urlsplit(origin).netloc
    except ValueError:
        return ""


def _host(header: str) -> str:
    """The name in a Host header, without its port."""
    text = header.strip().lower()
    if text.startswith("["):
        return text[1:].partition("]")[0]
    return text.partition(":")[0]


def is_loopback(host: str) -> bool:
    """Whether only this machine reaches an address to listen on."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
