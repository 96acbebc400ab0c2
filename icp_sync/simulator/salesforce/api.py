"""The front of the API: sessions, versions, limits, the endpoint; headers and compression on the way out."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from urllib.parse import urlencode

from icp_sync.simulator.faults import Rule
from icp_sync.simulator.front import Front, Json
from icp_sync.simulator.salesforce import oauth, refusals, resources, soap
from icp_sync.simulator.salesforce.call import Call
from icp_sync.simulator.salesforce.endpoints import ENDPOINTS
from icp_sync.simulator.salesforce.errors import Refusal, invalid_session, not_found, over_limit
from icp_sync.simulator.salesforce.org import Org, Session
from icp_sync.simulator.salesforce.routes import Target
from icp_sync.simulator.server import Reply, Request

LONGEST_HEAD = 16_384
"""Bytes of request line and headers together.
https://developer.salesforce.com/docs/atlas.en-us.salesforce_app_limits_cheatsheet.meta/salesforce_app_limits_cheatsheet/salesforce_app_limits_platform_api.htm
"""
COMPRESSED_FROM = 1_024
LONGEST_BODY = 160 * 1024 * 1024
JSON_TYPE = "application/json;charset=UTF-8"
_CLIENT = re.compile(r"\bclient=([\w .-]{1,64})")
_VERSION = re.compile(r"v(\d{1,3})\.0", re.IGNORECASE)


class Api(Front[Target]):
    """Answers requests for one org."""

    def __init__(self, org: Org, close_port: Callable[[float], None]) -> None:
        super().__init__(org, close_port)
        self._org = org

    def target(self, request: Request) -> Target:
        match request.segments:
            case (a, b, version, *rest) if (a.lower(), b.lower()) == ("services", "data"):
                return self._versioned(request, version, rest)
            case (a, b) if (a.lower(), b.lower()) == ("services", "data"):
                return Target(title=f"{request.method} versions")
            case (a, b, *rest) if (a.lower(), b.lower()) == ("services", "oauth2"):
                return Target(title=f"{request.method} oauth2/{'/'.join(rest).lower()}")
            case (a, b, *rest) if (a.lower(), b.lower()) == ("services", "soap"):
                return Target(title=f"{request.method} soap")
            case ("id", _, _):
                return Target(title=f"{request.method} id")
        return Target(title=f"{request.method} (unknown)", refusal=not_found())

    def _versioned(self, request: Request, version: str, rest: list[str]) -> Target:
        known = _VERSION.fullmatch(version)
        number = int(known[1]) if known else 0
        target = ENDPOINTS.find(request.method, rest)
        if known is None or number > resources.NEWEST:
            return replace(target, refusal=not_found())
        if number < resources.OLDEST:
            message = "The requested resource is no longer available"
            return replace(target, refusal=Refusal(410, "UNSUPPORTED_API_VERSION", message))
        return replace(target, version=f"{number}.0")

    def label(self, request: Request, target: Target) -> str:
        return target.title

    def pretended(self, rule: Rule, request: Request, target: Target) -> Reply | None:
        if rule.kind == "401_session":
            session = self._org.sessions.get(oauth.bearer(request))
            if session is not None:
                session.expired = True
        reply = refusals.pretended(rule, request)
        if reply is None and rule.kind in refusals.SHORTENED:
            return refusals.SHORTENED[rule.kind](self.real(request, target))
        if reply is None and rule.kind == "207_mixed":
            return self._mixed(request, target)
        return None if reply is None else self._dressed(reply, request)

    def _mixed(self, request: Request, target: Target) -> Reply:
        """Carry out every second record of a collection and report the others as locked."""
        rows = refusals.rows_of(request)
        if rows is None:
            return self.real(request, target)
        body = json.loads(request.body) | {"records": rows[::2]}
        request = replace(request, body=json.dumps(body).encode())
        reply = self._answered(request, target)
        if reply.status == 200 and isinstance(reply.body, list):
            done = iter(reply.body)
            reply.body = [refusals.locked_row() if n % 2 else next(done) for n in range(len(rows))]
        return self._dressed(reply, request)

    def real(self, request: Request, target: Target) -> Reply:
        return self._dressed(self._answered(request, target), request)

    def _answered(self, request: Request, target: Target) -> Reply:
        try:
            refused = _too_long(request)
            if refused is not None:
                return refused
            if target.version:
                return self._called(request, target)
            if target.refusal is not None:
                raise target.refusal
            if target.title == "GET versions":
                return resources.versions()
            if target.title.endswith(" soap"):
                return soap.refused(request)
            return oauth.answer(self._org, request)
        except Refusal as refusal:
            return refusal.reply

    def _called(self, request: Request, target: Target) -> Reply:
        session = self._session(request)
        route = target.route
        now = self._org.clock.now()
        if not (route is not None and route.free) and not self._org.limits.admit(now, _app(request)):
            self._org.meter.refused_for["DAILY"] += 1
            raise over_limit()
        if target.refusal is not None or route is None:
            raise target.refusal or not_found()
        call = Call(org=self._org, request=request, session=session, version=target.version, rest=target.rest)
        return route.run(call)

    def _session(self, request: Request) -> Session:
        session = self._org.sessions.get(oauth.bearer(request))
        if session is None or session.over(self._org.clock.now()) or not session.user.active:
            raise invalid_session()
        return session

    def _dressed(self, reply: Reply, request: Request) -> Reply:
        """Headers every answer has, and the body as the client asked for it."""
        headers = reply.headers
        headers["Date"] = formatdate(self._org.clock.now(), usegmt=True)
        if len(request.segments) > 2 and request.segments[1].lower() == "data":
            headers["Sforce-Limit-Info"] = self._usage(request)
        if reply.body is not None and not isinstance(reply.body, bytes):
            headers.setdefault("Content-Type", JSON_TYPE)
            pretty = request.headers.get("X-PrettyPrint", "0") == "1"
            reply.body = _encoded(reply.body, pretty=pretty)
            wanted = "gzip" in request.headers.get("Accept-Encoding", "").lower()
            if wanted and len(reply.body) > COMPRESSED_FROM:
                reply.body = gzip.compress(reply.body, compresslevel=1)
                headers["Content-Encoding"] = "gzip"
                headers["Vary"] = "Accept-Encoding"
        return reply

    def _usage(self, request: Request) -> str:
        used, most = self._org.limits.used(self._org.clock.now()), self._org.limits.most
        self._org.limits.watch.told(_app(request), most - used)
        usage = f"api-usage={used}/{most}"
        if self._org.switches.per_app_usage:
            usage += f"; per-app-api-usage={used}/{most}(appName=icp_sync)"
        return usage

    def told(self, request: Request) -> Json:
        """Headers that decide what a request does."""
        names = ("Sforce-Auto-Assign", "Sforce-Call-Options", "Sforce-Duplicate-Rule-Header")
        return {"headers": {n: request.headers[n] for n in names if n in request.headers}}


def _app(request: Request) -> str:
    """Who calls, by what it says of itself."""
    said = _CLIENT.search(request.headers.get("Sforce-Call-Options", ""))
    return said[1] if said else "unnamed"


def _too_long(request: Request) -> Reply | None:
    """A request line, or a head, beyond what the front servers take."""
    line = len(request.path) + len(urlencode(request.query))
    head = sum(len(name) + len(value) + 4 for name, value in request.headers.items())
    if line > LONGEST_HEAD:
        return Reply(status=414, body=b"")
    return Reply(status=431, body=b"") if line + head > LONGEST_HEAD else None


def _encoded(body: object, *, pretty: bool) -> bytes:
    separators = (",", " : ") if pretty else (",", ":")
    text = json.dumps(body, ensure_ascii=False, separators=separators, indent=2 if pretty else None)
    return text.encode("utf-8", errors="replace")
