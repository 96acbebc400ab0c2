"""The front of HubSpot's API: credentials, limits, the endpoint; headers on the way out."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from email.utils import formatdate
from math import ceil
from secrets import token_hex

from icp_sync.simulator.faults import Rule
from icp_sync.simulator.front import Front
from icp_sync.simulator.hubspot import errors
from icp_sync.simulator.hubspot.batch import split_in_half
from icp_sync.simulator.hubspot.call import Call
from icp_sync.simulator.hubspot.errors import Refusal, correlation_id
from icp_sync.simulator.hubspot.objects import LONGEST_URL
from icp_sync.simulator.hubspot.portal import Portal, Token
from icp_sync.simulator.hubspot.refusals import pretended
from icp_sync.simulator.hubspot.routes import Endpoint, Target, find
from icp_sync.simulator.server import Reply, Request


class Api(Front[Target]):
    """Answers requests for one portal. `close_port(seconds)` acts out a refused connection."""

    def __init__(self, portal: Portal, close_port: Callable[[float], None]) -> None:
        super().__init__(portal, close_port)
        self._portal = portal

    def target(self, request: Request) -> Target:
        return find(request.method, request.segments)

    def label(self, request: Request, target: Target) -> str:
        return target.label(request.method)

    def attempt(self, label: str, target: Target) -> None:
        exempt, search = (
            (target.endpoint.exempt, target.endpoint.search) if target.endpoint else (False, False)
        )
        self._portal.meter.attempt(label, exempt=exempt, search=search)

    def pretended(self, rule: Rule, request: Request, target: Target) -> Reply | None:
        pretend = pretended(rule, request)
        if pretend is not None:
            return self._dressed(pretend, None, target.endpoint)
        return self._mixed(request, target) if rule.kind == "207_mixed" else None

    def _mixed(self, request: Request, target: Target) -> Reply:
        """Carry out every second input of a batch and report the others as failed."""
        try:
            body = json.loads(request.body)
        except ValueError:
            body = {}
        kept, failed = split_in_half(body if isinstance(body, dict) else {})
        reply = self.real(replace(request, body=json.dumps(kept).encode()), target)
        if failed and isinstance(reply.body, dict) and reply.status < 300:
            reply.status = 207
            found = [*reply.body.get("errors", []), *failed]
            reply.body |= {"errors": found, "numErrors": len(found)}
        return reply

    def real(self, request: Request, target: Target) -> Reply:
        token_text = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
        try:
            token = self._token(request, token_text)
            self._admit(token_text, target.endpoint)
            if len(request.path) + sum(len(k) + len(v) + 2 for k, v in request.query) > LONGEST_URL:
                return self._dressed(Reply(status=414, body=b""), token_text, target.endpoint)
            if target.refusal is not None or target.endpoint is None:
                raise target.refusal or errors.not_found()
            if target.endpoint.scopes and not token.scopes & set(target.endpoint.scopes):
                raise errors.missing_scopes(target.endpoint.scopes)
            call = Call(
                portal=self._portal.seen[target.kind],
                request=request,
                token=token,
                version=target.version,
                rest=target.rest,
            )
            reply = target.endpoint.run(call)
        except Refusal as refusal:
            reply = refusal.reply
        return self._dressed(reply, token_text, target.endpoint)

    def _token(self, request: Request, text: str) -> Token:
        known = self._portal.tokens.get(text)
        if known is None or not request.headers.get("Authorization", "").startswith("Bearer "):
            raise errors.unauthenticated()
        if known.expired:
            raise errors.unauthenticated(expired=True)
        return known

    def _admit(self, token: str, endpoint: Endpoint | None) -> None:
        portal = self._portal
        exempt, search = (endpoint.exempt, endpoint.search) if endpoint else (False, False)
        over = portal.limits.admit(token, portal.clock.now(), exempt=exempt, search=search)
        if over is not None:
            portal.meter.refused_for[over.policy] += 1
            headers = {"Retry-After": str(ceil(over.wait))} if portal.switches.retry_after else {}
            raise Refusal(429, errors.rate_limited(over.policy), headers)

    def _dressed(self, reply: Reply, token: str | None, endpoint: Endpoint | None) -> Reply:
        """Headers every answer has; rate headers on all but search."""
        reply.headers["Date"] = formatdate(self._portal.clock.now(), usegmt=True)
        reply.headers["X-HubSpot-Correlation-Id"] = correlation_id()
        reply.headers["X-Trace"] = token_hex(16).upper()
        searching = endpoint is not None and endpoint.search
        if token in self._portal.tokens and token is not None and not searching:
            reply.headers |= self._portal.limits.headers(token)
        return reply
