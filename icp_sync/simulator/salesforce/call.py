"""One request as an endpoint sees it: parsed, authenticated, with the org it is about."""

from __future__ import annotations

import json
from dataclasses import dataclass

from icp_sync.simulator.salesforce.errors import Refusal, bad_json
from icp_sync.simulator.salesforce.org import Org, Session, SObject, User
from icp_sync.simulator.server import Request
from icp_sync.simulator.store import Source

Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call of one endpoint. `version`: "66.0". `rest`: the path's variable parts, in order."""

    org: Org
    request: Request
    session: Session
    version: str
    rest: tuple[str, ...] = ()

    @property
    def user(self) -> User:
        return self.session.user

    def sobject(self, name: str) -> SObject:
        """An object that the caller may read. Raises Refusal INVALID_TYPE."""
        return self.org.object_for(self.user, name)

    @property
    def root(self) -> str:
        """`/services/data/v66.0`, in the version that was asked for."""
        return f"/services/data/v{self.version}"

    def header(self, name: str, default: str = "") -> str:
        return str(self.request.headers.get(name, default))

    def option(self, header: str, name: str) -> str:
        """One setting of a header like `Sforce-Query-Options: batchSize=200, x=y`; "" where there is none."""
        for part in self.header(header).replace(",", ";").split(";"):
            key, _, value = part.partition("=")
            if key.strip().lower() == name.lower():
                return value.strip()
        return ""

    @property
    def client(self) -> str:
        """Who calls, as `Sforce-Call-Options: client=…` says; the session's app where it does not."""
        return self.option("Sforce-Call-Options", "client") or self.session.app

    @property
    def source(self) -> Source:
        """What the log of writes says of a write of this call."""
        return Source("API", self.client, self.user.number)

    def value(self) -> object:
        """The body as JSON of any kind. Raises Refusal, also for one that does not say it is JSON.

        https://developer.salesforce.com/docs/atlas.en-us.api_rest.meta/api_rest/errorcodes.htm
        """
        kind = self.header("Content-Type")
        if kind.partition(";")[0].strip().lower() != "application/json":
            message = f"Content-Type '{kind[:80]}' is not supported; application/json is"
            raise Refusal(415, "UNSUPPORTED_MEDIA_TYPE", message)
        try:
            return json.loads(self.request.body, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            raise bad_json("Unexpected character at [line:1, column:1]: a JSON value was expected") from None

    def json(self, *known: str) -> Json:
        """The body, which must be a JSON object; no body is an empty one. Raises Refusal.

        known: the only names it may hold, where not any is taken.
        """
        if not self.request.body.strip():
            return {}
        body = self.value()
        if not isinstance(body, dict):
            raise bad_json("Unexpected value: a JSON object was expected at [line:1, column:1]")
        for name in body if known else ():
            if name not in known:
                raise bad_json(f'Unrecognized field "{name[:40]}", not marked as ignorable')
        return body


def _no_constant(name: str) -> object:
    raise ValueError(name)
